"""Handlers that write files which many processes share.

Each takes the keywords of its namesake in `logging.handlers`, works from `logging.config.dictConfig`, and honors
`namer`, `rotator` and `terminator`. A record is in the file when `emit` returns. Several threads, several processes
(forked before or after, spawned, unrelated) and several handlers may have the same file.

    handler = ProcessLogTimedFileHandler("logs/app.log", when="midnight", backupCount=14, maxBytes=100_000_000)
    logging.getLogger().addHandler(handler)

They refuse to raise into the program: what cannot be written is reported on stderr once, counted, and the count is
logged when it works again.
"""

from __future__ import annotations

import datetime
import logging
import logging.handlers
import os
import sys
import threading
from typing import Any

from torngas_logger._archive import Archive
from torngas_logger._forks import survive_forks
from torngas_logger._outage import Outage
from torngas_logger._schedule import Schedule
from torngas_logger._shared_file import SharedFile
from torngas_logger._stamps import fast_format
from torngas_logger._state import LockFile
from torngas_logger.errors import LoggerConfigError

__all__ = ["ProcessLogFileHandler", "ProcessLogRotatingFileHandler", "ProcessLogTimedFileHandler"]

_COMPRESSION_WAIT = 10.0  # seconds that close() waits for a compression, and the compression for a rotation


