"""A folder of entries, one file each: written beside and renamed, guarded by a lock on the folder itself.

A file is `HEADER` (mark, deadline, stamp, checksum) and the payload. Its modification time repeats the deadline and its
access time tells when it was last used, so that culling need not open it. Names are digests of the keys: whatever a
key contains, it cannot lead out of the folder.
"""

from __future__ import annotations

import itertools
import logging
import math
import os
import re
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from torngas_cache._keys import digest, is_lock
from torngas_cache.errors import CacheStorageError

if os.name == "posix":
    import fcntl

_log = logging.getLogger("torngas_cache")
_HEADER = struct.Struct("<4sdQI")
_MARK = b"tgc1"
_OURS = re.compile(r"[0-9a-f]{64}\.(?:cache|lock)")
_TEMPORARY = re.compile(r"[0-9a-f]{64}\.(?:cache|lock)\.\d+-\d+\.tmp")
_ABANDONED_AFTER = 60.0
_NOTE_EVERY = 30_000_000_000
_MEMO_SIZE = 4096
_READING = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_WRITING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_AT_ONCE = 16384
_FAR = 2**31 - 2  # the last moment that every file system can keep; what ends later is not culled before its time

NEVER = math.inf


Entry = tuple[float, int, bytes]
"""(deadline, stamp, payload)"""


class Use(NamedTuple):
    """What a listing tells about a file."""

    used: int
    deadline: float
    path: str


