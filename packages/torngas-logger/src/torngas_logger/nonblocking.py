"""Takes the disk out of the program's way: records wait in memory, a thread writes them.

    handler = NonBlockingHandler(ProcessLogTimedFileHandler("app.log"), capacity=10_000, when_full="drop")

What waits is lost when the process is killed; a handler used directly loses nothing then. That is the price of an
event loop that no disk can stop.
"""

from __future__ import annotations

import contextvars
import copy
import logging
import logging.handlers
import queue
import threading
from typing import Any, Literal

from torngas_logger._forks import survive_forks
from torngas_logger.errors import LoggerConfigError

__all__ = ["NonBlockingHandler"]

_Item = tuple[contextvars.Context, logging.LogRecord]


class NonBlockingHandler(logging.handlers.QueueHandler):
    """Hands records to `target` in a thread of its own, which starts with the first record.

    The target's filters and formatter run in that thread, in a copy of the context of the caller, so that a request id
    in a `ContextVar` is the right one. The message is built at once: arguments may change afterwards.

    Args:
        target: The handler that writes. It is closed with this one.
        capacity: How many records may wait; at least 1.
        when_full: "drop" counts the record, and the count is logged as soon as there is room; "block" waits for room.
    """

    def __init__(
        self, target: logging.Handler, *, capacity: int = 10_000, when_full: Literal["block", "drop"] = "drop"
    ) -> None:
        if capacity < 1:
            raise LoggerConfigError(f"capacity: got {capacity}; expected 1 or more: memory has an end.")
        if when_full not in ("block", "drop"):
            raise LoggerConfigError(f"when_full: got {when_full!r}; expected 'block' or 'drop'.")
        self._capacity = capacity
        self._waiting: queue.Queue[_Item | None] = queue.Queue(capacity)
        super().__init__(self._waiting)
        self.target = target
        self._block = when_full == "block"
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._dropped = 0
        survive_forks(self)

    @property
    def dropped(self) -> int:
        """How many records were dropped and not yet logged as such."""
        return self._dropped

    def handle(self, record: logging.LogRecord) -> Any:
        """As `logging.Handler.handle`, without the handler's lock: who waits for room must not keep others out."""
        verdict: Any = self.filter(record)
        if verdict:
            self.emit(verdict if isinstance(verdict, logging.LogRecord) else record)
        return verdict

    def emit(self, record: logging.LogRecord) -> None:
        """Queues the record. It waits only where `when_full` is "block" and the queue is full."""
        try:
            item = contextvars.copy_context(), self.prepare(record)
        except Exception:  # noqa: BLE001 - building the message runs code of the user
            self.handleError(record)
            return
        if threading.current_thread() is self._thread:
            self._write(item)  # the target logs: waiting for itself would be for ever
            return
        self._start()
        try:
            self._waiting.put(item, block=self._block)
        except queue.Full:
            self._dropped += 1

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """A copy with its message built. Nothing is pickled here, so the traceback may stay what it is."""
        prepared = copy.copy(record)
        prepared.msg, prepared.args = record.getMessage(), None
        return prepared

    def flush(self) -> None:
        """Waits until everything queued so far is written."""
        if self._thread is not None:
            self._waiting.join()
        self.target.flush()

    def close(self) -> None:
        """Writes what waits, ends the thread, and closes the target. A later record starts a new thread."""
        with self._starting:
            # `_thread` stays set until the thread is gone: by it a target that logs is known.
            if self._thread is not None and self._thread is not threading.current_thread():
                self._waiting.put(None)
                self._thread.join()
                self._thread = None
                self._drain()
        self._report()
        self.target.close()
        super().close()

    def _start(self) -> None:
        if self._thread is not None:
            return
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, args=(self._waiting,), name="log writer", daemon=True)
                self._thread.start()

    def _run(self, waiting: queue.Queue[_Item | None]) -> None:
        while (item := waiting.get()) is not None:
            self._report()
            self._write(item)
            waiting.task_done()
        waiting.task_done()

    def _drain(self) -> None:
        """Writes what other threads queued behind the end."""
        while not self._waiting.empty():
            if (item := self._waiting.get()) is not None:
                self._write(item)
            self._waiting.task_done()

    def _write(self, item: _Item) -> None:
        context, record = item
        try:
            context.run(self.target.handle, record)
        except Exception:  # noqa: BLE001 - filters of the user; one record must not end the thread
            self.handleError(record)

    def _report(self) -> None:
        if not self._dropped:
            return
        count, self._dropped = self._dropped, 0
        text = f"{count} log records dropped: the queue of {self._capacity} was full"
        self.target.handle(logging.LogRecord("torngas_logger", logging.WARNING, __file__, 0, text, (), None))

    def _after_fork(self) -> None:
        # What waits is the parent's, and written by it.
        self._waiting = self.queue = queue.Queue(self._capacity)
        self._starting = threading.Lock()
        self._thread = None
        self._dropped = 0
