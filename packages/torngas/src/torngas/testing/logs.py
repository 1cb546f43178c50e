"""Which log lines a block writes.

with capture_logs("torngas.accesslog") as logs:
    client.get("/")
assert "GET /" in logs.text
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["CapturedLogs", "capture_logs"]


class CapturedLogs(logging.Handler):
    """The records of a block, in order.

    Attributes:
        records: As `logging` made them.
    """

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Called by `logging`."""
        self.records.append(record)

    @property
    def lines(self) -> list[str]:
        """The messages."""
        return [record.getMessage() for record in self.records]

    @property
    def text(self) -> str:
        """The messages, a line each."""
        return "\n".join(self.lines)


@contextmanager
def capture_logs(logger: str = "", level: int | str = logging.DEBUG) -> Iterator[CapturedLogs]:
    """Notes what is logged inside the block.

    Args:
        logger: A name; loggers below it count, unless they do not propagate. Empty: all that propagate.
        level: The lowest that is noted; the logger is opened that far for the time of the block.
    """
    number = logging.getLevelNamesMapping()[level] if isinstance(level, str) else level
    watched = logging.getLogger(logger)
    captured, former = CapturedLogs(number), watched.level
    watched.addHandler(captured)
    if watched.getEffectiveLevel() > number:
        watched.setLevel(number)
    try:
        yield captured
    finally:
        watched.setLevel(former)
        watched.removeHandler(captured)
