"""The ASGI application round a Tornado application.

from torngas.asgi import ASGIAdapter

asgi = ASGIAdapter(tornado.web.Application([("/", Hello)]))

# uvicorn module:asgi
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from tornado.http1connection import _GzipMessageDelegate
from tornado.httputil import HTTPInputError, HTTPMessageDelegate, HTTPServerConnectionDelegate, RequestStartLine
from tornado.log import gen_log
from tornado.routing import Router
from tornado.web import Application

from torngas.asgi.connection import ASGIConnection
from torngas.asgi.errors import ASGIError
from torngas.asgi.exchange import Exchange, refuse
from torngas.asgi.lifespan import Hook, serve_lifespan
from torngas.asgi.request import ASGIRequest, request_target
from torngas.asgi.types import Receive, Scope, Send
from torngas.asgi.websocket import WebSocketConnection
from torngas.exception import ArgumentError
from torngas_middleware import MiddlewareApplication

__all__ = ["ASGIAdapter"]

_ANSWERED = HTTPMessageDelegate()
_tuple = tuple.__new__  # a named tuple without the call of its constructor
_MEGABYTE = 1024 * 1024
# What these do in `start_request` is done here: the request is made of the scope, in a context of its own.
_KNOWN = (Router.start_request, MiddlewareApplication.start_request)


class ASGIAdapter:
    """Serves a Tornado application behind any ASGI 3 server that runs on asyncio.

    Args:
        application: A `tornado.web.Application`, or any router or other HTTPServerConnectionDelegate.
        xheaders: Whether X-Real-Ip, X-Forwarded-For, X-Scheme and X-Forwarded-Proto of trusted peers count.
        trusted_downstream: The addresses of the trusted peers; "unix:" means those of a unix socket. Empty trusts none.
        max_body_size: Bytes that a request's body may have, 100 MiB by default as with Tornado's server; more is
            answered 400. A handler that streams its body may set another limit in `prepare`.
        chunk_size: Bytes that `data_received` gets at once, at most; 64 KiB by default.
        decompress_request: Whether a gzipped body is unpacked.
        body_timeout: Seconds within which a request's body must have arrived; None waits for ever.

    One event loop at a time; make it anywhere.
    """

    def __init__(
        self,
        application: HTTPServerConnectionDelegate,
        *,
        xheaders: bool = False,
        trusted_downstream: Iterable[str] = (),
        max_body_size: int = 100 * _MEGABYTE,
        body_timeout: float | None = None,
        chunk_size: int = 65536,
        decompress_request: bool = False,
    ) -> None:
        if not isinstance(application, HTTPServerConnectionDelegate):
            raise ArgumentError(
                f"ASGIAdapter: got {application!r}; expected an instance of tornado.web.Application, or another router"
            )
        self.application = application
        self._trusted = frozenset(trusted_downstream) if xheaders else frozenset()
        self._max_body_size = max_body_size
        self._body_timeout = body_timeout
        self._chunk_size = chunk_size
        self._decompress = decompress_request
        self._start: list[Hook] = [self._check]
        self._stop: list[Hook] = []
        self._is_direct = isinstance(application, Application) and type(application).start_request in _KNOWN
        self._is_simple = self._is_direct and not self._trusted and not decompress_request
        # Asked only where it is there; an application finds a delegate for every request, if only one that says 404.
        self._find: Callable[[ASGIRequest], HTTPMessageDelegate] = getattr(application, "find_handler", _nothing)
        self._answer: Callable[[ASGIRequest], HTTPMessageDelegate | None] | None = (
            application.answer_at_once if self._is_simple and isinstance(application, MiddlewareApplication) else None
        )
        self._checked = False

    def on_start(self, hook: Hook) -> Hook:
        """Registers a function, plain or async, that runs before the first request; also usable as a decorator."""
        self._start.append(hook)
        return hook

    def on_stop(self, hook: Hook) -> Hook:
        """Registers a function, plain or async, that runs after the last request; the last one runs first."""
        self._stop.insert(0, hook)
        return hook

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, WebSocket or lifespan."""
        if scope["type"] != "http":
            await self._other(scope, receive, send)
            return
        if not self._checked:
            self._check()
        connection = ASGIConnection(scope, self._max_body_size, self._body_timeout)
        uri, path = request_target(scope)
        try:
            if self._answer is not None and not connection.unread:
                delegate = self._answer(ASGIRequest(connection, path))
            elif self._is_simple:
                delegate = self._find(ASGIRequest(connection, path))
            else:
                delegate = self._delegate(connection, path)
        except HTTPInputError as error:
            gen_log.info("Malformed HTTP message from %s: %s", connection.context, error)
            await refuse(connection, send)
            return
        if delegate is not None:
            line = _tuple(RequestStartLine, (connection.method, uri, connection.version))
            ready = delegate.headers_received(line, connection.headers)
            if ready is not None or connection.unread:
                await Exchange(connection, delegate, receive, send, self._chunk_size).run(ready)
                return
            delegate.finish()
        whole, connection.whole = connection.whole, None
        if whole is None:
            await Exchange(connection, delegate or _ANSWERED, receive, send, self._chunk_size).respond()
            return
        start, body, sent = whole
        try:
            await send(start)
            await send(body)
            if not sent.done():
                sent.set_result(None)
        except OSError:  # "the client has left", as ASGI 2.4 says
            pass
        finally:
            if not sent.done():
                connection.fail(sent)

    async def _other(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "lifespan":
            await serve_lifespan(receive, send, self._start, self._stop)
        else:
            raise ASGIError(f"ASGIAdapter: got a scope of type {scope['type']!r}; expected http, websocket or lifespan")

    def _check(self) -> None:
        """Raises ASGIError unless an event loop of asyncio runs."""
        try:
            asyncio.get_running_loop()
        except RuntimeError as error:
            raise ASGIError(
                "ASGIAdapter: got no event loop of asyncio (trio?); Tornado needs asyncio: choose such a worker, e.g. "
                "hypercorn --worker-class asyncio"
            ) from error
        self._checked = True

    def _delegate(self, connection: ASGIConnection, path: str) -> HTTPMessageDelegate:
        if self._trusted:
            connection.context.apply(connection.headers, self._trusted)
        if self._is_direct:
            delegate = self._find(ASGIRequest(connection, path))
        else:
            delegate = self.application.start_request(self, connection)
        return _GzipMessageDelegate(delegate, self._chunk_size, self._max_body_size) if self._decompress else delegate

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._check()
        await receive()  # websocket.connect
        connection = WebSocketConnection(scope, receive)
        uri, path = request_target(scope)
        try:
            delegate = self._delegate(connection, path)
        except HTTPInputError as error:
            gen_log.info("Malformed HTTP message from %s: %s", connection.context, error)
            await send({"type": "websocket.close"})
            return
        delegate.headers_received(RequestStartLine("GET", uri, connection.version), connection.headers)
        delegate.finish()
        await connection.run(send)


def _nothing(request: ASGIRequest) -> HTTPMessageDelegate:
    raise NotImplementedError
