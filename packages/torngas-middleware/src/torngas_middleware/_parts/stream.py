"""While a streamed request body arrives: `data_received`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from inspect import iscoroutine

from .base import Part

__all__ = ["StreamPart"]


class StreamPart(Part):
    """Lets `data_received` see the variables that request hooks set, and no data after the response is decided."""

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        exchange = self._exchange()
        if self._finished or exchange.reporting is not None:
            return None
        context = exchange.context
        if context is None:
            return super().data_received(chunk)
        waiting = context.run(super().data_received, chunk)
        if iscoroutine(waiting):
            return asyncio.get_running_loop().create_task(waiting, context=context)
        return waiting
