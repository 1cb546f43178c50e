"""Runs every request in its own copy of the context variables."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context, ContextVar, copy_context
from inspect import iscoroutine
from typing import Any, cast

from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.log import app_log
from tornado.routing import Router

from ._delegate import ShortDelegate
from ._tornado import HTTPServerRequest, NotFoundDelegate

__all__ = ["ContextDelegate", "RequestDelegate", "separate", "separately"]

separate: ContextVar[bool] = ContextVar("torngas_middleware_separate", default=False)
"""Whether the running code is inside of a request's own context already."""


class ContextDelegate(HTTPMessageDelegate):
    """Passes every call to another delegate, inside of one context.

    Without it a variable that routing or `initialize` sets would stay for the next request of the connection.
    """

    __slots__ = ("_context", "_delegate")
    _delegate: HTTPMessageDelegate

    def __init__(self, delegate: HTTPMessageDelegate, context: Context) -> None:
        self._delegate = delegate
        self._context = context

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self._context.run(separate.set, True)
        return self._context.run(self._delegate.headers_received, start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        waiting = self._context.run(self._delegate.data_received, chunk)
        if iscoroutine(waiting):
            # Awaited by the connection's own task, the coroutine would run in the connection's context.
            return asyncio.get_running_loop().create_task(waiting, context=self._context)
        return waiting

    def finish(self) -> None:
        self._context.run(self._delegate.finish)

    def on_connection_close(self) -> None:
        self._context.run(self._delegate.on_connection_close)

    def execute(self) -> Any:
        """Runs the handler at once, for callers that have the whole request: `application(request)`."""
        return self._context.run(self._delegate.execute)  # type: ignore[attr-defined]


class RequestDelegate(ContextDelegate):
    """Makes the request and asks its application for the handler: Tornado's own delegate and a context in one."""

    __slots__ = ("_application", "_connection", "_server_connection")

    def __init__(self, application: Router, server_connection: object, connection: HTTPConnection) -> None:
        self._application = application
        self._server_connection = server_connection
        self._connection = connection
        self._context = copy_context()

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        return self._context.run(self._begin, start_line, headers)

    def _begin(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> Awaitable[None] | None:
        separate.set(True)
        line = cast("RequestStartLine", start_line)
        request = HTTPServerRequest(line, headers, self._connection, self._server_connection)
        delegate = self._application.find_handler(request)
        if delegate is None:
            app_log.debug("Delegate for %s %s request not found", request.method, request.uri)
            delegate = NotFoundDelegate(self._connection)
        self._delegate = delegate
        if isinstance(delegate, ShortDelegate):
            delegate.context = self._context
        return delegate.headers_received(start_line, headers)

    def on_connection_close(self) -> None:
        if hasattr(self, "_delegate"):
            super().on_connection_close()


def separately(find: Callable[[], Any]) -> ContextDelegate:
    """Finds a delegate in a context of its own, which the delegate keeps."""
    context = copy_context()
    context.run(separate.set, True)
    delegate = context.run(find)
    if isinstance(delegate, ShortDelegate):
        delegate.context = context
    return ContextDelegate(delegate, context)
