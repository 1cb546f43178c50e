"""Fail-over: the primary of a sentinel's service and the master of a cluster's slots are killed."""

import asyncio
import os
import signal
import time

import pytest

from torngas_cache import CacheUnavailable
from torngas_cache.backends.rediscache import RedisCache

PATIENCE = 90


def options(**more):
    kwargs = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
    return {"POOL_KWARGS": kwargs, "BREAKER_WINDOW": 0.1, **more}


def connect(place, **more):
    if "sentinels" in place:
        locations = [f"127.0.0.1:{each['port']}" for each in place["sentinels"]]
        return RedisCache(locations, {"OPTIONS": options(SENTINEL_SERVICE=place["service"], **more)})
    locations = [f"127.0.0.1:{each['port']}" for each in place["nodes"]]
    return RedisCache(locations, {"OPTIONS": options(CLUSTER=True, **more)})


def eventually(function, *arguments):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return function(*arguments)
        except CacheUnavailable:
            assert time.monotonic() < deadline


async def aeventually(function, *arguments):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return await function(*arguments)
        except CacheUnavailable:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)


async def test_a_killed_primary_of_a_sentinels_service_is_replaced(fresh_servers):
    """Both clients find the new primary by themselves; what was replicated is there, counters go on."""
    place = fresh_servers("redis-sentinel")["redis-sentinel"]
    cache = connect(place)
    cache.set("n", 5)
    assert await cache.aincr("n") == 6
    cache.client.wait(1, 5000)
    os.kill(place["primary"]["pid"], signal.SIGKILL)
    with pytest.raises(CacheUnavailable):
        cache.incr("n")
    assert eventually(cache.incr, "n") == 7
    assert await aeventually(cache.aincr, "n") == 8
    assert cache.get("n") == 8
    assert cache.client.connection_pool.get_master_address()[1] == place["replica"]["port"]
    await cache.aclose()


async def test_a_killed_master_of_a_cluster_is_replaced_and_only_its_keys_suffer(fresh_servers):
    """Keys of the other masters are served all the time; those of the dead one come back with its replica."""
    place = fresh_servers("redis-cluster")["redis-cluster"]
    cache = connect(place)
    masters = [node for node in place["nodes"] if node["role"] == "master"]
    keys = {}
    for number in range(100):
        port = cache.client.get_node_from_key(cache.make_key(f"k{number}")).port
        keys.setdefault(port, f"k{number}")
    assert set(keys) == {node["port"] for node in masters}
    for key in keys.values():
        cache.set(key, 1)
        assert await cache.aget(key) == 1
    victim, *others = masters
    cache.client.wait(1, 5000, target_nodes=cache.client.get_node(port=victim["port"], host="127.0.0.1"))
    os.kill(victim["pid"], signal.SIGKILL)
    with pytest.raises(CacheUnavailable):
        cache.incr(keys[victim["port"]])
    for node in others:
        assert cache.incr(keys[node["port"]]) == 2
        assert await cache.aincr(keys[node["port"]]) == 3
    assert eventually(cache.incr, keys[victim["port"]]) == 2
    assert await aeventually(cache.aincr, keys[victim["port"]]) == 3
    await cache.aclose()


async def test_a_frozen_master_of_a_cluster_does_not_hold_up_the_others(fresh_servers, frozen):
    """Each node has a breaker of its own."""
    place = fresh_servers("redis-cluster")["redis-cluster"]
    cache = connect(place, ON_OUTAGE="miss", BREAKER_WINDOW=60)
    victim, *_ = [node for node in place["nodes"] if node["role"] == "master"]
    keys = [f"k{number}" for number in range(60)]
    assert cache.set_many(dict.fromkeys(keys, 1)) == []
    assert len(await cache.aget_many(keys)) == 60
    owner = {key: cache.client.get_node_from_key(cache.make_key(key)).port for key in keys}
    with frozen(victim["pid"]):
        start = time.perf_counter()
        found = await asyncio.gather(*(cache.aget(key) for key in keys))
        took = time.perf_counter() - start
        assert {key for key, value in zip(keys, found, strict=True) if value == 1} >= {
            key for key in keys if owner[key] != victim["port"]
        }
        assert took < 2
    await cache.aclose()
