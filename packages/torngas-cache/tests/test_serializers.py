"""Serializers, signatures, compression; and that nothing is executed unless pickle was chosen."""

import ast
import os
import pickle as stdlib_pickle
import zlib
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import torngas_cache
from torngas_cache import CacheConfigError, CacheValueError, UndecodableValue, create_cache
from torngas_cache._codec import Meta, build_codec, is_framed, split_frame
from torngas_cache.serializers import JSONSerializer, PickleSerializer, get_serializer, json, msgpack, pickle, signed

KEY, OLD_KEY = "a secret of this test", "the secret before that"


class Bomb:
    """Leaves a mark on the disk when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


@pytest.fixture
def bomb(tmp_path):
    target = tmp_path / "executed"
    return stdlib_pickle.dumps(Bomb(target)), target


def test_the_bomb_works(bomb):
    """Or the tests below would prove nothing."""
    data, target = bomb
    stdlib_pickle.loads(data)
    assert target.exists()


POISONS = {
    "empty": b"",
    "text": b"certainly no payload",
    "cut-pickle": stdlib_pickle.dumps(["x" * 100])[:-20],
    "mark": b"\x00",
    "unknown-mark": b"\x00?",
    "cut-frame": b"\x00m\x00\x00",
    "bad-zlib": b"\x00z" + b"nonsense",
    "bad-zstd": b"\x00snonsense",
    "minus": b"-",
    "almost-a-number": b"12ab",
    "high": b"\xff\xfe",
}


@pytest.mark.promise(13)
@pytest.mark.parametrize("serializer", ["pickle", "json", "msgpack", "signed"])
async def test_promise_13_what_cannot_be_decoded_is_a_miss(make, backend, serializer, caplog):
    chosen = signed("pickle", KEY) if serializer == "signed" else serializer
    api = make(OPTIONS={"SERIALIZER": chosen})
    for name, poison in POISONS.items():
        if not poison and type(backend).__name__ == "File":
            continue  # an empty file is a damaged one: test_filebased
        caplog.clear()
        backend.plant(api.cache, api.cache.make_key(name), poison)
        assert await api.get(name, "default") == "default"
        assert "counts as missing" in caplog.text
        assert await api.get_many([name]) == {}
        assert await api.get_or_set(name, lambda: "healed") == "healed"
        assert await api.get(name) == "healed"


@pytest.mark.promise(13)
@pytest.mark.parametrize("serializer", ["json", "msgpack", "signed"])
async def test_promise_13_a_planted_pickle_is_never_executed(make, backend, serializer, bomb, caplog):
    """Neither where another serializer was chosen nor where the signature fails, compressed or with a header."""
    data, target = bomb
    chosen = signed("pickle", KEY) if serializer == "signed" else serializer
    api = make(OPTIONS={"SERIALIZER": chosen})
    framed = bytes(build_codec(_Raw(), None, 1).encode(data, Meta(cost=1.0)))
    for payload in (data, b"\x00z" + zlib.compress(data), b"\x00r" + data, framed, b"\x80" + bytes(32) + data):
        backend.plant(api.cache, api.cache.make_key("key"), payload)
        assert await api.get("key", "default") == "default"
        assert await api.get_many(["key"]) == {}
        assert await api.gets("key") != (data, None)
        assert (await api.get_or_set("key", lambda: "healed")) == "healed"
    assert not target.exists()
    assert "counts as missing" in caplog.text


class _Raw:
    def dumps(self, value):
        return value

    def loads(self, data):
        return data


@pytest.mark.promise(13)
def test_promise_13_pickle_is_loaded_in_one_place():
    """A gate: only the serializers' module may unpickle."""
    source = Path(torngas_cache.__file__).parent
    found = {
        path.name
        for path in source.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in ("loads", "load", "Unpickler")
        and isinstance(node.value, ast.Name)
        and node.value.id == "_pickle"
    }
    assert found == {"serializers.py"}
    importers = {
        path.name
        for path in source.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Import) and any(alias.name in ("pickle", "marshal", "shelve") for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module in ("pickle", "marshal", "shelve"))
    }
    assert importers == {"serializers.py", "errors.py"}


