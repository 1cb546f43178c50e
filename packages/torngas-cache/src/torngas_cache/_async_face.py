"""The coroutine form of every method, for caches that have only plain ones."""

# a timeout is the lifetime of an entry here, not a deadline of the call
from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar

from torngas_cache._face import Face
from torngas_cache._keymaking import DEFAULT_TIMEOUT, Timeout

P = ParamSpec("P")
T = TypeVar("T")


class AsyncFace(Face):
    """Each method with an `a` in front: the plain one in a thread where that blocks, else called directly."""

    async def _offload(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self.blocking:
            return await asyncio.to_thread(function, *args, **kwargs)
        return function(*args, **kwargs)

    async def aget(self, key: Any, default: Any = None, version: Any = None) -> Any:
        """`get` as a coroutine."""
        return await self._offload(self.get, key, default, version)

    async def aset(
        self,
        key: Any,
        value: Any,
        timeout: Timeout = DEFAULT_TIMEOUT,
        version: Any = None,
        *,
        tags: Iterable[str] = (),
    ) -> None:
        """`set` as a coroutine."""
        if tags:
            return await self._offload(self.set, key, value, timeout, version, tags=tags)
        return await self._offload(self.set, key, value, timeout, version)

    async def aadd(self, key: Any, value: Any, timeout: Timeout = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """`add` as a coroutine."""
        return await self._offload(self.add, key, value, timeout, version)

    async def atouch(self, key: Any, timeout: Timeout = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """`touch` as a coroutine."""
        return await self._offload(self.touch, key, timeout, version)

    async def adelete(self, key: Any, version: Any = None) -> bool:
        """`delete` as a coroutine."""
        return await self._offload(self.delete, key, version)

    async def aclear(self, all: bool = False) -> None:  # noqa: A002  # documented
        """`clear` as a coroutine."""
        return await (self._offload(self.clear, all) if all else self._offload(self.clear))

    async def aget_many(self, keys: Iterable[Any], version: Any = None) -> dict[Any, Any]:
        """`get_many` as a coroutine."""
        return await self._offload(self.get_many, list(keys), version)

    async def aset_many(
        self, data: Mapping[Any, Any], timeout: Timeout = DEFAULT_TIMEOUT, version: Any = None
    ) -> list[Any]:
        """`set_many` as a coroutine."""
        return await self._offload(self.set_many, data, timeout, version)

    async def adelete_many(self, keys: Iterable[Any], version: Any = None) -> None:
        """`delete_many` as a coroutine."""
        return await self._offload(self.delete_many, list(keys), version)

    async def ahas_key(self, key: Any, version: Any = None) -> bool:
        """`has_key` as a coroutine."""
        return await self._offload(self.has_key, key, version)

    async def attl(self, key: Any, version: Any = None) -> float | None:
        """`ttl` as a coroutine."""
        return await self._offload(self.ttl, key, version)

    async def aincr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        """`incr` as a coroutine."""
        return await self._offload(self.incr, key, delta, version)

    async def adecr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        """`decr` as a coroutine."""
        return await self._offload(self.decr, key, delta, version)

    async def aincr_version(self, key: Any, delta: int = 1, version: Any = None) -> Any:
        """`incr_version` as a coroutine."""
        return await self._offload(self.incr_version, key, delta, version)

    async def adecr_version(self, key: Any, delta: int = 1, version: Any = None) -> Any:
        """`decr_version` as a coroutine."""
        return await self._offload(self.decr_version, key, delta, version)

    async def agets(self, key: Any, default: Any = None, version: Any = None) -> tuple[Any, Any]:
        """`gets` as a coroutine."""
        return await self._offload(self.gets, key, default, version)

    async def acas(
        self, key: Any, value: Any, token: Any, timeout: Timeout = DEFAULT_TIMEOUT, version: Any = None
    ) -> bool:
        """`cas` as a coroutine."""
        return await self._offload(self.cas, key, value, token, timeout, version)

    async def ainvalidate_tag(self, tag: str, version: Any = None) -> None:
        """`invalidate_tag` as a coroutine."""
        return await self._offload(self.invalidate_tag, tag, version)
