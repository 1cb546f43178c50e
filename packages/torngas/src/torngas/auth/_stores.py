"""One asynchronous face for the stores that tokens live in: torngas caches, and anything with get, set and delete."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from torngas.auth.errors import AuthConfigError
from torngas_cache import caches

__all__ = ["TokenStore"]

_ATTEMPTS = 50


class TokenStore:
    """A store, called in the way that does not block the event loop.

    Args:
        store: The alias of a cache in CACHES, looked up at each use, or an object with `get(key, default)`,
            `set(key, value, timeout)` and `delete(key)`; `aget`, `aset` and `adelete` are used where it has them. Its
            plain calls run in a thread, unless its attribute `blocking` is False.

    Raises:
        AuthConfigError: it is neither.
    """

    def __init__(self, store: Any) -> None:
        if not isinstance(store, str) and not all(hasattr(store, name) for name in ("get", "set", "delete")):
            raise AuthConfigError(
                f"Tokens: got a store of type {type(store).__name__}; expected the alias of a cache, e.g. 'default', "
                "or an object with get, set and delete"
            )
        self._given = store

    async def get(self, key: str) -> Any:
        """The value, or None."""
        return await self._call("get", key, None)

    async def set(self, key: str, value: Any, timeout: float | None) -> None:
        """Stores a value; `timeout` in seconds, None for ever."""
        await self._call("set", key, value, timeout)

    async def delete(self, key: str) -> None:
        """Removes an entry, if it is there."""
        await self._call("delete", key)

    async def update(self, key: str, change: Callable[[Any], tuple[Any, float | None]]) -> None:
        """Replaces a value by the value and timeout that `change` answers; atomic where the store has gets and cas."""
        if not hasattr(self._store, "cas"):
            await self.set(key, *change(await self.get(key)))
            return
        for attempt in range(_ATTEMPTS):
            value, token = await self._call("gets", key)
            changed, timeout = change(value)
            if await self._call("cas", key, changed, token, timeout):
                return
            await asyncio.sleep(0.001 * attempt)
        raise TimeoutError(f"Tokens: a store's entry was changed by others {_ATTEMPTS} times in a row; try again")

    @property
    def _store(self) -> Any:
        return caches[self._given] if isinstance(self._given, str) else self._given

    async def _call(self, name: str, *args: Any) -> Any:
        store = self._store
        coroutine = getattr(store, f"a{name}", None)
        if coroutine is not None:
            return await coroutine(*args)
        if getattr(store, "blocking", True):
            return await asyncio.to_thread(getattr(store, name), *args)
        return getattr(store, name)(*args)