def test_a_signature_covers_every_byte():
    serializer = signed("pickle", KEY)
    data = serializer.dumps({"a": 1})
    assert serializer.loads(data) == {"a": 1}
    for position in range(len(data)):
        with pytest.raises(UndecodableValue):
            serializer.loads(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        with pytest.raises(UndecodableValue):
            serializer.loads(data[:position])


def test_keys_rotate():
    """The new one signs, the old one still verifies, a removed one fails."""
    old, both, new = signed(json, OLD_KEY), signed(json, KEY, fallbacks=[OLD_KEY]), signed(json, KEY)
    assert both.loads(old.dumps([1])) == [1]
    assert new.loads(both.dumps([1])) == [1]
    with pytest.raises(UndecodableValue):
        new.loads(old.dumps([1]))


@pytest.mark.parametrize("keys", [("", ()), ("short", ()), (KEY, OLD_KEY), (None, ()), (KEY, [""])])
def test_bad_keys_are_refused(keys):
    with pytest.raises(CacheConfigError, match="signed"):
        signed(pickle, keys[0], fallbacks=keys[1])


def test_no_error_or_repr_shows_a_key():
    assert KEY not in repr(signed(json, KEY))
    with pytest.raises(CacheConfigError) as caught:
        signed(json, KEY, fallbacks=OLD_KEY)
    assert OLD_KEY not in str(caught.value)


def test_json_refuses_what_it_would_change():
    for value in ({1: "a"}, [{None: 1}], object(), float("nan"), b"bytes", {"deep": {2: 1}}):
        with pytest.raises(CacheValueError):
            json.dumps(value)
    assert JSONSerializer(default=str).loads(JSONSerializer(default=str).dumps([Path("a")])) == ["a"]


def test_msgpack_knows_bytes_and_other_keys():
    assert msgpack.loads(msgpack.dumps({1: b"\xff"})) == {1: b"\xff"}
    with pytest.raises(UndecodableValue):
        msgpack.loads(b"\x81")


def test_serializers_are_named_in_several_ways():
    assert get_serializer("json") is json
    assert get_serializer("torngas_cache.serializers.msgpack") is msgpack
    assert isinstance(get_serializer(PickleSerializer), PickleSerializer)
    own = _Raw()
    assert get_serializer(own) is own


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


# zstd is used where somebody installed it; the workspace has it.
compressions = [None, "zlib", *(["zstd"] if find_spec("zstandard") else [])]


@given(json_values, st.sampled_from(["pickle", "json"]), st.sampled_from(compressions), st.booleans())
def test_every_payload_decodes_to_its_value(value, name, method, is_signed):
    serializer = signed(name, KEY) if is_signed else get_serializer(name)
    codec = build_codec(serializer, method, 10)
    payload = codec.encode(value)
    assert isinstance(payload, int) or payload
    raw = b"%d" % payload if isinstance(payload, int) else payload
    found = codec.decode(raw)
    assert found == value
    assert type(found) is type(value)
    framed = codec.encode(value, Meta(fresh_until=5.0, grace=2.0, cost=1.0, tags={"tag": "stamp"}))
    assert is_framed(framed)
    meta, rest = split_frame(framed)
    assert meta == Meta(fresh_until=5.0, grace=2.0, cost=1.0, tags={"tag": "stamp"})
    assert codec.decode(rest) == value


@given(st.binary(max_size=40))
def test_any_bytes_of_any_serializer_survive(data):
    """Whatever a serializer makes, it is not taken for a number, a header or compressed bytes."""
    codec = build_codec(_Raw(), None, 1)
    payload = codec.encode(data)
    assert codec.decode(payload) == data
    assert payload
    assert payload[:1] not in b"-0123456789"
    assert not is_framed(payload)


def test_compression_happens_above_the_size_only():
    codec = build_codec(json, "zlib", 100)
    assert codec.encode("x" * 50) == b'"' + b"x" * 50 + b'"'
    assert len(codec.encode("x" * 1000)) < 100
    assert codec.decode(codec.encode("x" * 1000)) == "x" * 1000
    assert build_codec(json, None, 1).decode(codec.encode("x" * 1000)) == "x" * 1000


def test_compressed_values_save_memory():
    cache = create_cache("locmem", "compressed", compression="zlib", compress_min_size=100, max_bytes=10_000)
    for number in range(50):
        cache.set(f"key{number}", "x" * 5000)
    assert cache.get("key0") == "x" * 5000
