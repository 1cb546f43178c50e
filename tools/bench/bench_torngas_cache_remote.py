"""Caches over Redis and memcached on the loopback: get and set of 1 KiB and of a small dict, get_many(100).

Wall-clock time, since the servers' part counts. The servers are private ones, started here and ended with the run.
`x50` scenarios run 50 concurrent tasks; the time is per operation.
"""

from __future__ import annotations

import asyncio
import atexit
import itertools
import json
import pickle
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from harness import Bench, Operation

SERVICES = Path(__file__).parent.parent / "services"
RAW = b"x" * 1024
DICT = {"id": 12345, "name": "torngas", "tags": ["a", "b", "c"], "active": True, "score": 1.5}
KEYS = [f"key:{number}" for number in range(1000)]
TASKS = 50

bench = Bench("torngas-cache (remote)", __doc__, unit="us", slice_seconds=0.06, clock=time.perf_counter)
numbers = itertools.count()
places: dict[str, Any] = {}


def place(service: str) -> int:
    """The port of a private server, started when it is first asked for."""
    if not places:
        launcher = subprocess.Popen(
            [sys.executable, str(SERVICES), "redis", "memcached"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert launcher.stdin
        assert launcher.stdout
        atexit.register(launcher.wait)
        atexit.register(launcher.stdin.close)
        places.update(json.loads(launcher.stdout.readline() or "{}") or sys.exit(launcher.wait()))
    return int(places[service]["port"])


def keyspaces() -> tuple[list[str], list[str], list[str]]:
    """Keys of its own for every peer: (dicts, 1 KiB, written)."""
    tag = next(numbers)
    return tuple([f"{tag}:{kind}:{key}" for key in KEYS] for kind in "dsw")  # type: ignore[return-value]


def plain(
    prefix: str,
    get: Callable[[str], Any],
    set_: Callable[[str, Any], Any],
    get_many: Callable[[list[str]], Any],
    get_dict: Callable[[str], Any] | None = None,
    set_dict: Callable[[str, Any], Any] | None = None,
) -> Mapping[str, Operation]:
    """The scenarios of a blocking client."""
    get_dict, set_dict = get_dict or get, set_dict or set_
    dicts, texts, written = keyspaces()
    for of_dict, of_text in zip(dicts, texts, strict=True):
        set_dict(of_dict, DICT)
        set_(of_text, RAW)
    assert get(texts[0]) == RAW
    assert get_dict(dicts[0]) == DICT

    def each(function: Callable[..., Any], keys: Iterable[str], *arguments: Any) -> Operation:
        def run(n: int) -> None:
            for key in itertools.islice(itertools.cycle(keys), n):
                function(key, *arguments)

        return run

    def many(n: int) -> None:
        for _ in range(n):
            get_many(dicts[:100])

    return {
        f"{prefix} get 1K": each(get, texts),
        f"{prefix} get dict": each(get_dict, dicts),
        f"{prefix} set 1K": each(set_, written, RAW),
        f"{prefix} set dict": each(set_dict, written, DICT),
        f"{prefix} get_many(100)": many,
    }


def coroutines(
    prefix: str,
    get: Callable[[str], Awaitable[Any]],
    set_: Callable[[str, Any], Awaitable[Any]],
    get_many: Callable[[list[str]], Awaitable[Any]],
) -> Mapping[str, Operation]:
    """The scenarios of an asynchronous client."""
    dicts, texts, written = keyspaces()

    async def fill() -> None:
        for of_dict, of_text in zip(dicts, texts, strict=True):
            await set_(of_dict, DICT)
            await set_(of_text, RAW)
        assert await get(texts[0]) == RAW
        assert await get(dicts[0]) == DICT

    bench.loop.run_until_complete(fill())

    def each(function: Callable[..., Awaitable[Any]], keys: Iterable[str], *arguments: Any) -> Operation:
        async def run(n: int) -> None:
            for key in itertools.islice(itertools.cycle(keys), n):
                await function(key, *arguments)

        return run

    def concurrent(function: Callable[..., Awaitable[Any]], keys: Iterable[str], *arguments: Any) -> Operation:
        async def run(n: int) -> None:
            async def worker() -> None:
                for key in itertools.islice(itertools.cycle(keys), max(1, n // TASKS)):
                    await function(key, *arguments)

            await asyncio.gather(*(worker() for _ in range(min(n, TASKS))))

        return run

    async def many(n: int) -> None:
        for _ in range(n):
            await get_many(dicts[:100])

    return {
        f"{prefix} get 1K": each(get, texts),
        f"{prefix} set 1K": each(set_, written, RAW),
        f"{prefix} get 1K x50": concurrent(get, texts),
        f"{prefix} set 1K x50": concurrent(set_, written, RAW),
        f"{prefix} get_many(100)": many,
    }


def dump(value: Any) -> bytes:
    return value if type(value) is bytes else b"\0" + pickle.dumps(value, 5)


def load(data: bytes) -> Any:
    return pickle.loads(data[1:]) if data and data[0] == 0 else data


@bench.peer("redis-py", "redis")
def raw_redis() -> Mapping[str, Operation]:
    import redis

    client = redis.Redis(port=place("redis"))
    return plain(
        "redis",
        client.get,
        lambda key, value: client.set(key, value, ex=300),
        lambda keys: [load(each) for each in client.mget(keys)],
        lambda key: load(client.get(key)),
        lambda key, value: client.set(key, dump(value), ex=300),
    )


def django(backend: str, location: str) -> Any:
    from django.conf import settings
    from django.utils.module_loading import import_string

    if not settings.configured:
        settings.configure()
    return import_string(backend)(location, {"TIMEOUT": 300})


@bench.peer("django redis", "django")
def django_redis() -> Mapping[str, Operation]:
    cache = django("django.core.cache.backends.redis.RedisCache", f"redis://127.0.0.1:{place('redis')}")
    return plain("redis", cache.get, cache.set, cache.get_many)


@bench.peer("torngas redis", "torngas-cache")
def ours_redis() -> Mapping[str, Operation]:
    from torngas_cache import create_cache

    cache = create_cache("redis", f"127.0.0.1:{place('redis')}")
    return plain("redis", cache.get, cache.set, cache.get_many) | coroutines(
        "aredis", cache.aget, cache.aset, cache.aget_many
    )


@bench.peer("dogpile redis", "dogpile.cache", differs="metadata of its own in every value")
def dogpile_redis() -> Mapping[str, Operation]:
    from dogpile.cache import make_region

    region = make_region(key_mangler=lambda key: f"dogpile:{key}").configure(
        "dogpile.cache.redis", arguments={"port": place("redis"), "redis_expiration_time": 300}
    )
    return plain("redis", region.get, region.set, region.get_multi)


@bench.peer("cachelib redis", "cachelib")
def cachelib_redis() -> Mapping[str, Operation]:
    from cachelib import RedisCache

    cache = RedisCache("127.0.0.1", port=place("redis"), default_timeout=300, key_prefix="cachelib:")
    return plain("redis", cache.get, cache.set, lambda keys: cache.get_many(*keys))


@bench.peer("redis.asyncio", "redis")
def raw_aredis() -> Mapping[str, Operation]:
    import redis.asyncio

    client = redis.asyncio.Redis(port=place("redis"))

    async def get(key: str) -> Any:
        return load(await client.get(key))

    async def set_(key: str, value: Any) -> None:
        await client.set(key, dump(value), ex=300)

    async def get_many(keys: list[str]) -> Any:
        return [load(each) for each in await client.mget(keys)]

    return coroutines("aredis", get, set_, get_many)


@bench.peer("aiocache", "aiocache")
def aiocache_redis() -> Mapping[str, Operation]:
    from aiocache import RedisCache
    from aiocache.serializers import PickleSerializer

    async def make() -> Any:
        return RedisCache(serializer=PickleSerializer(), namespace="aio:", port=place("redis"), ttl=300)

    cache = bench.loop.run_until_complete(make())
    return coroutines("aredis", cache.get, cache.set, cache.multi_get)


@bench.peer("cashews", "cashews")
def cashews_redis() -> Mapping[str, Operation]:
    from cashews import Cache

    cache = Cache()

    async def make() -> None:
        cache.setup(f"redis://127.0.0.1:{place('redis')}/1", client_side=False, pickle_type="default", secret=None)
        await cache.init()

    bench.loop.run_until_complete(make())
    return coroutines(
        "aredis",
        cache.get,
        lambda key, value: cache.set(key, value, expire=300),
        lambda keys: cache.get_many(*keys),
    )


@bench.peer("pymemcache HashClient", "pymemcache")
def raw_memcached() -> Mapping[str, Operation]:
    from pymemcache import HashClient
    from pymemcache.serde import pickle_serde

    # Of the kind that a cache shared by threads needs: pooled, and waiting for the answer to a set.
    client = HashClient(
        [("127.0.0.1", place("memcached"))],
        serde=pickle_serde,
        no_delay=True,
        default_noreply=False,
        use_pooling=True,
        timeout=2,
    )
    return plain("memcached", client.get, lambda key, value: client.set(key, value, 300), client.get_many)


@bench.peer("dogpile memcached", "dogpile.cache", differs="a client per thread")
def dogpile_memcached() -> Mapping[str, Operation]:
    from dogpile.cache import make_region

    where = {"url": [f"127.0.0.1:{place('memcached')}"], "memcached_expire_time": 300, "no_delay": True}
    region = make_region(key_mangler=lambda key: f"dogpile:{key}").configure(
        "dogpile.cache.pymemcache", arguments=where
    )
    return plain("memcached", region.get, region.set, region.get_multi)


@bench.peer("django memcached", "django")
def django_memcached() -> Mapping[str, Operation]:
    cache = django("django.core.cache.backends.memcached.PyMemcacheCache", f"127.0.0.1:{place('memcached')}")
    return plain("memcached", cache.get, cache.set, cache.get_many)


@bench.peer("torngas memcached", "torngas-cache")
def ours_memcached() -> Mapping[str, Operation]:
    from torngas_cache import create_cache

    cache = create_cache("memcached", f"127.0.0.1:{place('memcached')}")
    return plain("memcached", cache.get, cache.set, cache.get_many)


def hits(get: Callable[[str], Any], keys: list[str]) -> Operation:
    def run(n: int) -> None:
        for key in itertools.islice(itertools.cycle(keys), n):
            get(key)

    return run


@bench.peer("torngas locmem", "torngas-cache", differs="this process' memory, the yardstick of tiered")
def ours_locmem() -> Mapping[str, Operation]:
    from torngas_cache import create_cache

    cache = create_cache("locmem", "bench", max_entries=10_000)
    cache.set_many({f"s{key}": RAW for key in KEYS} | {f"d{key}": DICT for key in KEYS})
    return {
        "hit 1K": hits(cache.get, [f"s{key}" for key in KEYS]),
        "hit dict": hits(cache.get, [f"d{key}" for key in KEYS]),
    }


@bench.peer("torngas tiered", "torngas-cache", differs="found in this process; redis tells of changes")
def ours_tiered() -> Mapping[str, Operation]:
    from torngas_cache import create_cache

    cache = create_cache("tiered", f"127.0.0.1:{place('redis')}", KEY_PREFIX="tiered")
    cache.set_many({f"s{key}": RAW for key in KEYS} | {f"d{key}": DICT for key in KEYS})
    while not cache._level.live:
        cache.get("warm")
    time.sleep(0.2)  # the invalidations of the writes above
    for key in KEYS:
        assert cache.get(f"s{key}") == RAW
        assert cache.get(f"d{key}") == DICT
    return {
        "hit 1K": hits(cache.get, [f"s{key}" for key in KEYS]),
        "hit dict": hits(cache.get, [f"d{key}" for key in KEYS]),
    }


for scenario in ("redis get 1K", "redis set 1K"):
    bench.target(scenario, peer="torngas redis", at_most=1.15, of="redis-py")
    bench.target(scenario, peer="torngas redis", at_most=0.7, of="django redis")
bench.target("aredis get 1K x50", peer="torngas redis", at_most=0.35, of="redis.asyncio")
for scenario in ("hit 1K", "hit dict"):
    bench.target(scenario, peer="torngas tiered", at_most=1.5, of="torngas locmem")
for scenario in ("memcached get 1K", "memcached set 1K"):
    bench.target(scenario, peer="torngas memcached", at_most=1.15, of="pymemcache HashClient")

if __name__ == "__main__":
    raise SystemExit(bench.run())
