"""What a handler answers to an error."""

from __future__ import annotations

import html
import http.client
import traceback
from typing import TYPE_CHECKING, Any

from tornado.web import HTTPError

if TYPE_CHECKING:
    from tornado.web import RequestHandler as _Base
else:
    _Base = object

__all__ = ["UncaughtExceptionMixin"]

_PAGE = "<!doctype html>\n<html><head><meta charset=utf-8><title>{title}</title></head><body>{body}</body></html>\n"


class UncaughtExceptionMixin(_Base):
    """Writes an error's page: the status and its phrase; with the traceback in DEBUG.

    Attributes:
        exception_response: The whole body of the answer, if it is set when the error is answered.
    """

    exception_response: str | bytes | dict[str, Any] | None = None

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answers an error; override it as in Tornado."""
        if self.exception_response is not None:
            self.finish(self.exception_response)
            return
        phrase = self._reason or http.client.responses.get(status_code, "Unknown")
        title = html.escape(f"{status_code}: {phrase}")
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.finish(_PAGE.format(title=title, body=f"<h1>{title}</h1>{self._details(kwargs.get('exc_info'))}"))

    def _details(self, exc_info: Any) -> str:
        if not exc_info or not self.settings.get("serve_traceback"):
            return ""
        if isinstance(exc_info[1], HTTPError) and exc_info[1].status_code < 500:
            return f"<p>{html.escape(exc_info[1].log_message or '')}</p>"
        return f"<pre>{html.escape(''.join(traceback.format_exception(*exc_info)))}</pre>"
