"""How routes are written: `Url`, `route`, `include` and `path`.

    u = Url("blog.handlers", section="blog")
    urls = route(
        u(r"/?", "main.Index", name="Index"),
        u.path("/post/<int:pid>/", "main.Post", name="Post"),
        include("/photo", "photo.urls.urls", prefix_name="photo"),
    )

Nothing is compiled or imported here, but for the module of an include's dotted path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tornado.routing import Rule
from tornado.util import import_object

from .declaration import Route, TornadoRoute
from .errors import UrlError
from .normalize import normalized, opened
from .origin import Origin
from .pattern import PathPattern

__all__ = ["Url", "include", "path", "route"]


class Url:
    """Makes routes whose handlers share a module prefix and keyword arguments.

    Args:
        prefix: The module that handlers given as text are relative to; None: they are full dotted paths.
        **kwargs: What every handler gets in `_url_kwargs`; those of a route come before them.
    """

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
        """A route whose path is a regular expression, as Tornado takes it.

        Args:
            pattern: Matched from the start; a text also to the end, unless it ends in `$` already.
            handler: A RequestHandler class (WebSocketHandler, StaticFileHandler too) or its dotted path, which is
                imported when the table is built; also any other target of Tornado's routers.
            kwargs: More for `_url_kwargs`.
            name: For `reverse_url`; once in a table.
            methods: The HTTP methods to take, any case, GET with HEAD; None: all. Others are refused with a 405,
                unless a later route takes them.
            host: A regular expression for the whole host name, without port; None: any.
        """
        return self._route(_declared(pattern), handler, kwargs, name, methods, host)

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
        """A route whose path is literal text with typed parts, `/user/<int:uid>/`; all else as in a call.

        The converted values are keyword arguments of get, post, ...; `<name>` is short for `<str:name>`.
        """
        return self._route(_declared(pattern, typed=True), handler, kwargs, name, methods, host)

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
        merged = {**self.kwargs, **(kwargs or {})}
        origin = Origin.of_caller()
        return Route(pattern, handler, kwargs=merged, name=name, methods=methods, host=host, origin=origin)


def path(
    pattern: str,
    handler: Any,
    kwargs: Mapping[str, Any] | None = None,
    name: str | None = None,
    *,
    methods: Iterable[str] | None = None,
    host: str | None = None,
) -> Route:
    """`Url().path(...)`: a route with typed parts, its handler a class or a full dotted path."""
    return Url().path(pattern, handler, kwargs, name, methods=methods, host=host)


def route(*entries: Any) -> list[Any]:
    """The entries as one list; lists of entries among them, as `include` returns them, are opened.

    The list serves a RouteTable, and a plain `tornado.web.Application` as its handlers.
    """
    return list(opened(entries))


def include(
    pattern: str,
    entries: str | Iterable[Any],
    prefix_name: str | None = None,
    kwargs: Mapping[str, Any] | None = None,
    **more: Any,
) -> list[Route]:
    """The entries below a common path; nests to any depth.

    Args:
        pattern: What comes before each path: literal text, a regular expression, or a typed path. One slash is
            put between, `^` and slashes at the start of the inner path go; "" and "/" are the same.
        entries: A list of entries, or the dotted path of one, `module.NAME`.
        prefix_name: Put before the names that there are, with a hyphen; outer ones come first.
        kwargs: More for `_url_kwargs`; what a route or its Url() says itself comes first.
        **more: The same, as keyword arguments.

    Raises:
        UrlError: There is nothing to include, or something that is no route.
    """
    origin = Origin.of_caller()
    where = f"{origin}: include({pattern!r})"
    shared = {**(kwargs or {}), **more}
    return [_below(pattern, entry, prefix_name, shared, where, origin) for entry in opened(_loaded(entries, where))]


def _declared(pattern: Any, *, typed: bool = False) -> PathPattern:
    if isinstance(pattern, str):
        return PathPattern.of_text(pattern, typed=typed)
    if isinstance(pattern, re.Pattern) and isinstance(pattern.pattern, str) and not typed:
        return PathPattern(compiled=pattern)
    raise UrlError.at(
        f"{Origin.of_caller()}: route",
        got=f"pattern {pattern!r}",
        expected="a typed path as text" if typed else "a regular expression, as text or compiled from text",
        remedy="Give a str.",
    )


def _loaded(entries: Any, where: str) -> list[Any]:
    found = entries
    if isinstance(entries, str):
        try:
            found = import_object(entries)
        except (ImportError, ValueError) as error:
            raise UrlError.at(
                where,
                got=f"{entries!r} ({error})",
                expected="the dotted path of a list of routes",
                remedy="Name module and list, e.g. 'photo.urls.urls'.",
            ) from error
    if isinstance(found, str | Mapping | Rule) or not isinstance(found, Iterable) or not (listed := list(found)):
        raise UrlError.at(
            where,
            got=f"{found!r}" if found is entries else f"{found!r} at {entries!r}",
            expected="a list of at least one route",
            remedy="Give what route(...) returned.",
        )
    return listed if isinstance(listed[0], Rule | list | tuple) else [found]


def _below(
    pattern: str, entry: Any, prefix_name: str | None, kwargs: dict[str, Any], where: str, origin: Origin
) -> Route:
    found = normalized(entry, origin)
    if not isinstance(found, Route):
        raise UrlError.at(
            where,
            got=f"{found!r}",
            expected="routes that a path decides about",
            remedy="Put rules with another matcher into the table itself.",
        )
    try:
        below = found.path.under(pattern)
    except (re.error, ValueError, AttributeError, TypeError) as error:
        raise UrlError.at(
            where,
            got=f"{pattern!r} before {found.pattern!r} ({error})",
            expected="a path that can stand before it",
            remedy="Change the prefix, or write the whole path at the route.",
        ) from error
    kind = TornadoRoute if isinstance(found, TornadoRoute) else Route
    return kind(
        below,
        found.handler,
        kwargs={**kwargs, **found.kwargs},
        name=f"{prefix_name}-{found.name}" if prefix_name and found.name else found.name,
        methods=found.methods,
        host=found.host,
        initialize=found.initialize,
        origin=found.origin,
    )
