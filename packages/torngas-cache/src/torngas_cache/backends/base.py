"""`BaseCache`: the interface of every cache, and what follows from a handful of its methods.

To make a backend of your own, subclass `BaseCache` and write `get`, `set`, `add`, `touch`, `delete` and `clear`; all
else works by calling these, the coroutines too. A backend that also wants atomic counters, compare-and-set, tags and
leases across processes subclasses `torngas_cache.backends.records.RecordCache` instead.

    class Shelf(BaseCache):
        blocking = False

        def __init__(self, location, params):
            super().__init__(params)
            self._entries = {}
        …

Caches are safe to share between threads and between event loops unless a backend says otherwise.
"""

from __future__ import annotations

from typing import Self

from torngas_cache._keymaking import DEFAULT_TIMEOUT
from torngas_cache._keys import default_key_func
from torngas_cache._recompute import Recomputing
from torngas_cache.errors import CacheKeyWarning, InvalidCacheBackendError, InvalidCacheKey

__all__ = [
    "BaseCache",
    "CacheKeyWarning",
    "DEFAULT_TIMEOUT",
    "InvalidCacheBackendError",
    "InvalidCacheKey",
    "default_key_func",
]


class BaseCache(Recomputing):
    """A cache: named values that may go away.

    Wherever a method takes them: `timeout` is a number of seconds; None never expires, 0 or less is expired at once,
    absent means `default_timeout`. `version` is a namespace of keys, `self.version` where it is None. None is a value
    like any other. Keys that are no strings are made strings.

    Every method has a form with an `a` in front that is a coroutine.
    """

    def close(self) -> None:
        """Gives back connections and the like; may be called twice. The cache opens what it needs if used again."""

    async def aclose(self) -> None:
        """Gives back what belongs to the running loop, and what `close` gives back."""
        await self._offload(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
