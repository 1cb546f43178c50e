"""Compare-and-set for a store that has none: under a lock, and so within this process only."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any
from weakref import WeakValueDictionary

__all__ = ["LockedStore"]

_logger = logging.getLogger("torngas_session")


class LockedStore:
    """Adds `gets` and `cas` to a store that has get, set and delete; the token is the value itself.

    Requests of one process lose nothing. Those of two processes can: between the comparison and the writing,
    the other may write. It says so once, in the log, when it is made.
    """

    def __init__(self, store: Any) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._locks: WeakValueDictionary[tuple[int, str], asyncio.Lock] = WeakValueDictionary()
        if hasattr(store, "aget"):
            self.agets = self._agets
            self.acas = self._acas
            self.adelete = self._adelete
        _logger.warning(
            "%s has no gets() and cas(): concurrent saves are merged within this process only", type(store).__name__
        )

    def gets(self, key: str) -> tuple[Any, Any]:
        """The value, twice: it is its own token."""
        value = self._store.get(key, None)
        return value, value

    def cas(self, key: str, value: Any, token: Any, timeout: float | None) -> bool:
        """Stores the value if the entry still equals the token."""
        with self._lock:
            if self._store.get(key, None) != token:
                return False
            self._store.set(key, value, timeout)
            return True

    def delete(self, key: str) -> None:
        """Removes the entry, not between another's comparison and its writing."""
        with self._lock:
            self._store.delete(key)

    async def _agets(self, key: str) -> tuple[Any, Any]:
        value = await self._store.aget(key, None)
        return value, value

    async def _acas(self, key: str, value: Any, token: Any, timeout: float | None) -> bool:
        async with self._lock_of(key):
            if await self._store.aget(key, None) != token:
                return False
            await self._store.aset(key, value, timeout)
            return True

    async def _adelete(self, key: str) -> None:
        async with self._lock_of(key):
            await self._store.adelete(key)

    def _lock_of(self, key: str) -> asyncio.Lock:
        return self._locks.setdefault((id(asyncio.get_running_loop()), key), asyncio.Lock())
