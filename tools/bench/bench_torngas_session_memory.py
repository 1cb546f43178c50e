"""Memory of sessions that the server keeps itself: three values in each, under a random key.

Starlette's sessions, and those of aiohttp-session in cookies, keep nothing in the server.
"""

from __future__ import annotations

from typing import Any

from harness import Bench
from sizes import Fill, Sizes

bench = Bench("torngas-session (memory)", __doc__)
sizes = Sizes(bench, "sessions", count=50_000)
TWO_WEEKS = 14 * 24 * 3600


def data(number: int) -> dict[str, Any]:
    return {"user": number, "name": f"user {number}", "n": 1}


def filling(store: Any, put: Any, count: int) -> Fill:
    def fill() -> Any:
        for number in range(count):
            put(f"{number:032x}", data(number), TWO_WEEKS)
        return store

    return fill


@sizes.peer("torngas memory", package="torngas-session")
def memory(count: int) -> Fill:
    from torngas_session import MemoryStore

    store = MemoryStore(max_entries=2 * count)
    return filling(store, store.set, count)


@sizes.peer("torngas local cache", package="torngas-cache")
def local_cache(count: int) -> Fill:
    from torngas_cache import create_cache

    cache = create_cache("locmem", f"sessions-{count}", max_entries=2 * count)
    return filling(cache, cache.set, count)


@sizes.peer("dict of dicts", differs="no lifetime, no limit, shared objects")
def plain(count: int) -> Fill:
    store: dict[str, Any] = {}
    return filling(store, lambda key, value, timeout: store.__setitem__(key, value), count)


@sizes.peer("django cache/locmem", package="django")
def django(count: int) -> Fill:
    from django.conf import settings

    if not settings.configured:
        backend = "django.core.cache.backends.locmem.LocMemCache"
        settings.configure(
            SECRET_KEY="x" * 50,
            CACHES={"default": {"BACKEND": backend, "OPTIONS": {"MAX_ENTRIES": 10**7}}},
        )
    from django.contrib.sessions.backends.cache import SessionStore
    from django.core.cache import caches

    def fill() -> Any:
        for number in range(count):
            session = SessionStore()
            session.update(data(number))
            session.save(must_create=True)
        return caches["default"]

    return fill


if __name__ == "__main__":
    raise SystemExit(bench.run())
