"""What every backend does, plain and as coroutines; semantics from Django's cache API."""

import datetime
import pickle
from dataclasses import dataclass

import pytest

from torngas_cache import CacheValueError

VALUES = {
    "none": None,
    "true": True,
    "false": False,
    "zero": 0,
    "negative": -17,
    "large": 2**100,
    "float": 1.5,
    "text": "plain",
    "empty text": "",
    "digits as text": "123",
    "minus as text": "-5",
    "non-ascii": "日本語 \U0001f600",
    "bytes": b"\x00\xff\x80binary",
    "digits as bytes": b"12",
    "empty bytes": b"",
    "mark": b"\x00mframe",
    "list": [1, "two", None],
    "tuple": (1, 2),
    "set": {1, 2},
    "nested": {"a": [1, {"b": (2, {"c"})}], 3: None},
    "date": datetime.datetime(2026, 11, 21, 3, 5),
    "long": "x" * 100_000,
}


@dataclass
class Point:
    """A class of the user's."""

    x: int
    y: list


class Unpicklable:
    def __reduce__(self):
        raise pickle.PicklingError("never")


async def test_get_returns_an_equal_value_of_the_same_type(api):
    """Every read, not only the first, gives what was stored."""
    for value in VALUES.values():
        await api.set("key", value)
        for _ in range(4):
            found = await api.get("key", "default")
            assert found == value
            assert type(found) is type(value)


async def test_objects_of_own_classes_are_kept(api):
    await api.set("key", Point(1, [2]))
    assert await api.get("key") == Point(1, [2])


async def test_get_of_a_missing_key_returns_the_default(api):
    assert await api.get("missing") is None
    assert await api.get("missing", "default") == "default"


async def test_set_returns_none(api):
    assert await api.set("key", 1) is None


async def test_none_is_a_value(api):
    """None is stored, found, and not overwritten by add."""
    await api.set("key", None)
    assert await api.get("key", "default") is None
    assert await api.has_key("key") is True
    assert await api.add("key", 1) is False
    assert await api.get_many(["key"]) == {"key": None}
    assert await api.get_or_set("key", "other") is None


async def test_add_stores_only_where_nothing_is(api):
    assert await api.add("key", "first") is True
    assert await api.add("key", "second") is False
    assert await api.get("key") == "first"


async def test_add_stores_after_expiry(api, backend):
    await api.set("key", 1, backend.grain)
    backend.advance(backend.grain * 1.5)
    assert await api.add("key", 2) is True
    assert await api.get("key") == 2


async def test_add_that_expires_at_once_says_whether_something_was_there(api):
    assert await api.add("key", 1, 0) is True
    assert await api.has_key("key") is False
    await api.set("key", 1)
    assert await api.add("key", 2, 0) is False
    assert await api.get("key") == 1


async def test_delete_says_whether_there_was_an_entry(api, backend):
    await api.set("key", 1)
    assert await api.delete("key") is True
    assert await api.delete("key") is False
    assert await api.get("key") is None
    await api.set("key", 1, backend.grain)
    backend.advance(backend.grain * 1.5)
    assert await api.delete("key") is False


async def test_has_key_and_in(api, backend):
    await api.set("key", "value", backend.grain)
    assert await api.has_key("key") is True
    assert ("key" in api.cache) is True
    assert await api.has_key("other") is False
    assert ("other" in api.cache) is False
    backend.advance(backend.grain * 1.5)
    assert await api.has_key("key") is False
    assert ("key" in api.cache) is False


async def test_get_many_leaves_out_what_is_missing(api):
    """Any iterable of keys; the result has the keys as they were given."""
    await api.set("a", 1)
    await api.set("b", [2])
    await api.set("7", "seven")
    assert await api.get_many(["a", "b", "c"]) == {"a": 1, "b": [2]}
    assert await api.get_many(key for key in ("b", "c")) == {"b": [2]}
    assert await api.get_many([7]) == {7: "seven"}
    assert await api.get_many([]) == {}


async def test_set_many_returns_the_failed_keys(api):
    assert await api.set_many({"a": 1, "b": [2], 3: None}) == []
    assert await api.get_many(["a", "b", "3"]) == {"a": 1, "b": [2], "3": None}
    assert await api.set_many({}) == []


async def test_set_many_expires(api, backend):
    await api.set_many({"a": 1, "b": 2}, backend.grain)
    assert await api.get_many(["a", "b"]) == {"a": 1, "b": 2}
    backend.advance(backend.grain * 1.5)
    assert await api.get_many(["a", "b"]) == {}


async def test_set_many_that_expires_at_once_removes(api):
    await api.set_many({"a": 1, "b": 2})
    assert await api.set_many({"a": 3}, 0) == []
    assert await api.get_many(["a", "b"]) == {"b": 2}


async def test_delete_many_returns_none(api):
    await api.set_many({"a": 1, "b": 2, "c": 3})
    assert await api.delete_many(["a", "b", "missing"]) is None
    assert await api.get_many(["a", "b", "c"]) == {"c": 3}
    assert await api.delete_many(iter(())) is None


