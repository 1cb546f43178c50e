"""`get_or_set`: one computation per key, early and stale values."""

import asyncio
import os
import random
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from torngas_cache import create_cache


class Counter:
    """Counts its calls, and returns their number."""

    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return self.calls

    async def later(self):
        await asyncio.sleep(0)
        return self()


async def test_tasks_join(make):
    """Every task gets the value of the one that computes it."""
    api, count = make(), Counter()
    results = await asyncio.gather(*(api.cache.aget_or_set("key", count.later) for _ in range(50)))
    assert results == [1] * 50
    assert count.calls == 1


async def test_those_who_joined_have_copies_of_their_own(make):
    async def compute():
        await asyncio.sleep(0)
        return {"list": []}

    cache = make().cache
    first, second = await asyncio.gather(cache.aget_or_set("key", compute), cache.aget_or_set("key", compute))
    first["list"].append(1)
    assert second == {"list": []}
    assert await cache.aget("key") == {"list": []}


def test_threads_join(backend):
    """Threads that come while one computes wait for it."""
    cache, count = backend.make(), Counter()
    entered, go_on = threading.Event(), threading.Event()

    def slow():
        entered.set()
        go_on.wait(10)
        return count()

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(cache.get_or_set, "key", slow)
        assert entered.wait(10)
        others = [pool.submit(cache.get_or_set, "key", slow) for _ in range(7)]
        go_on.set()
        assert [future.result(20) for future in [first, *others]] == [1] * 8
    assert count.calls == 1
    cache.close()


