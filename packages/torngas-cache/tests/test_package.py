"""The package as a whole: public names, a pure import, the README's examples."""

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import torngas_cache
from torngas_cache import caches, errors

README = Path(__file__).parents[1] / "README.md"
MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(torngas_cache.__path__, "torngas_cache.")
    if not any(part.startswith("_") for part in name.split("."))
]


@pytest.mark.parametrize("name", ["torngas_cache", *MODULES])
def test_all_is_sorted_and_true(name):
    """What a module offers it lists, and what it lists it has."""
    module = importlib.import_module(name)
    listed = getattr(module, "__all__", [])
    assert listed == sorted(set(listed))
    assert all(hasattr(module, item) for item in listed)
    defined = {
        item
        for item, value in vars(module).items()
        if not item.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == name
    }
    assert defined <= set(listed)


def test_documented_names_are_there():
    names = "CacheHandler caches cache BaseCache InvalidCacheBackendError InvalidCacheKey CacheKeyWarning create_cache"
    assert set(names.split()) <= set(torngas_cache.__all__)
    for path in (
        "localcache.LocMemCache",
        "filebased.FileBasedCache",
        "rediscache.RedisCache",
        "rediscache.RedisClient",
        "memcached.MemcachedCache",
        "memcached.PyLibMCCache",
        "dummy.DummyCache",
        "tiered.TieredCache",
        "base.BaseCache",
        "base.DEFAULT_TIMEOUT",
    ):
        module, _, name = path.partition(".")
        assert hasattr(importlib.import_module(f"torngas_cache.backends.{module}"), name)


def test_every_error_has_one_base_and_a_builtin():
    for name in errors.__all__:
        found = getattr(errors, name)
        if issubclass(found, Warning):
            continue
        assert issubclass(found, errors.CacheError)
        builtins = [base for base in found.__mro__ if base.__module__ == "builtins"]
        assert found is errors.CacheError or len(builtins) > 3, f"{name} derives from no fitting builtin"


def test_every_method_has_a_twin():
    from torngas_cache import BaseCache

    plain = "get set add touch delete get_or_set get_many set_many delete_many has_key incr decr incr_version"
    plain += " decr_version clear ttl gets cas invalidate_tag close"
    for name in plain.split():
        method, twin = getattr(BaseCache, name), getattr(BaseCache, "a" + name)
        assert inspect.iscoroutinefunction(twin)
        assert not inspect.iscoroutinefunction(method)
        assert list(inspect.signature(method).parameters) == list(inspect.signature(twin).parameters)


def test_importing_does_nothing():
    """No driver, no framework, no thread, no loop, no file, no handler of logs."""
    program = """
import sys, threading, logging, os
before = set(os.listdir("."))
import torngas_cache
import torngas_cache.backends.localcache, torngas_cache.backends.filebased, torngas_cache.backends.dummy
import torngas_cache.backends.rediscache, torngas_cache.backends.memcached, torngas_cache.backends.tiered
import torngas_cache.serializers
for name in ("redis", "hiredis", "pymemcache", "pylibmc", "msgpack", "zstandard", "tornado"):
    assert name not in sys.modules, name
assert threading.active_count() == 1
assert set(os.listdir(".")) == before
assert not logging.getLogger("torngas_cache").handlers and not logging.getLogger().handlers
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


@pytest.mark.skipif(not README.exists(), reason="an installed package has no README beside it")
def test_the_readme_is_true_and_short():
    text = README.read_text()
    assert len(text.splitlines()) <= 120
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks
    former = caches.replace(None)
    try:
        for block in blocks:
            exec(compile(block, str(README), "exec"), {})
    finally:
        caches.replace(former)
