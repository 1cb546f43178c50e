"""The few calls that a store has to offer; everything else in this library is made of them.

A primitive sees storage keys, which are made and validated, and payloads, which are encoded: `bytes`, or `int` for an
integer that the store must be able to count with. `seconds` is above 0, or None for an entry that never expires.
Each has a twin for coroutines, `_a…`, by default the plain one: in a thread where the backend blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torngas_cache._codec import Payload
from torngas_cache.backends.base import BaseCache


class Primitives(BaseCache):
    """What a backend writes; the methods that come last have defaults, which a store may do faster."""

    def _read(self, key: str) -> Payload | None:
        """The payload; None: absent or expired."""
        raise NotImplementedError

    def _write(self, key: str, payload: Payload, seconds: float | None) -> None:
        """Stores, whatever was there; raises if that fails."""
        raise NotImplementedError

    def _insert(self, key: str, payload: Payload, seconds: float | None) -> bool:
        """Stores unless there is an entry, atomically; whether it was stored."""
        raise NotImplementedError

    def _remove(self, key: str) -> bool:
        """Removes; whether there was an entry."""
        raise NotImplementedError

    def _expire(self, key: str, seconds: float | None) -> bool:
        """Sets the remaining life; whether there is an entry."""
        raise NotImplementedError

    def _remaining(self, key: str) -> float | None:
        """Seconds left; None: never expires; 0.0: absent."""
        raise NotImplementedError

    def _increment(self, key: str, delta: int) -> int | None:
        """Adds atomically and returns the sum, the remaining life stays; None: absent. TypeError: no bare integer."""
        raise NotImplementedError

    def _read_token(self, key: str) -> tuple[Payload | None, Any]:
        """The payload and what `_swap` needs to recognize it; (None, None): absent."""
        raise NotImplementedError

    def _swap(self, key: str, payload: Payload, token: Any, seconds: float | None) -> bool:
        """Stores if the entry is the one of the token, atomically; with `seconds` of 0 or less removes it instead."""
        raise NotImplementedError

    def _wipe(self, everything: bool) -> None:
        """Removes this cache's entries, or everything in the store."""
        raise NotImplementedError

    # with defaults

    def _read_many(self, keys: Sequence[str]) -> dict[str, Payload]:
        found = ((key, self._read(key)) for key in keys)
        return {key: payload for key, payload in found if payload is not None}

    def _write_many(self, payloads: Mapping[str, Payload], seconds: float | None) -> list[str]:
        """Returns the keys that were not stored."""
        for key, payload in payloads.items():
            self._write(key, payload, seconds)
        return []

    def _remove_many(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._remove(key)

    def _head(self, key: str) -> Payload | None:
        """At least the first `HEAD_BYTES` of the payload."""
        return self._read(key)

    def _remove_if(self, key: str, payload: Payload) -> bool:
        """Removes the entry if its payload is this one, atomically."""
        found, token = self._read_token(key)
        return found == payload and self._swap(key, payload, token, 0)

    def _expire_if(self, key: str, payload: Payload, seconds: float) -> bool:
        """Sets the remaining life of the entry if its payload is this one, atomically."""
        found, token = self._read_token(key)
        return found == payload and self._swap(key, payload, token, seconds)

    def _claim_lease(self, key: str, payload: Payload, seconds: float) -> bool:
        """Takes the lease of a recomputation: False means that somebody has it, and is worth waiting for."""
        return self._insert(key, payload, seconds)

    def _claim_lock(self, key: str, payload: Payload, seconds: float | None) -> bool:
        """Takes a lock; never True unless it was really taken."""
        return self._insert(key, payload, seconds)

    # for coroutines

    async def _aread(self, key: str) -> Payload | None:
        return await self._offload(self._read, key)

    async def _awrite(self, key: str, payload: Payload, seconds: float | None) -> None:
        return await self._offload(self._write, key, payload, seconds)

    async def _ainsert(self, key: str, payload: Payload, seconds: float | None) -> bool:
        return await self._offload(self._insert, key, payload, seconds)

    async def _aremove(self, key: str) -> bool:
        return await self._offload(self._remove, key)

    async def _aexpire(self, key: str, seconds: float | None) -> bool:
        return await self._offload(self._expire, key, seconds)

    async def _aremaining(self, key: str) -> float | None:
        return await self._offload(self._remaining, key)

    async def _aincrement(self, key: str, delta: int) -> int | None:
        return await self._offload(self._increment, key, delta)

    async def _aread_token(self, key: str) -> tuple[Payload | None, Any]:
        return await self._offload(self._read_token, key)

    async def _aswap(self, key: str, payload: Payload, token: Any, seconds: float | None) -> bool:
        return await self._offload(self._swap, key, payload, token, seconds)

    async def _awipe(self, everything: bool) -> None:
        return await self._offload(self._wipe, everything)

    async def _aread_many(self, keys: Sequence[str]) -> dict[str, Payload]:
        return await self._offload(self._read_many, keys)

    async def _awrite_many(self, payloads: Mapping[str, Payload], seconds: float | None) -> list[str]:
        return await self._offload(self._write_many, payloads, seconds)

    async def _aremove_many(self, keys: Iterable[str]) -> None:
        return await self._offload(self._remove_many, keys)

    async def _ahead(self, key: str) -> Payload | None:
        return await self._offload(self._head, key)

    async def _aremove_if(self, key: str, payload: Payload) -> bool:
        return await self._offload(self._remove_if, key, payload)

    async def _aexpire_if(self, key: str, payload: Payload, seconds: float) -> bool:
        return await self._offload(self._expire_if, key, payload, seconds)

    async def _aclaim_lease(self, key: str, payload: Payload, seconds: float) -> bool:
        return await self._ainsert(key, payload, seconds)

    async def _aclaim_lock(self, key: str, payload: Payload, seconds: float | None) -> bool:
        return await self._ainsert(key, payload, seconds)