async def test_clear_removes_everything(api):
    await api.set_many({"a": 1, "b": 2})
    assert await api.clear() is None
    assert await api.get_many(["a", "b"]) == {}


async def test_incr_and_decr_count(api, backend):
    await api.set("key", 41)
    assert await api.incr("key") == 42
    assert await api.incr("key", 10) == 52
    assert await api.decr("key") == 51
    assert await api.decr("key", 11) == 40
    assert await api.incr("key", -10) == 30
    assert await api.get("key") == 30
    lowest = -70 if backend.lowest is None else backend.lowest
    assert await api.decr("key", 100) == lowest
    assert await api.get("key") == lowest


async def test_incr_of_a_missing_key_is_a_value_error(api):
    for operation in (api.incr, api.decr, api.incr_version, api.decr_version):
        with pytest.raises(ValueError, match="missing"):
            await operation("missing")


async def test_incr_of_what_is_no_integer_is_a_type_error(api):
    for value in ("text", None, [1], 1.5, True, b"5", "5"):
        await api.set("key", value)
        with pytest.raises(TypeError):
            await api.incr("key")
        assert await api.get("key") == value


async def test_incr_keeps_the_remaining_lifetime(api, backend):
    await api.set("short", 1, backend.grain * 2)
    await api.set("long", 1, None)
    await api.incr("short")
    await api.incr("long")
    assert 0 < await api.ttl("short") <= backend.grain * 2
    assert await api.ttl("long") is None
    backend.advance(backend.grain * 3)
    assert await api.get("short") is None
    assert await api.get("long") == 2


async def test_touch_gives_a_new_lifetime(api, backend):
    await api.set("key", "value", backend.grain)
    assert await api.touch("key", backend.grain * 4) is True
    backend.advance(backend.grain * 2)
    assert await api.get("key") == "value"
    assert await api.touch("key", None) is True
    assert await api.ttl("key") is None
    assert await api.touch("key") is True
    assert 290 < await api.ttl("key") <= 300


async def test_touch_of_what_is_not_there_is_false(api, backend):
    assert await api.touch("missing") is False
    await api.set("key", 1, backend.grain)
    backend.advance(backend.grain * 1.5)
    assert await api.touch("key", 10) is False
    assert await api.get("key") is None


async def test_a_timeout_of_zero_or_less_expires_at_once(api):
    """And removes what was there."""
    for timeout in (0, -1, -0.5):
        await api.set("key", "old")
        await api.set("key", "new", timeout)
        assert await api.get("key") is None
        assert await api.has_key("key") is False
        await api.set("key", "old")
        assert await api.touch("key", timeout) is True
        assert await api.get("key") is None


async def test_a_timeout_of_none_never_expires(api, backend):
    await api.set("key", 1, None)
    assert await api.ttl("key") is None
    await api.add("added", 1, None)
    assert await api.ttl("added") is None


async def test_fractions_of_a_second_and_long_timeouts(api):
    await api.set("key", 1, 1000.5)
    assert 995 < await api.ttl("key") <= 1001
    month = 60 * 60 * 24 * 30
    await api.set("far", 1, month * 3)
    assert month * 2.9 < await api.ttl("far") <= month * 3
    assert await api.get("far") == 1


async def test_the_default_timeout_is_300_seconds(api):
    await api.set("key", 1)
    assert 295 < await api.ttl("key") <= 300


async def test_the_configured_timeout_is_the_default(make):
    api = make(TIMEOUT=None)
    await api.set("key", 1)
    assert await api.ttl("key") is None
    api.cache.default_timeout = 60
    await api.set("key", 1)
    assert 50 < await api.ttl("key") <= 60


async def test_a_timeout_that_is_no_number_is_a_type_error(api):
    with pytest.raises(TypeError, match="timeout"):
        await api.set("key", 1, "soon")


async def test_ttl_of_what_is_not_there_is_zero(api, backend):
    assert await api.ttl("missing") == 0
    await api.set("key", 1, backend.grain)
    backend.advance(backend.grain * 1.5)
    assert await api.ttl("key") == 0


async def test_changing_what_went_in_or_came_out_changes_nothing(api):
    """Values are copies on every way, on the first read as on the third."""
    for value in (
        {"a": [1]},
        [[1], 2],
        {"a": 1},
        [1, 2],
        {1, 2},
        [{"a": 1}, {"a": 2}],
        Point(1, [2]),
        bytearray(b"ab"),
    ):
        given = pickle.loads(pickle.dumps(value))
        await api.set("key", given)
        _spoil(given)
        for _ in range(4):
            found = await api.get("key")
            assert found == value
            assert type(found) is type(value)
            _spoil(found)
        many = await api.get_many(["key"])
        assert many["key"] == value


