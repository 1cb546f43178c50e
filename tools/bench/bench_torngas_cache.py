"""Caches in this process and in files: get, set, get_many, against Django, cachelib, cachetools, aiocache, cashews.

1,000 keys are stored and nothing is evicted; "dict" is a small dict, "flat" one that holds no other container, "str" a
string of 1 KiB. Everybody is given a lifetime of 300 s where the API has one. Unless its name says "shared", a peer
hands out copies. Remote stores are measured by bench_torngas_cache_remote.py.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import Bench, Measured

from torngas_cache import create_cache

bench = Bench("torngas-cache", __doc__)
KEYS = [f"user:{i}:profile" for i in range(1000)]
STRINGS = ["s" + key for key in KEYS]
FLATS = ["f" + key for key in KEYS]
DICT = {"id": 17, "name": "Ada Lovelace", "roles": ["admin", "staff"], "active": True, "score": 12.5}
FLAT = {"id": 17, "name": "Ada Lovelace", "role": "admin", "active": True, "score": 12.5}
STR = "x" * 1024
PLENTY = 100_000
FOLDER = Path(tempfile.mkdtemp(prefix="bench-cache-"))


def operations(
    get: Callable[[str], Any],
    set_: Callable[[str, Any], Any],
    get_many: Callable[[list[str]], Any] | None = None,
    prefix: str = "",
) -> dict[str, Callable[[int], None]]:
    """The scenarios of one peer."""
    for key, string, flat in zip(KEYS, STRINGS, FLATS, strict=True):
        set_(key, DICT)
        set_(string, STR)
        set_(flat, FLAT)

    def gets(keys: list[str]) -> Callable[[int], None]:
        def run(n: int) -> None:
            for key in itertools.islice(itertools.cycle(keys), n):
                get(key)

        return run

    def sets(keys: list[str], value: Any) -> Callable[[int], None]:
        def run(n: int) -> None:
            for key in itertools.islice(itertools.cycle(keys), n):
                set_(key, value)

        return run

    cases = {
        "get dict": gets(KEYS),
        "get flat dict": gets(FLATS),
        "get str": gets(STRINGS),
        "get miss": gets(["no-such-key"]),
        "set dict": sets(KEYS, DICT),
        "set str": sets(STRINGS, STR),
    }
    if get_many is not None:
        many = get_many

        def run_many(n: int) -> None:
            for _ in range(n):
                many(KEYS[:100])

        cases["get_many(100)"] = run_many
    return {prefix + name: run for name, run in cases.items()}


def _django() -> None:
    from django.conf import settings

    if not settings.configured:
        settings.configure()


@bench.peer("torngas", package="torngas-cache")
def torngas() -> dict[str, Any]:
    cache = create_cache("locmem", "bench", max_entries=PLENTY)
    return operations(cache.get, lambda key, value: cache.set(key, value, 300), cache.get_many)


@bench.peer("torngas file")
def torngas_file() -> dict[str, Any]:
    cache = create_cache("file", FOLDER / "torngas", max_entries=PLENTY)
    return operations(cache.get, lambda key, value: cache.set(key, value, 300), prefix="file ")


@bench.peer("Django", package="django")
def django() -> dict[str, Any]:
    _django()
    from django.core.cache.backends.locmem import LocMemCache

    cache = LocMemCache("bench", {"OPTIONS": {"MAX_ENTRIES": PLENTY}})
    return operations(cache.get, lambda key, value: cache.set(key, value, 300), cache.get_many)


@bench.peer("Django file")
def django_file() -> dict[str, Any]:
    _django()
    from django.core.cache.backends.filebased import FileBasedCache

    cache = FileBasedCache(str(FOLDER / "django"), {"OPTIONS": {"MAX_ENTRIES": PLENTY}})
    return operations(cache.get, lambda key, value: cache.set(key, value, 300), prefix="file ")


@bench.peer("cachelib", package="cachelib")
def cachelib() -> dict[str, Any]:
    from cachelib import SimpleCache

    cache = SimpleCache(threshold=PLENTY)
    return operations(cache.get, lambda key, value: cache.set(key, value, 300), lambda keys: cache.get_many(*keys))


@bench.peer("cachetools TTLCache shared", package="cachetools", differs="hands out the stored object; a lock around it")
def cachetools() -> dict[str, Any]:
    import threading

    from cachetools import TTLCache

    cache, lock = TTLCache(PLENTY, 300), threading.Lock()

    def get(key: str) -> Any:
        with lock:
            return cache.get(key)

    def set_(key: str, value: Any) -> None:
        with lock:
            cache[key] = value

    return operations(get, set_, lambda keys: {key: get(key) for key in keys})


def async_operations(cache: Any) -> dict[str, Any]:
    """The scenarios of a peer that has coroutines only: cache.get(key), cache.set(key, value)."""

    async def fill() -> None:
        for key, string in zip(KEYS, STRINGS, strict=True):
            await cache.set(key, DICT)
            await cache.set(string, STR)

    bench.loop.run_until_complete(fill())

    def gets(keys: list[str]) -> Any:
        async def run(n: int) -> None:
            for key in itertools.islice(itertools.cycle(keys), n):
                await cache.get(key)

        return run

    return {"aget dict": gets(KEYS), "aget str": gets(STRINGS)}


class _Async:
    """A cache of ours under the names that async peers use."""

    def __init__(self) -> None:
        cache = create_cache("locmem", "bench-async", max_entries=PLENTY)
        self.get, self.set = cache.aget, cache.aset


@bench.peer("torngas coroutines")
def torngas_async() -> dict[str, Any]:
    return async_operations(_Async())


@bench.peer("dogpile shared", package="dogpile.cache", differs="hands out the stored object; no size limit")
def dogpile() -> dict[str, Any]:
    from dogpile.cache import make_region

    region = make_region().configure("dogpile.cache.memory", expiration_time=300)
    return operations(region.get, region.set, region.get_multi)


@bench.peer("dogpile pickle", package="dogpile.cache", differs="no size limit")
def dogpile_pickle() -> dict[str, Any]:
    from dogpile.cache import make_region

    region = make_region().configure("dogpile.cache.memory_pickle", expiration_time=300)
    return operations(region.get, region.set, region.get_multi)


@bench.peer("Django coroutines", differs="its coroutines run the plain methods in a thread")
def django_async() -> dict[str, Any]:
    _django()
    from django.core.cache.backends.locmem import LocMemCache

    cache = LocMemCache("bench-async", {"OPTIONS": {"MAX_ENTRIES": PLENTY}})

    class Adapter:
        get, set = cache.aget, cache.aset

    return async_operations(Adapter)


@bench.peer("aiocache shared", package="aiocache", differs="hands out the stored object; no size limit")
def aiocache() -> dict[str, Any]:
    from aiocache import SimpleMemoryCache

    return async_operations(SimpleMemoryCache(ttl=300))


@bench.peer("cashews shared", package="cashews", differs="hands out the stored object")
def cashews() -> dict[str, Any]:
    from cashews import Cache

    cache = Cache()

    class Adapter:
        get = cache.get

        @staticmethod
        async def set(key: str, value: Any) -> None:
            await cache.set(key, value, expire=300)

    async def ready() -> None:
        cache.setup(f"mem://?size={PLENTY}&check_interval=3600")
        await cache.init()

    bench.loop.run_until_complete(ready())
    return async_operations(Adapter)


@bench.check
def culling_stays_cheap(args: argparse.Namespace) -> list[Measured]:
    """One set with the cache full all the time, 10^2 entries against 10^5; best of several."""

    def per_set(limit: int) -> float:
        cache = create_cache("locmem", f"bench-cull-{limit}", max_entries=limit)
        keys = itertools.count()
        for _ in range(limit):
            cache.set(f"k{next(keys)}", STR, 300)
        start = time.perf_counter()
        for _ in range(100_000):
            cache.set(f"k{next(keys)}", STR, 300)
        return (time.perf_counter() - start) / 100_000

    if "torngas" not in args.peers:
        return []
    rounds = 1 if args.quick else 5
    small, large = min(per_set(100) for _ in range(rounds)), min(per_set(100_000) for _ in range(rounds))
    return [Measured("set at 10^5 full entries", "<= 2.00 x 10^2", f"{large / small:.2f} x", large <= 2 * small)]


bench.target("get dict", peer="torngas", at_most=0.45, of="Django")
bench.target("get dict", peer="torngas", at_most=0.9, of="cachelib")
bench.target("get str", peer="torngas", at_most=0.25, of="Django")
bench.target("get str", peer="torngas", at_most=0.6, of="cachelib")
bench.target("get miss", peer="torngas", at_most=0.3, of="Django")
bench.target("set dict", peer="torngas", at_most=0.45, of="Django")
bench.target("get_many(100)", peer="torngas", at_most=0.25, of="Django")
bench.target("file get dict", peer="torngas file", at_most=0.5, of="Django file")

if __name__ == "__main__":
    try:
        raise SystemExit(bench.run())
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