class ProcessLogFileHandler(logging.handlers.BaseRotatingHandler):
    """Writes one file with other processes, and follows it when somebody else moves it (`WatchedFileHandler`).

    It never rotates by itself, so it is the one for an external logrotate, without `copytruncate`.

    Args:
        filename: The file; a `str` or a path object. Its folder must exist.
        mode: "a". "w" is refused: it would remove what the other processes wrote.
        encoding: None is UTF-8. One that begins with a byte order mark is refused.
        delay: Whether the file is opened by the first record instead of now.
        errors: What to do with what the encoding does not have; None is "backslashreplace".
    """

    def __init__(
        self,
        filename: str | os.PathLike[str],
        mode: str = "a",
        encoding: str | None = None,
        delay: bool = False,
        errors: str | None = None,
    ) -> None:
        self._set_up(filename, mode, encoding, delay, errors)

    def _set_up(
        self,
        filename: str | os.PathLike[str],
        mode: str,
        encoding: str | None,
        delay: bool,
        errors: str | None,
        *,
        schedule: Schedule | None = None,
        max_bytes: int = 0,
        backups: int = 0,
        compress: bool = False,
    ) -> None:
        _check(filename, mode, encoding, max_bytes, backups, compress)
        super().__init__(filename, "a", encoding or "utf-8", delay=True, errors=errors)
        self._codec, self._errors = encoding or "utf-8", errors or "backslashreplace"
        self._utf8 = self._codec.lower().replace("_", "-") in ("utf-8", "utf8")
        self._format = fast_format(None)
        self.delay = delay
        self.maxBytes = max_bytes
        self.backupCount = backups
        self._compress = compress
        self._compressor: threading.Thread | None = None
        self._outage = Outage(self.baseFilename)
        self._lock_file = LockFile(self.baseFilename + ".lock")
        self._archive = Archive(self.baseFilename, lambda name: self.rotation_filename(name))
        self._file = SharedFile(
            self.baseFilename,
            archive=self._archive,
            rotate=lambda source, target: self.rotate(source, target),
            lock=self._lock_file,
            schedule=schedule,
            max_bytes=max_bytes,
            ends_lines=self.terminator.encode(self._codec)[-1:] == b"\n",
            turned=self._tidy,
            trouble=self._outage.rotation,
        )
        self._append = self._file.append
        survive_forks(self)
        if not delay:
            self._file.open()

    def handle(self, record: logging.LogRecord) -> Any:
        """As `logging.Handler.handle`, with fewer calls on the way."""
        if self.filters:
            verdict: Any = self.filter(record)
            if not verdict:
                return verdict
            if verdict is not True and isinstance(verdict, logging.LogRecord):  # Python 3.12: it may be replaced
                record = verdict
        lock = self.lock
        if lock is None:
            self.emit(record)
        else:
            with lock:
                self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one record, rotating the file before it where that is due."""
        try:
            text = self._format(record) + self.terminator
            data = text.encode() if self._utf8 and text.isascii() else text.encode(self._codec, self._errors)
        except Exception:  # noqa: BLE001 - arguments and formatters of the user raise whatever they like
            self.handleError(record)
            return
        outage = self._outage
        try:
            self._append(self._notice() + data if outage.lost else data)
        except OSError as error:
            outage.lose(error)
            return
        if outage.lost:
            outage.lost = 0

    def setFormatter(self, fmt: logging.Formatter | None) -> None:  # noqa: N802 - stdlib's name
        """As `logging.Handler.setFormatter`. Assign no `formatter`; call this."""
        super().setFormatter(fmt)
        self._format = fast_format(fmt)

    def _encode(self, record: logging.LogRecord) -> bytes:
        return (self._format(record) + self.terminator).encode(self._codec, self._errors)

    def _notice(self) -> bytes:
        record = logging.LogRecord("torngas_logger", logging.WARNING, __file__, 0, self._outage.notice(), (), None)
        try:
            return self._encode(record)
        except (KeyError, ValueError, TypeError, AttributeError):  # a format that needs fields of its own
            return f"{self._outage.notice()}{self.terminator}".encode(self._codec)

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802 - stdlib's name
        """Whether this record would find the file due; another process may rotate it first."""
        return self._file.is_due(len(self._encode(record)))

    def doRollover(self) -> None:  # noqa: N802 - stdlib's name
        """Rotates the file now, due or not, unless it is empty."""
        self.acquire()
        try:
            self._file.roll()
        finally:
            self.release()

    def reopenIfNeeded(self) -> None:  # noqa: N802 - stdlib's name
        """Follows a file that was moved away. Each record does so by itself; here for `WatchedFileHandler`'s users."""
        self.acquire()
        try:
            self._file.close()
            self._file.open()
        finally:
            self.release()

    def close(self) -> None:
        """Closes the file, after at most ten seconds for a compression that runs; a later record opens it again."""
        self.acquire()
        try:
            self._file.close()
        finally:
            self.release()
        if (compressor := self._compressor) is not None:
            compressor.join(_COMPRESSION_WAIT)
        super().close()

    def _tidy(self) -> None:
        try:
            with self._lock_file.hold(_COMPRESSION_WAIT):
                self._archive.prune(self.backupCount)
        except OSError as error:
            self._outage.upkeep(error)
        if self._compress and (self._compressor is None or not self._compressor.is_alive()):
            name = f"compress {os.path.basename(self.baseFilename)}"
            self._compressor = threading.Thread(target=self._compress_backups, name=name, daemon=True)
            self._compressor.start()

    def _compress_backups(self) -> None:
        try:
            self._archive.compress(LockFile(self._lock_file.path), _COMPRESSION_WAIT)
        except OSError as error:
            self._outage.upkeep(error)

    def _after_fork(self) -> None:
        self._compressor = None
        self._file.forget()


