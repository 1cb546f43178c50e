"""Sending to asynchronous receivers: the synchronous ones in order, then the others at the same time.

The others run in one `asyncio.TaskGroup`: none outlives the send, and a cancelled send has cancelled them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from inspect import isawaitable
from types import CoroutineType
from typing import Any, NamedTuple

from torngas_signal._plans import Step
from torngas_signal._sending import failed, prepare

__all__ = ["asend"]

Responses = list[tuple[Any, Any]]


class _Send(NamedTuple):
    """The arguments of one asynchronous send."""

    signal: Any
    sender: Any
    payload: dict[str, Any]
    wrapper: Any
    robust: bool

    def call(self, step: Step, receiver: Any) -> Any:
        """Calls a receiver; for an asynchronous one this only makes the coroutine."""
        return step.call(receiver, self.signal, self.sender, self.payload)

    def respond(self, receiver: Any, error: Exception) -> Exception:
        """Answers an exception as the response where that is wanted, and raises it elsewhere."""
        if not self.robust:
            raise error
        return failed(self.signal, receiver, error)


async def asend(signal: Any, sender: Any, payload: dict[str, Any], *, robust: bool) -> Responses:
    """A whole `Signal.asend`, or `asend_robust`.

    What a synchronous receiver answers is awaited too if it can be: it may wrap an asynchronous one.
    """
    steps, sender, wrapper = prepare(signal, sender, payload)
    send = _Send(signal, sender, payload, wrapper, robust)
    responses: list[tuple[Any, Any] | None] = [None] * len(steps)
    waiting: list[tuple[int, Any, Awaitable[Any]]] = []
    try:
        for index, step in enumerate(steps):
            if not step.receiver.is_async and (receiver := step.begin(signal._table)) is not None:
                response = await _synchronous(send, step, receiver)
                responses[index] = receiver, response
                if isawaitable(response):
                    waiting.append((index, receiver, response))
        for index, step in enumerate(steps):
            if step.receiver.is_async and (receiver := step.begin(signal._table)) is not None:
                waiting.append((index, receiver, _asynchronous(send, step, receiver)))
    except BaseException:
        _close(waiting)
        raise
    for index, receiver, response in await _together(send, waiting):
        responses[index] = receiver, response
    return [pair for pair in responses if pair is not None]


async def _synchronous(send: _Send, step: Step, receiver: Any) -> Any:
    try:
        if send.wrapper is None:
            return send.call(step, receiver)
        return await send.call(step, send.wrapper(receiver))
    except Exception as error:  # noqa: BLE001 - raised again, or the response
        return send.respond(receiver, error)


def _asynchronous(send: _Send, step: Step, receiver: Any) -> Awaitable[Any]:
    try:
        made: Awaitable[Any] = send.call(step, receiver)
    except Exception as error:  # noqa: BLE001 - raised again where the others' exceptions are
        return _raise(error)
    return made


async def _raise(error: Exception) -> None:
    raise error


def _close(waiting: list[tuple[int, Any, Awaitable[Any]]]) -> None:
    """Ends coroutines that nobody will await."""
    for _, _, awaitable in waiting:
        if isinstance(awaitable, CoroutineType):
            awaitable.close()


async def _together(send: _Send, waiting: list[tuple[int, Any, Awaitable[Any]]]) -> list[tuple[int, Any, Any]]:
    """Awaits all at the same time; the exception of one cancels the rest."""
    if not waiting:
        return []
    this = asyncio.current_task()
    cancelled = this.cancelling() if this is not None else 0
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [
                (index, receiver, group.create_task(_guarded(send, receiver, awaitable)))
                for index, receiver, awaitable in waiting
            ]
    except BaseExceptionGroup as errors:
        if this is not None and this.cancelling() > cancelled:
            raise asyncio.CancelledError from errors  # an exception while ending must not hide the cancellation
        if len(errors.exceptions) == 1:
            raise errors.exceptions[0] from None
        raise
    return [(index, receiver, task.result()) for index, receiver, task in tasks]


def _guarded(send: _Send, receiver: Any, awaitable: Awaitable[Any]) -> Coroutine[Any, Any, Any]:
    """The coroutine of a task; a plain one needs no frame of ours around it."""
    if send.robust:
        return _robustly(send.signal, receiver, awaitable)
    return awaitable if isinstance(awaitable, CoroutineType) else _awaited(awaitable)


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


async def _robustly(signal: Any, receiver: Any, awaitable: Awaitable[Any]) -> Any:
    try:
        return await awaitable
    except Exception as error:  # noqa: BLE001 - whatever a receiver raises is its response; a cancellation is not
        return failed(signal, receiver, error)
