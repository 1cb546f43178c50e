"""Before the method: process_request, the handler's own `prepare`, `on_prepare`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextvars import copy_context
from typing import Any

from .._exchange import Exchange
from .._waiting import is_waiting
from .base import Part

__all__ = ["RequestPart"]

_Hooks = Iterator[Callable[..., Any]]


class RequestPart(Part):
    """Overrides `prepare`; it returns None, and makes no coroutine, unless something must be awaited."""

    def prepare(self) -> Awaitable[None] | None:
        exchange = self._middleware_exchange or self._exchange()
        if self._middleware_tracked:
            exchange.task = self._middleware_run or asyncio.current_task()
        hooks = iter(self._middleware_chains.request)
        if (pending := self._next_request_hook(hooks, exchange)) is not None:
            return self._prepare_later(hooks, exchange, pending)
        if (own := self._own_prepare(exchange)) is not None:
            return self._ready_later(own)
        if self._middleware_on_prepare is None and exchange.held is None:
            return None
        return self._ready(exchange)

    def _next_request_hook(self, hooks: _Hooks, exchange: Exchange) -> Awaitable[object] | None:
        """Runs hooks until one must be awaited; None when the phase is over."""
        for hook in hooks:
            if exchange.cleared or self._finished:
                return None
            result = hook(self, exchange)
            if result is not None:
                if is_waiting(result):
                    return result
                if result:
                    return None
        return None

    async def _prepare_later(self, hooks: _Hooks, exchange: Exchange, pending: Awaitable[object] | None) -> None:
        while pending is not None:
            pending = None if await pending else self._next_request_hook(hooks, exchange)
        if (own := self._own_prepare(exchange)) is not None:
            await own
        if (ready := self._ready(exchange)) is not None:
            await ready

    def _own_prepare(self, exchange: Exchange) -> Awaitable[None] | None:
        if self._middleware_tracked:
            exchange.context = copy_context()
        return None if self._finished else super().prepare()

    async def _ready_later(self, own: Awaitable[None]) -> None:
        await own
        if (ready := self._ready(self._exchange())) is not None:
            await ready

    def _ready(self, exchange: Exchange) -> Awaitable[None] | None:
        ready = None if self._middleware_on_prepare is None else self._middleware_on_prepare()
        if exchange.held is not None and self._stream_request_body:
            # The rest of the body is asked for when `prepare` is done; an early answer must be out before that.
            return _both(ready, exchange.held)
        return ready


async def _both(first: Awaitable[None] | None, second: Awaitable[None]) -> None:
    if first is not None:
        await first
    await second
