"""One id per request: in the response's header, in a context variable, and in log records.

Application(handlers, middlewares=[RequestIdMiddleware()])
log_handler.addFilter(RequestIdFilter())                 # then "%(request_id)s" works in its format
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from tornado.web import RequestHandler

from .protocols import Clear

__all__ = ["RequestIdFilter", "RequestIdMiddleware", "request_id"]

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that the running code works for; None outside of a request."""

_WELL_FORMED = re.compile(r"[A-Za-z0-9._~:@/+=-]{1,128}")


class RequestIdMiddleware:
    """Takes the id that the client or the proxy sent, if it is well-formed, else makes one.

    Well-formed is 1 to 128 characters of `A-Za-z0-9._~:@/+=-`: nothing that could end a log line or a header. The id is
    `request.request_id`, the context variable `request_id`, and the response's header, on errors too.

    Args:
        header: The header that is read and sent.
        accept: Whether an incoming id is taken at all; False where nobody in front is trusted to choose it.
        make: Makes a new id; 32 hexadecimal digits of a random UUID by default.
    """

    def __init__(
        self,
        *,
        header: str = "X-Request-ID",
        accept: bool = True,
        make: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._header = header
        self._accept = accept
        self._make = make

    def process_call(self, request: Any, clear: Clear) -> None:
        """Finds or makes the id."""
        sent = request.headers.get(self._header, "") if self._accept else ""
        found = sent if _WELL_FORMED.fullmatch(sent) else self._make()
        request.request_id = found
        request_id.set(found)

    def process_request(self, handler: RequestHandler, clear: Clear) -> None:
        """Sets the header early, for responses that stream."""
        self._set(handler)

    def process_response(self, handler: RequestHandler, clear: Clear, chunk: list[bytes]) -> None:
        """Sets the header again, since an error response starts from empty headers."""
        self._set(handler)

    def _set(self, handler: RequestHandler) -> None:
        request: Any = handler.request
        handler.set_header(self._header, request.request_id)


class RequestIdFilter(logging.Filter):
    """Gives each record the attribute `request_id`, `-` outside of a request; it lets every record pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Sets the attribute, unless the record has one."""
        if not hasattr(record, "request_id"):
            record.request_id = request_id.get() or "-"
        return True
