"""The tiered cache: what the local level keeps, and what makes it forget."""

import asyncio
import os
import time

import pytest

from torngas_cache import CacheConfigError, create_cache
from torngas_cache.backends.rediscache import RedisCache
from torngas_cache.backends.tiered import TieredCache

PATIENCE = 60


def until(condition):
    """Waits for what another thread or the server is about to do."""
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    return result


def warm(cache, key="warm"):
    """Makes the cache hear invalidations, and keep a copy of the key."""
    until(lambda: cache.get(key) is not None and local(cache, key) is not None)


def local(cache, key):
    return cache._level.local.get(key)


@pytest.fixture
def connect(redis_server):
    """connect(**options) -> a tiered cache on the shared server."""
    made = []

    def make(port=redis_server["port"], **options):
        made.append(TieredCache(f"127.0.0.1:{port}", {"KEY_PREFIX": "tier", "OPTIONS": options}))
        return made[-1]

    yield make
    for cache in made:
        cache.close()
    cleaner = RedisCache(f"127.0.0.1:{redis_server['port']}", {"KEY_PREFIX": "tier"})
    cleaner.clear()
    cleaner.close()


@pytest.mark.parametrize("how", ["tracking", "pubsub"])
async def test_a_write_elsewhere_makes_the_copy_go(connect, how):
    """set, delete, incr, touch, set_many, delete_many and clear of another process' cache, plain and as coroutines."""
    here, there = connect(INVALIDATION=how), connect(INVALIDATION=how)
    changes = [
        lambda: there.set("k", 2),
        lambda: there.delete("k"),
        lambda: there.incr("k"),
        lambda: there.touch("k", 50),
        lambda: there.set_many({"k": 3}),
        lambda: there.delete_many(["k"]),
        lambda: there.clear(),
        lambda: asyncio.run(there.aset("k", 4)),
        lambda: asyncio.run(there.aclear()),
    ]
    for change in changes:
        here.set("k", 1)
        warm(here, "k")
        await asyncio.to_thread(change)
        until(lambda: local(here, "k") is None)
        assert here.get("k") == there.get("k")


def test_tracking_sees_writers_that_know_nothing_of_it(connect, redis_server):
    """A plain RedisCache, another program, the end of an entry's life."""
    here = connect()
    plain = RedisCache(f"127.0.0.1:{redis_server['port']}", {"KEY_PREFIX": "tier"})
    here.set("k", 1)
    warm(here, "k")
    plain.set("k", 2)
    until(lambda: local(here, "k") is None)
    assert here.get("k") == 2
    plain.close()


def test_ones_own_write_is_read_at_once(connect):
    """A thread never reads what it has just replaced."""
    cache = connect()
    cache.set("k", 0)
    warm(cache, "k")
    for number in range(200):
        cache.set("k", number)
        assert cache.get("k") == number
    assert cache.incr("k") == 200
    assert cache.get("k") == 200
    cache.delete("k")
    assert cache.get("k") is None


def test_a_copy_lives_as_long_as_its_entry_has_left(connect):
    """Not for a whole timeout from when it was read."""
    cache = connect()
    cache.set("warm", 1)
    warm(cache)
    cache.set("k", 1, timeout=100)
    cache._remote.client.pexpire(cache.make_key("k"), 40_000)
    warm(cache, "k")
    assert 38 < cache._level.local.ttl("k") <= 40


def test_local_timeout_caps_the_life_of_copies(connect):
    """LOCAL_TIMEOUT: seconds at most."""
    cache = connect(LOCAL_TIMEOUT=3)
    cache.set("k", 1, timeout=None)
    warm(cache, "k")
    assert cache._level.local.ttl("k") <= 3
    assert cache.ttl("k") is None


def test_a_lost_connection_empties_the_local_level(connect, redis_server, proxied):
    """What happened meanwhile is unknown, so nothing is trusted; it comes back by itself."""
    proxy = proxied(redis_server["port"])
    cache = connect(port=proxy.port)
    other = connect()
    cache.set("k", 1)
    warm(cache, "k")
    assert until(lambda: proxy.connections >= 2)
    proxy.reset()
    until(lambda: local(cache, "k") is None)
    other.set("k", 2)
    assert cache.get("k") == 2
    warm(cache, "k")


def test_a_silent_connection_counts_as_lost(connect, redis_server, proxied):
    """A black hole closes nothing; the missing answer to PING tells."""
    proxy = proxied(redis_server["port"])
    cache = connect(port=proxy.port, ON_OUTAGE="miss")
    cache.set("k", 1)
    warm(cache, "k")
    proxy.deaf = True
    until(lambda: not cache._level.live)
    assert local(cache, "k") is None
    proxy.deaf = False


