"""Entries in the memory of this process: a dictionary in order of use, and a heap of the moments at which they end."""

from __future__ import annotations

import heapq
import math
import os
import sys
import threading
from collections import OrderedDict
from typing import Any

from torngas_cache._flights import Flights
from torngas_cache._keys import is_lock

Entry = list[Any]
"""[deadline, payload]; a new list for every change, so that its identity tells whether something happened."""

NEVER = math.inf


class LocalStore:
    """One dictionary, shared by every `LocMemCache` of its name. Its methods are called with `lock` held."""

    def __init__(self) -> None:
        self.entries: OrderedDict[str, Entry] = OrderedDict()
        self.lock = threading.Lock()
        self.flights = Flights()
        self.size: int | None = None
        # (moment, key): every entry that ends has one at or before its deadline. Others are left over, and ignored.
        self._ends: list[tuple[float, str]] = []

    def measure(self) -> None:
        """Keeps `size`, the bytes of keys and payloads, from now on."""
        if self.size is None:
            self.size = sum(size_of(key, entry[1]) for key, entry in self.entries.items())

    def put(self, key: str, entry: Entry) -> None:
        """Stores as the most recently used."""
        entries = self.entries
        old = entries.get(key)
        entries[key] = entry
        if old is not None:
            entries.move_to_end(key)
        deadline = entry[0]
        if deadline != NEVER and (old is None or old[0] == NEVER or deadline < old[0]):
            self._remember_end(deadline, key)
        if self.size is not None:
            self.size += size_of(key, entry[1]) - (size_of(key, old[1]) if old else 0)

    def remove(self, key: str) -> Entry | None:
        """Takes the entry out."""
        entry = self.entries.pop(key, None)
        if entry is not None and self.size is not None:
            self.size -= size_of(key, entry[1])
        return entry

    def clear(self) -> None:
        """Takes out everything."""
        self.entries.clear()
        self._ends.clear()
        self.size = None if self.size is None else 0

    def remove_expired(self, now: float) -> None:
        """Takes out what has ended; costs only as much as there is to take out."""
        ends = self._ends
        while ends and ends[0][0] <= now:
            _, key = heapq.heappop(ends)
            entry = self.entries.get(key)
            if entry is None:
                continue
            if entry[0] <= now:
                self.remove(key)
            elif entry[0] != NEVER:
                heapq.heappush(ends, (entry[0], key))

    def remove_oldest(self, count: int) -> None:
        """Takes out the least recently used; a lock that is held stays, for its lease is its protection."""
        keys = iter(list(self.entries) if count >= len(self.entries) else _first(self.entries, count))
        for key in keys:
            if is_lock(key):
                self.entries.move_to_end(key)
            else:
                self.remove(key)

    def _remember_end(self, deadline: float, key: str) -> None:
        heapq.heappush(self._ends, (deadline, key))
        if len(self._ends) > 2 * len(self.entries) + 64:
            self._ends = [(entry[0], key) for key, entry in self.entries.items() if entry[0] != NEVER]
            heapq.heapify(self._ends)


def _first(entries: OrderedDict[str, Entry], count: int) -> list[str]:
    return [key for key, _ in zip(entries, range(count), strict=False)]


def size_of(key: str, payload: Any) -> int:
    """Bytes of a key and a payload."""
    return len(key) + sys.getsizeof(payload[1] if type(payload) is tuple else payload)


class _Stores:
    """The stores of this process, by name."""

    def __init__(self) -> None:
        self._stores: dict[str, LocalStore] = {}
        self._lock = threading.Lock()
        self._watches_forks = False

    def named(self, name: str) -> LocalStore:
        """The one of this name, made if there is none."""
        with self._lock:
            if not self._watches_forks and hasattr(os, "register_at_fork"):
                # A child must not inherit a lock that some thread of the parent held while it forked.
                os.register_at_fork(after_in_child=self._renew_locks)
                self._watches_forks = True
            return self._stores.setdefault(name, LocalStore())

    def _renew_locks(self) -> None:
        self._lock = threading.Lock()
        for store in self._stores.values():
            store.lock = threading.Lock()


stores = _Stores()
