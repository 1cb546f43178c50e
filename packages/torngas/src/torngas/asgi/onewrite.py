"""uvicorn with one system call per response.

uvicorn writes a response's head and its body to the socket one after the other, and each write is a system call, the
dearest part of a small request. `OneWriteProtocol` collects what is written until the event loop goes on:

    uvicorn.run(application, http="torngas.asgi.onewrite:OneWriteProtocol")

    python -m torngas.asgi.onewrite asgi:application --port 8000        # and all other arguments of uvicorn

`torngas runserver --server uvicorn` does so. It needs `torngas[asgi]`; nothing else imports this module.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, cast

from torngas.exception import ConfigError

try:
    import uvicorn
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
except ImportError as error:
    raise ConfigError("torngas.asgi.onewrite needs uvicorn and httptools: pip install 'torngas[asgi]'") from error

__all__ = ["OneWriteProtocol"]

# More is written at once, so that the transport tells the writer to wait, and memory stays bounded.
_LIMIT = 65536


class _Collecting:
    """A transport that writes once per turn of the event loop; all else is the transport's own."""

    __slots__ = ("_loop", "_parts", "_size", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)
        self._size += len(data)
        if self._size > _LIMIT:
            self._flush()

    def _flush(self) -> None:
        if self._parts:
            data = b"".join(self._parts)
            self._parts.clear()
            self._size = 0
            self._transport.write(data)

    def is_closing(self) -> bool:  # asked once per request, which `__getattr__` would answer late
        return self._transport.is_closing()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class OneWriteProtocol(HttpToolsProtocol):
    """uvicorn's protocol on httptools, on a transport that collects what is written."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        collecting = _Collecting(cast("asyncio.Transport", transport), self.loop)
        super().connection_made(cast("asyncio.Transport", collecting))


def main(arguments: list[str]) -> None:
    """uvicorn's own command, with this protocol."""
    options = uvicorn.main.make_context("uvicorn", arguments).params
    callback: Any = uvicorn.main.callback
    callback(**{**options, "http": f"torngas.asgi.onewrite:{OneWriteProtocol.__name__}"})


if __name__ == "__main__":
    main(sys.argv[1:])
