"""One line per request, to the logger `torngas.accesslog`."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

from tornado.web import RequestHandler

__all__ = ["AccessLogMiddleware"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class AccessLogMiddleware:
    """Logs each request in Apache's combined form with its duration, or as JSON.

    Args:
        json: Whether each line is a JSON object.
        logger: Where the lines go; None means `logging.getLogger("torngas.accesslog")`.
    """

    def __init__(self, *, json: bool = False, logger: logging.Logger | None = None) -> None:
        self._json = json
        self._logger = logger or logging.getLogger("torngas.accesslog")

    def process_endcall(self, handler: RequestHandler, clear: Any) -> None:
        """Writes the line."""
        request = handler.request
        length = handler._headers.get("Content-Length", "-")
        agent, referer = request.headers.get("User-Agent", "-"), request.headers.get("Referer", "-")
        duration = round(request.request_time() * 1000)
        now = time.localtime()
        stamp = time.strftime(f"%d/{_MONTHS[now.tm_mon - 1]}/%Y:%H:%M:%S %z", now)
        if self._json:
            line = json.dumps({"status": handler.get_status(), "path": request.path})
        else:
            line = (
                f'{request.remote_ip} - - [{stamp}] "{_safe(request.method)} {_safe(request.uri)} {request.version}" '
                f'{handler.get_status()} {length} "{_safe(referer)}" "{_safe(agent)}" {duration}ms'
            )
        self._logger.info("%s", line)


def _safe(text: str | None) -> str:
    return (text or "").encode("unicode_escape").decode("ascii").replace('"', '\\"')
