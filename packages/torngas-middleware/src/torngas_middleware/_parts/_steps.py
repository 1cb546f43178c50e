"""Running a coroutine that may still write, while everybody else sees a finished response."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any

from tornado.web import RequestHandler

from .._exchange import Exchange

__all__ = ["Steps"]


class Steps:
    """Opens the held response to one coroutine, for as long as each of its steps runs.

    `handler._finished` is False inside of the coroutine and True wherever else the loop goes meanwhile, so that hooks
    can write, and the handler's own code, which called `finish` already, cannot.
    """

    __slots__ = ("_exchange", "_handler", "_work")

    def __init__(self, handler: RequestHandler, exchange: Exchange, work: Coroutine[Any, Any, None]) -> None:
        self._handler = handler
        self._exchange = exchange
        self._work = work

    async def run(self) -> None:
        """Runs it to its end."""
        await self

    def __await__(self) -> Generator[Any, Any, None]:
        step: Callable[[], Any] = partial(self._work.send, None)
        while True:
            try:
                waited = self._step(step)
            except StopIteration:
                return
            try:
                step = partial(self._work.send, (yield waited))
            except BaseException as error:  # noqa: BLE001 - thrown into the coroutine, cancellation included
                step = partial(self._work.throw, error)

    def _step(self, step: Callable[[], Any]) -> Any:
        if self._exchange.held is not None:
            self._handler._finished = self._exchange.decided
        waited = step()
        if self._exchange.held is not None:
            self._handler._finished = True
        return waited
