"""One record, one line of JSON, for machines that read logs.

{"time": "2026-11-21T13:05:09.042+00:00", "level": "INFO", "logger": "shop", "message": "sold", "request_id": "…"}
"""

from __future__ import annotations

import datetime
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from torngas_logger._escaping import escape_json

__all__ = ["JsonFormatter"]

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "request_id"}


class JsonFormatter(logging.Formatter):
    """Writes `time` (ISO 8601), `level`, `logger`, `message`, then `request_id`, the fields of `extra=`, `exception`
    (`type`, `message`, `traceback`) and `stack` where the record has them. Safe in threads.

    A value that JSON does not know is written as its `str`; a field of `extra=` that has the name of one of ours is
    written as `extra_<name>`. The line is printable: nothing in it moves a cursor or ends the line.

    Args:
        request_id: A function that gives the id of the request at hand, asked where the record has no attribute
            `request_id`; None, or its answer None, leaves the field out. It runs where the record is formatted.
        fields: Fields that every line has, for example the name of the service.
        utc: Whether `time` is UTC (default) or local time; both carry their offset.
    """

    def __init__(
        self,
        *,
        request_id: Callable[[], str | None] | None = None,
        fields: Mapping[str, Any] | None = None,
        utc: bool = True,
    ) -> None:
        super().__init__()
        self._request_id = request_id
        self._fields = dict(fields or {})
        self._utc = utc

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        entry: dict[str, Any] = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **self._fields,
        }
        if (request_id := self._id_of(record)) is not None:
            entry["request_id"] = request_id
        self._add_trouble(entry, record)
        for key, value in record.__dict__.items():
            if key not in _STANDARD:
                entry[f"extra_{key}" if key in entry else key] = value
        return escape_json(_dumps(entry))

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - stdlib's name
        """ISO 8601 with milliseconds and offset; or by `datefmt`."""
        moment = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        moment = moment if self._utc else moment.astimezone()
        return moment.strftime(datefmt) if datefmt else moment.isoformat(timespec="milliseconds")

    def _id_of(self, record: logging.LogRecord) -> str | None:
        own: str | None = getattr(record, "request_id", None)
        return self._request_id() if own is None and self._request_id else own

    def _add_trouble(self, entry: dict[str, Any], record: logging.LogRecord) -> None:
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            kind = record.exc_info[0] if record.exc_info else None
            name, _, message = record.exc_text.rpartition("\n")[2].partition(": ")
            entry["exception"] = {"type": kind.__name__ if kind else name, "message": message}
            entry["exception"]["traceback"] = record.exc_text
        if record.stack_info:
            entry["stack"] = self.formatStack(record.stack_info)


def _dumps(entry: dict[str, Any]) -> str:
    try:
        return json.dumps(entry, ensure_ascii=False, default=str, separators=(",", ":"))
    except (TypeError, ValueError):  # keys that are no strings, a mapping that holds itself
        plain = {key: value if isinstance(value, int | float | None) else str(value) for key, value in entry.items()}
        return json.dumps(plain, ensure_ascii=False)
