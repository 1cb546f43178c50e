"""The connection that a handler writes to: what it writes waits here until the ASGI server takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeAlias

from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPOutputError, RequestStartLine, ResponseStartLine
from tornado.iostream import StreamClosedError

from torngas.asgi.errors import ASGIError, UnsupportedError
from torngas.asgi.headers import RequestHeaders, response_pairs
from torngas.asgi.peer import Peer
from torngas.asgi.types import Message, Scope, Send

__all__ = ["ASGIConnection"]

_VERSIONS = {"1.1": "HTTP/1.1", "1.0": "HTTP/1.0", "2": "HTTP/2", "3": "HTTP/3"}

Written: TypeAlias = tuple[Message, asyncio.Future[None] | None]


class ASGIConnection(HTTPConnection):
    """`request.connection` behind an ASGI server: the interface that `tornado.web` needs, and nothing below it.

    Attributes:
        scope: What the server told about the request.
        headers: The request's, decoded when the first one is asked for.
        context: The `Peer`.
        host: The value of `Host` as it was sent; two values are joined by a comma, which is no host.
        length: That of the body, if it was told.
        unread: Whether a part of the body was not read yet. No body follows a length of 0, and in HTTP/1 the lack of
            both headers.
        whole: The two messages of a response that was written at once, and its future; None once they are sent.
        finished: The handler finished its response.
        closed: Nothing more can be written: the client left, or the response was broken off.
        gone: The client left.
    """

    finished = started = closed = gone = has_content_type = False
    length: int | None = None
    _close_callback: Callable[[], None] | None = None
    _wake: asyncio.Future[None] | None = None
    _remaining: int | None = None
    _context: Peer | None = None
    whole: tuple[Message, Message, asyncio.Future[None]] | None = None
    _sending: Sequence[Written] = ()

    def __init__(self, scope: Scope, max_body_size: int, body_timeout: float | None) -> None:
        self.scope = scope
        self.method: str = scope.get("method", "GET")
        version: str = scope["http_version"]
        self.version: str = _VERSIONS.get(version, "HTTP/1.1")
        self.max_body_size = max_body_size
        self.body_timeout = body_timeout
        self._out: list[Written] = []
        pairs = scope["headers"]
        self.headers = RequestHeaders(pairs)
        fields = self.headers.fields
        self.multiplexed = version[0] != "1"
        host = fields.get(b"host")
        if len(fields) != len(pairs) and host is not None:
            host = b",".join([value for name, value in pairs if name == b"host"])
        self.host: bytes | None = host
        self.has_content_type = b"content-type" in fields
        has_body = self.multiplexed or b"transfer-encoding" in fields
        length = fields.get(b"content-length")
        if length is not None and length.isdigit():
            self.length = int(length)
            has_body = self.length > 0
        self.unread = has_body

    @property
    def context(self) -> Peer:
        """Who sent the request."""
        if self._context is None:
            self._context = Peer(self.scope)
        return self._context

    @property
    def stream(self) -> NoReturn:
        """Not there: the socket belongs to the ASGI server.

        Raises:
            UnsupportedError: always.
        """
        raise UnsupportedError(
            "request.connection.stream: an ASGI server does not hand out its socket; use write(), flush() and "
            "request.connection.context, or serve with Tornado's own server"
        )

    def detach(self) -> Any:
        """Not there: the socket belongs to the ASGI server.

        Raises:
            UnsupportedError: always.
        """
        raise UnsupportedError(
            "detach(): an ASGI server does not hand out its socket; use a WebSocketHandler or a streamed response, "
            "or serve with Tornado's own server. (For a WebSocketHandler: the server was asked for WebSockets but "
            "does not speak them; for uvicorn: pip install 'torngas[asgi]'.)"
        )

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Sets what is called when the client leaves before the response is finished."""
        self._close_callback = callback

    def set_max_body_size(self, max_body_size: int) -> None:
        """Sets the limit of this request's body in bytes; for `prepare` of handlers that stream it."""
        self.max_body_size = max_body_size

    def set_body_timeout(self, timeout: float | None) -> None:
        """Sets the seconds within which the body must have arrived; None waits for ever."""
        self.body_timeout = timeout

    def write_headers(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders, chunk: bytes | None = None
    ) -> asyncio.Future[None]:
        """Sends status and headers, and the first part of the body."""
        if self.closed:
            return self._failed()
        if self.started:
            raise HTTPOutputError("write_headers: got a second response; the first one has been started")
        code = start_line[1]
        if self.method == "HEAD" or code == 304:
            self._remaining = 0
        elif "Content-Length" in headers:
            self._remaining = int(headers["Content-Length"])
        start = self._start(code, headers)  # type: ignore[arg-type]  # a server sends no request line
        self.started = True
        if not chunk:
            return self._post(start)
        self._out.append((start, None))
        return self.write(chunk)

    def write_response(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders, body: bytes
    ) -> asyncio.Future[None]:
        """`write_headers` and `finish` in one, for a response that is whole; its length is told."""
        length = headers._as_list.get("Content-Length")
        if self.closed or self.started or self.unread or not length or length[0] != str(len(body)):
            future = self.write_headers(start_line, headers, body)
            self.finish()
            return future
        future = asyncio.get_running_loop().create_future()
        start = self._start(start_line[1], headers)  # type: ignore[arg-type]  # a server sends no request line
        self.whole = start, self._body(body, more=False), future
        self.started = self.finished = True
        if self._wake is not None:
            self._notify()
        return future

    def _start(self, code: int, headers: HTTPHeaders) -> Message:
        if code == 101:
            self.detach()
        return {
            "type": "http.response.start",
            "status": code,
            "headers": response_pairs(headers, multiplexed=self.multiplexed),
        }

    def write(self, chunk: bytes) -> asyncio.Future[None]:
        """Sends a part of the body; the future is done when the server has taken it."""
        if self.closed:
            return self._failed()
        if not self.started:
            raise ASGIError("write: got a body before write_headers(); a pre-encoded header block cannot be sent")
        if self._remaining is not None:
            self._remaining -= len(chunk)
            if self._remaining < 0:
                self.close()
                raise HTTPOutputError("Tried to write more data than Content-Length")
        return self._post(self._body(chunk))

    def _body(self, chunk: bytes, more: bool = True) -> Message:
        return {"type": "http.response.body", "body": chunk, "more_body": more}

    def finish(self) -> None:
        """Ends the response."""
        if self.closed:
            self.finished = True
            return
        if self._remaining:
            self.close()
            raise HTTPOutputError(f"Tried to write {self._remaining} bytes less than Content-Length")
        self.finished = True
        out = self._out
        if self.unread and not self.multiplexed and out and "headers" in out[0][0]:
            # As Tornado: to read on would be the only other way to the next request.
            out[0][0]["headers"].append((b"connection", b"close"))
        if out and "more_body" in out[-1][0]:
            out[-1][0]["more_body"] = False
        else:
            out.append((self._body(b"", more=False), None))
        self._notify()

    def close(self) -> None:
        """Breaks the response off behind what was written so far: the server closes the connection. Idempotent."""
        self.closed = True
        self._notify()

    def left(self) -> None:
        """Called when the client has left: the handler is told, unless it has finished. Idempotent."""
        self.lose()
        callback, self._close_callback = self._close_callback, None
        if callback is not None:
            callback()

    def lose(self) -> None:
        """Gives up what is not sent yet, and tells whoever waits for it."""
        self.closed = self.gone = True
        if self.whole is not None:
            self.fail(self.whole[2])
            self.whole = None
        self._give_up([*self._sending, *self._out])
        self._out = []
        self._notify()

    def _post(self, message: Message) -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        self._out.append((message, future))
        self._notify()
        return future

    def _notify(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def _failed(self) -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        self.fail(future)
        return future

    def fail(self, future: asyncio.Future[None]) -> None:
        """Tells whoever waits for a write that it will not be sent."""
        if not future.done():
            future.set_exception(self._closed_error())
            future.exception()  # nobody needs to look at it

    def _closed_error(self) -> Exception:
        return StreamClosedError()

    @property
    def over(self) -> bool:
        """Whether nothing will be written any more."""
        return self.finished or self.closed

    async def send_all(self, send: Send) -> None:
        """Hands what was written to the server, until the response is finished or broken off."""
        while True:
            await self.send_written(send)
            if self.over:
                return
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
            self._wake = None

    async def send_written(self, send: Send) -> None:
        """Hands what was written so far to the server; its own pace is the backpressure."""
        if self.whole is not None:
            start, body, sent = self.whole
            self._out = [(start, None), (body, sent)]
            self.whole = None
        while self._out:
            self._sending, self._out = self._out, []
            for message, future in self._sending:
                try:
                    await send(message)
                except OSError:  # "the client has left", as ASGI 2.4 says
                    self.left()
                if self.gone:
                    return
                if future is not None and not future.done():
                    future.set_result(None)

    def _give_up(self, out: list[Written]) -> None:
        for _, future in out:
            if future is not None:
                self.fail(future)
