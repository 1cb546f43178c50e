"""Runs every request in its own copy of the context variables."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context, ContextVar, copy_context
from inspect import iscoroutine
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine

__all__ = ["ContextDelegate", "separate", "separately"]

separate: ContextVar[bool] = ContextVar("torngas_middleware_separate", default=False)
"""Whether the running code is inside of a request's own context already."""


class ContextDelegate(HTTPMessageDelegate):
    """Passes every call to another delegate, inside of one context.

    Without it a variable that routing or `initialize` sets would stay for the next request of the connection.
    """

    __slots__ = ("_context", "_delegate")

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


def separately(find: Callable[[], Any]) -> ContextDelegate:
    """Finds a delegate in a context of its own, which the delegate keeps."""
    context = copy_context()
    context.run(separate.set, True)
    return ContextDelegate(context.run(find), context)
