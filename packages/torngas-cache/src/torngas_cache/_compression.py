"""Shorter forms of long byte strings, which tell by their first two bytes what they are.

| begins with | what follows |
|---|---|
| `\\x00` `z` | zlib |
| `\\x00` `s` | Zstandard |
| `\\x00` `r` | the bytes as they are, which begin with `\\x00` themselves |
| anything else | these are the bytes |
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from torngas_cache.errors import CacheConfigError, MissingExtraError, UndecodableValue
from torngas_cache.serializers import Serializer


@dataclass(frozen=True, slots=True)
class Compression:
    """Compresses what is long enough, and only where that makes it shorter.

    Args:
        method: "zlib", "zstd" (Python 3.14, or the package zstandard), or None: nothing is compressed.
        min_size: Bytes from which on compression is tried.
    """

    method: str | None = None
    min_size: int = 1024

    def __post_init__(self) -> None:
        if self.method not in (None, "zlib", "zstd"):
            raise CacheConfigError(f"COMPRESSION: got {self.method!r}; expected 'zlib', 'zstd' or None.")
        if self.method == "zstd":
            _zstd()

    def pack(self, data: bytes) -> bytes:
        """A form that `unpack` undoes."""
        if self.method is not None and len(data) >= self.min_size:
            packed = b"\x00z" + zlib.compress(data, 1) if self.method == "zlib" else b"\x00s" + _zstd().compress(data)
            if len(packed) < len(data):
                return packed
        return b"\x00r" + data if data[:1] == b"\x00" else data


def unpack(data: bytes) -> bytes:
    """The bytes that were packed, with whatever settings.

    Raises:
        UndecodableValue: Nobody packed this, or it is damaged.
    """
    if data[:1] != b"\x00":
        return data
    kind, body = data[1:2], data[2:]
    if kind == b"r":
        return body
    if kind not in (b"z", b"s"):
        raise UndecodableValue(f"payload: got the unknown mark {data[:2]!r}; expected one that this version writes.")
    try:
        return zlib.decompress(body) if kind == b"z" else _zstd().decompress(body)
    except Exception as error:
        raise UndecodableValue(f"payload: got compressed bytes that cannot be expanded ({error}).") from error


def _zstd() -> Any:
    """`compression.zstd` of Python 3.14, or the package zstandard."""
    for module in ("compression.zstd", "zstandard"):
        try:
            return import_module(module)
        except ImportError:
            continue
    raise MissingExtraError("COMPRESSION 'zstd' needs Python 3.14 or zstandard: pip install zstandard")


@dataclass(frozen=True, slots=True)
class Compressed:
    """A serializer whose results are packed; it stands inside a signature, so that nothing unverified is expanded."""

    inner: Serializer
    compression: Compression

    def dumps(self, value: Any, /) -> bytes:
        """Packed bytes."""
        return self.compression.pack(self.inner.dumps(value))

    def loads(self, data: bytes, /) -> Any:
        """Raises UndecodableValue for damaged data."""
        return self.inner.loads(unpack(data))
