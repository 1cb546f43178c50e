"""Tornado's HTTP server with one timer for all connections.

server = HTTPServer(application, idle_connection_timeout=60)
server.listen(8888)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import tornado.httpserver
from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine
from tornado.iostream import IOStream

from ._tornado import CHECKED, serve

__all__ = ["HTTPServer"]


class HTTPServer(tornado.httpserver.HTTPServer):
    """Takes the arguments of `tornado.httpserver.HTTPServer`, and serves as it does.

    A connection that does not send the head of its next request within `idle_connection_timeout` (seconds; default
    3,600, which None and 0 mean too) is closed, as by Tornado's server. That one makes a future and a timer for each
    request; here the waiting connections stand in order, and one timer waits for the first.
    """

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """Takes the arguments of `tornado.httpserver.HTTPServer`."""
        super().initialize(*args, **kwargs)
        self._idle_timeout: float = self.conn_params.header_timeout or 3600
        self.conn_params.header_timeout = None
        self._idle: dict[object, tuple[float, Any]] = {}
        self._busy: set[object] = set()
        self._timer: asyncio.TimerHandle | None = None

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Serves a connection, whose `request.connection` has `write_response`."""
        if CHECKED:
            serve(self, stream, address)
        else:
            super().handle_stream(stream, address)

    @property
    def in_flight(self) -> int:
        """Requests that have begun and are not answered yet."""
        return len(self._busy)

    @property
    def idle(self) -> int:
        """Connections that wait for a request."""
        return len(self._idle)

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Called when a connection is ready for a request; nothing has arrived yet."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._idle_timeout
        self._busy.discard(server_conn)
        self._idle[server_conn] = deadline, request_conn  # the last to wait, since all wait equally long
        if self._timer is None:
            self._timer = loop.call_at(deadline, self._close_expired)
        return _Begins(super().start_request(server_conn, request_conn), self, server_conn)

    def _close_expired(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._timer = None
        expired = []
        for server_conn, (deadline, connection) in self._idle.items():
            if deadline > now:
                self._timer = loop.call_at(deadline, self._close_expired)
                break
            expired.append((server_conn, connection))
        for server_conn, connection in expired:
            del self._idle[server_conn]
            connection.close()

    def on_close(self, server_conn: object) -> None:
        """Called when a connection was closed."""
        self._idle.pop(server_conn, None)
        self._busy.discard(server_conn)
        if self._timer is not None and not self._idle and not self._busy:
            self._timer.cancel()
            self._timer = None
        super().on_close(server_conn)


class _Begins(HTTPMessageDelegate):
    """Tells the server when a connection's next request has begun."""

    __slots__ = ("_inner", "_server", "_server_conn", "data_received", "finish", "on_connection_close")

    def __init__(self, inner: HTTPMessageDelegate, server: HTTPServer, server_conn: object) -> None:
        self._inner = inner
        self._server = server
        self._server_conn = server_conn
        self.data_received = inner.data_received  # type: ignore[method-assign]  # forwarded without a call in between
        self.finish = inner.finish  # type: ignore[method-assign]
        self.on_connection_close = inner.on_connection_close  # type: ignore[method-assign]

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self._server._idle.pop(self._server_conn, None)
        self._server._busy.add(self._server_conn)
        return self._inner.headers_received(start_line, headers)
