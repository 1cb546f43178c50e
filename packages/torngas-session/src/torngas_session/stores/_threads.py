"""Async forms of a store's plain methods: each call runs in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

__all__ = ["ThreadedStore"]


class ThreadedStore:
    """Base of the stores that do I/O by plain calls.

    Args:
        executor: Runs the calls; None is the running loop's default one.
    """

    blocking = True

    get: Callable[..., Any]
    set: Callable[..., None]
    delete: Callable[..., None]
    gets: Callable[..., tuple[Any, Any]]
    cas: Callable[..., bool]

    def __init__(self, executor: Executor | None) -> None:
        self._executor = executor

    async def aget(self, key: str, default: Any = None) -> Any:
        """`get`, awaited."""
        return await self._run(self.get, key, default)

    async def aset(self, key: str, value: Any, timeout: float | None) -> None:
        """`set`, awaited."""
        await self._run(self.set, key, value, timeout)

    async def adelete(self, key: str) -> None:
        """`delete`, awaited."""
        await self._run(self.delete, key)

    async def agets(self, key: str) -> tuple[Any, Any]:
        """`gets`, awaited."""
        found: tuple[Any, Any] = await self._run(self.gets, key)
        return found

    async def acas(self, key: str, value: Any, token: Any, timeout: float | None) -> bool:
        """`cas`, awaited."""
        return bool(await self._run(self.cas, key, value, token, timeout))

    async def _run(self, call: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, call, *args)
