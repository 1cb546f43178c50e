"""Content encodings: making compressors, and choosing one of those that a client accepts."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from .exceptions import MiddlewareImportError

__all__ = ["Encoder", "accepted", "encoders"]


class Encoder(Protocol):
    """One compressed stream."""

    def compress(self, data: bytes, /) -> bytes:
        """Takes data; what comes out may lag behind."""
        ...

    def flush(self) -> bytes:
        """What is needed to read everything so far."""
        ...

    def finish(self) -> bytes:
        """What ends the stream."""
        ...


class _Gzip:
    def __init__(self) -> None:
        stream = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        self.compress = stream.compress
        self._flush = stream.flush

    def flush(self) -> bytes:
        return self._flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._flush()


class _Brotli:
    def __init__(self) -> None:
        # Quality 4 costs what gzip costs and is smaller; the default, 11, is for files that are compressed once.
        stream: Any = import_module("brotli").Compressor(quality=4)
        self.compress = stream.process
        self.flush = stream.flush
        self.finish = stream.finish


class _Zstandard:
    def __init__(self) -> None:
        self._module: Any = import_module("zstandard")
        stream = self._module.ZstdCompressor(level=3).compressobj()
        self.compress = stream.compress
        self._flush = stream.flush

    def flush(self) -> bytes:
        return bytes(self._flush(self._module.COMPRESSOBJ_FLUSH_BLOCK))

    def finish(self) -> bytes:
        return bytes(self._flush())


_KNOWN: dict[str, tuple[str, Callable[[], Encoder]]] = {
    "zstd": ("zstandard", _Zstandard),
    "br": ("brotli", _Brotli),
    "gzip": ("zlib", _Gzip),
}


def encoders(names: Iterable[str] | None) -> dict[str, Callable[[], Encoder]]:
    """The makers of the named encodings, or of all that are installed."""
    if names is None:
        return {name: make for name, (module, make) in _KNOWN.items() if find_spec(module)}
    made = {}
    for name in names:
        if name not in _KNOWN:
            raise ValueError(f"CompressionMiddleware.encodings: got {name!r}; expected some of {', '.join(_KNOWN)}")
        module, make = _KNOWN[name]
        if not find_spec(module):
            raise MiddlewareImportError(f"{name} needs {module}: pip install 'torngas-middleware[compression]'")
        made[name] = make
    return made


def accepted(header: str, choices: Iterable[str]) -> str | None:
    """The choice with the highest weight in an Accept-Encoding header (RFC 9110 §12.5.3); the first of equals."""
    weights = dict(_weight(part) for part in header.lower().split(",") if part.strip())
    best, best_weight = None, 0.0
    for name in choices:
        weight = weights.get(name, weights.get("*", 0.0))
        if weight > best_weight:
            best, best_weight = name, weight
    return best


def _weight(part: str) -> tuple[str, float]:
    name, _, parameters = part.partition(";")
    key, _, value = parameters.partition("=")
    if key.strip() != "q":
        return name.strip(), 1.0
    try:
        return name.strip(), min(max(float(value), 0.0), 1.0)
    except ValueError:
        return name.strip(), 0.0