def _spoil(value):
    if isinstance(value, dict):
        for inner in value.values():
            _spoil(inner)
        value["spoiled"] = True
    elif isinstance(value, list):
        for inner in value:
            _spoil(inner)
        value.append("spoiled")
    elif isinstance(value, set):
        value.add("spoiled")
    elif isinstance(value, Point):
        value.y.append("spoiled")
    elif isinstance(value, bytearray):
        value.append(0)


async def test_what_cannot_be_serialized_raises_and_leaves_the_old_value(api):
    await api.set("key", "old")
    for operation in (
        lambda: api.set("key", Unpicklable()),
        lambda: api.set("key", lambda: 1),
        lambda: api.set("key", {"deep": [Unpicklable()]}),
        lambda: api.add("other", Unpicklable()),
        lambda: api.set_many({"fine": 1, "key": Unpicklable()}),
    ):
        with pytest.raises(CacheValueError) as caught:
            await operation()
        assert isinstance(caught.value, TypeError | pickle.PickleError)
    assert await api.get("key") == "old"
    assert await api.has_key("other") is False
    assert await api.has_key("fine") is False


async def test_get_or_set_stores_what_is_missing(api):
    assert await api.get_or_set("key", "default") == "default"
    assert await api.get_or_set("key", "other") == "default"
    assert await api.get("key") == "default"


async def test_get_or_set_calls_a_callable_once(api):
    calls = []

    def compute():
        calls.append(1)
        return len(calls)

    assert await api.get_or_set("key", compute) == 1
    assert await api.get_or_set("key", compute) == 1
    assert await api.get_or_set("none", lambda: None) is None
    assert await api.has_key("none") is True


async def test_get_or_set_takes_timeout_and_version(api):
    await api.get_or_set("key", 1, 100, version=2)
    assert 90 < await api.ttl("key", version=2) <= 100
    assert await api.has_key("key") is False
    assert await api.get_or_set("gone", 5, 0) == 5
    assert await api.has_key("gone") is False


async def test_get_or_set_never_overwrites_what_was_set_meanwhile(make):
    api, other = make(), make()

    def compute():
        other.cache.set("key", "meanwhile")
        return "computed"

    assert await api.get_or_set("key", compute) == "meanwhile"
    assert await api.get("key") == "meanwhile"


async def test_gets_and_cas(api):
    """cas stores only if nothing happened to the entry since gets."""
    await api.set("key", [1])
    value, token = await api.gets("key")
    assert value == [1]
    assert token is not None
    assert await api.cas("key", [1, 2], token) is True
    assert await api.cas("key", "again", token) is False
    assert await api.get("key") == [1, 2]


async def test_cas_fails_on_a_vanished_entry(api):
    await api.set("key", 1)
    _, token = await api.gets("key")
    await api.delete("key")
    assert await api.cas("key", 2, token) is False
    assert await api.has_key("key") is False


async def test_cas_without_a_token_stores_only_where_nothing_is(api):
    assert await api.gets("key") == (None, None)
    assert await api.gets("key", "default") == ("default", None)
    assert await api.cas("key", 1, None) is True
    assert await api.cas("key", 2, None) is False
    assert await api.get("key") == 1


async def test_cas_takes_a_timeout(api):
    await api.set("key", 1)
    _, token = await api.gets("key")
    assert await api.cas("key", 2, token, 1000) is True
    assert 900 < await api.ttl("key") <= 1000
    _, token = await api.gets("key")
    assert await api.cas("key", 3, token, 0) is True
    assert await api.has_key("key") is False


async def test_gets_finds_none_as_a_value(api):
    await api.set("key", None)
    value, token = await api.gets("key", "default")
    assert value is None
    assert token is not None


async def test_a_cache_works_after_it_was_closed(api):
    await api.set("key", 1)
    await api.close()
    await api.close()
    assert await api.get("key") == 1


async def test_compression_keeps_values_and_saves_room(make):
    plain, packed = make(), make(OPTIONS={"COMPRESSION": "zlib", "COMPRESS_MIN_SIZE": 100})
    await packed.set("long", "x" * 5000)
    await packed.set("short", "x")
    await packed.set("number", 7)
    assert await packed.get_many(["long", "short", "number"]) == {"long": "x" * 5000, "short": "x", "number": 7}
    assert await packed.incr("number") == 8
    assert await plain.get("long") == "x" * 5000


@pytest.mark.parametrize("serializer", ["json", "msgpack"])
async def test_other_serializers(make, serializer):
    api = make(OPTIONS={"SERIALIZER": serializer})
    value = {"a": [1, 2.5, None, True, "text", "日本"], "b": {}}
    await api.set("key", value)
    assert await api.get("key") == value
    await api.set("digits", "12")
    assert await api.get("digits") == "12"
    await api.set("float", 1.5)
    assert await api.get("float") == 1.5
    await api.set("n", 1)
    assert await api.incr("n") == 2
    with pytest.raises(CacheValueError):
        await api.set("key", object())
    assert await api.get("key") == value
