"""One file that many processes append to, and that any of them may rotate.

Writers hold a shared lock of the log file itself for the time of one `write`; that write carries the whole record. Who
finds the file due takes the lock file first (one rotates, the others wait there and then find it done), then the
exclusive lock of the log file: now nobody writes. It renames, makes the new file, and lets go. Each step leaves a state
from which the next process goes on, so kill -9 needs no repair, but for a record cut by it: see `_mend`.

A writer must notice that "its" file was renamed. It compares the path with its descriptor; not for every record, when
many follow each other closely: a rotation holds the exclusive lock for `_HOLD` seconds *before* it renames, so between
two moments at which a writer had the shared lock, less than `_LEASE` apart, there was none.
"""

from __future__ import annotations

import errno
import math
import os
import stat
import sys
import time
from collections import deque
from collections.abc import Callable
from os import SEEK_CUR, getpid, lseek, write
from time import monotonic

from torngas_logger._archive import Archive
from torngas_logger._locks import LOCK_SH, LOCK_UN, acquire, flock
from torngas_logger._schedule import Schedule
from torngas_logger._state import Agreement, HeldLock, LockFile

_LEASE = 1e-4
_BURST, _LULL = 64, 0.005  # so many records, none further apart than that, and the lease begins
_HOLD = 2 * _LEASE
_PATIENCE = 0.5  # seconds that a rotation waits for a writer that was stopped
_RETRY = 1.0  # seconds until a rotation that failed is tried again
_SMALL, _MARGIN = 512, 32768  # near the size limit one process writes at a time: 64 small records fit in between
_ATTEMPTS = 1000
_SECTOR = 511  # a write that is cut, is cut at a multiple of 512
_FLAGS = os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_OPEN_FILES_STAY = sys.platform == "win32"  # there an open file cannot be renamed, so it is open for one record only
_DONE, _AGAIN, _STALE, _DUE = range(4)


