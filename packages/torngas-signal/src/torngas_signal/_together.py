"""The asynchronous receivers of one send, running at the same time; imported when there are some."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from torngas_signal._sending import failed

__all__ = ["Together", "Waiting"]

Waiting = tuple[int, Any, Callable[[], Awaitable[Any]]]
"""A response that is to be awaited: its place in the answer, its receiver, and what starts it."""


class Together:
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
