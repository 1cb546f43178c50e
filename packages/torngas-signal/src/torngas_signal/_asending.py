"""Sending to asynchronous receivers: the synchronous ones in order, then the others at the same time.

The others run in one `asyncio.TaskGroup`: none outlives the send, and a cancelled send has cancelled them. What
they raise is kept from the group, which would cancel the sending task to tell it, and would hide a cancellation
that comes from outside at the same time.
"""

from __future__ import annotations

from functools import partial
from inspect import isawaitable
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from torngas_signal._callers import Call
from torngas_signal._sending import failed, prepare

if TYPE_CHECKING:
    from torngas_signal._together import Waiting

__all__ = ["asend"]

Responses = list[tuple[Any, Any]]


async def asend(signal: Any, sender: Any, payload: dict[str, Any], *, robust: bool) -> Responses:
    """A whole `Signal.asend`, or `asend_robust`.

    What a synchronous receiver answers is awaited too if it can be: it may wrap an asynchronous one.
    """
    steps, sender, wrapper = prepare(signal, sender, payload)
    responses: list[tuple[Any, Any] | None] = [None] * len(steps)
    begun: list[Any] = []
    waiting: list[Waiting] = []
    try:
        for index, step in enumerate(steps):
            if not step.receiver.is_async and (receiver := step.begin(signal._table)) is not None:
                response = await _synchronous(step.call, receiver, signal, sender, payload, wrapper, robust)
                responses[index] = receiver, response
                if isawaitable(response):
                    begun.append(response)
                    waiting.append((index, receiver, begun[-1:].pop))
        for index, step in enumerate(steps):
            if step.receiver.is_async and (receiver := step.begin(signal._table)) is not None:
                waiting.append((index, receiver, partial(step.call, receiver, signal, sender, payload)))
        if waiting:
            from torngas_signal._together import Together  # asyncio takes longer to import than all the rest

            await Together(signal, robust).fill(responses, waiting)
    finally:
        _close(begun)
    return [pair for pair in responses if pair is not None]


async def _synchronous(
    call: Call, receiver: Any, signal: Any, sender: Any, payload: dict[str, Any], wrapper: Any, robust: bool
) -> Any:
    try:
        if wrapper is None:
            return call(receiver, signal, sender, payload)
        return await call(wrapper(receiver), signal, sender, payload)
    except Exception as error:
        if not robust:
            raise
        return failed(signal, receiver, error)


def _close(begun: list[Any]) -> None:
    """Ends coroutines that nobody awaited; closing a finished one does nothing."""
    for awaitable in begun:
        if isinstance(awaitable, CoroutineType):
            awaitable.close()
