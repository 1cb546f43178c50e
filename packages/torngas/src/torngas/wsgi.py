"""WSGI applications beside the handlers.

    from torngas import Url, route
    from torngas.wsgi import mount

    urls = route(mount("/legacy", flask_app), Url()("/", Main))

The WSGI application runs in the pool of threads, so that it never blocks the event loop. Bodies stream both ways:
`wsgi.input` reads what the client has sent so far and waits for more, a chunk of the answer is sent when the client
takes it; a slow side slows the other down, and memory stays bounded. The middlewares run round it as round any
handler.
"""

from __future__ import annotations

import asyncio
import io
import re
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError
from contextvars import copy_context
from types import TracebackType
from typing import Any, TypeAlias

from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler, stream_request_body
from tornado.wsgi import WSGIContainer

from torngas.decorators.async_execute import threads
from torngas.exception import ArgumentError
from torngas.handler import WebHandler
from torngas_router import Url

__all__ = ["WSGIHandler", "mount"]

WSGIApplication: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

# Headers of one connection, which a WSGI application may not set (PEP 3333).
_HOP_BY_HOP = frozenset(("connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailers"))


def mount(prefix: str, application: WSGIApplication, name: str | None = None) -> Any:
    """Answers a route that serves a WSGI application below a prefix.

    Args:
        prefix: Where it stands, e.g. "/legacy": becomes SCRIPT_NAME; "" or "/" takes every path.
        application: The WSGI application.
        name: The route's name.

    Raises:
        ArgumentError: the application is not callable, or the prefix does not begin with a slash.
    """
    if not callable(application):
        raise ArgumentError(f"mount({prefix!r}): got {application!r}; expected a WSGI application, a callable")
    script = prefix.rstrip("/")
    if script and not script.startswith("/"):
        raise ArgumentError(f"mount({prefix!r}): expected a prefix that begins with a slash, e.g. '/legacy'")
    handler = type(
        "MountedWSGI", (WSGIHandler,), {"wsgi_application": staticmethod(application), "script_name": script}
    )
    return Url()(re.escape(script) + r"(?:/.*)?", handler, name=name)


@stream_request_body
class WSGIHandler(WebHandler):
    """Serves a WSGI application; `mount` makes a subclass of it for each.

    Attributes:
        wsgi_application: The application.
        script_name: The prefix below which it stands.
    """

    wsgi_application: WSGIApplication
    script_name: str = ""
    SUPPORTED_METHODS = (*RequestHandler.SUPPORTED_METHODS, "PROPFIND", "MKCOL", "COPY", "MOVE", "REPORT")

    def check_xsrf_cookie(self) -> None:
        """The WSGI application has its own protection, or none: as where it stood before."""

    def prepare(self) -> Any:
        """Starts the application, in a thread, before the body has arrived."""
        self._body = _Body(asyncio.get_running_loop())
        return super().prepare()

    async def data_received(self, chunk: bytes) -> None:
        """Hands a part of the body over; the connection is not read further until it is taken."""
        self._start()
        await self._body.feed(chunk)

    def on_connection_close(self) -> None:
        """Ends the application's reading and writing."""
        self._body.end()
        super().on_connection_close()

    def _start(self) -> None:
        if not hasattr(self, "_running"):
            call = copy_context().run
            self._running = asyncio.get_running_loop().run_in_executor(threads.executor, call, self._run)
            self._running.add_done_callback(lambda _: self._body.discard())

    async def _serve(self, *args: Any, **kwargs: Any) -> None:
        self._start()
        self._body.end()
        try:
            await self._running
        except StreamClosedError:  # the client left; nobody is there to be told
            return
        if not self._finished:
            self.finish()

    get = head = post = put = patch = delete = options = _serve
    propfind = mkcol = copy = move = report = _serve

    def _run(self) -> None:
        """In the thread: calls the application and sends what it answers."""
        response = _Response(self, self._body.loop)
        result = self.wsgi_application(self._environ(), response.start)
        try:
            if isinstance(result, list | tuple) and len(result) == 1:
                response.write(result[0], last=True)
            else:
                for chunk in result:
                    response.write(chunk)
                response.write(b"", last=True)
        finally:
            if close := getattr(result, "close", None):
                close()

    def _environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = WSGIContainer(self.wsgi_application).environ(self.request)
        environ["SCRIPT_NAME"] = self.script_name
        environ["PATH_INFO"] = environ["PATH_INFO"][len(self.script_name) :]
        environ["wsgi.input"] = io.BufferedReader(self._body)
        environ["wsgi.input_terminated"] = True
        environ["wsgi.multithread"] = True
        environ["wsgi.errors"] = sys.stderr
        return environ


class _Body(io.RawIOBase):
    """The request's body between the event loop, which feeds it, and a thread, which reads it: one chunk at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.loop = loop
        self._chunk = b""
        self._rest = b""
        self._ended = self._unwanted = False
        self._room = asyncio.Event()
        self._room.set()
        self._arrived = asyncio.Event()

    async def feed(self, chunk: bytes) -> None:
        """On the loop: waits until there is room."""
        await self._room.wait()
        if not self._unwanted:
            self._chunk = bytes(chunk)
            self._room.clear()
            self._arrived.set()

    def end(self) -> None:
        """On the loop: nothing more comes."""
        self._ended = True
        self._arrived.set()

    def discard(self) -> None:
        """On the loop: nobody reads any more; what still comes is dropped."""
        self._unwanted = True
        self._room.set()

    async def _next(self) -> bytes:
        await self._arrived.wait()
        chunk, self._chunk = self._chunk, b""
        if not self._ended:
            self._arrived.clear()
        self._room.set()
        return chunk

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """In the thread: waits for the next chunk; 0 at the end."""
        if not self._rest:
            self._rest = asyncio.run_coroutine_threadsafe(self._next(), self.loop).result()
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


class _Response:
    """`start_response` and the chunks, from the thread to the handler on its loop."""

    def __init__(self, handler: WSGIHandler, loop: asyncio.AbstractEventLoop) -> None:
        self._handler = handler
        self._loop = loop
        self._status: tuple[str, list[tuple[str, str]]] | None = None
        self._sent = False

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: _ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        """`start_response` of PEP 3333."""
        if self._sent and exc_info and exc_info[1] is not None:
            raise exc_info[1]
        if self._status is not None and not exc_info:
            raise ArgumentError("start_response: got a second call without exc_info; PEP 3333 allows one")
        self._status = status, headers
        return self.write

    def write(self, chunk: bytes, *, last: bool = False) -> None:
        """Sends a chunk, and waits until the client has taken it."""
        if self._status is None:
            raise ArgumentError("WSGI application: got a body before start_response was called")
        if chunk or last:
            try:
                asyncio.run_coroutine_threadsafe(self._send(chunk, last), self._loop).result()
            except CancelledError:
                raise StreamClosedError from None

    async def _send(self, chunk: bytes, last: bool) -> None:
        handler = self._handler
        if not self._sent:
            self._sent = True
            self._apply()
        if chunk:
            handler.write(chunk)
        if not last:
            await handler.flush()

    def _apply(self) -> None:
        status, headers = self._status or ("500", [])
        code, _, reason = status.partition(" ")
        self._handler.set_status(int(code), reason or None)
        self._handler.clear_header("Content-Type")
        for name, value in headers:
            if name.lower() not in _HOP_BY_HOP:
                self._handler.add_header(name, value)
