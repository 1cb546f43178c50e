"""Locks and tags, on every backend."""

import asyncio
import threading

import pytest

from torngas_cache import Lock, LockError, LockLost


class Driver:
    """A lock by its plain methods or its coroutines."""

    def __init__(self, lock, kind):
        self.lock, self.kind = lock, kind

    async def __call__(self, name, *args):
        if self.kind == "coroutines":
            return await getattr(self.lock, "a" + name)(*args)
        return getattr(self.lock, name)(*args)


@pytest.fixture
async def lock(make, kind):
    cache = make().cache

    def make_lock(key="key", timeout=30, **options):
        return Driver(cache.lock(key, timeout, **options), kind)

    return make_lock


async def test_one_holder_at_a_time(lock):
    first, second, other = lock(wait=0), lock(wait=0), lock("other", wait=0)
    assert await first("acquire") is True
    assert await second("acquire") is False
    assert await other("acquire") is True
    await first("release")
    assert await second("acquire") is True
    assert second.lock.held
    assert not first.lock.held


async def test_a_lock_ends_after_its_timeout(lock, backend):
    """So a holder that dies blocks nobody for longer; it learns that it lost the lock."""
    first, second = lock(timeout=backend.grain, wait=0), lock(wait=0)
    await first("acquire")
    backend.advance(backend.grain * 1.5)
    assert await second("acquire") is True
    with pytest.raises(LockLost, match="ended"):
        await first("release")
    assert await lock(wait=0)("acquire") is False
    await second("release")


async def test_renewing_prolongs(lock, backend):
    first = lock(timeout=backend.grain, wait=0)
    await first("acquire")
    await first("renew", backend.grain * 20)
    backend.advance(backend.grain * 2)
    assert await lock(wait=0)("acquire") is False
    await first("release")


async def test_renewing_a_lost_lock_is_an_error(lock, backend):
    first = lock(timeout=backend.grain, wait=0)
    await first("acquire")
    backend.advance(backend.grain * 1.5)
    with pytest.raises(LockLost):
        await first("renew")
    assert not first.lock.held


async def test_wrong_order_is_an_error(lock):
    first = lock()
    with pytest.raises(LockError, match="not held"):
        await first("release")
    with pytest.raises(LockError, match="not held"):
        await first("renew")
    await first("acquire")
    with pytest.raises(LockError, match="already"):
        await first("acquire")
    await first("release")


async def test_as_a_block(make):
    cache = make().cache
    with cache.lock("key", 30) as held:
        assert isinstance(held, Lock)
        with pytest.raises(LockError, match="somebody else"):
            cache.lock("key", 30, wait=0).__enter__()
        with pytest.raises(LockError, match="somebody else"):
            await cache.lock("key", 30, wait=0).__aenter__()
    async with cache.lock("key", 30, wait=0):
        pass
    with cache.lock("key", 30, wait=0):
        pass


async def test_an_error_in_the_block_is_not_hidden_by_a_lost_lock(make, backend):
    cache = make().cache
    with pytest.raises(ZeroDivisionError), cache.lock("key", backend.grain):
        backend.advance(backend.grain * 1.5)
        raise ZeroDivisionError


@pytest.mark.parametrize("timeout", [None, 0, -1])
async def test_there_are_no_locks_without_an_end(make, timeout):
    with pytest.raises(ValueError, match="lock"):
        make().cache.lock("key", timeout)


async def test_tasks_exclude_each_other(make):
    cache, inside, most = make().cache, 0, 0

    async def work():
        nonlocal inside, most
        async with cache.lock("key", 30):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(work() for _ in range(5)))
    assert most == 1


def test_threads_exclude_each_other(backend):
    cache, inside, seen = backend.make(), [], []

    def work():
        with cache.lock("key", 30):
            inside.append(1)
            seen.append(len(inside))
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert seen == [1] * 5
    cache.close()


async def test_a_lock_is_no_entry(make):
    api = make()
    with api.cache.lock("key", 30):
        assert await api.has_key("key") is False
        await api.set("key", 1)
        assert await api.delete("key") is True
        assert api.cache.lock("key", 30, wait=0).acquire() is False


# tags


async def test_invalidating_a_tag_makes_its_entries_miss(api):
    await api.set("a", 1, tags=["red", "round"])
    await api.set("b", [2], tags=["red"])
    await api.set("c", 3, tags=["round"])
    await api.set("d", 4)
    assert await api.get_many(["a", "b", "c", "d"]) == {"a": 1, "b": [2], "c": 3, "d": 4}
    assert await api.invalidate_tag("red") is None
    assert await api.get_many(["a", "b", "c", "d"]) == {"c": 3, "d": 4}
    for key in ("a", "b"):
        assert await api.get(key) is None
        assert await api.has_key(key) is False
        assert await api.ttl(key) == 0
        assert await api.touch(key) is False
    await api.set("b", "again", tags=["red"])
    assert await api.get("b") == "again"


async def test_an_invalidated_entry_can_be_added_and_computed_anew(api):
    await api.set("key", "old", tags=["t"])
    await api.set("other", "old", tags=["t"])
    await api.invalidate_tag("t")
    assert await api.add("key", "new") is True
    assert await api.get("key") == "new"
    assert await api.get_or_set("other", lambda: "computed", tags=["t"]) == "computed"
    assert await api.get("other") == "computed"
    await api.invalidate_tag("t")
    assert await api.get("other") is None


async def test_tagged_entries_live_like_others(api, backend):
    await api.set("key", 1, 100, tags=["t"])
    assert await api.has_key("key") is True
    assert 90 < await api.ttl("key") <= 100
    assert await api.incr("key") == 2
    assert await api.touch("key", 500) is True
    assert 400 < await api.ttl("key") <= 500
    value, token = await api.gets("key")
    assert value == 2
    assert await api.cas("key", 3, token) is True
    assert await api.add("key", 9) is False
    await api.set("short", 1, backend.grain, tags=["t"])
    backend.advance(backend.grain * 1.5)
    assert await api.get("short") is None


async def test_a_tag_invalidated_during_the_computation_wins(api):
    """What was computed from the old data is returned, but not kept."""

    def compute():
        api.cache.invalidate_tag("t")
        return "from old data"

    assert await api.get_or_set("key", compute, tags=["t"]) == "from old data"
    assert await api.get("key") is None


async def test_one_string_is_not_taken_for_a_list_of_tags(api):
    with pytest.raises(TypeError, match="tags"):
        await api.set("key", 1, tags="red")
    with pytest.raises(TypeError, match="tags"):
        await api.get_or_set("key", 1, tags="red")


async def test_invalidation_is_one_write_however_many_entries_there_are(backend):
    cache = backend.make()
    writes = []
    write = cache._write
    for number in range(20):
        cache.set(f"key{number}", number, tags=["t"])
    cache._write = lambda *args: writes.append(args) or write(*args)
    cache.invalidate_tag("t")
    assert len(writes) == 1
    assert cache.get_many([f"key{number}" for number in range(20)]) == {}
    cache.close()
