"""Atomic operations of the remote backends, among threads, tasks and processes."""

import asyncio
import subprocess
import sys
import threading

import pytest

from torngas_cache import create_cache

WORKER = """
import sys
from torngas_cache import create_cache

cache = create_cache(sys.argv[1], sys.argv[2])
won = 0
for number in range(200):
    cache.incr("n")
    won += cache.add(f"add{number}", 1)
for _ in range(50):
    while True:
        value, token = cache.gets("cas")
        if cache.cas("cas", value + [1], token):
            break
print(won)
cache.close()
"""


@pytest.fixture(params=["redis", "memcached"])
def place(request):
    """(backend, location)"""
    server = request.getfixturevalue(f"{request.param}_server")
    return request.param, f"127.0.0.1:{server['port']}"


@pytest.fixture
def cache(place):
    """A cache at the place."""
    made = create_cache(*place)
    made.clear(all=True)
    yield made
    made.clear(all=True)
    made.close()


def test_processes_lose_no_increment_no_swap_and_add_once(cache, place):
    """Four of them: 800 increments, 200 additions won once each, 200 compare-and-sets."""
    cache.set("n", 0)
    cache.set("cas", [])
    arguments = [sys.executable, "-c", WORKER, *place]
    workers = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    won = [int(worker.communicate()[0]) for worker in workers]
    assert cache.get("n") == 800
    assert sum(won) == 200
    assert len(cache.get("cas")) == 200


def test_threads_share_one_instance(cache):
    """Eight threads, one object: no increment is lost and nobody reads another's answer."""
    cache.set("n", 0)
    cache.set_many({f"k{number}": number for number in range(8)})
    wrong = []

    def work(number):
        for _ in range(100):
            cache.incr("n")
            if cache.get(f"k{number}") != number:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.get("n") == 800
    assert wrong == []


async def test_tasks_lose_no_increment(cache):
    """A hundred tasks, and additions won by one each."""
    await cache.aset("n", 0)
    await asyncio.gather(*(cache.aincr("n") for _ in range(100)))
    assert await cache.aget("n") == 100
    assert sum(await asyncio.gather(*(cache.aadd("once", number) for number in range(50)))) == 1
    await cache.aclose()


async def test_an_increment_keeps_the_remaining_life(cache):
    """Also through negative numbers, which memcached cannot count with itself."""
    cache.set("n", 5, timeout=100)
    assert cache.incr("n", 3) == 8
    assert await cache.aincr("n", -2) == 6
    assert 95 < cache.ttl("n") <= 100
    await cache.aclose()
