"""memcached: placement, dead servers, expiry, prefixes; and what an alias does in an outage."""

import os
import signal
import time
from unittest import mock

import pytest

from torngas_cache import CacheConfigError, CacheUnavailable, InvalidCacheKey, MissingExtraError
from torngas_cache._memcached.expiry import expiry
from torngas_cache.backends.memcached import MemcachedCache, PyLibMCCache

FAST = {"timeout": 0.3, "connect_timeout": 0.3}


@pytest.fixture
def two(fresh_servers, clock):
    """(cache, servers): two servers, and a breaker by the pretended clock."""
    servers = fresh_servers("memcached", "memcached")["memcached"]
    made = []

    def make(**options):
        location = ";".join(f"127.0.0.1:{server['port']}" for server in servers)
        made.append(MemcachedCache(location, {"OPTIONS": {"CLOCK": clock, **FAST, **options}}))
        return made[-1]

    yield make, servers
    for cache in made:
        cache.close()


def test_keys_are_spread_and_stay_where_they_are(two):
    """Two clients with the servers in any order agree on the place of every key."""
    make, servers = two
    cache = make()
    other = MemcachedCache([f"127.0.0.1:{server['port']}" for server in reversed(servers)], {"OPTIONS": FAST})
    cache.set_many({f"k{n}": n for n in range(100)})
    assert other.get_many([f"k{n}" for n in range(100)]) == {f"k{n}": n for n in range(100)}
    counts = [int(client.stats()[b"curr_items"]) for client in cache.client.live()]
    assert sum(counts) == 100
    assert min(counts) > 20
    other.close()


def test_a_dead_server_is_skipped_and_comes_back(two, clock, frozen):
    """Its keys go to the others for a window; then it is asked again, and used if it answers."""
    make, servers = two
    cache = make()
    cache.set_many({f"k{n}": n for n in range(40)})
    with frozen(servers[0]["pid"]):
        start = time.perf_counter()
        for number in range(40):
            cache.set(f"k{number}", -number)
        assert time.perf_counter() - start < 0.6
        assert cache.get_many([f"k{n}" for n in range(40)]) == {f"k{n}": -n for n in range(40)}
        assert len(cache.client.live()) == 1
        clock.advance(5)
        start = time.perf_counter()
        assert [cache.get(f"k{n}") for n in range(40)] == [-n for n in range(40)]
        assert time.perf_counter() - start < 0.6
    clock.advance(5)
    cache.get("k1")
    assert len(cache.client.live()) == 2


def test_with_no_server_left_the_policy_decides(two, clock):
    """raise: CacheUnavailable, at once after the first; miss: an empty cache; both end with the outage."""
    make, servers = two
    strict, lax = make(), make(ON_OUTAGE="miss")
    for server in servers:
        os.kill(server["pid"], signal.SIGKILL)
    for _ in range(3):
        with pytest.raises(CacheUnavailable):
            strict.get("k")
        with pytest.raises(CacheUnavailable):
            strict.add("k", 1)
        assert lax.get("k", "d") == "d"
    assert lax.add("k", 1) is False
    assert lax.set("k", 1) is None
    assert lax.set_many({"k": 1}) == ["k"]
    assert lax.get_many(["k"]) == {}
    assert lax.delete("k") is False
    assert lax.gets("k") == (None, None)
    assert lax.ttl("k") == 0
    with pytest.raises(ValueError, match="not found"):
        lax.incr("k")


@pytest.mark.promise(12)
def test_promise_12_a_frozen_memcached_costs_one_timeout_per_window(fresh_servers, frozen, clock):
    """1,000 reads, one timeout; recovery by itself."""
    place = fresh_servers("memcached")["memcached"]
    cache = MemcachedCache(f"127.0.0.1:{place['port']}", {"OPTIONS": {"CLOCK": clock, "ON_OUTAGE": "miss", **FAST}})
    cache.set("k", 1)
    with frozen(place["pid"]):
        start = time.perf_counter()
        assert {cache.get("k") for _ in range(1000)} == {None}
        assert time.perf_counter() - start < 2 * FAST["timeout"]
    clock.advance(5)
    assert cache.get("k") == 1
    cache.close()


def test_a_connection_that_the_server_closed_is_survived(memcached_server, proxied):
    """The next call connects again, and the server stays in use."""
    proxy = proxied(memcached_server["port"])
    cache = MemcachedCache(f"127.0.0.1:{proxy.port}", {"OPTIONS": FAST})
    for number in range(4):
        cache.set("k", number)
        proxy.reset()
        assert cache.get("k") == number
        proxy.reset()
    assert len(cache.client.live()) == 1
    cache.delete("k")
    cache.close()


