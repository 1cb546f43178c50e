"""Removing many keys: by SCAN and UNLINK in batches, this prefix only, in every topology."""

import pytest

from torngas_cache import InvalidCacheBackendError
from torngas_cache.backends.rediscache import RedisCache

COUNT = 2_500


def stats(client):
    return {name.removeprefix("cmdstat_"): each["calls"] for name, each in client.info("commandstats").items()}


@pytest.fixture
def connect(redis_server):
    """connect(prefix) -> a cache with that prefix."""
    made = []

    def make(prefix, **params):
        params = {"KEY_PREFIX": prefix, "OPTIONS": {"DB": 9}, **params}
        made.append(RedisCache(f"127.0.0.1:{redis_server['port']}", params))
        return made[-1]

    yield make
    made[0].clear(all=True)
    for cache in made:
        cache.close()


@pytest.mark.promise(15)
@pytest.mark.parametrize("kind", ["plain", "coroutines"])
async def test_promise_15_clear_scans_and_unlinks_in_batches(connect, kind):
    """The server's own statistics: no KEYS, no FLUSHDB, no DEL; a handful of UNLINKs for thousands of keys."""
    cache, other = connect("mine"), connect("other")
    cache.set_many({f"k{n}": n for n in range(COUNT)})
    other.set("stays", 1)
    cache.client.config_resetstat()
    if kind == "plain":
        cache.clear()
    else:
        await cache.aclear()
    used = stats(cache.client)
    assert not {"keys", "flushdb", "flushall", "del"} & set(used)
    assert COUNT / 1000 <= used["unlink"] <= COUNT / 400 + 2
    assert used["scan"] >= 2
    assert cache.client.dbsize() == 1
    assert other.get("stays") == 1
    await cache.aclose()


@pytest.mark.promise(15)
@pytest.mark.parametrize("kind", ["plain", "coroutines"])
async def test_promise_15_bulk_deletion_is_safe_for_the_slots_of_a_cluster(redis_cluster, kind):
    """clear and delete_many over keys of all slots, on all masters; what others keep stays."""
    locations = [f"127.0.0.1:{node['port']}" for node in redis_cluster["nodes"]]
    cache, other = (
        RedisCache(locations, {"KEY_PREFIX": prefix, "OPTIONS": {"CLUSTER": True}}) for prefix in ("mine", "other")
    )
    keys = [f"k{n}" for n in range(600)]
    assert cache.set_many(dict.fromkeys(keys, 1)) == []
    other.set("stays", 1)
    if kind == "plain":
        assert len(cache.get_many(keys)) == 600
        cache.delete_many(keys[:300])
        assert len(cache.get_many(keys)) == 300
        cache.clear()
    else:
        assert len(await cache.aget_many(keys)) == 600
        await cache.adelete_many(keys[:300])
        assert len(await cache.aget_many(keys)) == 300
        await cache.aclear()
    assert cache.get_many(keys) == {}
    assert other.get("stays") == 1
    other.clear(all=True)
    for each in (cache, other):
        await each.aclose()


@pytest.mark.parametrize("prefix", ["*", "a[b]c", "x?", "back\\slash", "", "caf\u00e9"])
def test_a_prefix_is_no_pattern(connect, prefix):
    """Characters that SCAN MATCH would read as a pattern are plain ones here."""
    cache, victim = connect(prefix), connect("abc")
    cache.set("k", 1)
    victim.set("k", 2)
    cache.clear()
    assert cache.get("k") is None
    assert victim.get("k") == 2


def test_only_all_empties_the_database(connect):
    """clear(all=True) asks for it, and does not hold the server up either."""
    cache, other = connect("mine"), connect("other")
    other.set("k", 1)
    cache.clear(all=True)
    assert other.get("k") is None


@pytest.mark.promise(14)
def test_promise_14_clearing_a_prefix_leaves_its_lookalikes(connect):
    """Prefixes that contain separators, numbers and each other."""
    prefixes = ["a", "a:", "a:1", "a:1:b", "a:~lock", "a%3A1", "1", ""]
    caches = [connect(prefix) for prefix in prefixes]
    for cache in caches:
        for each in caches:
            each.set("k", each.key_prefix)
            each.set("1:k", each.key_prefix, version=2)
        cache.clear()
        for each in caches:
            expected = None if each is cache else each.key_prefix
            assert each.get("k") == expected, (cache.key_prefix, each.key_prefix)
            assert each.get("1:k", version=2) == expected


def test_a_key_function_of_ones_own_is_followed(connect):
    """Its names are turned into a pattern; names that hide the key are refused, not flushed."""
    cache = connect("p", KEY_FUNCTION=lambda key, prefix, version: f"{prefix}/{key}/{version}")
    cache.set("k", 1)
    cache.client.set("q/k/1", "stays")
    cache.clear()
    assert cache.get("k") is None
    assert cache.client.get("q/k/1") == b"stays"
    hashed = connect("p", KEY_FUNCTION=lambda key, prefix, version: str(hash((key, prefix, version))))
    with pytest.raises(InvalidCacheBackendError, match=r"clear\(all=True\)"):
        hashed.clear()
