"""Token buckets, in memory and on a cache's counters; open or closed where the store fails."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.web import RequestHandler

from torngas_middleware import Application, MemoryBuckets, MiddlewareTypeError, RateLimitMiddleware
from torngas_middleware._buckets import CounterBuckets


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Page(RequestHandler):
    def get(self):
        self.write("x")


class Counters:
    """The counters of a cache, in a dict."""

    blocking = False

    def __init__(self):
        self.values, self.timeouts = {}, {}

    def add(self, key, value, timeout):
        if key in self.values:
            return False
        self.values[key], self.timeouts[key] = value, timeout
        return True

    def incr(self, key):
        self.values[key] += 1
        return self.values[key]


class AsyncCounters(Counters):
    blocking = True
    used = 0

    async def aadd(self, key, value, timeout):
        self.used += 1
        return self.add(key, value, timeout)

    async def aincr(self, key):
        return self.incr(key)


class Broken:
    def take(self, key, burst, rate):
        raise ConnectionError("store is down")


class BrokenAsync:
    async def take(self, key, burst, rate):
        raise ConnectionError("store is down")


def build(store, **options):
    options = {"rate": 1, "burst": 2, **options}
    return Application([("/", Page)], middlewares=[RateLimitMiddleware(store=store, **options)])


async def test_the_burst_then_429_then_a_token_comes_back(serve):
    clock = Clock()
    server = serve(build(MemoryBuckets(clock=clock), rate=0.5))
    assert [(await server.fetch()).code for _ in range(3)] == [200, 200, 429]
    refused = await server.fetch()
    assert refused.headers["Retry-After"] == "2"
    assert b"429: Too Many Requests" in refused.body
    clock.now += 2
    assert [(await server.fetch()).code for _ in range(2)] == [200, 429]


async def test_each_key_has_its_own_bucket(serve):
    server = serve(build(None, key=lambda handler: handler.get_argument("user", None)))
    for user in ("a", "b"):
        assert [(await server.fetch(f"/?user={user}")).code for _ in range(3)] == [200, 200, 429]
    assert {(await server.fetch("/")).code for _ in range(5)} == {200}


@pytest.mark.parametrize("make", [Counters, AsyncCounters])
async def test_a_cache_with_counters_is_a_store(serve, make):
    cache = make()
    server = serve(build(cache, rate=0.0001))
    assert [(await server.fetch()).code for _ in range(4)] == [200, 200, 429, 429]
    assert bool(getattr(cache, "used", 0)) == cache.blocking
    assert all(timeout > 2 / 0.0001 for timeout in cache.timeouts.values())


async def test_a_counter_bucket_refills_as_a_whole():
    clock = Clock()
    buckets = CounterBuckets(Counters(), clock=clock)
    assert [buckets.take("k", 2, 1) for _ in range(3)] == [0.0, 0.0, 2.0]
    clock.now += 2
    assert buckets.take("k", 2, 1) == 0.0


@pytest.mark.parametrize("store", [Broken, BrokenAsync])
@pytest.mark.parametrize(("fail_open", "status"), [(False, 503), (True, 200)])
async def test_a_store_that_fails(serve, caplog, store, fail_open, status):
    server = serve(build(store(), fail_open=fail_open))
    assert (await server.fetch()).code == status
    assert [r.name for r in caplog.records if r.levelname == "ERROR"] == ["torngas_middleware"]


async def test_it_fails_closed_by_default(serve, caplog):
    application = Application([("/", Page)], middlewares=[RateLimitMiddleware(rate=1, burst=1, store=Broken())])
    assert (await serve(application).fetch()).code == 503


@pytest.mark.parametrize("wrong", [{"rate": 0}, {"rate": -1}, {"burst": 0}])
def test_what_limits_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match="RateLimitMiddleware: got rate="):
        RateLimitMiddleware(**{"rate": 1, "burst": 1, **wrong})


def test_what_is_no_store_is_refused():
    with pytest.raises(MiddlewareTypeError, match="expected an object with take"):
        RateLimitMiddleware(rate=1, burst=1, store=object())


@given(
    st.lists(st.floats(0, 3), max_size=60),
    st.integers(1, 5),
    st.sampled_from([0.5, 1.0, 2.0, 10.0]),
)
def test_memory_buckets_are_exact(steps, burst, rate):
    """Against the textbook: tokens that refill with time, up to the burst."""
    clock = Clock()
    buckets, tokens = MemoryBuckets(clock=clock), float(burst)
    for step in steps:
        clock.now += step
        tokens = min(burst, tokens + step * rate)
        wait = buckets.take("k", burst, rate)
        if abs(tokens - 1) < 1e-6:
            tokens = tokens - 1 if wait == 0 else tokens
        elif tokens >= 1:
            assert wait == 0
            tokens -= 1
        else:
            assert wait == pytest.approx((1 - tokens) / rate, abs=1e-6)


def test_memory_is_bounded():
    clock = Clock()
    buckets = MemoryBuckets(limit=100, clock=clock)
    for n in range(1000):
        clock.now += 0.001
        buckets.take(str(n), 5, 0.001)
        assert len(buckets) <= 100
    with pytest.raises(ValueError, match="got limit=0"):
        MemoryBuckets(limit=0)


def test_full_buckets_are_dropped_before_used_ones():
    clock = Clock()
    buckets = MemoryBuckets(limit=10, clock=clock)
    buckets.take("used", 1, 0.0001)
    for n in range(9):
        buckets.take(str(n), 1, 1)
    clock.now += 5
    buckets.take("new", 1, 1)
    assert buckets.take("used", 1, 0.0001) > 0
