"""What is public is listed, sorted and documented; importing does nothing."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import torngas_middleware

MODULES = [
    "torngas_middleware",
    *(f"torngas_middleware.{m.name}" for m in pkgutil.iter_modules(torngas_middleware.__path__) if not m.ispkg),
]


@pytest.mark.parametrize("name", MODULES)
def test_all_is_sorted_and_complete(name):
    module = importlib.import_module(name)
    assert list(module.__all__) == sorted(module.__all__)
    defined = {
        n
        for n, value in vars(module).items()
        if not n.startswith("_") and (inspect.isclass(value) or inspect.isfunction(value)) and value.__module__ == name
    }
    assert defined <= set(module.__all__)


def test_the_package_exports_what_its_public_modules_have():
    exported = set(torngas_middleware.__all__)
    for name in MODULES[1:]:
        if not name.rpartition(".")[2].startswith("_") and not name.endswith((".protocols", ".manager")):
            assert set(importlib.import_module(name).__all__) <= exported, name


@pytest.mark.parametrize("name", torngas_middleware.__all__)
def test_everything_public_is_documented(name):
    value = getattr(torngas_middleware, name)
    if inspect.isclass(value):
        assert value.__doc__
        for attribute, member in vars(value).items():
            if inspect.isfunction(member) and not attribute.startswith("_") and value.__module__.startswith("torngas"):
                assert inspect.getdoc(member) or inspect.getdoc(getattr(value.__mro__[1], attribute, None)), attribute


def test_every_error_has_the_base_class():
    for name in torngas_middleware.__all__:
        value = getattr(torngas_middleware, name)
        if inspect.isclass(value) and issubclass(value, Exception):
            assert issubclass(value, torngas_middleware.MiddlewareError)


def test_importing_starts_opens_and_configures_nothing():
    code = """
import asyncio, logging, sys, threading
before = threading.active_count(), len(logging.root.handlers), set(logging.root.manager.loggerDict)
import torngas_middleware
assert (threading.active_count(), len(logging.root.handlers)) == before[:2]
assert not any(logging.getLogger(n).handlers for n in logging.root.manager.loggerDict)
assert not {"brotli", "zstandard"} & set(sys.modules)
assert asyncio.events._get_running_loop() is None
try:
    asyncio.get_event_loop_policy()._local._loop
except AttributeError:
    pass
assert asyncio.get_event_loop_policy()._local._loop is None
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)


def test_modules_stay_small():
    for path in Path(torngas_middleware.__file__).parent.rglob("*.py"):
        assert len(path.read_text().splitlines()) < 250, path
