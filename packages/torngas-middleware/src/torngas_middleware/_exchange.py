"""What must be remembered of one request on its way through the hooks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextvars import Context
from typing import Any

from tornado.httputil import HTTPServerRequest

__all__ = ["Exchange"]


class Exchange:
    """One request's progress; hooks get it as their argument `clear`.

    The defaults stand on the class, so that making one allocates an empty object.
    """

    cleared = False
    """clear() was called."""
    gone = False
    """The client closed the connection before the response was finished."""
    ended = False
    """The end hooks ran, or are running."""
    inside = False
    """A held response was finished by the handler's own coroutine."""
    task: asyncio.Task[Any] | None = None
    """The handler's coroutine, once it reached prepare."""
    context: Context | None = None
    """The variables as the request hooks left them."""
    response: Iterator[Callable[..., Any]] | None = None
    """The response hooks that did not run yet; None before the first."""
    before: tuple[list[bytes], str | None, str | None] | None = None
    """Body, Content-Length and ETag as they were before the response hooks."""
    held: asyncio.Future[None] | None = None
    """Done when a held response is sent; None unless one is held."""
    reporting: asyncio.Task[Any] | None = None
    """Awaits async exception hooks; the error response waits for it."""

    def __call__(self) -> None:
        """Ends every later hook of this request."""
        self.cleared = True

    @staticmethod
    def of_request(request: HTTPServerRequest) -> Exchange:
        """The exchange that process_call began, handed over once; else a new one."""
        began: Exchange | None = request.__dict__.pop("_middleware_exchange", None)
        return Exchange() if began is None else began

    def keep_in(self, request: HTTPServerRequest) -> None:
        """Leaves it for the handler that will be found."""
        request.__dict__["_middleware_exchange"] = self
