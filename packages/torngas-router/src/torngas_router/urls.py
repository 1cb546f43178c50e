"""How routes are written: `Url`, `route`, `include` and `path`.

u = Url("blog.handlers", section="blog")
urls = route(
    u(r"/?", "main.Index", name="Index"),
    u.path("/post/<int:pid>/", "main.Post", name="Post"),
    include("/photo", "photo.urls.urls", prefix_name="photo"),
)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tornado.routing import URLSpec
from tornado.util import import_object

from .declaration import Route
from .errors import UrlError
from .origin import Origin
from .pattern import PathPattern

__all__ = ["Url", "include", "path", "route"]


class Url:
    """Makes routes whose handlers share a module prefix and keyword arguments."""

    def __init__(self, prefix: str | None = None, **kwargs: Any) -> None:
        self.prefix = prefix
        self.kwargs = kwargs

    def __call__(
        self,
        pattern: str | re.Pattern[str],
        handler: Any,
        kwargs: Mapping[str, Any] | None = None,
        name: str | None = None,
        *,
        methods: Iterable[str] | None = None,
        host: str | None = None,
    ) -> Route:
        """A route whose path is a regular expression."""
        declared = PathPattern.of_text(pattern) if isinstance(pattern, str) else PathPattern(compiled=pattern)
        return self._route(declared, handler, kwargs, name, methods, host)

    def path(
        self,
        pattern: str,
        handler: Any,
        kwargs: Mapping[str, Any] | None = None,
        name: str | None = None,
        *,
        methods: Iterable[str] | None = None,
        host: str | None = None,
    ) -> Route:
        """A route whose path has typed parts."""
        return self._route(PathPattern.of_text(pattern, typed=True), handler, kwargs, name, methods, host)

    def _route(
        self,
        pattern: PathPattern,
        handler: Any,
        kwargs: Mapping[str, Any] | None,
        name: str | None,
        methods: Iterable[str] | None,
        host: str | None,
    ) -> Route:
        if isinstance(handler, str) and self.prefix:
            handler = f"{self.prefix}.{handler}"
        return Route(
            pattern,
            handler,
            kwargs={**self.kwargs, **(kwargs or {})},
            name=name,
            methods=frozenset(m.upper() for m in methods) if methods else None,
            host=host,
            origin=Origin.of_caller(),
        )


path = Url().path


def route(*entries: Any) -> list[Any]:
    """The entries as one list; lists and tuples of entries among them are opened."""
    flat: list[Any] = []
    for entry in entries:
        is_rule = isinstance(entry, tuple) and entry and not isinstance(entry[0], (URLSpec, list, tuple))
        flat.extend([entry] if is_rule or not isinstance(entry, (list, tuple)) else entry)
    return flat


def include(
    pattern: str,
    entries: str | Iterable[Any],
    prefix_name: str | None = None,
    kwargs: Mapping[str, Any] | None = None,
    **more: Any,
) -> list[Any]:
    """The entries below a common path, their names below a common prefix."""
    origin = Origin.of_caller()
    found = import_object(entries) if isinstance(entries, str) else entries
    if not isinstance(found, (list, tuple)) or not found:
        raise UrlError(f"{origin}: include({pattern!r}, ...): got {found!r}; expected a list of routes")
    return [_included(pattern, entry, prefix_name, {**(kwargs or {}), **more}) for entry in found]


def _included(pattern: str, entry: Any, prefix_name: str | None, kwargs: dict[str, Any]) -> Route:
    if not isinstance(entry, Route):
        raise UrlError(f"include({pattern!r}, ...): got {entry!r}; expected a route")
    return Route(
        entry.path.under(pattern),
        entry.handler,
        kwargs={**kwargs, **(entry.kwargs or {})},
        name=f"{prefix_name}-{entry.name}" if prefix_name and entry.name else entry.name,
        methods=entry.methods,
        host=entry.host,
        origin=entry.origin,
    )
