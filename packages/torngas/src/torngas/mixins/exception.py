"""What a handler answers to an error."""

from __future__ import annotations

import html
import http.client
from typing import TYPE_CHECKING, Any

from tornado.log import gen_log
from tornado.web import HTTPError

from torngas.errorpage import error_page, may_be_shown
from torngas.settings_manager import Settings, settings

if TYPE_CHECKING:
    from tornado.web import RequestHandler as _Base
else:
    _Base = object

__all__ = ["UncaughtExceptionMixin"]

_PAGE = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
    "<body><h1>{title}</h1>{more}</body></html>\n"
)


class UncaughtExceptionMixin(_Base):
    """Answers an error: a plain page, or JSON to who accepts it; in DEBUG the page with frames and variables.

    Attributes:
        exception_response: The whole body of the answer, if it is set when the error is answered.
    """

    exception_response: str | bytes | dict[str, Any] | None = None

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Answers an error; one that says its own `status_code`, such as `PageNotFound`, is answered with that."""
        error = (kwargs.get("exc_info") or (None, None))[1]
        super().send_error(_status_of(error) or status_code, **kwargs)

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        """Logs as Tornado does; an error that says a `status_code` below 500 is a warning without traceback."""
        status = _status_of(value)
        if status is not None and status < 500:
            gen_log.warning("%d %s: %s", status, self._request_summary(), value)
        else:
            super().log_exception(typ, value, tb)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answers an error; override it as in Tornado."""
        if self.exception_response is not None:
            self.finish(self.exception_response)
            return
        phrase = self._reason or http.client.responses.get(status_code, "Unknown")
        chosen: Settings = getattr(self.application, "project_settings", None) or settings.current
        if _prefers_json(self.request.headers.get("Accept", "")):
            self.finish(self._as_json(status_code, phrase))
            return
        exc_info = kwargs.get("exc_info") if may_be_shown(self, chosen) else None
        if exc_info is None or isinstance(exc_info[1], HTTPError):
            self._finish_html(self._as_html(status_code, phrase, exc_info[1].log_message if exc_info else None))
        else:
            self._finish_html(error_page(self, exc_info, chosen))

    def _finish_html(self, page: str) -> None:
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")
        self.finish(page)

    def _as_html(self, status: int, phrase: str, message: str | None) -> str:
        lines = [message or "", f"Request {self._request_id}" if self._request_id else ""]
        more = "".join(f"<p>{html.escape(line)}</p>" for line in lines if line)
        return _PAGE.format(title=html.escape(f"{status}: {phrase}"), more=more)

    def _as_json(self, status: int, phrase: str) -> dict[str, Any]:
        body: dict[str, Any] = {"status": status, "title": phrase}
        return {**body, "request_id": self._request_id} if self._request_id else body

    @property
    def _request_id(self) -> str | None:
        return getattr(self.request, "request_id", None)


def _status_of(error: BaseException | None) -> int | None:
    status = None if isinstance(error, HTTPError) else getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def _prefers_json(accept: str) -> bool:
    return "application/json" in accept and "text/html" not in accept
