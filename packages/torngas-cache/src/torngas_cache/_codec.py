"""The form in which values are stored: payloads, which are `bytes`, or `int` for a native integer.

| first byte | what follows |
|---|---|
| digit or `-` | an integer, bare: the server can count with it |
| `\\x00` `m` | a `Meta` header, then a payload |
| `\\x00` `z`, `s`, `r` | packed bytes of the serializer, see `torngas_cache._compression` |
| any other | the serializer's bytes as they are |
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torngas_cache._compression import Compressed, Compression, unpack
from torngas_cache.errors import UndecodableValue
from torngas_cache.serializers import Serializer, SignedSerializer

Payload = bytes | int

_HEADER = struct.Struct("<2sdddI")  # mark, fresh until (0: always), grace, cost, length of the tags
_COUNTABLE = frozenset(bytes([digit]) for digit in b"-0123456789") | {b""}
_MARKS = frozenset(b"-0123456789\x00")
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
    compression: Compression

    def encode(self, value: Any, meta: Meta | None = None) -> Payload:
        """The payload of a value; raises CacheValueError (or the serializer's own error) if there is none."""
        if type(value) is int:
            payload: Payload = value
        else:
            payload = self.compression.pack(self.serializer.dumps(value))
            if payload[:1] in _COUNTABLE:
                payload = b"\x00r" + payload
        return payload if meta is None else _frame(payload, meta)

    def decode(self, payload: Payload) -> Any:
        """The value of a payload without meta data.

        Raises:
            UndecodableValue: The bytes are nobody's, or the serializer refuses them.
        """
        if type(payload) is int:
            return payload
        if payload and payload[0] not in _MARKS:  # type: ignore[index]  # an int is gone; type() narrows nothing
            return self.serializer.loads(payload)  # type: ignore[arg-type]  # as above
        return self._decode_marked(payload)  # type: ignore[arg-type]  # as above

    def _decode_marked(self, payload: bytes) -> Any:
        return self.serializer.loads(unpack(payload)) if payload[:1] == b"\x00" else _integer(payload)


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


def build_codec(serializer: Serializer, method: str | None, min_size: int) -> Codec:
    """Puts compression inside a signature, where there is one."""
    compression = Compression(method, min_size)
    if isinstance(serializer, SignedSerializer):
        return Codec(SignedSerializer(Compressed(serializer.inner, compression), serializer.keys), Compression())
    return Codec(serializer, compression)
