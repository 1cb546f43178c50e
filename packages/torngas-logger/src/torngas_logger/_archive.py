"""The rotated files of one log file: their names, which are too many, and their compression.

A name is `<file>.<stamp>`, then `_000001` and so on where a stamp is taken. Names sort in the order in which the files
were written, whatever the clock did: a stamp older than the last one is replaced by the last one with the next number.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
from collections.abc import Callable
from typing import NamedTuple

from torngas_logger._locks import LOCK_EX, LOCK_NB, flock
from torngas_logger._state import Agreement, LockFile

_STAMP = re.compile(r"\d{4}-\d\d-\d\d(?:_\d\d(?:-\d\d){0,2})?(?:_\d{6})?(?![\d_-])")
_GZIP_MAGIC = b"\x1f\x8b"


class Backup(NamedTuple):
    """A rotated file; these sort by age, the oldest first."""

    stamp: str
    path: str


class Archive:
    """The rotated files beside `path`.

    Args:
        path: The log file.
        rename: Makes a rotated file's name of the default one (`BaseRotatingHandler.rotation_filename`).
    """

    __slots__ = ("_compressing", "_path", "_rename")

    def __init__(self, path: str, rename: Callable[[str], str]) -> None:
        self._path = path
        self._rename = rename
        self._compressing = -1

    def free_name(self, label: str, last: Agreement) -> tuple[str, str, int]:
        """(path, stamp, number) of the next rotated file; nothing has that name."""
        number = 0
        if label <= last.label:
            label, number = last.label, last.number + 1
        while True:
            path = self._rename(f"{self._path}.{_stamp(label, number)}")
            if not (os.path.lexists(path) or os.path.lexists(path + ".gz")):
                return path, label, number
            number += 1

    def backups(self) -> list[Backup]:
        """Every rotated file there is, plain or compressed, the oldest first."""
        folder = os.path.dirname(self._rename(f"{self._path}.0000-00-00"))
        found = []
        for name in os.listdir(folder):
            for match in _STAMP.finditer(name):
                wanted = self._rename(f"{self._path}.{match[0]}")
                if os.path.join(folder, name) in (wanted, wanted + ".gz"):
                    found.append(Backup(match[0], os.path.join(folder, name)))
                    break
        return sorted(found)

    def prune(self, keep: int) -> None:
        """Removes the oldest files until `keep` are left; 0 keeps all."""
        backups = self.backups() if keep > 0 else []
        for backup in backups[: max(0, len(backups) - keep)]:
            _remove(backup.path)
            _remove(backup.path + ".gz.lock")  # of a process that was killed while it compressed

    def compress(self, lock: LockFile, seconds: float) -> None:
        """Compresses what is not yet; files on which another process works are left to it."""
        for backup in self.backups():
            if not backup.path.endswith(".gz"):
                self._compress_one(backup.path, lock, seconds)

    def _compress_one(self, path: str, lock: LockFile, seconds: float) -> None:
        draft = path + ".gz.lock"
        fd = os.open(draft, os.O_RDWR | os.O_CREAT, 0o600)
        self._compressing = fd
        try:
            flock(fd, LOCK_EX | LOCK_NB)
            with open(path, "rb") as source:
                if source.read(2) != _GZIP_MAGIC:
                    _write_gzip(source.fileno(), fd)
                with lock.hold(seconds):
                    self._replace(path, draft, source.fileno(), fd)
        except BlockingIOError:
            pass  # somebody else compresses it
        except FileNotFoundError:
            _remove(draft)  # the file was pruned meanwhile
        finally:
            if self._compressing == fd:
                self._compressing = -1
                os.close(fd)

    def _replace(self, path: str, draft: str, source: int, fd: int) -> None:
        # First the content under the old name, then the new name: at every instant exactly one file holds the lines,
        # and one that was left between the two is known by its first bytes.
        if not os.path.samestat(os.stat(path), os.fstat(source)):
            os.remove(draft)
            return
        if os.fstat(fd).st_size:
            os.replace(draft, path)
        else:
            os.remove(draft)
        os.rename(path, path + ".gz")

    def forget(self) -> None:
        """After a fork, in the child: closes what the parent's thread had open."""
        if self._compressing >= 0:
            os.close(self._compressing)
            self._compressing = -1


def _remove(path: str) -> None:
    try:
        os.remove(path)
    except FileNotFoundError:
        pass  # an administrator was faster, or there was none


def _stamp(label: str, number: int) -> str:
    return f"{label}_{number:06}" if number else label


def _write_gzip(source: int, target: int) -> None:
    status = os.fstat(source)
    os.lseek(source, 0, os.SEEK_SET)
    os.ftruncate(target, 0)
    with (
        open(source, "rb", closefd=False) as plain,
        open(target, "wb", closefd=False) as raw,
        gzip.GzipFile("", "wb", 6, raw, status.st_mtime) as packed,
    ):
        shutil.copyfileobj(plain, packed, 1 << 20)
    os.fchmod(target, status.st_mode & 0o777)
    os.utime(target, (status.st_atime, status.st_mtime))
