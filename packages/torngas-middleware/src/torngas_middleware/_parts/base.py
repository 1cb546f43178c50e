"""What every part knows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, ClassVar, TypeAlias

from tornado.log import app_log
from tornado.web import RequestHandler

from .._exchange import Exchange
from .._run import Run
from .._waiting import Background
from ..manager import Chains

__all__ = ["ExcInfo", "Part"]

ExcInfo: TypeAlias = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


class Part(RequestHandler):
    """Access to the application's compiled chains and to the request's exchange."""

    _middleware_chains: Chains
    _middleware_background: Background
    _middleware_exchange: Exchange | None = None
    _middleware_tracked = False
    """Whether the handler's task and context are needed after `prepare`."""
    _middleware_run: Run | None = None
    """The handler at work, where plain calls are."""
    _middleware_on_prepare: ClassVar[Callable[[Any], Awaitable[None] | None] | None] = None
    _middleware_complete_finish: ClassVar[Callable[[Any], object] | None] = None

    def __init_subclass__(cls) -> None:
        """Stops here: the handler's own `__init_subclass__` shall not see the class that is made for it."""

    def _exchange(self) -> Exchange:
        exchange = self._middleware_exchange
        if exchange is None:
            exchange = self._middleware_exchange = Exchange.of(self.request)
        return exchange

    def _report(self, error: ExcInfo) -> Coroutine[Any, Any, None] | None:
        """Logs an exception; a coroutine is what remains to be awaited of it."""
        self._log_by_default(error)
        return None

    def _log_by_default(self, error: ExcInfo) -> None:
        try:
            super().log_exception(*error)
        except Exception:  # noqa: BLE001 - logged, as Tornado does
            app_log.error("Error in exception logger", exc_info=True)