class ProcessLogTimedFileHandler(ProcessLogFileHandler):
    """Rotates at boundaries in time, and also by size where `maxBytes` is given.

    The rotated file is `filename.STAMP`, the stamp being the start of its interval; `_000001` and so on follow where
    that is taken.

    Args:
        filename: The file; a `str` or a path object. Its folder must exist.
        when: "S", "M", "H", "D", "midnight" or "W0" (Monday) to "W6"; default "h", an hour.
        interval: How many of these; default 1.
        backupCount: How many rotated files to keep; 0 keeps all.
        encoding: None is UTF-8. One that begins with a byte order mark is refused.
        delay: Whether the file is opened by the first record instead of now.
        utc: Whether days and names are those of UTC; default local time.
        atTime: The time of day for "midnight" and "W…"; None is 00:00.
        errors: What to do with what the encoding does not have; None is "backslashreplace".
        maxBytes: Size in bytes that is passed by one record at most; 0 for no limit.
        compress: Whether rotated files are compressed to `.gz`, by a thread of the process that rotated.
    """

    def __init__(
        self,
        filename: str | os.PathLike[str],
        when: str = "h",
        interval: int = 1,
        backupCount: int = 0,  # noqa: N803 - stdlib's names
        encoding: str | None = None,
        delay: bool = False,
        utc: bool = False,
        atTime: datetime.time | None = None,  # noqa: N803
        errors: str | None = None,
        *,
        maxBytes: int = 0,  # noqa: N803
        compress: bool = False,
    ) -> None:
        schedule = Schedule(when, interval, utc=utc, at_time=atTime)
        self.when, self.utc, self.atTime = when.upper(), utc, atTime
        self._set_up(
            filename,
            "a",
            encoding,
            delay,
            errors,
            schedule=schedule,
            max_bytes=maxBytes,
            backups=backupCount,
            compress=compress,
        )


class ProcessLogRotatingFileHandler(ProcessLogFileHandler):
    """Rotates by size, and also at boundaries in time where `when` is given.

    Unlike stdlib's, rotated files are never renamed again: the name is `filename.STAMP`, the stamp being the second of
    the rotation (with `when`: the start of the interval), and `_000001` and so on where that is taken. And
    `backupCount=0` keeps all of them.

    Args:
        filename: The file; a `str` or a path object. Its folder must exist.
        mode: "a"; with a size limit "w" means the same, as in stdlib.
        maxBytes: Size in bytes that is passed by one record at most; 0 for no limit.
        backupCount: How many rotated files to keep; 0 keeps all.
        encoding: None is UTF-8. One that begins with a byte order mark is refused.
        delay: Whether the file is opened by the first record instead of now.
        errors: What to do with what the encoding does not have; None is "backslashreplace".
        when: As in `ProcessLogTimedFileHandler`; None for no boundaries in time.
        interval: How many of these; default 1.
        utc: Whether days and names are those of UTC; default local time.
        atTime: The time of day for "midnight" and "W…"; None is 00:00.
        compress: Whether rotated files are compressed to `.gz`, by a thread of the process that rotated.
    """

    def __init__(
        self,
        filename: str | os.PathLike[str],
        mode: str = "a",
        maxBytes: int = 0,  # noqa: N803 - stdlib's names
        backupCount: int = 0,  # noqa: N803
        encoding: str | None = None,
        delay: bool = False,
        errors: str | None = None,
        *,
        when: str | None = None,
        interval: int = 1,
        utc: bool = False,
        atTime: datetime.time | None = None,  # noqa: N803
        compress: bool = False,
    ) -> None:
        schedule = Schedule(when, interval, utc=utc, at_time=atTime) if when else None
        self._set_up(
            filename,
            "a" if maxBytes > 0 else mode,
            encoding,
            delay,
            errors,
            schedule=schedule,
            max_bytes=maxBytes,
            backups=backupCount,
            compress=compress,
        )


def _check(
    filename: str | os.PathLike[str], mode: str, encoding: str | None, max_bytes: int, backups: int, compress: bool
) -> None:
    where = os.fspath(filename)
    if mode != "a":
        raise LoggerConfigError(f"{where}: got mode {mode!r}; expected 'a': other processes write the same file.")
    if "".encode(encoding or "utf-8"):
        raise LoggerConfigError(
            f"{where}: got encoding {encoding!r}, which puts a mark before each record; expected one without, as utf-8."
        )
    if max_bytes < 0 or backups < 0:
        raise LoggerConfigError(
            f"{where}: got maxBytes {max_bytes}, backupCount {backups}; expected 0 (no limit) or more."
        )
    if compress and sys.platform == "win32":
        raise LoggerConfigError(f"{where}: got compress=True on Windows, where open files cannot be replaced.")
