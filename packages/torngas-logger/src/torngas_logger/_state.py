"""The lock file beside a log file: whoever rotates holds it, and it remembers what the processes agreed on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from torngas_logger._locks import LOCK_UN, acquire, flock

_SIZE = 512  # written by one call within one page: a reader sees all of it or nothing, also after kill -9
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class Agreement(NamedTuple):
    """What all processes know about the file that they write now, and about the last one rotated."""

    inode: int = 0
    until: float = 0.0
    rule: str = ""
    label: str = ""
    number: int = 0


class HeldLock:
    """The lock file while this process holds it."""

    __slots__ = ("_fd",)

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def read(self) -> Agreement:
        """The agreement; an empty one where nothing readable stands."""
        os.lseek(self._fd, 0, os.SEEK_SET)
        try:
            inode, until, rule, label, number = json.loads(os.read(self._fd, _SIZE))
            return Agreement(int(inode), float(until), str(rule), str(label), int(number))
        except (ValueError, TypeError):
            return Agreement()

    def write(self, agreement: Agreement) -> None:
        """Replaces the agreement, at once."""
        os.lseek(self._fd, 0, os.SEEK_SET)
        os.write(self._fd, json.dumps(agreement).encode().ljust(_SIZE - 1) + b"\n")


class LockFile:
    """`<log file>.lock`. It is opened for each use: nothing of it can be inherited but by a fork during that use."""

    __slots__ = ("_fd", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd = -1

    @contextmanager
    def hold(self, seconds: float) -> Iterator[HeldLock]:
        """Holds the lock; TimeoutError when another process kept it for `seconds`."""
        self._fd = fd = self._take(seconds)
        try:
            yield HeldLock(fd)
        finally:
            if self._fd == fd:  # not in a child forked meanwhile: the lock is its parent's
                self._fd = -1
                flock(fd, LOCK_UN)  # a forked child may have the description open too, so closing is not enough
                os.close(fd)

    def _take(self, seconds: float) -> int:
        while True:
            fd = os.open(self.path, _FLAGS, 0o666)
            try:
                if not acquire(fd, seconds):
                    raise TimeoutError(f"{self.path} has been locked by another process for {seconds:g} s")
                if self._is_current(fd):
                    return fd
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)

    def _is_current(self, fd: int) -> bool:
        try:
            return os.path.samestat(os.fstat(fd), os.stat(self.path))
        except FileNotFoundError:
            return False

    def forget(self) -> None:
        """After a fork, in the child: closes what the parent had open."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
