"""The plain methods of every cache, and what follows from a handful of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from torngas_cache._keymaking import DEFAULT_TIMEOUT, MISSING, KeyMaker, Timeout

if TYPE_CHECKING:
    from torngas_cache.locks import Lock


class Face(KeyMaker):
    """The interface; see `torngas_cache.backends.base.BaseCache`, which documents its terms."""

    knows_outages: ClassVar[bool] = False
    """Whether there is a server to lose, so that ON_OUTAGE means something."""

    blocking: ClassVar[bool] = True
    """Whether plain calls do I/O; a coroutine then uses the forms with an `a` in front."""

    shared: ClassVar[bool] = False
    """Whether other processes see the same entries, so that a recomputation takes a lease among them."""

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        """The value, or `default` if there is none; changing it does not change the cache."""
        raise NotImplementedError(f"{type(self).__name__} has no get(); a subclass of BaseCache must write it.")

    def set(
        self,
        key: Any,
        value: Any,
        timeout: Timeout = DEFAULT_TIMEOUT,
        version: Any = None,
        *,
        tags: Iterable[str] = (),
    ) -> None:
        """Stores a value, whatever was there. What cannot be serialized raises, and leaves the old value.

        Args:
            tags: Names; `invalidate_tag` of one of them makes the entry a miss.
        """
        raise NotImplementedError(f"{type(self).__name__} has no set(); a subclass of BaseCache must write it.")

    def add(self, key: Any, value: Any, timeout: Timeout = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """Stores the value unless there is one; True if it was stored."""
        raise NotImplementedError(f"{type(self).__name__} has no add(); a subclass of BaseCache must write it.")

    def touch(self, key: Any, timeout: Timeout = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """Gives the entry a new lifetime from now on; True if there was one."""
        raise NotImplementedError(f"{type(self).__name__} has no touch(); a subclass of BaseCache must write it.")

    def delete(self, key: Any, version: Any = None) -> bool:
        """Removes the entry; True if there was one."""
        raise NotImplementedError(f"{type(self).__name__} has no delete(); a subclass of BaseCache must write it.")

    def clear(self, all: bool = False) -> None:  # noqa: A002  # documented
        """Removes every entry of this cache.

        Args:
            all: Removes what other prefixes and programs keep on the same server too.
        """
        raise NotImplementedError(f"{type(self).__name__} has no clear(); a subclass of BaseCache must write it.")

    def get_many(self, keys: Iterable[Any], version: Any = None) -> dict[Any, Any]:
        """The values that are there, by the keys as they were given."""
        found = ((key, self.get(key, MISSING, version)) for key in keys)
        return {key: value for key, value in found if value is not MISSING}

    def set_many(self, data: Mapping[Any, Any], timeout: Timeout = DEFAULT_TIMEOUT, version: Any = None) -> list[Any]:
        """Stores several values; returns the keys that could not be stored, `[]` on success."""
        for key, value in data.items():
            self.set(key, value, timeout, version)
        return []

    def delete_many(self, keys: Iterable[Any], version: Any = None) -> None:
        """Removes several entries, those that do not exist included."""
        for key in keys:
            self.delete(key, version)

    def has_key(self, key: Any, version: Any = None) -> bool:
        """Whether there is an entry; None is one too."""
        return self.get(key, MISSING, version) is not MISSING

    def __contains__(self, key: Any) -> bool:
        return self.has_key(key)

    def ttl(self, key: Any, version: Any = None) -> float | None:
        """Seconds until the entry expires; None if it never does, 0 if there is none."""
        raise NotImplementedError(f"{type(self).__name__} does not know how long its entries live.")

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        """Adds to a stored integer and returns the sum; the lifetime stays.

        `BaseCache` itself reads and writes, which is not atomic; every backend of this library is.

        Raises:
            ValueError: There is no such entry.
            TypeError: What is stored is no integer.
        """
        value = self.get(key, MISSING, version)
        if value is MISSING:
            raise ValueError(f"Key {key!r} not found")
        if not isinstance(value, int):
            raise TypeError(f"incr: got the key {key!r} with a {type(value).__name__}; expected an integer.")
        self.set(key, value + delta, DEFAULT_TIMEOUT, version)
        return value + delta

    def decr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        """Subtracts from a stored integer; `incr` with the sign turned round."""
        return self.incr(key, -delta, version)

    def incr_version(self, key: Any, delta: int = 1, version: Any = None) -> Any:
        """Moves the entry to another version, with the rest of its lifetime where that is known; returns the version.

        Raises:
            ValueError: There is no such entry.
        """
        version = self.version if version is None else version
        value = self.get(key, MISSING, version)
        if value is MISSING:
            raise ValueError(f"Key {key!r} not found")
        self.set(key, value, self._rest_of_life(key, version), version + delta)
        self.delete(key, version)
        return version + delta

    def decr_version(self, key: Any, delta: int = 1, version: Any = None) -> Any:
        """Moves the entry to an earlier version."""
        return self.incr_version(key, -delta, version)

    def _rest_of_life(self, key: Any, version: Any) -> Timeout:
        try:
            return self.ttl(key, version)
        except NotImplementedError:
            return DEFAULT_TIMEOUT

    def gets(self, key: Any, default: Any = None, version: Any = None) -> tuple[Any, Any]:
        """The value and a token for `cas`; `(default, None)` if there is none."""
        raise NotImplementedError(f"{type(self).__name__} cannot compare and set.")

    def cas(self, key: Any, value: Any, token: Any, timeout: Timeout = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """Stores the value if the entry is still the one that `gets` saw; atomic.

        Args:
            token: What `gets` returned. None stands for 'there was none': stores only if there still is none.

        Returns:
            False if the entry was changed or removed since, in which case nothing is stored.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot compare and set.")

    def lock(self, key: Any, timeout: float, *, wait: float | None = None, version: Any = None) -> Lock:
        """A lock by this name, for `with` and `async with`; see `torngas_cache.locks`.

        Args:
            key: Names the lock; an entry of the same key has nothing to do with it.
            timeout: Seconds after which it ends unless it is renewed; above 0.
            wait: Seconds to wait for it; None: as long as it takes, 0: not at all.
        """
        raise NotImplementedError(f"{type(self).__name__} has no locks.")

    def invalidate_tag(self, tag: str, version: Any = None) -> None:
        """Makes a miss of every entry that was stored with this tag: one write, however many they are."""
        raise NotImplementedError(f"{type(self).__name__} has no tags.")
