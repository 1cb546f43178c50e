"""The methods of a `RecordCache` as coroutines: the same steps, awaited."""

# a timeout is the lifetime of an entry here, not a deadline of the call
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torngas_cache._keymaking import DEFAULT_TIMEOUT, Timeout
from torngas_cache._lead_steps import LeadSteps
from torngas_cache._record_steps import new_stamp
from torngas_cache._steps import arun


class AsyncRecords(LeadSteps):
    """Methods with an `a` in front."""

    async def aget(self, key: Any, default: Any = None, version: Any = None) -> Any:
        """The value, or `default`."""
        payload = await self._aread(self.make_and_validate_key(key, version))
        if payload is None:
            return default
        if self._is_framed(payload):
            return await arun(self, self._open_framed(payload, default))
        return self._open(payload, default)

    async def aset(
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
            await arun(self, self._set_tagged(storage_key, value, timeout, version, tags))
        else:
            await arun(self, self._store_steps(storage_key, self._encode(value), timeout))

    async def aadd(self, key: Any, value: Any, timeout: Timeout = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """Stores unless there is an entry, atomically."""
        storage_key = self.make_and_validate_key(key, version)
        return await arun(self, self._add_steps(storage_key, self._encode(value), timeout))

    async def atouch(self, key: Any, timeout: Timeout = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """Gives an entry a new lifetime."""
        return await arun(self, self._touch_steps(self.make_and_validate_key(key, version), timeout))

    async def adelete(self, key: Any, version: Any = None) -> bool:
        """Removes an entry."""
        return await self._aremove(self.make_and_validate_key(key, version))

    async def aclear(self, all: bool = False) -> None:  # noqa: A002  # documented
        """Removes the entries of this cache; `all=True` everything in the store."""
        await self._awipe(all)

    async def aget_many(self, keys: Iterable[Any], version: Any = None) -> dict[Any, Any]:
        """The values that are there."""
        return await arun(self, self._get_many_steps(keys, version))

    async def aset_many(
        self, data: Mapping[Any, Any], timeout: Timeout = DEFAULT_TIMEOUT, version: Any = None
    ) -> list[Any]:
        """Stores several values; returns the keys that failed."""
        names, payloads = self._encode_many(data, version)
        return await arun(self, self._set_many_steps(names, payloads, timeout))

    async def adelete_many(self, keys: Iterable[Any], version: Any = None) -> None:
        """Removes several entries."""
        await self._aremove_many([self.make_and_validate_key(key, version) for key in keys])

    async def ahas_key(self, key: Any, version: Any = None) -> bool:
        """Whether there is an entry."""
        return await arun(self, self._has_steps(self.make_and_validate_key(key, version)))

    async def attl(self, key: Any, version: Any = None) -> float | None:
        """Seconds until the entry expires; None: never, 0: there is none."""
        return await arun(self, self._ttl_steps(self.make_and_validate_key(key, version)))

    async def aincr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        """Adds to a stored integer, atomically."""
        return await arun(self, self._incr_steps(key, self.make_and_validate_key(key, version), delta))

    async def adecr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        """Subtracts from a stored integer, atomically."""
        return await self.aincr(key, -delta, version)

    async def aincr_version(self, key: Any, delta: int = 1, version: Any = None) -> Any:
        """Moves an entry to another version."""
        version, old, new = self._two_versions(key, delta, version)
        await arun(self, self._move_steps(key, old, new))
        return version

    async def adecr_version(self, key: Any, delta: int = 1, version: Any = None) -> Any:
        """Moves an entry to an earlier version."""
        return await self.aincr_version(key, -delta, version)

    async def agets(self, key: Any, default: Any = None, version: Any = None) -> tuple[Any, Any]:
        """The value and its token for `acas`."""
        return await arun(self, self._gets_steps(self.make_and_validate_key(key, version), default))

    async def acas(
        self,
        key: Any,
        value: Any,
        token: Any,
        timeout: Timeout = DEFAULT_TIMEOUT,
        version: Any = None,
    ) -> bool:
        """Stores if nothing changed since `agets`, atomically."""
        storage_key = self.make_and_validate_key(key, version)
        return await arun(self, self._cas_steps(storage_key, self._encode(value), token, timeout))

    async def ainvalidate_tag(self, tag: str, version: Any = None) -> None:
        """Makes a miss of every entry with this tag."""
        await self._awrite(self._internal_key("tag", tag, version), new_stamp(), None)
