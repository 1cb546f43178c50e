"""One check, made within a time limit that others keep: on the loop if it is async, else in a thread of its own."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, NamedTuple

from torngas.observe.watch import unobserved

__all__ = ["Attempt", "Outcome", "in_thread"]

logger = logging.getLogger("torngas")


class Outcome(NamedTuple):
    """What a check said.

    Attributes:
        status: "ok", "failed" or "timeout".
        seconds: How long it took.
        error: The kind of exception that it raised, or None.
    """

    status: str
    seconds: float
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The outcome without anything that could be a secret."""
        shown: dict[str, Any] = {"status": self.status, "ms": round(self.seconds * 1000, 3)}
        return shown if self.error is None else {**shown, "error": self.error}


class Attempt:
    """A check and its last run."""

    def __init__(self, check: Callable[[], Any]) -> None:
        self._check = check
        self._is_async = inspect.iscoroutinefunction(check) or inspect.iscoroutinefunction(
            getattr(check, "__call__", None)  # noqa: B004 - an object whose call is async
        )
        self._began = 0.0
        self.task: asyncio.Task[Outcome] | None = None

    def begin(self) -> asyncio.Task[Outcome]:
        """Starts the check; one that hangs since the last time is waited for instead."""
        loop = asyncio.get_running_loop()
        if self.task is None or self.task.done() or self.task.get_loop() is not loop:
            self._began = time.perf_counter()
            self.task = loop.create_task(self._run())
        return self.task

    def outcome(self) -> Outcome:
        """How it went, or that its time is up. What is async is given up then; a thread cannot be."""
        task = self.task
        if task is not None and task.done() and not task.cancelled():
            return task.result()
        if task is not None and self._is_async:
            task.cancel()
        return Outcome("timeout", time.perf_counter() - self._began)

    async def _run(self) -> Outcome:
        began = time.perf_counter()
        try:
            with unobserved():
                answer = await self._check() if self._is_async else await in_thread(self._check)
                if inspect.isawaitable(answer):
                    answer = await answer
        except Exception as error:
            logger.debug("a health check failed", exc_info=True)
            return Outcome("failed", time.perf_counter() - began, type(error).__name__)
        return Outcome("failed" if answer is False else "ok", time.perf_counter() - began)


async def in_thread(function: Callable[[], Any]) -> Any:
    """Runs a function in a thread of its own: the loop's pool may be full of what made the check fail.

    The thread is a daemon, so that a server which never answers does not keep the process from ending.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    context = copy_context()

    def settle(result: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def work() -> None:
        try:
            result, error = context.run(function), None
        except Exception as caught:  # noqa: BLE001 - raised to the one who waits
            result, error = None, caught
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:  # the loop was closed meanwhile
            pass

    threading.Thread(target=work, name="torngas-health", daemon=True).start()
    return await future