def test_clear_removes_this_prefix_only(memcached_server):
    """By the server's listing of keys; `all=True` empties it."""
    location = f"127.0.0.1:{memcached_server['port']}"
    mine, other = (MemcachedCache(location, {"KEY_PREFIX": prefix}) for prefix in ("mine", "other"))
    mine.set_many({f"k\u00e9{n}": n for n in range(300)})
    other.set("k", 1)
    mine.clear()
    assert mine.get_many([f"k\u00e9{n}" for n in range(300)]) == {}
    assert other.get("k") == 1
    mine.clear(all=True)
    assert other.get("k") is None
    mine.close()
    other.close()


def test_a_value_that_is_refused_takes_the_old_one_away(memcached_server):
    """Too large: the error is the server's, and nobody reads the old value for the new one."""
    cache = MemcachedCache(f"127.0.0.1:{memcached_server['port']}", {})
    cache.set("k", "small")
    with pytest.raises(Exception, match="too large"):
        cache.set("k", "x" * 3_000_000)
    assert cache.get("k") is None
    cache.close()


def test_counters_below_zero(memcached_server):
    """decr stops at 0; a negative integer that was stored counts all the same."""
    cache = MemcachedCache(f"127.0.0.1:{memcached_server['port']}", {})
    cache.set("n", 10)
    assert cache.decr("n") == 9
    assert cache.get("n") == 9
    assert cache.incr("n", -20) == 0
    cache.set("n", -5, timeout=100)
    assert cache.incr("n", 2) == -3
    assert 98 <= cache.ttl("n") <= 100
    cache.delete("n")
    cache.close()


@pytest.mark.parametrize("key", ["a b", "a\nb", "x" * 300, "\x7f"])
def test_keys_that_would_break_the_protocol_raise(key):
    """`InvalidCacheKey` before anything is sent: there is no server here."""
    cache = MemcachedCache("127.0.0.1:1", {})
    with pytest.raises(InvalidCacheKey, match="Cache key"):
        cache.get(key)
    with pytest.raises(InvalidCacheKey):
        cache.set_many({key: 1})


def test_expiration_times():
    """0 is for ever, fractions are rounded up, more than 30 days is a moment."""
    assert expiry(None) == 0
    assert expiry(0.01) == 1
    assert expiry(2.5) == 3
    assert expiry(30 * 86400) == 30 * 86400
    assert abs(expiry(60 * 86400) - (time.time() + 60 * 86400)) <= 2


def test_options_reach_the_client():
    """What HashClient has, no option of ours repeats; dead_timeout is the breaker's window."""
    cache = MemcachedCache("127.0.0.1:1", {"OPTIONS": {"dead_timeout": 7, "max_pool_size": 3, "ignore_exc": True}})
    assert cache.client.default_kwargs["max_pool_size"] == 3
    assert cache.client.ignore_exc is True
    assert cache._policy.window == 7
    assert cache.get("k") is None


@pytest.mark.parametrize("location", ["localhost", "localhost:http"])
def test_wrong_locations_are_named(location):
    """Where, what was got, what is expected."""
    with pytest.raises(CacheConfigError, match=r"MemcachedCache LOCATION: got 'localhost.*expected 'host:port'"):
        MemcachedCache(location, {})


def test_a_missing_driver_names_the_extra():
    """The message is the remedy."""
    import sys

    hidden = {name: None for name in sys.modules if name.startswith("pymemcache")}
    with mock.patch.dict(sys.modules, {**hidden, "pymemcache": None}):
        sys.modules.pop("torngas_cache._memcached.ring", None)
        with pytest.raises(MissingExtraError, match=r"pip install 'torngas-cache\[memcached\]'"):
            MemcachedCache("127.0.0.1:1", {})


def test_the_old_name_needs_pylibmc():
    """Where it is missing, the message is the remedy."""
    import sys

    with mock.patch.dict(sys.modules, {"pylibmc": None}):
        sys.modules.pop("torngas_cache._memcached.pylibmc_ring", None)
        with pytest.raises(MissingExtraError, match="PyLibMCCache needs pylibmc: pip install pylibmc"):
            PyLibMCCache("127.0.0.1:1", {})


def test_a_forked_child_has_sockets_of_its_own(memcached_server):
    """Parent and child read their own answers only."""
    cache = MemcachedCache(f"127.0.0.1:{memcached_server['port']}", {})
    cache.set_many({f"k{n}": n for n in range(100)})
    child = os.fork()
    right = [cache.get(f"k{n}") for n in range(100)] == list(range(100))
    if child == 0:
        os._exit(0 if right else 1)
    _, status = os.waitpid(child, 0)
    assert right
    assert status == 0
    cache.clear(all=True)
    cache.close()


def test_looking_whether_a_server_answers_leaves_connections_in_use_alone(memcached_server):
    """Another thread may be in the middle of a command on one of them."""
    cache = MemcachedCache(f"127.0.0.1:{memcached_server['port']}", {})
    ring = cache.client
    (pooled,) = ring.clients.values()
    with pooled.client_pool.get_and_release() as used, pooled.client_pool.get_and_release() as idle:
        assert used.version() == idle.version()
        pooled.client_pool.release(idle)
        assert ring._answers(pooled.server)
        assert idle.sock is None
        assert used.version()
    cache.close()
