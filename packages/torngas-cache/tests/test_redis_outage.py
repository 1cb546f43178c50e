"""What a redis alias does while its server is frozen, dead, deaf, slow or rude."""

import asyncio
import os
import signal
import time

import pytest

from torngas_cache import CacheTimeout, CacheUnavailable, create_cache
from torngas_cache.backends.rediscache import RedisCache

TIMEOUT = 0.3


@pytest.fixture
def connect(clock):
    """connect(port, **options) -> a cache with short timeouts, whose breaker goes by the pretended clock."""
    made = []

    def make(port, **options):
        kwargs = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
        made.append(RedisCache(f"127.0.0.1:{port}", {"OPTIONS": {"CLOCK": clock, "POOL_KWARGS": kwargs, **options}}))
        return made[-1]

    yield make
    for cache in made:
        cache.close()


def timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - start, result


@pytest.mark.promise(12)
def test_promise_12_a_frozen_redis_costs_one_timeout_per_breaker_window(fresh_servers, frozen, connect, clock):
    """1,000 reads of a stopped server take one timeout; after the window one more; then it recovers by itself."""
    place = fresh_servers("redis")["redis"]
    cache = connect(place["port"], ON_OUTAGE="miss")
    cache.set("k", "v")
    with frozen(place["pid"]):
        for _ in range(2):
            times = sorted(timed(cache.get, "k", "missing") for _ in range(1000))
            assert {result for _, result in times} == {"missing"}
            assert sum(took for took, _ in times) < 2 * TIMEOUT + 0.5
            assert times[989][0] < 0.01
            clock.advance(5)
    clock.advance(5)
    assert cache.get("k") == "v"
    assert cache.get("k") == "v"


@pytest.mark.promise(12)
async def test_promise_12_a_frozen_redis_costs_coroutines_one_timeout_per_window(fresh_servers, frozen, connect, clock):
    """As for threads; a hundred at once wait together, those who come later do not."""
    place = fresh_servers("redis")["redis"]
    cache = connect(place["port"], ON_OUTAGE="miss")
    await cache.aset("k", "v")
    with frozen(place["pid"]):
        start = time.perf_counter()
        assert set(await asyncio.gather(*(cache.aget("k") for _ in range(100)))) == {None}
        for _ in range(900):
            assert await cache.aget("k") is None
        assert time.perf_counter() - start < 2 * TIMEOUT + 0.5
    clock.advance(5)
    assert await cache.aget("k") == "v"
    await cache.aclose()


@pytest.mark.promise(12)
async def test_promise_12_an_alias_for_a_rate_limiter_raises(fresh_servers, connect):
    """The default policy: nothing fails open. Counters, locks and compare-and-set all say so, and at once."""
    place = fresh_servers("redis")["redis"]
    cache = connect(place["port"])
    os.kill(place["pid"], signal.SIGKILL)
    with pytest.raises(CacheUnavailable, match="redis at 127.0.0.1") as first:
        cache.incr("requests")
    assert first.value.__cause__ is not None
    for call in (cache.get, cache.incr, cache.delete, cache.gets, cache.ttl, cache.has_key, cache.touch):
        took, _ = timed(pytest.raises(ConnectionError, match="not asked").__enter__)
        with pytest.raises(ConnectionError, match="not asked"):
            call("requests")
        assert took < 0.1
    for call in (cache.aget, cache.aincr, cache.adelete, cache.agets):
        with pytest.raises(CacheUnavailable):
            await call("requests")
    with pytest.raises(CacheUnavailable):
        await cache.aset("requests", 1)
    await cache.aclose()


async def test_a_timeout_is_a_timeout_error_too(fresh_servers, frozen, connect):
    """`except TimeoutError` works, and so does `except ConnectionError`."""
    place = fresh_servers("redis")["redis"]
    cache = connect(place["port"], BREAKER_WINDOW=0)
    cache.get("k")
    await cache.aget("k")
    with frozen(place["pid"]):
        with pytest.raises(TimeoutError) as caught:
            cache.get("k")
        assert isinstance(caught.value, CacheTimeout)
        with pytest.raises(CacheTimeout):
            await cache.aget("k")
    await cache.aclose()


async def test_with_misses_every_method_answers_what_an_empty_cache_would(fresh_servers, connect, caplog):
    """One line in the log per failure, not one per call."""
    place = fresh_servers("redis")["redis"]
    os.kill(place["pid"], signal.SIGKILL)
    cache = connect(place["port"], ON_OUTAGE="miss")
    assert cache.get("k", 1) == 1
    assert cache.set("k", 1) is None
    assert cache.add("k", 1) is False
    assert cache.touch("k") is False
    assert cache.delete("k") is False
    assert cache.get_many(["k"]) == {}
    assert cache.set_many({"k": 1, "l": 2}) == ["k", "l"]
    assert cache.delete_many(["k"]) is None
    assert cache.has_key("k") is False
    assert cache.ttl("k") == 0
    assert cache.gets("k") == (None, None)
    assert cache.clear() is None
    with pytest.raises(ValueError, match="not found"):
        cache.incr("k")
    assert cache.get_or_set("k", lambda: 7) == 7
    assert await cache.aget("k", 1) == 1
    assert await cache.aset("k", 1) is None
    assert await cache.aadd("k", 1) is False
    assert await cache.aget_many(["k"]) == {}
    assert await cache.aset_many({"k": 1}) == ["k"]
    assert await cache.aclear() is None
    assert await cache.aget_or_set("k", lambda: 7) == 7
    assert len([record for record in caplog.records if "going on without the cache" in record.message]) == 1
    await cache.aclose()


