"""`RecordCache`: every method of a cache, plain and as a coroutine, over the primitives of a store.

Subclass it to connect a store that can compare and set: write the primitives of `torngas_cache._primitives` (nine
short methods), set `blocking` and `shared`, and where the store has an asynchronous client, the primitives with an `a`
too. Counters, `add`, `touch`, `cas`, tags, leases and locks are then atomic as far as the primitives are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torngas_cache._keymaking import DEFAULT_TIMEOUT, Timeout
from torngas_cache._record_steps import new_stamp
from torngas_cache._records_async import AsyncRecords
from torngas_cache._steps import run
from torngas_cache.locks import Lock

__all__ = ["RecordCache"]


class RecordCache(AsyncRecords):
    """A cache over a store of payloads; the methods are those of `BaseCache`."""

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        """The value, or `default`."""
        payload = self._read(self.make_and_validate_key(key, version))
        if payload is None:
            return default
        if self._is_framed(payload):
            return run(self, self._open_framed(payload, default))
        return self._open(payload, default)

    def set(
        self,
        key: Any,
        value: Any,
        timeout: Timeout = DEFAULT_TIMEOUT,
        version: Any = None,
        *,
        tags: Iterable[str] = (),
    ) -> None:
        """Stores a value, whatever was there."""
        storage_key = self.make_and_validate_key(key, version)
        if tags:
            run(self, self._set_tagged(storage_key, value, timeout, version, tags))
        else:
            run(self, self._store_steps(storage_key, self._encode(value), timeout))

    def add(self, key: Any, value: Any, timeout: Timeout = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """Stores unless there is an entry, atomically."""
        storage_key = self.make_and_validate_key(key, version)
        return run(self, self._add_steps(storage_key, self._encode(value), timeout))

    def touch(self, key: Any, timeout: Timeout = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """Gives an entry a new lifetime."""
        return run(self, self._touch_steps(self.make_and_validate_key(key, version), timeout))

    def delete(self, key: Any, version: Any = None) -> bool:
        """Removes an entry."""
        return self._remove(self.make_and_validate_key(key, version))

    def clear(self, all: bool = False) -> None:  # noqa: A002  # documented
        """Removes the entries of this cache; `all=True` everything in the store."""
        self._wipe(all)

    def get_many(self, keys: Iterable[Any], version: Any = None) -> dict[Any, Any]:
        """The values that are there."""
        return run(self, self._get_many_steps(keys, version))

    def set_many(self, data: Mapping[Any, Any], timeout: Timeout = DEFAULT_TIMEOUT, version: Any = None) -> list[Any]:
        """Stores several values; returns the keys that failed."""
        names, payloads = self._encode_many(data, version)
        return run(self, self._set_many_steps(names, payloads, timeout))

    def delete_many(self, keys: Iterable[Any], version: Any = None) -> None:
        """Removes several entries."""
        self._remove_many([self.make_and_validate_key(key, version) for key in keys])

    def has_key(self, key: Any, version: Any = None) -> bool:
        """Whether there is an entry."""
        return run(self, self._has_steps(self.make_and_validate_key(key, version)))

    def ttl(self, key: Any, version: Any = None) -> float | None:
        """Seconds until the entry expires; None: never, 0: there is none."""
        return run(self, self._ttl_steps(self.make_and_validate_key(key, version)))

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        """Adds to a stored integer, atomically."""
        return run(self, self._incr_steps(key, self.make_and_validate_key(key, version), delta))

    def incr_version(self, key: Any, delta: int = 1, version: Any = None) -> Any:
        """Moves an entry to another version."""
        version, old, new = self._two_versions(key, delta, version)
        run(self, self._move_steps(key, old, new))
        return version

    def gets(self, key: Any, default: Any = None, version: Any = None) -> tuple[Any, Any]:
        """The value and its token for `cas`."""
        return run(self, self._gets_steps(self.make_and_validate_key(key, version), default))

    def cas(self, key: Any, value: Any, token: Any, timeout: Timeout = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """Stores if nothing changed since `gets`, atomically."""
        storage_key = self.make_and_validate_key(key, version)
        return run(self, self._cas_steps(storage_key, self._encode(value), token, timeout))

    def lock(self, key: Any, timeout: float, *, wait: float | None = None, version: Any = None) -> Lock:
        """A lock by this name, for `with` and `async with`."""
        self.make_and_validate_key(key, version)
        return Lock(self, self._internal_key("lock", key, version), timeout, wait, new_stamp())

    def invalidate_tag(self, tag: str, version: Any = None) -> None:
        """Makes a miss of every entry with this tag."""
        self._write(self._internal_key("tag", tag, version), new_stamp(), None)
