"""What must be remembered of one request on its way through the hooks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextvars import Context
from typing import Any

from tornado.httputil import HTTPServerRequest

from ._run import Work

__all__ = ["Exchange"]


class Exchange:
    """One request's progress; hooks get it as their argument `clear`.

    The defaults stand on the class, so that making one allocates little more than an empty object.
    """

    cleared = False
    """clear() was called: no hook runs any more."""
    ended = False
    """The end hooks ran, or are running."""
    response: Iterator[Callable[..., Any]] | None = None
    """The response hooks that did not run yet; None before the first."""
    body: list[bytes] | None = None
    """The body before the response hooks; None if headers were sent already."""
    etag: str | None = None
    """The ETag before the response hooks."""
    held: asyncio.Future[None] | None = None
    """Done when the held response is sent; None unless one is held."""
    decided = False
    """While the response is held: a hook called finish() anew."""
    inside = False
    """The held response was finished by the handler's own coroutine."""
    task: Work | None = None
    """The handler at work, once it reached `prepare`."""
    context: Context | None = None
    """The context variables as the request hooks left them."""
    reporting: asyncio.Task[None] | None = None
    """Awaits async exception hooks; the error response waits for it."""

    def __call__(self) -> None:
        """Ends every later hook of every middleware for this request."""
        self.cleared = True

    @staticmethod
    def of(request: HTTPServerRequest) -> Exchange:
        """The exchange that process_call began, handed over once; else a new one."""
        began: Exchange | None = getattr(request, "_middleware_exchange", None)
        if began is None:
            return Exchange()
        request._middleware_exchange = None  # type: ignore[attr-defined]
        return began

    def keep_in(self, request: HTTPServerRequest) -> None:
        """Leaves it for the handler that will be found."""
        request._middleware_exchange = self  # type: ignore[attr-defined]