async def test_a_connection_that_the_server_closed_is_survived(redis_server, proxied, connect):
    """A stale pooled connection, reset while nobody used it: the next call connects again, in both worlds."""
    proxy = proxied(redis_server["port"])
    cache = connect(proxy.port)
    cache.set("k", 0)
    for number in range(1, 4):
        proxy.reset()
        assert cache.incr("k") == 2 * number - 1
        proxy.reset()
        assert await cache.aincr("k") == 2 * number
        proxy.reset()
        assert await asyncio.gather(*(cache.aget("k") for _ in range(20))) == [2 * number] * 20
    assert not cache._servers.primary.breaker.is_open
    cache.clear()
    await cache.aclose()


async def test_a_reset_in_the_middle_is_repeated_only_where_that_is_safe(redis_server, proxied, connect):
    """Reads are sent again; a counter might count twice, so it raises."""
    proxy = proxied(redis_server["port"])
    cache = connect(proxy.port, BREAKER_WINDOW=0)
    await cache.aset("k", 1)
    proxy.deaf = True
    waiting = [asyncio.ensure_future(cache.aget("k")), asyncio.ensure_future(cache.aincr("k"))]
    sent = len(proxy.pieces)
    while len(proxy.pieces) == sent:
        await asyncio.sleep(0.001)
    proxy.deaf = False
    await asyncio.to_thread(proxy.reset)
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert results[0] == 1
    assert isinstance(results[1], CacheUnavailable)
    assert await cache.aget("k") == 1
    await cache.aclear()
    await cache.aclose()


async def test_a_black_hole_costs_one_timeout(redis_server, proxied, connect, clock):
    """Connections are accepted and nothing comes back."""
    proxy = proxied(redis_server["port"])
    cache = connect(proxy.port, ON_OUTAGE="miss")
    cache.set("k", 1)
    proxy.deaf = True
    start = time.perf_counter()
    assert [cache.get("k") for _ in range(50)] == [None] * 50
    assert [await cache.aget("k") for _ in range(50)] == [None] * 50
    assert time.perf_counter() - start < 2 * TIMEOUT + 0.3
    proxy.deaf = False
    clock.advance(5)
    assert cache.get("k") == 1
    assert await cache.aget("k") == 1
    cache.clear()
    await cache.aclose()


async def test_latency_is_no_outage(redis_server, proxied, connect):
    """A slow answer within the timeout is an answer; concurrent tasks wait for it together."""
    proxy = proxied(redis_server["port"])
    cache = connect(proxy.port)
    await cache.aset_many({f"k{n}": n for n in range(50)})
    proxy.delay = TIMEOUT / 4
    start = time.perf_counter()
    assert await asyncio.gather(*(cache.aget(f"k{n}") for n in range(50))) == list(range(50))
    assert time.perf_counter() - start < 4 * TIMEOUT
    assert cache.get("k1") == 1
    proxy.delay = 0
    cache.clear()
    await cache.aclose()


async def test_a_cancelled_task_leaves_the_connection_in_step(redis_server, proxied, connect):
    """Its reply is read and dropped; nobody gets somebody else's value."""
    proxy = proxied(redis_server["port"])
    cache = connect(proxy.port)
    await cache.aset_many({f"k{n}": n for n in range(100)})
    proxy.delay = 0.01
    for _ in range(5):
        tasks = [asyncio.ensure_future(cache.aget(f"k{n}")) for n in range(100)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert results[1::2] == list(range(1, 100, 2))
        assert all(isinstance(result, asyncio.CancelledError) for result in results[::2])
    proxy.delay = 0
    assert await cache.aget("k7") == 7
    cache.clear()
    await cache.aclose()


async def test_the_policy_is_set_where_the_cache_is_made():
    """`create_cache(..., on_outage="miss")`."""
    cache = create_cache("redis", "127.0.0.1:1", on_outage="miss")
    assert cache.get("k", "default") == "default"
    assert await cache.aget("k", "default") == "default"
    await cache.aclose()


def test_reads_go_to_replicas_and_survive_their_loss(fresh_servers):
    """Several locations: the first takes writes, the others reads; a dead replica is passed over."""
    place = fresh_servers("redis-replica")["redis-replica"]
    locations = [f"127.0.0.1:{place['port']}", f"127.0.0.1:{place['replica']['port']}"]
    cache = RedisCache(locations, {})
    primary, replica = cache._servers.primary.client, cache._servers.replicas[0].client
    cache.set("k", "v")
    while replica.dbsize() == 0:
        time.sleep(0.005)
    primary.config_resetstat()
    replica.config_resetstat()
    for _ in range(10):
        assert cache.get("k") == "v"
    assert cache.get_many(["k"]) == {"k": "v"}
    assert replica.info("commandstats")["cmdstat_get"]["calls"] == 10
    assert "cmdstat_get" not in primary.info("commandstats")
    os.kill(place["replica"]["pid"], signal.SIGKILL)
    assert [cache.get("k") for _ in range(5)] == ["v"] * 5
    cache.close()
