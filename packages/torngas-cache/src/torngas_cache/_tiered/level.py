"""The local level: copies of remote entries, and the rules under which a copy may be kept.

A copy is read from the remote store and then kept here, and in between somebody may change the entry. So whoever
reads announces it first (`begin`), and what was announced is kept only if no invalidation of that key came meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from torngas_cache.backends.localcache import LocMemCache

__all__ = ["LocalLevel"]


class LocalLevel:
    """Copies of entries. Safe for threads.

    Args:
        local: Where they are kept.
        limit: Seconds that a copy lives at most; None: as long as its entry.
        live: Whether copies may be used now. False until the invalidations of other processes arrive.
    """

    def __init__(self, local: LocMemCache, limit: float | None, live: bool) -> None:
        self.local = local
        self.live = live
        self._limit = limit
        self._lock = threading.Lock()
        self._announced: dict[str, object] = {}

    def begin(self, storage_key: str) -> object | None:
        """Announces a read of the remote entry; answers a ticket for `keep`. None: nothing may be kept now."""
        if not self.live:
            return None
        ticket = object()
        with self._lock:
            self._announced[storage_key] = ticket
        return ticket

    def keep(self, storage_key: str, ticket: object, value: Any, seconds: float | None) -> None:
        """Keeps a copy for the remaining life of its entry, unless the entry changed since the ticket was drawn."""
        if self._limit is not None:
            seconds = self._limit if seconds is None else min(seconds, self._limit)
        payload = self.local._encode(value)  # a copy, made outside the lock
        with self._lock:
            if self._announced.get(storage_key) is not ticket:
                return
            del self._announced[storage_key]
            if seconds is None or seconds > 0:
                self.local._write(storage_key, payload, seconds)

    def give_up(self, tickets: Mapping[str, object | None]) -> None:
        """Withdraws what was announced and not kept."""
        if not self._announced:
            return
        with self._lock:
            for storage_key, ticket in tickets.items():
                if ticket is not None and self._announced.get(storage_key) is ticket:
                    del self._announced[storage_key]

    def forget(self, storage_key: str) -> None:
        """The entry changed: its copy goes, and one that is on its way will not be kept."""
        with self._lock:
            self._announced.pop(storage_key, None)
            self.local._remove(storage_key)

    def empty(self, live: bool | None = None) -> None:
        """Everything may have changed. `live`: whether copies may be used from now on; None leaves it as it is."""
        with self._lock:
            if live is not None:
                self.live = live
            self._announced.clear()
            self.local._wipe(True)

    def after_fork(self) -> None:
        """A child has no listener yet, and must not wait for a lock that a thread of its parent held."""
        self._lock = threading.Lock()
        self._announced = {}
        self.live = False
