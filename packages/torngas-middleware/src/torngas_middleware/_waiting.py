"""Waiting for hooks: the one place that asks whether a result is awaitable, and the tasks that run beside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from inspect import isawaitable, iscoroutine
from typing import Any, TypeGuard

from .exceptions import HookError

__all__ = ["Background", "discard", "is_waiting", "refuse_awaitable", "reraise_cancellation"]


def is_waiting(result: object) -> TypeGuard[Awaitable[object]]:
    """Whether a hook answered with something to await."""
    return isawaitable(result)


def discard(waiting: object) -> None:
    """Gives up an awaitable that nobody will await, without the warning of a coroutine that never ran."""
    if iscoroutine(waiting):
        waiting.close()


def refuse_awaitable(hook: Any, result: object) -> None:
    """Raises HookError if a hook for which nothing waits answered with an awaitable."""
    if result is None or not isawaitable(result):
        return
    discard(result)
    raise HookError(
        f"{getattr(hook, '__qualname__', hook)}: got an awaitable; expected a plain value, because nothing waits "
        "for this hook: make it a plain function, or do the work in process_request"
    )


def reraise_cancellation(error: BaseException) -> None:
    """Raises `error` again if it is the cancellation of the running task, and no failure of what it awaits."""
    task = asyncio.current_task()
    if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
        raise error


class Background:
    """Holds the tasks of one application until they are done, since the event loop holds them weakly."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs a coroutine in a task of its own."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def drain(self) -> None:
        """Waits until none is left, those included that start meanwhile."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))
