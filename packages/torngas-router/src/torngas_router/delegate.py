"""From a match to the arguments of a handler."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, unquote_to_bytes
from weakref import WeakValueDictionary

from tornado.web import RequestHandler

from .converters import Converter

__all__ = ["Converted", "arguments", "handler_with_url_kwargs"]


class Converted(bytes):
    """The raw text of a typed part, whose decoding gives the converted value.

    Tornado hands path arguments to a method as `decode_argument(raw)`, and that is `raw.decode(...)`; so the
    method of any handler receives the value, and nothing of the handler is replaced.
    """

    value: Any

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> Any:
        """The converted value, whatever the encoding."""
        return self.value


_bound: WeakValueDictionary[type, type] = WeakValueDictionary()


def handler_with_url_kwargs(handler: Any) -> Any:
    """The handler itself if it knows `_url_kwargs`, else its subclass (one per class) that reads the request's."""
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
        found = _bound[handler] = type(handler.__name__, (handler,), body)
    return found


def _read_url_kwargs(handler: RequestHandler) -> dict[str, Any]:
    return handler.request._url_kwargs  # type: ignore[attr-defined, no-any-return]


def arguments(found: re.Match[str], converters: Mapping[str, Converter]) -> dict[str, Any] | None:
    """`path_args` and `path_kwargs` as Tornado makes them, typed parts converted; None if one does not convert."""
    regex = found.re
    if not regex.groups:
        return {}
    if not regex.groupindex:
        return {"path_args": [_unquoted(text) for text in found.groups()], "path_kwargs": {}}
    values: dict[str, Any] = {name: _unquoted(text) for name, text in found.groupdict().items()}
    for name, converter in converters.items():
        raw = values[name]
        try:
            value = converter.to_python(unquote(raw.decode(), errors="strict"))
        except ValueError:
            return None
        values[name] = _converted(raw, value)
    return {"path_args": [], "path_kwargs": values}


def _unquoted(text: str | None) -> bytes | None:
    return None if text is None else unquote_to_bytes(text)


def _converted(raw: bytes, value: Any) -> Any:
    if isinstance(value, str):
        return value
    box = Converted(raw)
    box.value = value
    return box
