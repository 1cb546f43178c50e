"""The Date header, formatted once a second."""

from __future__ import annotations

import time

from tornado.httputil import format_timestamp

__all__ = ["date"]


class _Date:
    """Remembers the text of one second; two threads may both format it."""

    __slots__ = ("_second", "_text")

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def __call__(self) -> str:
        now = int(time.time())
        if now == self._second:
            return self._text
        text = self._text = format_timestamp(now)
        self._second = now
        return text


date = _Date()
