"""The work of one handler: plain calls, and then perhaps a task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any

__all__ = ["Run", "Work", "is_inside"]


class Run:
    """Stands where an exchange otherwise has the handler's task, since plain calls have none.

    Their `asyncio.current_task()` is that of the connection, which must neither be waited for nor cancelled.
    """

    __slots__ = ("_callbacks", "_is_calling", "task")

    def __init__(self) -> None:
        self.task: asyncio.Task[Any] | None = None
        self._is_calling = True
        self._callbacks: list[tuple[Callable[[Any], object], Context | None]] = []

    def over(self, task: asyncio.Task[Any] | None) -> None:
        """The plain calls are over; `task` does the rest, if there is any."""
        self._is_calling = False
        self.task = task
        for callback, context in self._callbacks:
            self.add_done_callback(callback, context=context)
        self._callbacks.clear()

    def inside(self) -> bool:
        """Whether the code that asks is called by the handler."""
        return self._is_calling or (self.task is not None and asyncio.current_task() is self.task)

    def done(self) -> bool:
        """Whether the handler returned."""
        return not self._is_calling and (self.task is None or self.task.done())

    def add_done_callback(self, callback: Callable[[Any], object], *, context: Context | None = None) -> None:
        """As a task does, which is called later even if it is done."""
        if self._is_calling:
            self._callbacks.append((callback, context))
        elif self.task is not None:
            self.task.add_done_callback(callback, context=context)
        else:
            asyncio.get_running_loop().call_soon(callback, self, context=context)

    def cancel(self) -> None:
        """Cancels the task, if one does the rest."""
        if self.task is not None:
            self.task.cancel()


Work = asyncio.Task[Any] | Run


def is_inside(work: Work | None) -> bool:
    """Whether the code that asks is called by that handler."""
    return work.inside() if isinstance(work, Run) else asyncio.current_task() is work
