"""Sessions in files of one folder, shared by the processes of one machine."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from ._packing import pack, unpack
from ._threads import ThreadedStore

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows: threads of one process only
    fcntl = None  # type: ignore[assignment]  # a module or nothing

__all__ = ["FileStore"]

_HEADER = struct.Struct(">4sd16s")
_MAGIC = b"tgs1"
_NEVER = float("inf")
_SUFFIX = ".session"
_LOCKS = 64


class FileStore(ThreadedStore):
    """One file per entry, written aside and renamed; safe across threads and, where flock exists, processes.

    File names are hashes of the keys, the folder belongs to its owner alone (0700). A file that is damaged counts
    as missing; any other failure of the disk is an OSError.

    Args:
        folder: Made if missing, at the first use.
        clock: Seconds since the epoch.
        executor: Runs the calls of the async forms; None is the loop's default.
    """

    def __init__(
        self, folder: str | Path, *, clock: Callable[[], float] = time.time, executor: Executor | None = None
    ) -> None:
        super().__init__(executor)
        self._folder = Path(folder)
        self._clock = clock
        self._locks = [threading.Lock() for _ in range(_LOCKS)]

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or `default` if absent or expired."""
        value, token = self.gets(key)
        return default if token is None else value

    def gets(self, key: str) -> tuple[Any, bytes | None]:
        """The value and its version; `(None, None)` if absent or expired."""
        return self._read(self._path(key))

    def set(self, key: str, value: Any, timeout: float | None) -> None:
        """Stores the value for `timeout` seconds; None for ever, 0 and less not at all."""
        path = self._path(key)
        with self._locked(path):
            self._write(path, pack(value), timeout)

    def cas(self, key: str, value: Any, token: bytes | None, timeout: float | None) -> bool:
        """Stores the value if the entry still has this version; with None, if there is none."""
        path, data = self._path(key), pack(value)
        with self._locked(path):
            if self._read(path)[1] != token:
                return False
            self._write(path, data, timeout)
            return True

    def delete(self, key: str) -> None:
        """Removes the entry, if there is one."""
        path = self._path(key)
        with self._locked(path):
            path.unlink(missing_ok=True)

    def purge(self) -> int:
        """Removes the expired entries; the number of them. Call it from time to time: nobody else looks."""
        removed = 0
        for path in self._folder.glob(f"*{_SUFFIX}"):
            with self._locked(path):
                if self._read(path)[1] is None:
                    path.unlink(missing_ok=True)
                    removed += 1
        return removed

    def _path(self, key: str) -> Path:
        return self._folder / (hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest() + _SUFFIX)

    def _read(self, path: Path) -> tuple[Any, bytes | None]:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None, None
        if len(data) <= _HEADER.size:
            return None, None
        magic, deadline, version = _HEADER.unpack_from(data)
        if magic != _MAGIC or self._clock() >= deadline:
            return None, None
        try:
            return unpack(data[_HEADER.size :]), version
        except ValueError:
            return None, None

    def _write(self, path: Path, data: bytes, timeout: float | None) -> None:
        if timeout is not None and timeout <= 0:
            path.unlink(missing_ok=True)
            return
        deadline = _NEVER if timeout is None else self._clock() + timeout
        descriptor, temporary = tempfile.mkstemp(dir=self._folder, suffix=".tmp")  # made 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_HEADER.pack(_MAGIC, deadline, secrets.token_bytes(16)) + data)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    @contextlib.contextmanager
    def _locked(self, path: Path) -> Iterator[None]:
        """Holds one of the locks: a thread's and, on a file beside the entries, a process's."""
        number = int(path.name[:8], 16) % _LOCKS
        with self._locks[number], self._lock_file(number) as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _lock_file(self, number: int) -> Any:
        try:
            return (self._folder / f"{number}.lock").open("ab")
        except FileNotFoundError:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return (self._folder / f"{number}.lock").open("ab")