def test_a_value_that_changed_while_it_was_read_is_not_kept(connect):
    """Read, invalidated, then kept: the old value would stay for its whole life."""
    cache = connect()
    cache.set("k", "old")
    warm(cache, "k")
    level, storage_key = cache._level, cache.make_key("k")
    ticket = level.begin(storage_key)
    level.forget(storage_key)
    level.keep(storage_key, ticket, "old", None)
    assert local(cache, "k") is None
    first, second = level.begin(storage_key), level.begin(storage_key)
    level.keep(storage_key, first, "overtaken", None)
    assert local(cache, "k") is None
    level.keep(storage_key, second, "new", None)
    assert local(cache, "k") == "new"


def test_a_hit_asks_nobody(connect):
    """The point of it all: the server sees no command."""
    cache = connect()
    cache.set("k", {"a": [1]})
    warm(cache, "k")
    cache._remote.client.config_resetstat()
    for _ in range(50):
        assert cache.get("k") == {"a": [1]}
    assert asyncio.run(cache.aget("k")) == {"a": [1]}
    assert cache.get_many(["k"]) == {"k": {"a": [1]}}
    used = cache._remote.client.info("commandstats")
    assert not {"cmdstat_get", "cmdstat_mget"} & set(used)


def test_copies_are_copies(connect):
    """Changing what get returned changes neither level."""
    cache = connect()
    cache.set("k", {"a": [1]})
    warm(cache, "k")
    cache.get("k")["a"].append(2)
    assert cache.get("k") == {"a": [1]}


def test_tagged_entries_are_read_from_the_remote_level(connect):
    """A tag is invalidated in one place for everybody, at once."""
    here, there = connect(), connect()
    here.set("warm", 1)
    warm(here)
    here.set("k", 1, tags=["t"])
    assert here.get("k") == 1
    assert local(here, "k") is None
    there.invalidate_tag("t")
    assert here.get("k") is None


def test_over_a_cache_that_tells_nothing_copies_live_five_seconds(tmp_path):
    """A file cache below: changes by others are seen when the copy's time is over."""
    cache = create_cache("tiered", "", REMOTE={"BACKEND": "file", "LOCATION": str(tmp_path)}, KEY_PREFIX="p")
    cache.set("k", 1, timeout=None)
    assert cache.get("k") == 1
    assert 0 < cache._level.local.ttl("k") <= 5
    assert cache.ttl("k") is None
    cache.clear()
    assert cache.get("k") is None
    cache.close()


def test_an_object_may_be_the_remote_level(tmp_path):
    """Prefix, version and serializer are its own then."""
    remote = create_cache("file", tmp_path, KEY_PREFIX="own")
    cache = TieredCache("", {"OPTIONS": {"REMOTE": remote}})
    remote.set("k", 1)
    assert cache.get("k") == 1
    cache.set("k", 2)
    assert remote.get("k") == 2
    cache.close()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"INVALIDATION": "rumor"}, "expected 'tracking', 'pubsub' or None"),
        ({"INVALIDATION": "tracking", "CLUSTER": True}, "expected 'pubsub'"),
        ({"REMOTE": 5}, r"OPTIONS\['REMOTE'\]: got 5"),
        ({"REMOTE": {"BACKEND": "locmem"}, "INVALIDATION": "tracking"}, "only redis can tell"),
        ({"REMOTE": {"BACKEND": "locmem"}, "LOCALS": {}}, "'LOCALS'"),
        ({"LOCAL_TIMEOUT": 0}, "LOCAL_TIMEOUT"),
    ],
)
def test_wrong_configuration_is_named(options, complaint):
    """Where, what was got, what is expected."""
    with pytest.raises(CacheConfigError, match=complaint):
        TieredCache("127.0.0.1:1", {"OPTIONS": options})


def test_a_forked_child_hears_for_itself(connect):
    """The listener's thread stays with the parent; a child that trusted its inherited copies would be stale."""
    cache = connect()
    cache.set("k", 1)
    warm(cache, "k")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        fresh = not cache._level.live
        os.read(reading, 1)
        right = fresh and cache.get("k") == 2
        warm(cache, "k")
        os._exit(0 if right else 1)
    cache.set("k", 2)
    os.write(writing, b"x")
    _, status = os.waitpid(child, 0)
    os.close(reading)
    os.close(writing)
    assert status == 0
    assert cache.get("k") == 2


def test_closing_ends_the_thread_and_a_later_call_starts_again(connect):
    """close may come twice."""
    cache = connect()
    cache.set("k", 1)
    warm(cache, "k")
    cache.close()
    cache.close()
    assert cache._listener._thread is None
    assert local(cache, "k") is None
    warm(cache, "k")
