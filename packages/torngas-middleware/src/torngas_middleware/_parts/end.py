"""When the request is over: process_endcall and `complete_finish`, exactly once on every exit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextvars import copy_context
from typing import Any

from tornado.iostream import IOStream

from .._exchange import Exchange
from .._run import Work, is_inside
from .._waiting import is_waiting, reraise_cancellation
from .base import Part

__all__ = ["EndPart"]

logger = logging.getLogger("torngas_middleware")

_Hooks = Iterator[Callable[..., Any]]


class EndPart(Part):
    """Overrides `on_finish`, and what ends a request without it: `detach`, `on_connection_close`.

    The hooks run at once where the handler's own coroutine finished the response. Where somebody else did (a timer,
    the client by leaving), they wait for the end of that coroutine, which still uses what they release.
    """

    def on_finish(self) -> None:
        exchange = self._middleware_exchange or self._exchange()
        try:
            super().on_finish()
        finally:
            self._over(exchange)

    def _over(self, exchange: Exchange) -> None:
        task = exchange.task
        inside = exchange.inside or is_inside(task)
        if task is None or task.done() or (inside and self._status_code != 101):
            self._end(exchange)
        else:
            task.add_done_callback(lambda _: self._end(exchange))

    def detach(self) -> IOStream:
        stream = super().detach()
        exchange = self._exchange()
        task: Work | None = exchange.task or asyncio.current_task()
        if task is not None:
            task.add_done_callback(lambda _: self._end(exchange))
        return stream

    def on_connection_close(self) -> None:
        exchange = self._exchange()
        self.request.disconnected = True  # type: ignore[attr-defined]
        self.request.unanswered = not self._headers_written  # type: ignore[attr-defined]
        context = copy_context() if exchange.context is None else exchange.context.copy()
        context.run(super().on_connection_close)
        if exchange.task is not None and not exchange.ended:
            exchange.task.add_done_callback(lambda _: self._end_unfinished(exchange), context=context)

    def _end_unfinished(self, exchange: Exchange) -> None:
        """Ends what the handler left unfinished; a response that is held or being reported will be finished."""
        if exchange.held is None and (exchange.reporting is None or exchange.reporting.done()):
            self._end(exchange)

    def _end(self, exchange: Exchange) -> None:
        if exchange.ended:
            return
        if exchange.reporting is not None and not exchange.reporting.done():
            exchange.reporting.add_done_callback(lambda _: self._end(exchange))
            return
        exchange.ended = True
        hooks = iter(self._middleware_chains.endcall)
        if (pending := self._next_end_hook(hooks, exchange)) is not None:
            self._middleware_background.spawn(self._end_later(hooks, exchange, pending))
        else:
            self._complete()

    def _next_end_hook(self, hooks: _Hooks, exchange: Exchange) -> Awaitable[object] | None:
        """Runs hooks until one must be awaited; None when the phase is over. No failure keeps the next from running."""
        for hook in hooks:
            if exchange.cleared:
                return None
            try:
                result = hook(self, exchange)
            except Exception:
                logger.exception("%r failed; the next one runs", hook)
                result = None
            if result is not None:
                if is_waiting(result):
                    return result
                if result:
                    return None
        return None

    async def _end_later(self, hooks: _Hooks, exchange: Exchange, pending: Awaitable[object] | None) -> None:
        try:
            while pending is not None:
                try:
                    skip = await pending
                except (Exception, asyncio.CancelledError) as failure:
                    reraise_cancellation(failure)
                    logger.exception("An async process_endcall failed; the next one runs")
                    skip = False
                pending = None if skip else self._next_end_hook(hooks, exchange)
        finally:
            self._complete()

    def _complete(self) -> None:
        if self._middleware_complete_finish is not None:
            try:
                self._middleware_complete_finish()
            except Exception:
                logger.exception("complete_finish of %r failed", self)
