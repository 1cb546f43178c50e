"""Commands of concurrent tasks share a write; clients belong to their loop; processes may fork."""

import asyncio
import gc
import os
import weakref

import pytest

from torngas_cache.backends.rediscache import RedisCache


@pytest.fixture
def place(redis_server, proxied):
    """A proxy before redis that keeps what was sent."""
    return proxied(redis_server["port"])


@pytest.fixture
def cache(place):
    """A cache behind the proxy."""
    made = RedisCache(f"127.0.0.1:{place.port}", {"KEY_PREFIX": "pipe"})
    yield made
    made.clear()
    made.close()


async def test_commands_of_one_turn_of_the_loop_are_one_write(cache, place):
    """Fifty tasks, reads and writes mixed: one piece on the wire, one connection, every task its own answer."""
    await cache.aset_many({f"k{n}": n for n in range(50)})
    connections = place.connections
    place.pieces.clear()
    reads = [cache.aget(f"k{n}") for n in range(50)]
    writes = [cache.aset(f"w{n}", n) for n in range(25)]
    results = await asyncio.gather(*reads, *writes, cache.aincr("k0", 5), cache.ahas_key("nothing"))
    assert results[:50] == list(range(50))
    assert results[-2:] == [5, False]
    assert len(place.pieces) <= 2  # the second: a script that the server did not know yet
    assert b"k49" in place.pieces[0]
    assert b"w24" in place.pieces[0]
    assert place.connections == connections
    await cache.aclose()


async def test_the_order_of_a_turn_is_kept(cache):
    """A write and a read that were started one after the other happen in that order."""
    for number in range(20):
        results = await asyncio.gather(cache.aset("k", number), cache.aget("k"), cache.aset("k", -1), cache.aget("k"))
        assert results == [None, number, None, -1]
    await cache.aclose()


async def test_a_refused_command_does_not_disturb_its_neighbors(cache):
    """The error is its own task's."""
    await cache.aset("word", "not a number")
    results = await asyncio.gather(
        cache.aset("a", 1), cache.aincr("word"), cache.aget("a"), cache.aget("word"), return_exceptions=True
    )
    assert isinstance(results[1], TypeError)
    assert (results[0], results[2], results[3]) == (None, 1, "not a number")
    await cache.aclose()


async def test_a_command_does_not_queue_behind_a_slow_reply(cache, place):
    """While one connection waits, the next turn's commands take another."""
    await cache.aset("k", 1)
    place.delay = 0.05
    first = asyncio.ensure_future(cache.aget("k"))
    await asyncio.sleep(0.01)
    second = asyncio.ensure_future(cache.aget("k"))
    done, _ = await asyncio.wait({first, second}, timeout=5)
    assert len(done) == 2
    place.delay = 0
    await cache.aclose()


async def test_a_pool_of_one_connection_is_enough(redis_server):
    """Waiting tasks hold no connection, so a small pool cannot be exhausted by them."""
    cache = RedisCache(f"127.0.0.1:{redis_server['port']}", {"OPTIONS": {"POOL_KWARGS": {"max_connections": 1}}})

    async def work(number):
        await cache.aset(f"k{number}", number)
        await asyncio.sleep(0)
        return await cache.aget(f"k{number}")

    assert await asyncio.gather(*(work(n) for n in range(200))) == list(range(200))
    await cache.aclear()
    await cache.aclose()


def test_every_loop_has_a_client_of_its_own_that_ends_with_it(cache):
    """asyncio.run closes what the cache opened in it: no warning, no connection left, no reference to the loop."""
    clients = []

    async def use(number):
        await cache.aset("k", number)
        clients.append(weakref.ref(cache.aclient))
        assert cache.aclient is cache.aclient
        return weakref.ref(asyncio.get_running_loop())

    loops = [asyncio.run(use(number)) for number in range(3)]
    gc.collect()
    assert [loop() for loop in loops] == [None] * 3
    assert [client() for client in clients] == [None] * 3
    assert len(cache._servers.primary._sides) == 0
    assert cache.get("k") == 2


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_loop_that_was_just_dropped_takes_its_client_along(cache):
    """Not even then does the cache keep the loop alive (redis-py warns of what nobody closed)."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(cache.aset("k", 1))
    loop.close()
    reference = weakref.ref(loop)
    del loop
    gc.collect()
    assert reference() is None
    assert len(cache._servers.primary._sides) == 0


def test_loops_of_several_threads_work_at_the_same_time(cache):
    """One instance, four threads with a loop each."""

    async def count():
        await asyncio.gather(*(cache.aincr("n") for _ in range(50)))

    async def main():
        await asyncio.gather(*(asyncio.to_thread(asyncio.run, count()) for _ in range(4)))

    cache.set("n", 0)
    asyncio.run(main())
    assert cache.get("n") == 200


async def test_a_closed_cache_opens_again(cache):
    """close and aclose may come twice, and a later call connects."""
    await cache.aset("k", 1)
    await cache.aclose()
    await cache.aclose()
    cache.close()
    assert await cache.aget("k") == 1
    assert cache.get("k") == 1
    await cache.aclose()


def test_a_forked_child_has_connections_of_its_own(cache):
    """Parent and child talk at the same time and read their own answers only."""
    cache.set_many({f"k{n}": n for n in range(100)})

    async def read():
        return await asyncio.gather(*(cache.aget(f"k{n}") for n in range(100)))

    asyncio.run(read())
    child = os.fork()
    right = [cache.get(f"k{n}") for n in range(100)] == list(range(100)) and asyncio.run(read()) == list(range(100))
    if child == 0:
        os._exit(0 if right else 1)
    _, status = os.waitpid(child, 0)
    assert right
    assert status == 0
