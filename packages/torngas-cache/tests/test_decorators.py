"""`cached` on functions and coroutine functions."""

import asyncio

import pytest

from torngas_cache import CacheHandler, cached, caches, create_cache


@pytest.fixture
def cache(name, clock):
    return create_cache("locmem", name, clock=clock)


def test_results_are_kept_by_arguments(cache):
    calls = []

    @cached(60, cache=cache)
    def add(a, b=2, *, c=3):
        """Adds."""
        calls.append((a, b, c))
        return a + b + c

    assert [add(1), add(1, 2), add(a=1), add(1, c=3, b=2)] == [6] * 4
    assert calls == [(1, 2, 3)]
    assert add(2) == 7
    assert (add.__name__, add.__doc__) == ("add", "Adds.")
    assert add.__wrapped__(1) == 6


def test_equal_arguments_of_other_types_are_other_keys(cache):
    @cached(60, cache=cache)
    def kind(value):
        return repr(value)

    values = [1, "1", True, 1.0, None, "None", b"1", (1,), ("1",), ((1,),), "(1,)", "", "a b", "ä", "x" * 1000]
    assert [kind(value) for value in values] == [repr(value) for value in values]
    assert [kind(value) for value in values] == [repr(value) for value in values]


def test_variable_arguments_are_unambiguous(cache):
    @cached(60, cache=cache)
    def show(*args, **kwargs):
        return repr((args, kwargs))

    for args, kwargs in [((), {}), ((1, 2), {}), (((1, 2),), {}), ((), {"a": 1}), (({"a": 1},), {}), (("a=1",), {})]:
        assert show(*args, **kwargs) == repr((args, kwargs))
    assert show(a=1, b=2) == show(b=2, a=1)


def test_none_is_kept_and_errors_are_not(cache):
    calls = []

    @cached(60, cache=cache)
    def find(name):
        calls.append(name)
        if name == "bad":
            raise LookupError(name)

    assert find("a") is None
    assert find("a") is None
    for _ in range(2):
        with pytest.raises(LookupError):
            find("bad")
    assert calls == ["a", "bad", "bad"]


def test_results_expire_and_can_be_forgotten(cache, clock):
    calls = []

    @cached(60, cache=cache, version=3)
    def count(name):
        calls.append(name)
        return len(calls)

    assert [count("a"), count("a")] == [1, 1]
    assert count.invalidate("a") is True
    assert count.invalidate("a") is False
    assert count("a") == 2
    clock.advance(61)
    assert count("a") == 3
    assert cache.get(count.cache_key("a"), version=3) == 3


def test_keys_of_ones_own(cache):
    class User:
        def __init__(self, number):
            self.id = number

        @cached(60, key="user:{self.id}:{what}", cache=cache)
        def load(self, what):
            return f"{what} of {self.id}"

        @cached(60, key=lambda self: f"name-{self.id}", cache=cache)
        def name(self):
            return f"name of {self.id}"

        @classmethod
        @cached(60, key="all", cache=cache)
        def everybody(cls):
            return ["everybody"]

    assert [User(1).load("mail"), User(2).load("mail"), User(1).name()] == ["mail of 1", "mail of 2", "name of 1"]
    assert cache.get("user:1:mail") == "mail of 1"
    assert cache.get("name-1") == "name of 1"
    assert User.everybody() == User.everybody() == ["everybody"]


def test_arguments_without_a_clear_spelling_need_a_key(cache):
    @cached(60, cache=cache)
    def show(value):
        return value

    with pytest.raises(TypeError, match="key="):
        show(object())


async def test_coroutines_join(cache):
    calls = []

    @cached(60, cache=cache)
    async def load(name):
        calls.append(name)
        await asyncio.sleep(0)
        return [name]

    results = await asyncio.gather(*(load("a") for _ in range(10)))
    assert results == [["a"]] * 10
    results[0].append("changed")
    assert await load("a") == ["a"]
    assert calls == ["a"]
    assert await load.invalidate("a") is True


def test_the_alias_is_looked_up_at_every_call(name):
    @cached(60, alias="pages")
    def value():
        return object.__name__

    for number in range(2):
        handler = CacheHandler({"pages": {"BACKEND": "locmem", "LOCATION": f"{name}-{number}"}})
        with caches.using(handler):
            value()
            assert handler["pages"].has_key(value.cache_key())


def test_tags_and_stale_values_pass_through(cache, clock):
    results = iter(["first", LookupError(), "second"])

    @cached(60, cache=cache, tags=lambda name: [f"tag-{name}"], stale_if_error=1000)
    def load(name):
        result = next(results)
        if isinstance(result, Exception):
            raise result
        return result

    assert load("a") == "first"
    clock.advance(61)
    assert load("a") == "first"
    cache.invalidate_tag("tag-a")
    assert load("a") == "second"


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match="generator"):

        @cached(60)
        def numbers():
            yield 1

    with pytest.raises(TypeError, match="below @classmethod"):

        class Model:
            @cached(60)
            @classmethod
            def make(cls):
                return cls()