class SharedFile:
    """The file at `path`. One thread at a time may use it (a logging handler's lock sees to that).

    Args:
        path: Where the file is.
        archive: Names the rotated files.
        rotate: Moves the file (first argument) to its new name (second one).
        lock: The lock file of all that write here.
        schedule: When the file is due; None for never.
        max_bytes: The size in bytes that is passed by one record at most; 0 for no limit.
        ends_lines: Whether each record ends with LF, so that one cut by kill -9 can be told from a whole one.
        turned: Called when this process rotated the file and let go of all locks.
        trouble: Called with the error when a rotation fails (the records go on into the old file), with None when
            one succeeds.
    """

    def __init__(
        self,
        path: str,
        *,
        archive: Archive,
        rotate: Callable[[str, str], None],
        lock: LockFile,
        schedule: Schedule | None,
        max_bytes: int,
        ends_lines: bool,
        turned: Callable[[], None],
        trouble: Callable[[OSError | None], None],
    ) -> None:
        self.path = path
        self._archive, self._rotate, self._lock = archive, rotate, lock
        self._on_turned, self._on_trouble, self._turned = turned, trouble, False
        self._schedule, self._max_bytes, self._ends_lines = schedule, max_bytes, ends_lines
        self._pid = getpid()
        self._busy = False
        self._parked: deque[bytes] = deque()
        self._fd = -1
        self._inode = self._device = self._size = 0
        self._regular = True
        self._seen, self._streak, self._lease = -math.inf, 0, 0.0
        self._since, self._until, self._postponed = math.inf, -math.inf, -math.inf

    def append(self, data: bytes) -> None:
        """Appends one record, whole. OSError when it could not.

        A record that arrives while another is being written by the same thread (a signal handler, the user's
        rotator) is written after that one.
        """
        if self._busy or self._pid != getpid():
            self._append_later(data)
            return
        self._busy = True
        try:
            if self._fd < 0 or self._append_locked(data):
                self._append(data)
            if self._parked or self._turned:
                self._finish()
            if _OPEN_FILES_STAY:
                self.close()
        finally:
            self._busy = False

    def _append_later(self, data: bytes) -> None:
        if self._pid != getpid():
            self.forget()
            self.append(data)
        else:
            self._parked.append(data)

    def _finish(self) -> None:
        while self._parked:
            self._append(self._parked.popleft())
        if self._turned:
            self._turned = False
            self._on_turned()

    def roll(self) -> None:
        """Rotates the file now, due or not, unless it is empty."""
        if self._pid != getpid():
            self.forget()
        if self._busy:
            return
        self._busy = True
        try:
            if self._fd < 0:
                self.open()
            if self._regular:
                self._turn_if_due(force=True)
            self._finish()
        finally:
            self._busy = False

    def is_due(self, length: int) -> bool:
        """Whether the next record, of `length` bytes, finds the file due. As of now: another process may be faster."""
        size = os.path.getsize(self.path) if os.path.isfile(self.path) else 0
        too_big = bool(self._max_bytes) and size + length > self._max_bytes
        return bool(size) and (too_big or (self._since < math.inf and time.time() >= self._until))

    def _append(self, data: bytes) -> None:
        for _ in range(_ATTEMPTS):
            if self._fd < 0:
                self.open()
            verdict = self._append_locked(data)
            if verdict == _DONE:
                return
            if verdict == _STALE:
                self.close()
            elif verdict == _DUE:
                self._turn_if_due(len(data))
        raise OSError(errno.EBUSY, "the file is moved away again and again", self.path)

    def _append_locked(self, data: bytes) -> int:
        fd = self._fd
        near = self._is_near(self._size, len(data)) if self._max_bytes else False
        if not near or not acquire(fd, _PATIENCE):
            flock(fd, LOCK_SH)
        try:
            if not self._since <= time.time() < self._until:
                return _DUE if self._regular else self._append_plainly(data)
            now = monotonic()
            if now - self._seen > self._lease:
                if not self._is_current():
                    return _STALE
                self._renew(now)
            if self._max_bytes and (verdict := self._check_size(len(data), near)):
                return verdict
            written = write(fd, data)
            self._size = end = lseek(fd, 0, SEEK_CUR)
            if not (end - written) & _SECTOR:
                self._mend(end - written)
        finally:
            flock(fd, LOCK_UN)
        if written != len(data):
            self._take_back(end, written)
        return _DONE

    def _renew(self, now: float) -> None:
        self._streak = self._streak + 1 if now - self._seen < _LULL else 0
        self._lease = _LEASE if self._streak > _BURST else 0.0
        self._seen = now

    def _append_plainly(self, data: bytes) -> int:
        """A pipe or a device: nothing to lock, nothing to rotate."""
        while data:
            data = data[write(self._fd, data) :]
        return _DONE

    def _is_near(self, size: int, length: int) -> bool:
        return length > _SMALL or size + length + _MARGIN > self._max_bytes

    def _check_size(self, length: int, exclusive: bool) -> int:
        self._size = size = lseek(self._fd, 0, os.SEEK_END)
        if 0 < self._postponed - time.time() <= _RETRY:
            return _DONE
        if size and size + length > self._max_bytes:
            return _DUE
        return _AGAIN if not exclusive and self._is_near(size, length) else _DONE

    def _is_current(self) -> bool:
        try:
            status = os.stat(self.path)
        except FileNotFoundError:
            return False
        return status.st_ino == self._inode and status.st_dev == self._device

    def open(self) -> None:
        """Opens the file, making it where there is none."""
        try:
            fd = os.open(self.path, os.O_RDWR | _FLAGS, 0o666)
        except PermissionError:
            fd = os.open(self.path, os.O_WRONLY | _FLAGS, 0o666)
        self._use(fd)

    def _use(self, fd: int) -> None:
        status = os.fstat(fd)
        self._fd, self._inode, self._device, self._size = fd, status.st_ino, status.st_dev, status.st_size
        self._regular = stat.S_ISREG(status.st_mode)
        self._seen = -math.inf
        self._since, self._until = math.inf, -math.inf  # nothing is known of it: the first record looks

    def _mend(self, start: int) -> None:
        """Ends the line before `start`, if another process was killed, or the disk was full, in the midst of it."""
        if not (start and self._ends_lines and hasattr(os, "pread")):
            return
        try:
            if os.pread(self._fd, 1, start - 1) == b"\n":
                return
            fd = os.open(self.path, os.O_WRONLY)  # not O_APPEND, with which pwrite appends
            try:
                if os.path.samestat(os.fstat(fd), os.fstat(self._fd)):
                    os.pwrite(fd, b"\n", start - 1)
            finally:
                os.close(fd)
        except OSError:
            pass  # without the permission to read, the record stays glued to the cut one; it is whole all the same

    def _take_back(self, end: int, written: int) -> None:
        """Removes the part of a record that still fitted, unless others wrote behind it, and reports the full disk."""
        if acquire(self._fd, _PATIENCE):
            try:
                if lseek(self._fd, 0, os.SEEK_END) == end:
                    os.ftruncate(self._fd, end - written)
            finally:
                flock(self._fd, LOCK_UN)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.path)

    def _turn_if_due(self, length: int = 0, *, force: bool = False) -> None:
        try:
            with self._lock.hold(_PATIENCE) as held:
                self._turn(held, length, force)
        except OSError as error:
            now = time.time()
            self._postponed = now + _RETRY
            self._since, self._until = now - _RETRY, self._postponed  # a clock that is set back ends it too
            self._on_trouble(error)

    def _turn(self, held: HeldLock, length: int, force: bool) -> None:
        if self._fd < 0 or not self._is_current():
            self.close()
            self.open()
        now = time.time()
        last = held.read()
        size = os.fstat(self._fd).st_size
        until = self._boundary(last, now)
        too_big = bool(self._max_bytes) and size + length > self._max_bytes
        if size and (force or too_big or now >= until):
            self._move(until, now, held, last)
            return
        if now >= until and self._schedule:
            until = self._schedule.following(now, until)
        self._agree(held, last, until)

    def _boundary(self, last: Agreement, now: float) -> float:
        """The instant at which the present file is due."""
        schedule = self._schedule
        if schedule is None:
            return math.inf
        if (last.inode, last.rule) == (self._inode, schedule.rule):
            # Further away than any boundary can be: the clock was set back.
            return last.until if last.until - 2 * schedule.span <= now else schedule.following(now)
        status = os.fstat(self._fd)
        return schedule.following(min(status.st_mtime, now) if status.st_size else now)

    def _label(self, until: float, now: float) -> str:
        if self._schedule:
            return self._schedule.label(until)
        return time.strftime("%Y-%m-%d_%H-%M-%S", time.localtime(now))

    def _agree(self, held: HeldLock, last: Agreement, until: float) -> None:
        self._since, self._until = -math.inf, math.inf
        if schedule := self._schedule:
            agreed = Agreement(self._inode, until, schedule.rule, last.label, last.number)
            if agreed != last:
                held.write(agreed)
            self._since, self._until = until - 2 * schedule.span, until

    def _move(self, until: float, now: float, held: HeldLock, last: Agreement) -> None:
        """Renames the file and makes the next one, unless somebody who knows no lock moved it meanwhile."""
        old = self._fd
        if not acquire(old, _PATIENCE):
            raise TimeoutError(errno.ETIMEDOUT, "a process that is stopped keeps it from being rotated", self.path)
        try:
            rest = monotonic() + _HOLD
            while monotonic() < rest:
                pass
            if self._is_current():
                target, label, number = self._archive.free_name(self._label(until, now), last)
                status = os.fstat(old)
                if _OPEN_FILES_STAY:
                    self.close()
                self._rotate(self.path, target)
                self._begin(held, Agreement(0, until, "", label, number), status)
        finally:
            if not _OPEN_FILES_STAY:
                flock(old, LOCK_UN)
                if self._fd != old:
                    os.close(old)

    def _begin(self, held: HeldLock, last: Agreement, old: os.stat_result) -> None:
        self.open()
        if (self._inode, self._device) == (old.st_ino, old.st_dev) and self._size:
            raise OSError(errno.EEXIST, "the rotator left the file where it was", self.path)
        if hasattr(os, "fchmod"):
            os.fchmod(self._fd, stat.S_IMODE(old.st_mode))
        if self._schedule:
            self._agree(held, last, self._schedule.following(time.time(), last.until))
        else:
            held.write(last)
            self._since, self._until = -math.inf, math.inf
        self._turned = True
        self._on_trouble(None)

    def close(self) -> None:
        """Closes the file; the next record opens it again."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def forget(self) -> None:
        """After a fork, in the child: gives up what belongs to the parent, its locks and its unwritten records."""
        self._pid = getpid()
        self._busy = False
        self._parked.clear()
        self._lock.forget()
        self._archive.forget()
        self.close()
