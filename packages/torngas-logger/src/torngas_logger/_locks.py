"""Advisory locks of whole files: `flock` where there is one, the same face over `msvcrt.locking` on Windows.

Both belong to the open file description: two opens in one process exclude each other, a forked child shares its
parent's, and the kernel drops the lock with the last descriptor, also after kill -9.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Protocol

LOCK_SH, LOCK_EX, LOCK_NB, LOCK_UN = 1, 2, 4, 8
_FAR = 1 << 30  # the byte that Windows locks: mandatory there, so it must lie behind what anybody reads
_LONGEST_PAUSE = 0.001


class RegionLocking(Protocol):
    """What is used of `msvcrt`."""

    LK_NBLCK: int
    LK_UNLCK: int

    def locking(self, fd: int, mode: int, nbytes: int, /) -> None:
        """Locks or unlocks `nbytes` from the current position; OSError when another has them."""


def region_flock(module: RegionLocking) -> Callable[[int, int], None]:
    """`flock` over region locks, which know no sharing: a shared lock is an exclusive one."""

    def flock(fd: int, operation: int) -> None:
        position = os.lseek(fd, 0, os.SEEK_CUR)
        os.lseek(fd, _FAR, os.SEEK_SET)
        try:
            _lock_region(module, fd, operation)
        finally:
            os.lseek(fd, position, os.SEEK_SET)

    return flock


def _lock_region(module: RegionLocking, fd: int, operation: int) -> None:
    if operation & LOCK_UN:
        module.locking(fd, module.LK_UNLCK, 1)
        return
    while True:
        try:
            module.locking(fd, module.LK_NBLCK, 1)
        except OSError as error:
            if operation & LOCK_NB:
                raise BlockingIOError(error.errno, "locked by another process") from error
            time.sleep(_LONGEST_PAUSE)
        else:
            return


flock: Callable[[int, int], None]
if sys.platform == "win32":
    import msvcrt

    flock = region_flock(msvcrt)
else:
    import fcntl

    flock = fcntl.flock


def acquire(fd: int, seconds: float) -> bool:
    """Takes the exclusive lock within `seconds`; False when it could not.

    It asks again and again instead of waiting in the kernel: a process that was stopped while it held the lock must not
    stop all the others.
    """
    deadline = time.monotonic() + seconds
    pause = 0.0
    while True:
        try:
            flock(fd, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(pause)
            pause = min(pause * 2 or 2e-5, _LONGEST_PAUSE)
        else:
            return True
