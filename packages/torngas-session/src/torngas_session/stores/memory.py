"""Sessions in the memory of this process: they end with it, and no other process sees them."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

from ..errors import ConfigurationError
from ._packing import pack, unpack

__all__ = ["MemoryStore"]

_Entry = tuple[float | None, Any, int]
_IMMUTABLE = (str, bytes, int, float, type(None))


class MemoryStore:
    """A bounded dict with deadlines; safe across threads, never blocks.

    Args:
        max_entries: When more are stored, expired ones and those that were written longest ago go.
        clock: Seconds; only differences count.
    """

    blocking = False

    def __init__(self, *, max_entries: int = 100_000, clock: Callable[[], float] = time.monotonic) -> None:
        if max_entries < 1:
            raise ConfigurationError(f"MemoryStore: got max_entries={max_entries}; expected 1 or more")
        self._max_entries = max_entries
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.Lock()
        self._versions = itertools.count(1)

    def __len__(self) -> int:
        """How many entries are kept, those included that expired and were not met since."""
        return len(self._entries)

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or `default` if absent or expired."""
        value, token = self.gets(key)
        return default if token is None else value

    def gets(self, key: str) -> tuple[Any, int | None]:
        """The value and its version; `(None, None)` if absent or expired."""
        entry = self._entries.get(key)
        if entry is None:
            return None, None
        deadline, value, version = entry
        if deadline is not None and self._clock() >= deadline:
            with self._lock:
                if self._entries.get(key) is entry:
                    del self._entries[key]
            return None, None
        return (unpack(value[0]) if type(value) is tuple else value), version

    def set(self, key: str, value: Any, timeout: float | None) -> None:
        """Stores a copy for `timeout` seconds; None for ever, 0 and less not at all."""
        with self._lock:
            self._write(key, _frozen(value), timeout)

    def cas(self, key: str, value: Any, token: int | None, timeout: float | None) -> bool:
        """Stores the value if the entry still has this version; with None, if there is none."""
        frozen = value if type(value) is str else _frozen(value)
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry[0] is not None and self._clock() >= entry[0]:
                entry = None
            if (None if entry is None else entry[2]) != token:
                return False
            self._write(key, frozen, timeout)
            return True

    def delete(self, key: str) -> None:
        """Removes the entry, if there is one."""
        with self._lock:
            self._entries.pop(key, None)

    def clear(self) -> None:
        """Removes everything."""
        with self._lock:
            self._entries.clear()

    async def aget(self, key: str, default: Any = None) -> Any:
        """`get`; never waits."""
        return self.get(key, default)

    async def aset(self, key: str, value: Any, timeout: float | None) -> None:
        """`set`; never waits."""
        self.set(key, value, timeout)

    async def adelete(self, key: str) -> None:
        """`delete`; never waits."""
        self.delete(key)

    async def agets(self, key: str) -> tuple[Any, int | None]:
        """`gets`; never waits."""
        return self.gets(key)

    async def acas(self, key: str, value: Any, token: int | None, timeout: float | None) -> bool:
        """`cas`; never waits."""
        return self.cas(key, value, token, timeout)

    def _write(self, key: str, value: Any, timeout: float | None) -> None:
        entries = self._entries
        entries.pop(key, None)  # written last stands last, so that the first is the one to drop
        if timeout is not None and timeout <= 0:
            return
        if len(entries) >= self._max_entries:
            self._make_room()
        entries[key] = (None if timeout is None else self._clock() + timeout, value, next(self._versions))

    def _make_room(self) -> None:
        """Drops at least one entry, and a few expired ones that stand in the way: the same cost for every write."""
        now = self._clock()
        for number, key in enumerate(list(itertools.islice(self._entries, 4))):
            deadline = self._entries[key][0]
            if number == 0 or (deadline is not None and now >= deadline):
                del self._entries[key]


def _frozen(value: Any) -> Any:
    """What nobody can change later: text and bytes as they are, the rest packed, in a tuple to tell it apart."""
    return value if isinstance(value, _IMMUTABLE) else (pack(value),)
