"""Blocking functions in a pool of threads, so that they never block the event loop.

class Report(WebHandler):
    async def get(self):
        self.finish(await self.render_report(2026))

    @async_execute
    def render_report(self, year):
        ...  # may take long
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, ParamSpec, TypeVar

from torngas.settings_manager import settings

__all__ = ["ThreadPool", "async_execute", "threads"]

P = ParamSpec("P")
R = TypeVar("R")
logger = logging.getLogger("torngas")


class ThreadPool:
    """A lazily made pool of `THREADS_NUM` threads (None: the number of CPUs); usable again after `shutdown`.

    Thread-safe; used by any number of event loops.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None

    @property
    def executor(self) -> ThreadPoolExecutor:
        """The pool; its size is that of the settings in force at its first use."""
        with self._lock:
            if self._executor is None:
                size = settings.THREADS_NUM or os.cpu_count() or 1
                self._executor = ThreadPoolExecutor(size, thread_name_prefix="torngas")
            return self._executor

    def shutdown(self) -> None:
        """Waits for what runs and forgets what has not begun; idempotent. Blocks: not for the event loop."""
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=True, cancel_futures=True)


threads = ThreadPool()


def async_execute(function: Callable[P, R]) -> Callable[..., asyncio.Future[R]]:
    """Makes a blocking function or method awaitable: calls run in the shared pool of threads.

    The caller's context variables are seen in the thread. Exceptions reach whoever awaits. Cancelling the awaitable
    drops the result; a thread that has begun runs to its end. The keyword `callback` is called on the event loop with
    the result; an exception is then logged too, and the callback is not called.

    Raises:
        RuntimeError: it is called where no event loop runs.
    """

    @functools.wraps(function)
    def submit(*args: Any, **kwargs: Any) -> asyncio.Future[R]:
        callback = kwargs.pop("callback", None)
        loop = asyncio.get_running_loop()
        call = functools.partial(copy_context().run, function, *args, **kwargs)
        future: asyncio.Future[R] = loop.run_in_executor(threads.executor, call)
        if callback is not None:
            future.add_done_callback(functools.partial(_call_back, callback, function))
        return future

    return submit


def _call_back(callback: Callable[[Any], Any], function: Callable[..., Any], future: asyncio.Future[Any]) -> None:
    if future.cancelled():
        return
    if error := future.exception():
        logger.error("async_execute: %s failed", getattr(function, "__qualname__", function), exc_info=error)
        return
    callback(future.result())