class Folder:
    """The files of one folder. `lock()` keeps apart whoever reads in order to write, in every thread and process."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._thread_lock = threading.Lock()
        self._numbers = itertools.count()
        self._paths: dict[str, str] = {}
        self._uses: dict[str, int] = {}
        self._noted_since = 0

    def path_of(self, key: str) -> str:
        """Where the entry of a storage key is; locks are told apart, for culling leaves them alone."""
        paths = self._paths
        if (path := paths.get(key)) is None:
            if len(paths) >= _MEMO_SIZE:
                paths.clear()
            path = paths[key] = f"{self.path}{os.sep}{digest(key)}{'.lock' if is_lock(key) else '.cache'}"
        return path

    def load(self, path: str, now: float) -> Entry | None:
        """The entry, or None if there is no file; one that is damaged or has expired is removed, and None as well."""
        data = _read_file(path)
        if data is None:
            return None
        if len(data) > _HEADER.size:  # `_parse`, in the place where its speed counts
            mark, deadline, stamp, checksum = _HEADER.unpack_from(data)
            payload = data[_HEADER.size :]
            if deadline > now and mark == _MARK and zlib.crc32(payload) == checksum:
                return deadline, stamp, payload
        entry = _parse(data)
        if entry is None:
            _log.warning("an entry counts as missing and is removed: %s is damaged", path)
        self._remove_bad(path, now)
        return None

    def peek(self, path: str, now: float) -> Entry | None:
        """The entry, or None if there is none that is whole and has not expired; removes nothing."""
        data = _read_file(path)
        entry = None if data is None else _parse(data)
        return entry if entry is not None and entry[0] > now else None

    def _remove_bad(self, path: str, now: float) -> None:
        """Looks again with the lock held: somebody may have put a good one in its place."""
        with self.lock():
            if self.peek(path, now) is None:
                remove_file(path)

    def note_use(self, path: str) -> None:
        """Makes the file the most recently used one; the disk learns of it half a minute later, or before culling."""
        now = time.time_ns()
        if not self._uses:
            self._noted_since = now
        self._uses[path] = now
        if now - self._noted_since > _NOTE_EVERY or len(self._uses) > _MEMO_SIZE:
            self.note_uses()

    def note_uses(self) -> None:
        """Writes down the uses so far; where a file is gone or may not be touched, that changes nothing."""
        uses, self._uses = self._uses, {}
        for path, used in uses.items():
            try:
                os.utime(path, ns=(used, os.stat(path).st_mtime_ns))
            except OSError:
                continue

    def save(self, path: str, deadline: float, payload: bytes) -> None:
        """Puts an entry in the place of whatever was there, as a whole or not at all."""
        stamp = int.from_bytes(os.urandom(8), "little")
        data = _HEADER.pack(_MARK, deadline, stamp, zlib.crc32(payload)) + payload
        temporary = f"{path}.{os.getpid()}-{next(self._numbers)}.tmp"
        try:
            self._write_file(temporary, data)
            os.utime(temporary, ns=(time.time_ns(), _time_of(deadline)))
            os.replace(temporary, path)
        except OSError as error:
            raise self._refused(error) from error
        finally:
            remove_file(temporary)

    def _write_file(self, path: str, data: bytes) -> None:
        descriptor = os.open(path, _WRITING, 0o600)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        finally:
            os.close(descriptor)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Makes the folder if there is none, and holds its lock; a process that dies gives it back."""
        if os.name != "posix":  # threads of this process are kept apart, processes are not
            with self._thread_lock:
                self.make()
                yield
            return
        descriptor = self._open()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        try:
            return os.open(self.path, os.O_RDONLY)
        except FileNotFoundError:
            self.make()
            return os.open(self.path, os.O_RDONLY)

    def make(self) -> None:
        """Makes the folder and those above it that are missing, for this user alone."""
        missing = list(itertools.takewhile(lambda path: not path.exists(), [Path(self.path), *Path(self.path).parents]))
        try:
            for path in reversed(missing):
                path.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> CacheStorageError:
        remedy = "give the cache a folder that this user may write to and that has room"
        return CacheStorageError(error.errno, f"FileBasedCache: cannot write ({error.strerror}); {remedy}", self.path)

    def listing(self) -> list[Use]:
        """The entries, without locks; temporary files that somebody left behind are removed."""
        found = []
        with self._scan() as files:
            for file in files:
                if file.name.endswith(".cache") and _OURS.fullmatch(file.name):
                    status = _status(file)
                    if status is not None:
                        deadline = NEVER if status.st_mtime >= _FAR else status.st_mtime
                        found.append(Use(status.st_atime_ns, deadline, file.path))
                elif file.name.endswith(".tmp"):
                    _remove_abandoned(file)
        return found

    def clear(self) -> None:
        """Removes what this library wrote, and nothing else."""
        with self._scan() as files:
            for file in files:
                if _OURS.fullmatch(file.name):
                    remove_file(file.path)
                else:
                    _remove_abandoned(file)

    def count(self) -> int:
        """How many entries there are."""
        with self._scan() as files:
            return sum(file.name.endswith(".cache") for file in files)

    @contextmanager
    def _scan(self) -> Iterator[Iterator[os.DirEntry[str]]]:
        try:
            with os.scandir(self.path) as files:
                yield files
        except FileNotFoundError:
            yield iter(())


def _read_file(path: str) -> bytes | None:
    try:
        descriptor = os.open(path, _READING)
    except FileNotFoundError:
        return None
    try:
        data = os.read(descriptor, _AT_ONCE)
        return data if len(data) < _AT_ONCE else data + _rest_of(descriptor)
    finally:
        os.close(descriptor)


def _rest_of(descriptor: int) -> bytes:
    parts = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def _parse(data: bytes) -> Entry | None:
    """None for anything that `save` did not write in full."""
    if len(data) <= _HEADER.size:
        return None
    mark, deadline, stamp, checksum = _HEADER.unpack_from(data)
    payload = data[_HEADER.size :]
    if mark != _MARK or zlib.crc32(payload) != checksum:
        return None
    return deadline, stamp, payload


def remove_file(path: str) -> bool:
    """Whether there was one."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True


def _time_of(deadline: float) -> int:
    return int(min(max(deadline, 0), _FAR) * 1_000_000_000)


def _status(file: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return file.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None


def _remove_abandoned(file: os.DirEntry[str]) -> None:
    if _TEMPORARY.fullmatch(file.name):
        status = _status(file)
        if status is not None and time.time() - status.st_ctime > _ABANDONED_AFTER:
            remove_file(file.path)