async def test_an_error_reaches_all_who_joined_and_is_not_kept(make):
    cache, count = make().cache, Counter()
    join, joined, all_joined = cache._ajoin, Counter(), asyncio.Event()

    async def counted_join(job):
        if joined() == 5:
            all_joined.set()
        return await join(job)

    async def fail():
        await all_joined.wait()
        count()
        raise LookupError("no data")

    cache._ajoin = counted_join
    results = await asyncio.gather(*(cache.aget_or_set("key", fail) for _ in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [LookupError] * 5
    assert count.calls == 1
    assert await cache.aget_or_set("key", lambda: "fine") == "fine"


async def test_a_timeout_error_of_the_computation_is_passed_on(make):
    cache = make().cache

    async def fail():
        await asyncio.sleep(0)
        raise TimeoutError("upstream")

    results = await asyncio.gather(*(cache.aget_or_set("key", fail) for _ in range(3)), return_exceptions=True)
    assert [str(result) for result in results] == ["upstream"] * 3


async def test_when_the_computing_task_is_cancelled_another_takes_over(make):
    cache, count, started = make().cache, Counter(), asyncio.Event()

    async def stuck():
        started.set()
        await asyncio.Event().wait()

    leader = asyncio.create_task(cache.aget_or_set("key", stuck))
    await started.wait()
    waiters = [asyncio.create_task(cache.aget_or_set("key", count.later)) for _ in range(3)]
    await asyncio.sleep(0)
    leader.cancel()
    assert await asyncio.gather(*waiters) == [1, 1, 1]
    assert leader.cancelled() or isinstance(leader.exception(), asyncio.CancelledError)


async def test_a_waiter_that_is_cancelled_takes_nobody_with_it():
    cache, go_on = create_cache("locmem", "waiter-cancelled"), asyncio.Event()

    async def slow():
        await go_on.wait()
        return "value"

    leader = asyncio.create_task(cache.aget_or_set("key", slow))
    waiters = [asyncio.create_task(cache.aget_or_set("key", slow)) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiters[0].cancel()
    await asyncio.sleep(0)
    go_on.set()
    assert await asyncio.gather(leader, *waiters[1:]) == ["value"] * 3


def test_loops_and_threads_join_each_other():
    """A coroutine on one loop, one on another, and a thread: one computation."""
    cache, count = create_cache("locmem", "loops"), Counter()
    entered, go_on = threading.Event(), threading.Event()

    def slow():
        entered.set()
        go_on.wait(10)
        return count()

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(cache.get_or_set, "key", slow)
        assert entered.wait(10)
        second = pool.submit(lambda: asyncio.run(cache.aget_or_set("key", slow)))
        third = pool.submit(cache.get_or_set, "key", slow)
        go_on.set()
        assert [future.result(10) for future in (first, second, third)] == [1, 1, 1]


async def test_a_computation_that_asks_for_its_own_key_does_not_wait_for_itself(make):
    api = make()

    async def outer():
        return "outer " + await api.get_or_set("key", lambda: "inner")

    async def plain():
        return api.cache.get_or_set("key", lambda: "outer " + api.cache.get_or_set("key", lambda: "inner"))

    found = await (api.cache.aget_or_set("key", outer) if api.kind == "coroutines" else plain())
    assert found in ("inner", "outer inner")


async def test_a_plain_call_on_the_loop_of_the_leader_does_not_block_it():
    cache = create_cache("locmem", "same-loop")

    async def compute():
        await asyncio.sleep(0)
        return "coroutine"

    task = asyncio.create_task(cache.aget_or_set("key", compute))
    await asyncio.sleep(0)
    assert cache.get_or_set("key", lambda: "plain") == "plain"
    assert await task == "plain"


def test_a_leader_that_is_stuck_is_replaced_when_its_lease_ends():
    cache = create_cache("locmem", "stuck")
    entered, go_on = threading.Event(), threading.Event()

    def stuck():
        entered.set()
        go_on.wait(20)
        return "late"

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cache.get_or_set, "key", stuck, lease=0.05)
        assert entered.wait(10)
        assert cache.get_or_set("key", lambda: "replacement", lease=0.05) == "replacement"
        go_on.set()
        assert first.result(10) == "replacement"  # set meanwhile, so it is not overwritten


# stale values


async def test_stale_while_revalidate_serves_the_old_value_while_one_computes(make, backend):
    cache, grain = make().cache, backend.grain
    assert await cache.aget_or_set("key", lambda: "old", grain, stale_while_revalidate=100 * grain) == "old"
    backend.advance(grain * 1.5)
    started, go_on = asyncio.Event(), asyncio.Event()

    async def slow():
        started.set()
        await go_on.wait()
        return "new"

    refresh = asyncio.create_task(cache.aget_or_set("key", slow, 100, stale_while_revalidate=100 * grain))
    await started.wait()
    assert await cache.aget_or_set("key", slow, 100, stale_while_revalidate=100 * grain) == "old"
    go_on.set()
    assert await refresh == "new"
    assert await cache.aget("key") == "new"


async def test_an_entry_in_its_grace_is_no_entry_to_others(make, backend):
    """get, has_key, ttl, incr, touch, add, gets and get_many see that it has expired."""
    api, grain = make(), backend.grain
    await api.get_or_set("key", 5, grain, stale_if_error=1000)
    assert await api.get("key") == 5
    assert await api.incr("key") == 6
    assert 0 < await api.ttl("key") <= grain
    backend.advance(grain * 1.5)
    assert await api.get("key") is None
    assert await api.has_key("key") is False
    assert await api.get_many(["key"]) == {}
    assert await api.ttl("key") == 0
    assert await api.touch("key", 10) is False
    with pytest.raises(ValueError, match="key"):
        await api.incr("key")
    assert (await api.gets("key"))[0] is None
    assert await api.add("key", "new") is True
    assert await api.get("key") == "new"


async def test_touch_prolongs_an_entry_with_grace(make, backend):
    api, grain = make(), backend.grain
    await api.get_or_set("key", "old", grain, stale_if_error=1000)
    assert await api.touch("key", grain * 10) is True
    backend.advance(grain * 2)
    assert await api.get("key") == "old"
    assert await api.touch("key", None) is True
    assert await api.ttl("key") is None


async def test_stale_if_error_returns_the_old_value(make, backend, caplog):
    api, grain = make(), backend.grain

    def fail():
        raise LookupError("upstream is down")

    await api.get_or_set("key", "old", grain, stale_if_error=1000)
    backend.advance(grain * 1.5)
    assert await api.get_or_set("key", fail, grain, stale_if_error=1000) == "old"
    assert "upstream is down" in caplog.text
    with pytest.raises(LookupError):
        await api.get_or_set("key", fail, grain)
    with pytest.raises(LookupError):
        await api.get_or_set("missing", fail, grain, stale_if_error=1000)


async def test_an_old_value_is_served_only_within_the_time_asked_for(clock):
    cache = create_cache("locmem", "stale-age", clock=clock)

    def fail():
        raise LookupError

    cache.get_or_set("key", "old", 10, stale_if_error=1000)
    clock.advance(60)
    assert cache.get_or_set("key", fail, 10, stale_if_error=100) == "old"
    with pytest.raises(LookupError):
        cache.get_or_set("key", fail, 10, stale_if_error=49)


# early refreshes


def test_early_refreshes_become_likely_towards_the_end(clock):
    """XFetch: with a cost of 1 s and early=1.0, a caller t seconds before the end refreshes with probability e^-t."""
    cache = create_cache("locmem", "early", clock=clock)
    cache._random = random.Random(7).random
    refreshed = {}
    for left in (0.1, 1.0, 3.0, 50.0):
        refreshed[left] = 0
        for _ in range(300):
            cache.set("key", "old")
            _with_cost(cache, "key", cost=1.0, fresh_until=clock.now + left)
            refreshed[left] += cache.get_or_set("key", lambda: "new", early=1.0) == "new"
    assert 250 < refreshed[0.1] <= 300
    assert 70 < refreshed[1.0] < 150
    assert 2 < refreshed[3.0] < 40
    assert refreshed[50.0] == 0


def _with_cost(cache, key, cost, fresh_until):
    from torngas_cache._codec import Meta

    name = cache.make_key(key)
    cache._write(name, cache._encode("old", Meta(fresh_until=fresh_until, cost=cost)), 1000)


async def test_early_refreshes_come_one_at_a_time(clock):
    """While one refreshes the others are given the value that is still good."""
    cache, count, go_on = create_cache("locmem", "early-one", clock=clock), Counter(), asyncio.Event()
    _with_cost(cache, "key", cost=1e9, fresh_until=clock.now + 1)

    async def slow():
        count()
        await go_on.wait()
        return "new"

    first = asyncio.create_task(cache.aget_or_set("key", slow, early=1.0))
    await asyncio.sleep(0)
    others = await asyncio.gather(*(cache.aget_or_set("key", slow, early=1.0) for _ in range(10)))
    assert others == ["old"] * 10
    go_on.set()
    assert await first == "new"
    assert count.calls == 1


def test_an_early_refresh_that_fails_returns_the_value_that_is_still_good(clock):
    cache = create_cache("locmem", "early-fails", clock=clock)
    _with_cost(cache, "key", cost=1e9, fresh_until=clock.now + 1)

    def fail():
        raise LookupError

    assert cache.get_or_set("key", fail, early=1.0) == "old"


@pytest.mark.parametrize("option", [{"lease": 0}, {"lease": -1}, {"early": -1.0}, {"stale_if_error": -5}])
def test_impossible_options_are_errors(option):
    with pytest.raises(ValueError, match="get_or_set"):
        create_cache("locmem", "options").get_or_set("key", 1, **option)


# across processes


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_does_not_wait_for_a_thread_of_its_parent(name):
    cache = create_cache("locmem", name)
    entered, go_on = threading.Event(), threading.Event()

    def slow():
        entered.set()
        go_on.wait(20)
        return "parent"

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(cache.get_or_set, "key", slow)
        assert entered.wait(10)
        child = os.fork()
        if child == 0:
            os._exit(0 if cache.get_or_set("key", lambda: "child", lease=60) == "child" else 1)
        deadline = time.monotonic() + 90
        while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < deadline:
            time.sleep(0.01)
        go_on.set()
        assert ended == (child, 0)
        assert future.result(10) == "parent"


WORKER = """
    import asyncio, os, sys, time
    from torngas_cache import create_cache

    folder, log, tasks, lease, start = sys.argv[1:]
    cache = create_cache("file", folder)

    async def compute():
        with open(log, "a") as file:
            file.write(f"{os.getpid()}\\n")
        await asyncio.sleep(0.3)
        return "value"

    async def main():
        await asyncio.sleep(max(0, float(start) - time.time()))
        return await asyncio.gather(*(cache.aget_or_set("key", compute, lease=float(lease)) for _ in range(int(tasks))))

    results = asyncio.run(main())
    print(len(results), set(results))
"""


def _worker(*args):
    command = [sys.executable, "-c", textwrap.dedent(WORKER), *map(str, args)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.promise(11)
def test_promise_11_many_tasks_in_four_processes_compute_once(tmp_path):
    """500 tasks in each of 4 processes meet an expired key: one call."""
    cache = create_cache("file", tmp_path / "cache")
    cache.set("key", "expired", 0.001)
    log = tmp_path / "calls"
    workers = [_worker(tmp_path / "cache", log, 500, 30, time.time() + 2) for _ in range(4)]
    for worker in workers:
        output, _ = worker.communicate(timeout=50)
        assert output.strip() == "500 {'value'}"
    assert len(log.read_text().splitlines()) == 1


HOLDER = """
    import sys, time
    from torngas_cache import create_cache

    def compute():
        print("computing", flush=True)
        time.sleep(60)

    create_cache("file", sys.argv[1]).get_or_set("key", compute, lease=float(sys.argv[2]))
"""


@pytest.mark.promise(11)
def test_promise_11_a_holder_killed_is_replaced_when_its_lease_ends(tmp_path):
    cache, lease = create_cache("file", tmp_path), 1.0
    command = [sys.executable, "-c", textwrap.dedent(HOLDER), str(tmp_path), str(lease)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "computing\n"
        start = time.monotonic()
        holder.kill()
        holder.wait(10)
    assert cache.get_or_set("key", lambda: "recovered", lease=lease) == "recovered"
    assert time.monotonic() - start < lease + 3
