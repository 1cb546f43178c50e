"""Memory of entries in caches of this process: a key of about 20 characters and a small dict, 300 seconds to live."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness import Bench
from sizes import Fill, Sizes

bench = Bench("torngas-cache (memory)", __doc__)
sizes = Sizes(bench, "cache entries")


def filling(cache: Any, put: Callable[[str, Any], Any], count: int) -> Fill:
    """Every entry has a key and a value of its own, as in an application; the caller forgets both."""

    def fill() -> Any:
        for number in range(count):
            roles = ["admin", "staff"]
            value = {"id": number, "name": f"user {number}", "roles": roles, "active": True, "score": number / 2}
            put(f"user:{number}:profile", value)
        return cache

    return fill


@sizes.peer("torngas", package="torngas-cache")
def torngas(count: int) -> Fill:
    from torngas_cache import create_cache

    cache = create_cache("locmem", f"memory-{count}", max_entries=2 * count)
    return filling(cache, lambda key, value: cache.set(key, value, 300), count)


@sizes.peer("dict", differs="no lifetime, no limit, hands out the stored object")
def plain(count: int) -> Fill:
    cache: dict[str, Any] = {}
    return filling(cache, cache.__setitem__, count)


@sizes.peer("Django", package="django")
def django(count: int) -> Fill:
    from django.conf import settings

    if not settings.configured:
        settings.configure()
    from django.core.cache.backends.locmem import LocMemCache

    cache = LocMemCache(f"memory-{count}", {"OPTIONS": {"MAX_ENTRIES": 2 * count}})
    return filling(cache, lambda key, value: cache.set(key, value, 300), count)


@sizes.peer("cachelib", package="cachelib")
def cachelib(count: int) -> Fill:
    from cachelib import SimpleCache

    cache = SimpleCache(threshold=2 * count)
    return filling(cache, lambda key, value: cache.set(key, value, 300), count)


@sizes.peer("cachetools TTLCache shared", package="cachetools", differs="hands out the stored object")
def cachetools(count: int) -> Fill:
    from cachetools import TTLCache

    cache = TTLCache(2 * count, 300)
    return filling(cache, cache.__setitem__, count)


@sizes.peer("dogpile pickle", package="dogpile.cache", differs="no limit")
def dogpile(count: int) -> Fill:
    from dogpile.cache import make_region

    region = make_region().configure("dogpile.cache.memory_pickle", expiration_time=300)
    return filling(region, region.set, count)


if __name__ == "__main__":
    raise SystemExit(bench.run())
