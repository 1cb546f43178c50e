"""Where the buckets of a rate limit are kept."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from .exceptions import MiddlewareTypeError

__all__ = ["BucketStore", "CounterBuckets", "MemoryBuckets", "bucket_store"]


class BucketStore(Protocol):
    """One operation, atomic in the store. It raises if the store cannot answer."""

    def take(self, key: str, burst: int, rate: float, /) -> Awaitable[float] | float:
        """Takes a token of the key's bucket: 0 if there was one, else the seconds until there is. May be async."""
        ...


class MemoryBuckets:
    """Exact token buckets in this process, for one event loop.

    Args:
        limit: How many keys are kept at most. Full buckets go first, since a new one is full as well, then the oldest.
        clock: Monotonic seconds.
    """

    def __init__(self, *, limit: int = 100_000, clock: Callable[[], float] = time.monotonic) -> None:
        if limit < 1:
            raise ValueError(f"MemoryBuckets: got limit={limit}; expected 1 or more")
        self._limit = limit
        self._clock = clock
        self._full_at: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: str, burst: int, rate: float, /) -> float:
        """Takes a token, or tells the seconds until there is one."""
        now = self._clock()
        # The instant at which a bucket is full tells its tokens: a token less is 1/rate seconds later.
        full_at = max(self._full_at.pop(key, now), now)
        wait = full_at - now - (burst - 1) / rate
        if wait > 1e-9:
            self._full_at[key] = full_at
            return wait
        self._full_at[key] = full_at + 1 / rate
        if len(self._full_at) > self._limit:
            self._shrink(now)
        return 0.0

    def _shrink(self, now: float) -> None:
        """Leaves at most nine tenths, so that the work is spread over many calls."""
        self._full_at = {key: at for key, at in self._full_at.items() if at > now}
        surplus = len(self._full_at) - self._limit * 9 // 10
        for key in list(self._full_at)[: max(surplus, 0)]:
            del self._full_at[key]


class CounterBuckets:
    """Buckets on the counters of a cache that several processes share: `add` and `incr`, or `aadd` and `aincr`.

    A counter cannot refill little by little: its bucket is refilled as a whole every `burst / rate` seconds.

    Args:
        cache: Has `add(key, value, timeout)`, false if the key exists, and `incr(key)`, which tells the new value
            and raises ValueError for a missing key. The async pair is preferred where `cache.blocking` is not False.
        clock: Seconds since the epoch, the same in all processes.
    """

    def __init__(self, cache: Any, *, clock: Callable[[], float] = time.time) -> None:
        self._cache = cache
        self._clock = clock
        self._async = _has(cache, "aadd", "aincr") and (
            getattr(cache, "blocking", True) or not _has(cache, "add", "incr")
        )

    def take(self, key: str, burst: int, rate: float, /) -> Awaitable[float] | float:
        """Counts this request; async where the cache is."""
        period = burst / rate
        window, passed = divmod(self._clock(), period)
        name, wait = f"{key}:{window:.0f}", period - passed
        if self._async:
            return self._take_async(name, math.ceil(period) + 1, burst, wait)
        if not self._cache.add(name, 1, math.ceil(period) + 1) and self._cache.incr(name) > burst:
            return wait
        return 0.0

    async def _take_async(self, name: str, timeout: int, burst: int, wait: float) -> float:
        taken = await self._cache.aadd(name, 1, timeout) or await self._cache.aincr(name) <= burst
        return 0.0 if taken else wait


def _has(store: object, *names: str) -> bool:
    return all(callable(getattr(store, name, None)) for name in names)


def bucket_store(store: Any) -> BucketStore:
    """The store itself if it has `take`, else buckets on its counters."""
    if _has(store, "take"):
        return store  # type: ignore[no-any-return]
    if _has(store, "add", "incr") or _has(store, "aadd", "aincr"):
        return CounterBuckets(store)
    raise MiddlewareTypeError(
        f"RateLimitMiddleware.store: got {store!r}; expected an object with take(key, burst, rate), "
        "or a cache with add and incr"
    )
