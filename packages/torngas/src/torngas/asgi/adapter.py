"""The ASGI application round a Tornado application.

from torngas.asgi import ASGIAdapter

asgi = ASGIAdapter(tornado.web.Application([("/", Hello)]))

# uvicorn module:asgi
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import cast

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
        self._direct = isinstance(application, Application) and type(application).start_request in _KNOWN
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
        kind = scope["type"]
        if kind == "http":
            if not self._checked:
                self._check()
            connection = ASGIConnection(scope, self._max_body_size, self._body_timeout)
            target = request_target(scope)
            try:
                delegate = self._delegate(connection, target)
            except HTTPInputError as error:
                gen_log.info("Malformed HTTP message from %s: %s", connection.context, error)
                await refuse(connection, send)
                return
            if self._decompress:
                delegate = _GzipMessageDelegate(delegate, self._chunk_size, self._max_body_size)
            await Exchange(connection, delegate, receive, send, self._chunk_size).run(_with_query(target, scope))
        elif kind == "websocket":
            await self._websocket(scope, receive, send)
        elif kind == "lifespan":
            await serve_lifespan(receive, send, self._start, self._stop)
        else:
            raise ASGIError(f"ASGIAdapter: got a scope of type {kind!r}; expected http, websocket or lifespan")

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

    def _delegate(self, connection: ASGIConnection, target: str) -> HTTPMessageDelegate:
        if self._trusted:
            connection.context.apply(connection.headers, self._trusted)
        if self._direct:
            request = ASGIRequest(connection, target)
            return cast("HTTPMessageDelegate", cast("Application", self.application).find_handler(request))
        return self.application.start_request(self, connection)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._check()
        await receive()  # websocket.connect
        connection = WebSocketConnection(scope, receive)
        target = request_target(scope)
        try:
            delegate = self._delegate(connection, target)
        except HTTPInputError as error:
            gen_log.info("Malformed HTTP message from %s: %s", connection.context, error)
            await send({"type": "websocket.close"})
            return
        delegate.headers_received(
            RequestStartLine("GET", _with_query(target, scope), connection.version), connection.headers
        )
        delegate.finish()
        await connection.run(send)


def _with_query(target: str, scope: Scope) -> str:
    query = scope["query_string"]
    return f"{target}?{query.decode('latin1')}" if query else target
