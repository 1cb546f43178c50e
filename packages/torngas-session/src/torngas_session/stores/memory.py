"""Sessions in the memory of this process: they end with it, and no other process sees them."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ..errors import ConfigurationError
from ._packing import pack, unpack

__all__ = ["MemoryStore"]

_Entry = tuple[float, Any]
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
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many entries are kept, those included that expired and were not met since."""
        return len(self._entries)

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or `default` if absent or expired."""
        value, token = self.gets(key)
        return default if token is None else value

    def gets(self, key: str) -> tuple[Any, _Entry | None]:
        """The value and the token of this state of it; `(None, None)` if absent or expired."""
        entry = self._entries.get(key)  # without the lock: an entry is replaced in one step, never changed
        if entry is None:
            return None, None
        deadline, value = entry
        if self._clock() >= deadline:
            with self._lock:
                if self._entries.get(key) is entry:
                    del self._entries[key]
            return None, None
        return (unpack(value[0]) if type(value) is tuple else value), entry

    def set(self, key: str, value: Any, timeout: float | None) -> None:
        """Stores a copy for `timeout` seconds; None for ever, 0 and less not at all."""
        entry = self._entry(value, timeout, self._clock())
        with self._lock:
            self._put(key, entry)

    def cas(self, key: str, value: Any, token: _Entry | None, timeout: float | None) -> bool:
        """Stores the value if the entry is still the one of the token; with None, if there is none."""
        now = self._clock()
        entry = self._entry(value, timeout, now)
        with self._lock:
            current = self._entries.get(key)
            if current is not None and now >= current[0]:
                current = None
            if current is not token:
                return False
            self._put(key, entry)
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

    async def agets(self, key: str) -> tuple[Any, _Entry | None]:
        """`gets`; never waits."""
        return self.gets(key)

    async def acas(self, key: str, value: Any, token: _Entry | None, timeout: float | None) -> bool:
        """`cas`; never waits."""
        return self.cas(key, value, token, timeout)

    def _entry(self, value: Any, timeout: float | None, now: float) -> _Entry | None:
        if timeout is not None and timeout <= 0:
            return None
        return (math.inf if timeout is None else now + timeout), (value if type(value) is str else _frozen(value))

    def _put(self, key: str, entry: _Entry | None) -> None:
        entries = self._entries
        if entry is None:
            entries.pop(key, None)
            return
        if len(entries) >= self._max_entries and key not in entries:
            self._make_room()
        entries[key] = entry
        entries.move_to_end(key)  # what was written longest ago stands first

    def _make_room(self) -> None:
        """Drops at least one entry, and a few expired ones that stand in the way: the same cost for every write."""
        now = self._clock()
        for number, key in enumerate(list(itertools.islice(self._entries, 4))):
            if number == 0 or now >= self._entries[key][0]:
                del self._entries[key]


def _frozen(value: Any) -> Any:
    """What nobody can change later: text and bytes as they are, the rest packed, in a tuple to tell it apart."""
    return value if isinstance(value, _IMMUTABLE) else (pack(value),)
