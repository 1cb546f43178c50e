"""On an uncaught exception: process_exception, then the default logging unless it is handled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from types import TracebackType
from typing import Any

from .._exchange import Exchange
from .._waiting import is_waiting, reraise_cancellation
from .base import ExcInfo, Part

__all__ = ["ExceptionPart"]

logger = logging.getLogger("torngas_middleware")

_Hooks = Iterator[Callable[..., Any]]


class ExceptionPart(Part):
    """Overrides `log_exception`, and `send_error` so that the error response waits for async hooks."""

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        if (rest := self._report((typ, value, tb))) is not None:
            self._exchange().reporting = self._middleware_background.spawn(rest)

    def _report(self, error: ExcInfo) -> Coroutine[Any, Any, None] | None:
        exchange = self._exchange()
        hooks = iter(self._middleware_chains.exception)
        handled = self._next_exception_hook(hooks, exchange, error)
        if is_waiting(handled):
            return self._report_later(hooks, exchange, error, handled)
        if not handled:
            self._log_by_default(error)
        return None

    def _next_exception_hook(self, hooks: _Hooks, exchange: Exchange, error: ExcInfo) -> Awaitable[object] | bool:
        """Runs hooks until one must be awaited (its awaitable) or handles the exception (True)."""
        for hook in hooks:
            if exchange.cleared:
                return False
            try:
                result = hook(self, exchange, *error)
            except Exception:
                logger.exception("%r failed; the next one runs", hook)
                continue
            if is_waiting(result):
                return result
            if result:
                return True
        return False

    async def _report_later(self, hooks: _Hooks, exchange: Exchange, error: ExcInfo, handled: object) -> None:
        while is_waiting(handled):
            try:
                handled = bool(await handled)
            except (Exception, asyncio.CancelledError) as failure:
                reraise_cancellation(failure)
                logger.exception("An async process_exception failed; the next one runs")
                handled = False
            handled = handled or self._next_exception_hook(hooks, exchange, error)
        if not handled:
            self._log_by_default(error)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        reporting = self._exchange().reporting
        if reporting is None or reporting.done():
            super().send_error(status_code, **kwargs)
        else:
            reporting.add_done_callback(lambda _: self._send_error_later(status_code, kwargs))

    def _send_error_later(self, status_code: int, kwargs: dict[str, Any]) -> None:
        if not self._finished:
            super().send_error(status_code, **kwargs)
