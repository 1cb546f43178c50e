"""The one place that asks whether a hook's result must be waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from inspect import isawaitable, iscoroutine
from typing import Any, TypeGuard

from .exceptions import HookError

__all__ = ["Background", "is_waiting", "refuse_awaitable"]


def is_waiting(result: object) -> TypeGuard[Awaitable[object]]:
    """Whether a hook answered with something to await."""
    return isawaitable(result)


def refuse_awaitable(hook: Any, result: object) -> None:
    """Raises HookError if a hook that runs synchronously answered with an awaitable."""
    if result is None or not isawaitable(result):
        return
    if iscoroutine(result):
        result.close()
    raise HookError(
        f"{getattr(hook, '__qualname__', hook)}: got an awaitable; expected a plain value, because nothing waits "
        "for this hook: make it a plain function, or do the work in process_request"
    )


class Background:
    """Holds the tasks of one application until they are done, since the event loop holds them weakly."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Runs a coroutine in a task of its own."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def drain(self) -> None:
        """Waits until none is left, those included that start meanwhile."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))
