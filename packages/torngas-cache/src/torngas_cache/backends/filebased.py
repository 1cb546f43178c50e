"""`FileBasedCache`: one file per entry, shared by all processes that use the folder.

An entry is written to a temporary file and renamed, so that a reader sees the old one or the new one, whole. Whatever
reads in order to write (`add`, `incr`, `touch`, `cas`) holds a lock on the folder: atomic among threads and, on POSIX,
among processes; the kernel takes the lock from a process that dies.

    cache = create_cache("file", "/var/cache/pages", timeout=3600, max_entries=100_000)
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar

from torngas_cache._codec import Payload
from torngas_cache._folder import NEVER, Entry, Folder, remove_file
from torngas_cache._params import refuse_unknown
from torngas_cache.backends.records import RecordCache
from torngas_cache.errors import CacheConfigError

__all__ = ["FileBasedCache"]


class FileBasedCache(RecordCache):
    """A cache in a folder.

    Args:
        location: The folder, as a string or Path; made when the first entry is written, with mode 0700.
        params: As for every cache; OPTIONS MAX_ENTRIES (300) and CULL_FREQUENCY (3) among them. Entries that other
            processes added meanwhile may exceed MAX_ENTRIES by an eighth for each.

    Damaged files count as missing and are removed; files that this library did not write are left alone. An OSError
    that is no missing file is raised, with the path; one while writing as `CacheStorageError`, with the folder.
    """

    blocking: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    def __init__(self, location: str | os.PathLike[str], params: Mapping[str, Any] | None = None) -> None:
        super().__init__(params)
        refuse_unknown("FileBasedCache OPTIONS", self._options, ["MAX_ENTRIES", "CULL_FREQUENCY"])
        if not location or not isinstance(location, str | os.PathLike):
            raise CacheConfigError(f"LOCATION: got {location!r}; expected the path of a folder, e.g. '/var/cache/app'.")
        self._folder = Folder(os.path.abspath(os.fspath(location)))
        self._count = 0
        self._until_count = 0

    def purge(self) -> int:
        """Removes the entries that have expired, for a job that runs now and then, and answers how many they were.

        Without it they stay until they are read, or until MAX_ENTRIES is reached. Others go on reading and writing.
        """
        now = self._clock()
        expired = [file.path for file in self._folder.listing() if file.deadline <= now]
        for path in expired:
            self._folder.load(path, now)  # removes it, unless somebody has renewed it meanwhile
        self._until_count = 0
        return sum(not os.path.exists(path) for path in expired)

    def _load(self, key: str) -> Entry | None:
        return self._folder.load(self._folder.path_of(key), self._clock())

    def _deadline(self, seconds: float | None) -> float:
        return NEVER if seconds is None else self._clock() + seconds

    def _save(self, key: str, payload: Payload, deadline: float) -> None:
        """With the lock held."""
        path = self._folder.path_of(key)
        if path.endswith(".cache") and not os.path.exists(path):
            self._make_room()
            self._count += 1
        data = b"%d" % payload if isinstance(payload, int) else payload
        self._folder.save(path, deadline, data)

    def _make_room(self) -> None:
        """Culls if the folder is full; counts now and then, for other processes write too."""
        if self._until_count <= 0:
            self._count = self._folder.count()
            self._until_count = max(16, self._max_entries // 8)
        self._until_count -= 1
        if self._count >= self._max_entries:
            self._cull()

    def _cull(self) -> None:
        """Removes what has expired; if that makes no room, 1/CULL_FREQUENCY of the rest, least recently used first."""
        now = self._clock()
        self._folder.note_uses()
        files = self._folder.listing()
        rest = [file for file in files if file.deadline > now]
        if len(rest) >= self._max_entries:
            rest.sort(reverse=True)
            frequency = self._cull_frequency
            rest = rest[: len(rest) - max(1, len(rest) // frequency)] if frequency else []
        kept = {file.path for file in rest}
        for file in files:
            if file.path not in kept:
                remove_file(file.path)
        self._count = len(rest)

    # primitives

    def _read(self, key: str) -> Payload | None:
        path = self._folder.path_of(key)
        entry = self._folder.load(path, self._clock())
        if entry is None:
            return None
        self._folder.note_use(path)
        return entry[2]

    def _head(self, key: str) -> Payload | None:
        entry = self._load(key)
        return None if entry is None else entry[2]

    def _write(self, key: str, payload: Payload, seconds: float | None) -> None:
        with self._folder.lock():
            self._save(key, payload, self._deadline(seconds))

    def _insert(self, key: str, payload: Payload, seconds: float | None) -> bool:
        if self._load(key) is not None:
            return False
        with self._folder.lock():
            if self._peek(key) is not None:
                return False
            self._save(key, payload, self._deadline(seconds))
            return True

    def _peek(self, key: str) -> Entry | None:
        """With the lock held."""
        return self._folder.peek(self._folder.path_of(key), self._clock())

    def _remove(self, key: str) -> bool:
        path = self._folder.path_of(key)
        with self._folder.lock():
            existed = self._peek(key) is not None
            if remove_file(path) and path.endswith(".cache"):
                self._count -= 1
        return existed

    def _expire(self, key: str, seconds: float | None) -> bool:
        with self._folder.lock():
            entry = self._peek(key)
            if entry is not None:
                self._save(key, entry[2], self._deadline(seconds))
            return entry is not None

    def _remaining(self, key: str) -> float | None:
        entry = self._load(key)
        if entry is None:
            return 0.0
        return None if entry[0] == NEVER else max(0.0, entry[0] - self._clock())

    def _increment(self, key: str, delta: int) -> int | None:
        with self._folder.lock():
            entry = self._peek(key)
            if entry is None:
                return None
            try:
                total = int(entry[2]) + delta
            except ValueError as error:
                raise TypeError("incr: got a stored value that is no integer; expected one.") from error
            self._save(key, total, entry[0])
            return total

    def _read_token(self, key: str) -> tuple[Payload | None, Any]:
        entry = self._load(key)
        return (None, None) if entry is None else (entry[2], entry[1])

    def _swap(self, key: str, payload: Payload, token: Any, seconds: float | None) -> bool:
        with self._folder.lock():
            entry = self._peek(key)
            if entry is None or entry[1] != token:
                return False
            if seconds is not None and seconds <= 0:
                remove_file(self._folder.path_of(key))
            else:
                self._save(key, payload, self._deadline(seconds))
            return True

    def _wipe(self, everything: bool) -> None:
        with self._folder.lock():
            self._folder.clear()
            self._count = 0
