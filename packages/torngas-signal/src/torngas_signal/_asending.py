"""Sending to asynchronous receivers: the synchronous ones in order, then the others at the same time.

The others run in one `asyncio.TaskGroup`: none outlives the send, and a cancelled send has cancelled them. What
they raise is kept from the group, which would cancel the sending task to tell it, and would hide a cancellation
that comes from outside at the same time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable
from types import CoroutineType
from typing import Any

from torngas_signal._callers import Call
from torngas_signal._sending import failed, prepare

__all__ = ["asend"]

Responses = list[tuple[Any, Any]]


Waiting = tuple[int, Any, Callable[[], Awaitable[Any]]]
"""A response that is to be awaited: its place in the answer, its receiver, and what starts it."""


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
            await _Together(signal, robust).fill(responses, waiting)
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


class _Together:
    """The asynchronous receivers of one send, running at the same time. The failure of one cancels the rest."""

    def __init__(self, signal: Any, robust: bool) -> None:
        self._signal = signal
        self._robust = robust
        self._errors: list[BaseException] = []
        self._tasks: list[asyncio.Task[Any]] = []

    async def fill(self, responses: list[tuple[Any, Any] | None], waiting: list[Waiting]) -> None:
        """Awaits all, and writes the receivers and what they answer to their places."""
        async with asyncio.TaskGroup() as group:
            for _, receiver, start in waiting:
                if not self._errors:  # an eager task may have failed before the next one is made
                    self._tasks.append(group.create_task(self._run(receiver, start)))
        if self._errors:
            raise self._error()
        for (index, receiver, _), task in zip(waiting, self._tasks, strict=True):
            responses[index] = receiver, task.result()

    async def _run(self, receiver: Any, start: Callable[[], Awaitable[Any]]) -> Any:
        try:
            return await start()
        except Exception as error:  # noqa: BLE001 - raised by the send, or the response
            if self._robust:
                return failed(self._signal, receiver, error)
            self._fail(error)
        except asyncio.CancelledError as error:
            this = asyncio.current_task()
            if this is None or this.cancelling():
                raise
            self._fail(error)  # nobody cancelled it: the receiver gives up, and the send with it

    def _fail(self, error: BaseException) -> None:
        self._errors.append(error)
        this = asyncio.current_task()
        for task in self._tasks:
            if task is not this:
                task.cancel()

    def _error(self) -> BaseException:
        cancellations = [error for error in self._errors if isinstance(error, asyncio.CancelledError)]
        if cancellations or len(self._errors) == 1:
            return (cancellations or self._errors)[0]
        return BaseExceptionGroup(f"several receivers of {self._signal} raised", self._errors)
