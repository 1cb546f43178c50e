"""Serializers by name: what a session may hold, and what reading it back may do.

| name | holds | remark |
|---|---|---|
| json | strings, numbers, booleans, None, lists, dicts with string keys | the default; tuples come back as lists |
| msgpack | the same and bytes | needs msgpack: pip install msgpack |
| pickle | any Python object | reading executes code: records are signed, unsigned ones are refused unread |
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from importlib import import_module
from typing import Any

from .errors import ConfigurationError
from .protocols import Serializer
from .signing import Signer

__all__ = ["JsonSerializer", "MsgpackSerializer", "PickleSerializer", "SignedSerializer", "serializer_named"]

_MAC_BYTES = 32


class JsonSerializer:
    """RFC 8259 text. A value that JSON does not know raises at the save, not at a later read."""

    def __init__(self) -> None:
        self.dumps: Callable[[Any], str] = _json_encoder()
        decoder: Any = json.JSONDecoder()
        self._scan = decoder.scan_once  # raw_decode without its frame

    def loads(self, data: str | bytes, /) -> Any:
        """The value of the text."""
        if type(data) is not str:
            data = bytes(data).decode() if not isinstance(data, str) else data
        try:
            value, end = self._scan(data, 0)
        except StopIteration as error:
            raise ValueError(f"no JSON value at {error.value}") from None
        if end != len(data):
            raise ValueError(f"text after the JSON value at {end}")
        return value


class MsgpackSerializer:
    """MessagePack, smaller than JSON and able to hold bytes."""

    def __init__(self) -> None:
        try:
            self._msgpack = import_module("msgpack")
        except ImportError as error:
            raise ConfigurationError(
                "serializer: got 'msgpack', which is not installed; expected an installed serializer: "
                "pip install msgpack, or serializer='json'"
            ) from error

    def dumps(self, value: Any, /) -> bytes:
        """The value as bytes."""
        packed: bytes = self._msgpack.packb(value, use_bin_type=True)
        return packed

    def loads(self, data: str | bytes, /) -> Any:
        """The value of the bytes."""
        return self._msgpack.unpackb(data, raw=False, strict_map_key=True)


class PickleSerializer:
    """Any Python object. Whoever can write to the store could run code in this process, were records not signed."""

    trusted_only = True

    def dumps(self, value: Any, /) -> bytes:
        """The pickled value."""
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)

    def loads(self, data: str | bytes, /) -> Any:
        """Unpickles, and so executes; only ever called with bytes whose signature was checked."""
        if isinstance(data, str):
            raise TypeError("a pickled session is bytes")
        return pickle.loads(data)  # noqa: S301 - behind SignedSerializer


class SignedSerializer:
    """Another serializer's bytes behind a MAC: what somebody else wrote into the store is not even decoded."""

    def __init__(self, inner: Serializer, signer: Signer) -> None:
        self._inner = inner
        self._signer = signer

    def dumps(self, value: Any, /) -> bytes:
        """MAC and bytes."""
        data = self._inner.dumps(value)
        data = data.encode() if isinstance(data, str) else data
        return self._signer.mac(data) + data

    def loads(self, data: str | bytes, /) -> Any:
        """The value, if one of the keys signed it.

        Raises:
            ValueError: The signature is missing or wrong.
        """
        if isinstance(data, str) or not self._signer.check(data[_MAC_BYTES:], data[:_MAC_BYTES]):
            raise ValueError("the record's signature does not fit")
        return self._inner.loads(data[_MAC_BYTES:])


def _json_encoder() -> Callable[[Any], str]:
    """`JSONEncoder.encode`, which makes its encoder in C anew for every call, with one that is made once.

    It keeps no list of the containers that it is in, so what contains itself ends in a RecursionError.
    """
    plain = json.JSONEncoder(separators=(",", ":"))
    make = getattr(json.encoder, "c_make_encoder", None)  # None where Python has no C
    if make is None:
        return plain.encode
    chunks = make(None, plain.default, json.encoder.encode_basestring_ascii, None, ":", ",", False, False, True)
    return lambda value, /: "".join(chunks(value, 0))


_NAMED: dict[str, type[JsonSerializer | MsgpackSerializer | PickleSerializer]] = {
    "json": JsonSerializer,
    "msgpack": MsgpackSerializer,
    "pickle": PickleSerializer,
}


def serializer_named(chosen: str | Serializer, signer: Signer) -> Serializer:
    """The serializer of that name, or the object itself; signed where it says `trusted_only`."""
    serializer = _NAMED[chosen]() if isinstance(chosen, str) else chosen
    return SignedSerializer(serializer, signer) if getattr(serializer, "trusted_only", False) else serializer
