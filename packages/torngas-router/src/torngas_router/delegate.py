"""From a match to the arguments of a handler, in the form that Tornado hands them over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any
from urllib.parse import unquote_to_bytes
from weakref import WeakValueDictionary

import tornado.web
from tornado.web import HTTPError, RequestHandler

__all__ = ["Converted", "MethodNotAllowedHandler", "handler_arguments", "handler_with_url_kwargs", "unquoted"]

_CONFIGURED_BY_INITIALIZE = (
    tornado.web.ErrorHandler,
    tornado.web.FallbackHandler,
    tornado.web.RedirectHandler,
    tornado.web.StaticFileHandler,
)
_bound: WeakValueDictionary[type, type] = WeakValueDictionary()


class Converted(bytes):
    """The raw text of a typed part, whose decoding gives the converted value.

    Tornado hands path arguments to a method as `decode_argument(raw)`, which is `raw.decode(...)`: so the method
    of any handler receives the value, and nothing of the handler is replaced.
    """

    value: Any

    @classmethod
    def of(cls, text: str, value: Any) -> Converted:
        """`value` in the clothes of its text in the path."""
        converted = cls(unquoted(text) or b"")
        converted.value = value
        return converted

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> Any:
        """The converted value, whatever the encoding."""
        return self.value


def unquoted(text: str | None) -> bytes | None:
    """A group of a match as Tornado passes it: percent escapes undone, None where the group took no part."""
    if text is None:
        return None
    return unquote_to_bytes(text) if "%" in text else text.encode()


def handler_with_url_kwargs(handler: Any) -> Any:
    """The handler itself if it defines `_url_kwargs`, else its subclass that reads those of the request.

    There is one subclass per class; it has the name, module and docstring of the original.
    """
    if not (isinstance(handler, type) and issubclass(handler, RequestHandler)) or hasattr(handler, "_url_kwargs"):
        return handler
    found = _bound.get(handler)
    if found is None:
        body = {
            "__doc__": handler.__doc__,
            "__module__": handler.__module__,
            "__qualname__": handler.__qualname__,
            "_url_kwargs": property(_read_url_kwargs),
        }
        found = _bound.setdefault(handler, type(handler.__name__, (handler,), body))
    return found


def _read_url_kwargs(handler: RequestHandler) -> dict[str, Any]:
    kwargs: dict[str, Any] = handler.request._url_kwargs  # type: ignore[attr-defined]  # set by the match
    return kwargs


def handler_arguments(handler: Any, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Which route kwargs `initialize` needs too: those that Tornado's own configurable handlers name.

    A static file handler cannot be made without its `path`; for every other handler there are none.
    """
    if not kwargs or not isinstance(handler, type) or not issubclass(handler, _CONFIGURED_BY_INITIALIZE):
        return {}
    initialize: Callable[..., Any] = handler.initialize
    return {name: kwargs[name] for name in signature(initialize).parameters if name in kwargs}


class MethodNotAllowedHandler(RequestHandler):
    """Answers 405 with the `Allow` header (RFC 9110 §15.5.6) where only the routes' `methods` did not fit."""

    def initialize(self, allow: str) -> None:
        """`allow`: the methods that routes of this path take, comma separated."""
        self.allow = allow

    def prepare(self) -> None:
        """Refuses every request."""
        raise HTTPError(405)

    def check_xsrf_cookie(self) -> None:
        """Nothing is done here that would need protection."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Tornado's page, and the header that must come with it."""
        self.set_header("Allow", self.allow)
        super().write_error(status_code, **kwargs)
