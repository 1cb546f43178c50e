"""One line per request, to the logger `torngas.accesslog`.

    Application(handlers, middlewares=[AccessLogMiddleware()])       # outermost: its endcall runs last
    AccessLogMiddleware(json=True)                                   # one JSON object per line

It configures no handler of the logger, and writes neither cookies nor credentials.
"""

from __future__ import annotations

import json as jsonlib
import logging
import re
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import tornado.web
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform, RequestHandler

from .protocols import Clear

__all__ = ["AccessLogMiddleware"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNSAFE = re.compile(r'[^\x20-\x7e]|["\\]')


class AccessLogMiddleware:
    r"""Logs each request when it is over, in Apache's combined form with the duration, or as JSON.

    Combined: `IP - - [time] "METHOD uri version" status length "referer" "agent" Nms`. The length is what was sent of
    the body, after compression, without headers; `-` if nothing. Control characters, quotes and what is not ASCII are
    written as `\xhh`, so a request cannot forge a line. A client that left before its response began is logged
    with status 499, as nginx does.

    A handler class with the attribute `access_log = False` (a health check, asked every few seconds) is logged only
    when it answers with an error, 400 and above.

    JSON has the same, and the matched route's pattern and the request's id, both null if nobody set them.

    Args:
        json: Whether each line is a JSON object.
        logger: Where the lines go, at level INFO; None is `logging.getLogger("torngas.accesslog")`.
        clock: Seconds since the epoch, for the time of the line.
    """

    def __init__(
        self, *, json: bool = False, logger: logging.Logger | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._format = _json if json else _combined
        self._logger = logging.getLogger("torngas.accesslog") if logger is None else logger
        self._clock = clock

    def process_init(self, application: tornado.web.Application) -> None:
        """Counts bytes behind every transform that the application has."""
        application.transforms = [*application.transforms, _Sent]

    def process_endcall(self, handler: RequestHandler, clear: Clear) -> None:
        """Writes the line."""
        request: Any = handler.request
        if self._logger.isEnabledFor(logging.INFO) and (
            getattr(handler, "access_log", True) or handler.get_status() >= 400
        ):
            self._write(self._format(handler, self._clock()))
        request._accesslog_sent = None  # they refer to each other

    def _write(self, line: str) -> None:
        """What `Logger.info("%s", line)` does, without the search through the stack for who called it."""
        logger = self._logger
        if type(logger) is not logging.Logger:  # another one, or an adapter, may add to it
            logger.info("%s", line)
            return
        here = self._write.__code__
        logger.handle(
            logger.makeRecord(
                logger.name, logging.INFO, here.co_filename, here.co_firstlineno, "%s", (line,), None, here.co_name
            )
        )


class _Sent(OutputTransform):
    """Counts the bytes of a response's body, and notes whether the client was there when it began."""

    def __init__(self, request: HTTPServerRequest) -> None:
        self.began = False
        self.length = 0
        self._counts = request.method != "HEAD"
        self._request = request
        request._accesslog_sent = self  # type: ignore[attr-defined]

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        self.began = not getattr(self._request, "disconnected", False)
        return status_code, headers, self.transform_chunk(chunk, finishing)

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        if self._counts and not getattr(self._request, "disconnected", False):
            self.length += len(chunk)
        return chunk


def _facts(handler: RequestHandler) -> tuple[int, int]:
    """The status and the length of the body, as the client got them."""
    sent: _Sent | None = getattr(handler.request, "_accesslog_sent", None)
    left = getattr(handler.request, "disconnected", False) and not (sent is not None and sent.began)
    return 499 if left else handler.get_status(), 0 if sent is None else sent.length


def _combined(handler: RequestHandler, now: float) -> str:
    request, (status, length) = handler.request, _facts(handler)
    line = f"{_safe(request.method)} {_safe(request.uri)} {_safe(request.version)}"
    return (
        f'{_safe(request.remote_ip)} - - [{_stamp(int(now))}] "{line}" {status} {length or "-"} '
        f'"{_safe(request.headers.get("Referer"))}" "{_safe(request.headers.get("User-Agent"))}" '
        f"{round(request.request_time() * 1000)}ms"
    )


@lru_cache(2)
def _stamp(second: int) -> str:
    local = time.localtime(second)
    return time.strftime(f"%d/{_MONTHS[local.tm_mon - 1]}/%Y:%H:%M:%S %z", local)


def _json(handler: RequestHandler, now: float) -> str:
    request, (status, length) = handler.request, _facts(handler)
    facts: dict[str, Any] = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(now)),
        "remote_ip": request.remote_ip,
        "method": request.method,
        "uri": request.uri,
        "version": request.version,
        "status": status,
        "length": length,
        "referer": request.headers.get("Referer"),
        "agent": request.headers.get("User-Agent"),
        "duration_ms": round(request.request_time() * 1000, 2),
        "route": getattr(getattr(request, "route", None), "pattern", None),
        "request_id": getattr(request, "request_id", None),
    }
    return jsonlib.dumps(facts).replace("\x7f", "\\u007f")


def _safe(text: str | None) -> str:
    if not text:
        return "-"
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return _UNSAFE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if found[0] in '"\\':
        return "\\" + found[0]
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
