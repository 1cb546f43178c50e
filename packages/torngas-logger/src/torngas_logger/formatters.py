r"""Formatters whose lines nobody can forge: control characters in messages and fields are written out (`\n`, `\x1b`).

    handler.setFormatter(LineFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))

A traceback follows its line, each of its lines indented by four spaces: what begins at the margin is a record.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TextIO

from torngas_logger._escaping import escape
from torngas_logger._stamps import StampCache

__all__ = ["ColorFormatter", "LineFormatter"]

_INDENT = "\n    "
_CODES = {logging.DEBUG: 34, logging.INFO: 32, logging.WARNING: 33, logging.ERROR: 31, logging.CRITICAL: 35}


class LineFormatter(logging.Formatter):
    """One record, one line; a traceback or stack follows indented. Safe in threads.

    Args:
        fmt: As in `logging.Formatter`; None is `%(asctime)s %(levelname)s %(name)s %(message)s`.
        datefmt: For `time.strftime`; None is `2026-11-21 13:05:09,042`.
        style: "%", "{" or "$".
        validate: Whether a format without any field is refused.
        defaults: Values of fields that a record may lack.
    """

    default_format = "%(asctime)s %(levelname)s %(name)s %(message)s"

    def __init__(
        self,
        fmt: str | None = None,
        datefmt: str | None = None,
        style: Literal["%", "{", "$"] = "%",
        validate: bool = True,
        *,
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(self._default(style) if fmt is None else fmt, datefmt, style, validate, defaults=defaults)
        self._stamps = StampCache()

    def _default(self, style: str) -> str | None:
        return self.default_format if style == "%" else None

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - stdlib's name
        """As stdlib's, with the last date kept for records of the same millisecond."""
        if datefmt or self.converter is not time.localtime:
            return super().formatTime(record, datefmt)
        return self._stamps.local(self, record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """The line. The format itself may hold what it likes, its fields may not."""
        line = super().formatMessage(record)
        return line if line.isprintable() else super().formatMessage(_escaped(record))

    def format(self, record: logging.LogRecord) -> str:
        """The line, and below it the traceback and the stack, if there are any."""
        record.message = record.getMessage()
        if self.usesTime():
            record.asctime = self.formatTime(record, self.datefmt)
        line = self.formatMessage(record)
        if record.exc_info or record.exc_text or record.stack_info:
            line += "".join(_INDENT + escape(text) for text in self._below(record))
        return line

    def _below(self, record: logging.LogRecord) -> Iterator[str]:
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            yield from record.exc_text.split("\n")
        if record.stack_info:
            yield from self.formatStack(record.stack_info).split("\n")


class ColorFormatter(LineFormatter):
    """The short line of a development server, its head in the color of the level where a terminal reads it.

    Args:
        fmt: As in `LineFormatter`, with the fields `color` and `end_color`; None is
            `[I 261121 13:05:09 module:12] message`.
        datefmt: For `time.strftime`; None is `%y%m%d %H:%M:%S`.
        style: "%", "{" or "$".
        color: True, False, or None: only if `stream` is a terminal, and the environment has no `NO_COLOR`
            (https://no-color.org).
        stream: Where the lines go; None is stderr.
    """

    default_format = "%(color)s[%(levelname).1s %(asctime)s %(module)s:%(lineno)d]%(end_color)s %(message)s"

    def __init__(
        self,
        fmt: str | None = None,
        datefmt: str | None = "%y%m%d %H:%M:%S",
        style: Literal["%", "{", "$"] = "%",
        *,
        color: bool | None = None,
        stream: TextIO | None = None,
    ) -> None:
        super().__init__(fmt, datefmt, style)
        self._color = _is_colorful(sys.stderr if stream is None else stream) if color is None else color

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """The line, colored."""
        colored = _escaped(record)
        code = _CODES.get(record.levelno) if self._color else None
        colored.color, colored.end_color = (f"\x1b[{code}m", "\x1b[0m") if code else ("", "")
        return logging.Formatter.formatMessage(self, colored)


def _escaped(record: logging.LogRecord) -> logging.LogRecord:
    """A copy of the record whose fields are safe: the record itself belongs to other handlers too."""
    fields = {key: value if isinstance(value, int | float) else _safe(value) for key, value in record.__dict__.items()}
    return logging.makeLogRecord(fields)


def _safe(value: object) -> object:
    if isinstance(value, str):
        return escape(value)
    text = str(value)
    return value if text.isprintable() else escape(text)


def _is_colorful(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty() and "NO_COLOR" not in os.environ
    except (AttributeError, ValueError):
        return False
