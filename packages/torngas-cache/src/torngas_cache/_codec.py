"""The form in which values are stored: payloads, which are `bytes`, or `int` for a native integer.

| first byte | what follows |
|---|---|
| digit or `-` | an integer, bare: the server can count with it |
| `\\x00` `r` | a serializer's bytes that begin like one of the other rows |
| `\\x00` `m` | a `Meta` header of `HEADER` form, then a payload |
| any other | the serializer's bytes as they are |

A serializer's bytes may in turn be compressed: `\\x01` `z` zlib, `\\x01` `s` Zstandard, `\\x01` `r` neither.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from torngas_cache.errors import CacheConfigError, MissingExtraError, UndecodableValue
from torngas_cache.serializers import Serializer, SignedSerializer

Payload = bytes | int

_HEADER = struct.Struct("<2sdddI")  # mark, fresh until (0: always), grace, cost, length of the tags
_AMBIGUOUS = frozenset(b"-0123456789\x00")
HEAD_BYTES = 64
"""So much of a payload tells its kind and, apart from the tags, its meta data."""


@dataclass(frozen=True, slots=True)
class Meta:
    """What a record says about its value.

    Args:
        fresh_until: Time on the cache's clock after which the value is only good as a stale one; None: never.
        grace: Seconds for which the record outlives that time.
        cost: Seconds that it took to compute the value.
        tags: Tag -> the tag's stamp when the value was stored. The record is void as soon as one differs.
    """

    fresh_until: float | None = None
    grace: float = 0.0
    cost: float = 0.0
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Codec:
    """Values to payloads and back."""

    serializer: Serializer

    def encode(self, value: Any, meta: Meta | None = None) -> Payload:
        """The payload of a value; raises CacheValueError (or the serializer's own error) if there is none."""
        if type(value) is int:
            payload: Payload = value
        else:
            data = self.serializer.dumps(value)
            payload = b"\x00r" + data if not data or data[0] in _AMBIGUOUS else data
        return payload if meta is None else _frame(payload, meta)

    def decode(self, payload: Payload) -> Any:
        """The value of a payload without meta data.

        Raises:
            UndecodableValue: The bytes are nobody's, or the serializer refuses them.
        """
        if type(payload) is int:
            return payload
        if payload[0] not in _AMBIGUOUS:  # type: ignore[index]  # an int is gone; mypy does not narrow by type()
            return self.serializer.loads(payload)  # type: ignore[arg-type]  # as above
        return self._decode_marked(payload)  # type: ignore[arg-type]  # as above

    def _decode_marked(self, payload: bytes) -> Any:
        if payload[:1] != b"\x00":
            return _integer(payload)
        if payload[:2] == b"\x00r":
            return self.serializer.loads(payload[2:])
        raise UndecodableValue(f"payload: got the unknown mark {payload[:2]!r}; expected one that this version writes.")


def is_framed(payload: Payload) -> bool:
    """Whether meta data stands in front."""
    return type(payload) is not int and payload[:2] == b"\x00m"  # type: ignore[index]  # as in decode


def split_frame(payload: bytes) -> tuple[Meta, Payload]:
    """The meta data and the payload behind it.

    Raises:
        UndecodableValue: The header is cut short or garbled.
    """
    try:
        _, fresh_until, grace, cost, size = _HEADER.unpack_from(payload)
        end = _HEADER.size + size
        tags = json.loads(payload[_HEADER.size : end]) if size else {}
        if len(payload) <= end or not isinstance(tags, dict):
            raise ValueError("cut short")
    except (struct.error, ValueError) as error:
        raise UndecodableValue(f"payload: got a header that cannot be read ({error}).") from error
    return Meta(fresh_until or None, grace, cost, tags), payload[end:]


def head_of_frame(head: bytes) -> tuple[float | None, bool]:
    """From the first `HEAD_BYTES`: the time until which the value is fresh, and whether it has tags."""
    if len(head) < _HEADER.size:
        return 0.0, False
    _, fresh_until, _, _, size = _HEADER.unpack_from(head)
    return fresh_until or None, bool(size)


def _frame(payload: Payload, meta: Meta) -> bytes:
    tags = json.dumps(dict(meta.tags), separators=(",", ":")).encode() if meta.tags else b""
    body = b"%d" % payload if isinstance(payload, int) else payload
    return _HEADER.pack(b"\x00m", meta.fresh_until or 0.0, meta.grace, meta.cost, len(tags)) + tags + body


def _integer(payload: bytes) -> int:
    try:
        return int(payload)
    except ValueError as error:
        raise UndecodableValue(f"payload: got {payload[:20]!r}; expected an integer.") from error


@dataclass(frozen=True, slots=True)
class Compressed:
    """A serializer whose longer results are compressed; it reads what was written with any of the settings."""

    inner: Serializer
    method: str | None = None
    min_size: int = 1024

    def dumps(self, value: Any, /) -> bytes:
        """Compresses only where that makes it shorter."""
        data = self.inner.dumps(value)
        if self.method is not None and len(data) >= self.min_size:
            packed = b"\x01" + _compress(self.method, data)
            if len(packed) < len(data):
                return packed
        return b"\x01r" + data if data[:1] == b"\x01" else data

    def loads(self, data: bytes, /) -> Any:
        """Raises UndecodableValue for damaged data."""
        return self.inner.loads(_decompress(data) if data[:1] == b"\x01" else data)


def build_codec(serializer: Serializer, method: str | None, min_size: int) -> Codec:
    """Puts compression inside a signature, so that nothing unverified is ever expanded."""
    if method not in (None, "zlib", "zstd"):
        raise CacheConfigError(f"COMPRESSION: got {method!r}; expected 'zlib', 'zstd' or None.")
    if method == "zstd":
        _zstd()
    if isinstance(serializer, SignedSerializer):
        return Codec(SignedSerializer(Compressed(serializer.inner, method, min_size), serializer.keys))
    return Codec(Compressed(serializer, method, min_size))


def _compress(method: str, data: bytes) -> bytes:
    if method == "zlib":
        return b"z" + zlib.compress(data, 1)
    return b"s" + _zstd().compress(data)  # type: ignore[no-any-return]  # bytes, the package has no types


def _decompress(data: bytes) -> bytes:
    mark, body = data[1:2], data[2:]
    if mark == b"r":
        return body
    try:
        if mark == b"z":
            return zlib.decompress(body)
        if mark == b"s":
            return _zstd().decompress(body)  # type: ignore[no-any-return]  # as above
    except Exception as error:
        raise UndecodableValue(f"payload: got compressed bytes that cannot be expanded ({error}).") from error
    raise UndecodableValue(f"payload: got the unknown compression {mark!r}; expected 'r', 'z' or 's'.")


def _zstd() -> Any:
    """`compression.zstd` of Python 3.14, or the package zstandard."""
    for module in ("compression.zstd", "zstandard"):
        try:
            return import_module(module)
        except ImportError:
            continue
    raise MissingExtraError("COMPRESSION 'zstd' needs Python 3.14 or zstandard: pip install zstandard")
