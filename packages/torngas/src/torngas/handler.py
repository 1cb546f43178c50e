"""The handlers that applications derive from.

`WebHandler` is Tornado's RequestHandler with the middlewares' hooks, `on_prepare`, `complete_finish`, the session,
flash messages' home and the routes' `_url_kwargs`. `ApiHandler` adds JSON and JSONP, `ErrorHandler` answers what no
route matched.

    class Main(WebHandler):
        def get(self):
            self.write("hello", status=200)
"""

from __future__ import annotations

import json
import re
from typing import Any

import tornado.websocket
from tornado import locale
from tornado.locale import Locale
from tornado.web import RequestHandler

from torngas.exception import Http404, HttpBadRequestError
from torngas.mixins.exception import UncaughtExceptionMixin
from torngas.settings_manager import settings
from torngas.template.base import TemplateMixin
from torngas_middleware import MiddlewareHandlerMixin, ShortPathMixin
from torngas_session import SessionAccessMixin

__all__ = ["ApiHandler", "ErrorHandler", "WebHandler", "WebSocketHandler"]

# A JavaScript name, members and array items of one: what JSONP libraries send. 128 characters are plenty.
_CALLBACK = re.compile(r"(?=.{1,128}\Z)[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*|\[\d{1,9}\])*", re.ASCII)


class ProjectMixin(SessionAccessMixin, MiddlewareHandlerMixin):
    """What handlers of all kinds share: hooks, session, the route's arguments, the project's locale.

    Attributes:
        _url_kwargs: The keyword arguments of the route, over those of its `Url`; a fresh dictionary per request.
    """

    @property
    def _url_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = self.request.__dict__.setdefault("_url_kwargs", {})
        return kwargs

    def get_user_locale(self) -> Locale | None:
        """Answers `locale_default` where TRANSLATIONS_CONF switches `use_accept_language` off; else the browser's."""
        conf = self._translations
        return locale.get(conf.locale_default) if conf and not conf.use_accept_language else None

    def get_browser_locale(self, default: str | None = None) -> Locale:
        """Answers the locale of the Accept-Language header, else `locale_default`."""
        conf = self._translations
        return super().get_browser_locale(default or (conf.locale_default if conf else "en_US"))

    @property
    def _translations(self) -> Any:
        chosen = getattr(self.application, "project_settings", None) or settings
        return chosen.TRANSLATIONS_CONF if chosen.TRANSLATIONS else None


class WebHandler(UncaughtExceptionMixin, ProjectMixin, TemplateMixin, ShortPathMixin, RequestHandler):
    """A RequestHandler that takes part in everything that the framework offers."""

    def write(self, chunk: str | bytes | dict[str, Any], status: int | None = None) -> None:
        """Writes a chunk of the body, as Tornado does.

        Args:
            chunk: Text, bytes, or a dictionary that is sent as JSON.
            status: The response's status, if it is to change.
        """
        if status is not None:
            self.set_status(status)
        super().write(chunk)


class WebSocketHandler(ProjectMixin, tornado.websocket.WebSocketHandler):
    """Tornado's WebSocketHandler with the middlewares, session, user and request context of the other handlers.

    process_request runs before the connection is opened, process_endcall when it is closed. A session must be loaded
    (or changed) before that: what is written to it later is not sent to the client any more.
    """


class ApiHandler(WebHandler):
    """A WebHandler that answers JSON, or JSONP to a `callback`."""

    def get_format(self, params_name: str = "format") -> str:
        """Answers the wanted format: the argument `params_name`, else "jsonp" or "json" by the Accept header."""
        wanted = self.get_argument(params_name, None)
        if wanted:
            return wanted.lower()
        return "jsonp" if "javascript" in self.request.headers.get("Accept", "").lower() else "json"

    def write_api(
        self, obj: Any = None, nofail: bool = False, ensure_ascii: bool = True, fmt: str | None = None
    ) -> None:
        """Writes an object in the wanted format.

        Args:
            obj: Anything that `json` takes; None is written as `{}`.
            nofail: Answer JSON where the format is unknown, instead of refusing.
            ensure_ascii: Escape everything outside ASCII.
            fmt: The format; None asks `get_format`.

        Raises:
            HttpBadRequestError: the format is unknown, or a callback is missing or no JavaScript name. Nothing of
                the request is repeated in the answer.
        """
        wanted = fmt or self.get_format()
        # "</" would end a script element that holds the answer.
        text = json.dumps({} if obj is None else obj, ensure_ascii=ensure_ascii).replace("</", "<\\/")
        self.set_header("X-Content-Type-Options", "nosniff")
        if wanted == "jsonp":
            self.set_header("Content-Type", "application/javascript; charset=UTF-8")
            self.write(f"/**/{self._callback()}({_for_javascript(text)});")
        elif wanted == "json" or nofail:
            self.set_header("Content-Type", "application/json; charset=UTF-8")
            self.write(text)
        else:
            raise HttpBadRequestError("write_api: the format is neither json nor jsonp")

    def _callback(self) -> str:
        callback = self.get_argument("callback", "")
        if not _CALLBACK.fullmatch(callback):
            raise HttpBadRequestError("write_api: the callback is missing or no JavaScript name")
        return callback


def _for_javascript(text: str) -> str:
    """JSON allows U+2028 and U+2029 in strings, JavaScript before ES2019 does not."""
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


class ErrorHandler(WebHandler):
    """Answers 404 to every method; the default where no route matches."""

    def prepare(self) -> None:
        """Refuses before any method is chosen, so that every method gets the same answer."""
        raise Http404

    def check_xsrf_cookie(self) -> None:
        """A POST to nowhere is a 404, whatever token it carries."""
