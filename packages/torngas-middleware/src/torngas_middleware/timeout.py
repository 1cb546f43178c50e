"""A limit to the time that a request may take.

Application(handlers, middlewares=[TimeoutMiddleware(30)])
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from tornado.web import RequestHandler

from ._run import Work
from .protocols import Clear

__all__ = ["TimeoutMiddleware"]


class TimeoutMiddleware:
    """Answers 504 when the time is up, and cancels the handler's task.

    The client has its answer at once; `process_endcall` waits until the cancelled task is done, so that what it
    releases is not in use any more. A response that began to stream cannot become a 504: it is broken off. A handler
    that has finished its response, an accepted WebSocket among them, may go on for ever.

    Args:
        seconds: From process_request on; int or float above 0. `None` never expires.
    """

    def __init__(self, seconds: float | None) -> None:
        if seconds is not None and not seconds > 0:
            raise ValueError(f"TimeoutMiddleware: got {seconds!r}; expected seconds above 0, or None for no limit")
        self._seconds = seconds

    def process_request(self, handler: RequestHandler, clear: Clear) -> None:
        """Starts the clock."""
        task: Work | None = getattr(handler, "_middleware_run", None) or asyncio.current_task()
        if self._seconds is not None and task is not None:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(self._seconds, partial(_expire, handler, task))
            request: Any = handler.request
            request._timeout = timer

    def process_endcall(self, handler: RequestHandler, clear: Clear) -> None:
        """Stops the clock."""
        timer: asyncio.TimerHandle | None = getattr(handler.request, "_timeout", None)
        if timer is not None:
            timer.cancel()  # which also lets go of the handler


def _expire(handler: RequestHandler, task: Work) -> None:
    if handler._finished:
        return
    if not handler._headers_written:
        handler.send_error(504)
    task.cancel()
