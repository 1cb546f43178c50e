"""Read by the type checker only: right uses pass, wrong ones are refused."""

from collections.abc import Mapping
from typing import Any, assert_type

from torngas_cache import BaseCache, CacheHandler, Lock, cache, cached, caches, create_cache
from torngas_cache.serializers import Serializer, json, signed

made: BaseCache = create_cache("locmem", "name", timeout=5)
assert_type(caches["default"], BaseCache)
assert_type(CacheHandler()["default"], BaseCache)
assert_type(cache.add("key", 1), bool)
assert_type(cache.touch("key", 1.5), bool)
assert_type(cache.delete("key"), bool)
assert_type(cache.has_key("key"), bool)
assert_type(cache.incr("key", 5), int)
assert_type(cache.ttl("key"), float | None)
assert_type(cache.set_many({"a": 1}, None), list[Any])
assert_type(cache.get_many(["a"]), dict[Any, Any])
assert_type(cache.lock("key", 5), Lock)
serializer: Serializer = signed(json, "a secret key")
config: Mapping[str, Mapping[str, Any]] = {"default": {"BACKEND": "locmem"}}
CacheHandler(config)

cache.set("key", 1, "soon")  # type: ignore[arg-type]
cache.set("key", 1, tags=5)  # type: ignore[arg-type]
cache.incr("key", "one")  # type: ignore[arg-type]
cache.lock("key")  # type: ignore[call-arg]
create_cache()  # type: ignore[call-arg]
signed(json, 5)  # type: ignore[arg-type]


@cached(60)
def length(text: str) -> int:
    """A plain function."""
    return len(text)


@cached(60, key="user:{number}")
async def user(number: int) -> str:
    """A coroutine function."""
    return str(number)


assert_type(length("a"), int)
assert_type(length.cache_key("a"), str)
length(5)  # type: ignore[arg-type]
length.invalidate(5)  # type: ignore[arg-type]


async def use() -> None:
    """Coroutines."""
    assert_type(await user(5), str)
    assert_type(await cache.aadd("key", 1), bool)
    assert_type(await cache.aincr("key"), int)
    async with cache.lock("key", 5) as lock:
        assert_type(lock, Lock)
    await user("5")  # type: ignore[arg-type]
