"""One recomputation per key, among processes that share a redis; and its locks."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from torngas_cache import CacheUnavailable, LockLost
from torngas_cache.backends.rediscache import RedisCache

WORKER = """
import asyncio, sys
from torngas_cache.backends.rediscache import RedisCache

location, lease, hang = sys.argv[1], float(sys.argv[2]), sys.argv[3] == "hang"
cache = RedisCache(location, {"KEY_PREFIX": "stampede", "OPTIONS": {"LEASE": lease}})

async def compute():
    await cache.aclient.incr("calls")
    if hang:
        print("computing", flush=True)
        await asyncio.sleep(60)
    await asyncio.sleep(0.2)
    return "value"

async def main():
    await cache.aget("warm")
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    tasks = 1 if hang else 500
    results = await asyncio.gather(*(cache.aget_or_set("k", compute, 60) for _ in range(tasks)))
    print("done" if set(results) == {"value"} else results, flush=True)

asyncio.run(main())
"""


@pytest.fixture
def workers(redis_server):
    """workers(count, lease, hang) -> processes that wait for a line before they meet the missing key."""
    location = f"redis://127.0.0.1:{redis_server['port']}/5"
    made = []

    def start(count, lease, hang=False):
        arguments = [sys.executable, "-c", WORKER, location, str(lease), "hang" if hang else "go"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        processes = [subprocess.Popen(arguments, **pipes) for _ in range(count)]
        made.extend(processes)
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        return processes

    yield start
    for process in made:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


@pytest.fixture
def cache(redis_server):
    """The cache that the workers use."""
    made = RedisCache(f"redis://127.0.0.1:{redis_server['port']}/5", {"KEY_PREFIX": "stampede"})
    made.clear(all=True)
    yield made
    made.clear(all=True)
    made.close()


def go(processes):
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()


@pytest.mark.promise(11)
def test_promise_11_500_tasks_in_each_of_4_processes_compute_once(workers, cache):
    """An entry that has just ended, 2,000 callers: one call of the function."""
    processes = workers(4, lease=10)
    cache.set("k", "old", timeout=0.001)
    while cache.has_key("k"):
        time.sleep(0.001)
    go(processes)
    assert [process.stdout.readline() for process in processes] == ["done\n"] * 4
    assert int(cache.client.get("calls")) == 1
    assert cache.get("k") == "value"


@pytest.mark.promise(11)
def test_promise_11_a_holder_that_was_killed_is_replaced_when_its_lease_ends(workers, cache):
    """kill -9 in the middle of the computation: the others wait for the lease, not for ever, and compute once more."""
    (holder,) = workers(1, lease=1.5, hang=True)
    others = workers(2, lease=1.5)
    go([holder])
    assert holder.stdout.readline() == "computing\n"
    os.kill(holder.pid, signal.SIGKILL)
    start = time.monotonic()
    go(others)
    assert [process.stdout.readline() for process in others] == ["done\n"] * 2
    assert time.monotonic() - start < 4
    assert int(cache.client.get("calls")) == 2


async def test_a_lock_is_released_and_renewed_by_its_holder_only(cache):
    """Its token is compared on the server, plain and as a coroutine."""
    first, second = cache.lock("job", timeout=30), cache.lock("job", timeout=30)
    assert first.acquire(wait=0)
    assert not second.acquire(wait=0)
    assert not await second.aacquire(wait=0)
    cache.client.pexpire(first.name, 1_000)
    await first.arenew()
    assert 28_000 < cache.client.pttl(first.name) <= 30_000
    cache.client.set(first.name, b"somebody else", px=5_000)
    with pytest.raises(LockLost):
        await first.arelease()
    assert cache.client.get(first.name) == b"somebody else"


async def test_a_lock_raises_in_an_outage_whatever_the_policy():
    """Who went on without it would break what it protects."""
    cache = RedisCache("127.0.0.1:1", {"OPTIONS": {"ON_OUTAGE": "miss"}})
    with pytest.raises(CacheUnavailable):
        cache.lock("job", timeout=30).acquire(wait=0)
    with pytest.raises(CacheUnavailable):
        await cache.lock("job", timeout=30).aacquire(wait=0)
    await cache.aclose()


async def test_in_an_outage_that_counts_as_a_miss_nobody_waits_for_a_lease():
    """Everybody computes, at once."""
    cache = RedisCache("127.0.0.1:1", {"OPTIONS": {"ON_OUTAGE": "miss"}})
    start = time.monotonic()
    assert cache.get_or_set("k", lambda: 1) == 1
    assert await asyncio.gather(*(cache.aget_or_set(f"k{n}", lambda: 2) for n in range(20))) == [2] * 20
    assert time.monotonic() - start < 2
    await cache.aclose()
