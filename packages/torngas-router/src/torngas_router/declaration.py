"""One declared route: what `u(...)` and `path(...)` return, before any table compiles it.

A Route is a `tornado.web.URLSpec`: a plain `tornado.web.Application` takes it in its list of handlers, and gets
`_url_kwargs`, methods, host and the typed parts of the built-in converters with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from tornado.httputil import HTTPServerConnectionDelegate
from tornado.routing import Matcher, URLSpec
from tornado.util import import_object
from tornado.web import RequestHandler

from .converters import BUILTIN_CONVERTERS
from .delegate import handler_arguments, handler_with_url_kwargs
from .errors import UrlError
from .origin import Origin
from .pattern import PathPattern

__all__ = ["Route", "TornadoRoute"]


class Route(URLSpec):
    """A path, a handler, and what goes with them; shared by the tables that it is in, never changed.

    Attributes:
        pattern: The path as it was written, prefixes of includes before it.
        name: For `reverse`; None: it has none.
        handler: The class, another Tornado target, or its dotted path.
        kwargs: What the handler gets as `_url_kwargs`, in a fresh dictionary per request.
        methods: The HTTP methods that it takes, None: all.
        host: A regular expression for the host name, None: any.
        initialize: Keyword arguments of the handler's `initialize` (from Tornado's tuples and URLSpecs).
        origin: File and line of the declaration.
    """

    kwargs: dict[str, Any]

    def __init__(  # URLSpec's would compile the pattern and import the handler at once
        self,
        path: PathPattern,
        handler: Any,
        *,
        kwargs: Mapping[str, Any] | None = None,
        name: str | None = None,
        methods: Iterable[str] | None = None,
        host: str | None = None,
        initialize: Mapping[str, Any] | None = None,
        origin: Origin,
    ) -> None:
        self.path = path
        self.pattern = path.text
        self.handler = handler
        self.kwargs = dict(kwargs or {})
        self.name = name
        self.methods = _methods(methods)
        self.host = host
        self.initialize = dict(initialize or {})
        self.origin = origin

    @property
    def where(self) -> str:
        """The entry with its file and line, for messages."""
        name = f", name={self.name!r}" if self.name else ""
        return f"{self.origin}: route {self.pattern!r}{name}"

    @cached_property
    def handler_class(self) -> Any:
        """The handler, imported now if it is a dotted path; UrlError if there is none."""
        if not isinstance(self.handler, str):
            return _checked(self, self.handler)
        try:
            found = import_object(self.handler)
        except (ImportError, ValueError) as error:
            raise UrlError.at(
                self.where,
                got=f"handler {self.handler!r} ({error})",
                expected="the dotted path of a handler class",
                remedy="Correct the path, or the prefix of its Url().",
            ) from error
        return _checked(self, found)

    @cached_property
    def target(self) -> Any:
        """What Tornado makes the request's handler of."""
        return handler_with_url_kwargs(self.handler_class)

    @cached_property
    def target_kwargs(self) -> dict[str, Any]:  # type: ignore[override]  # lazy
        """What `initialize` of the handler gets."""
        return self.initialize or handler_arguments(self.handler_class, self.kwargs)

    @cached_property
    def regex(self) -> re.Pattern[str]:  # type: ignore[override]  # lazy
        """The path as one expression, for the built-in converters."""
        return self.path.compile(self.where, BUILTIN_CONVERTERS)

    @cached_property
    def matcher(self) -> Matcher:  # type: ignore[override]  # lazy
        """What a plain Tornado router asks; a RouteTable has its index."""
        from .matching import RouteMatches  # which needs this module: not at the top

        return RouteMatches(self)

    def __repr__(self) -> str:
        return f"Route({self.pattern!r}, {self.handler!r}, kwargs={self.kwargs!r}, name={self.name!r})"


class TornadoRoute(Route):
    """A route that was written in Tornado's own form: its keyword arguments are those of `initialize`.

    The handler stays exactly the class that was given, unless an include adds `_url_kwargs`.
    """

    @cached_property
    def target(self) -> Any:
        """The handler; Tornado's list of rules or a router too."""
        return handler_with_url_kwargs(self.handler_class) if self.kwargs else self.handler_class

    @cached_property
    def target_kwargs(self) -> dict[str, Any]:  # type: ignore[override]  # lazy
        """The third item of the tuple."""
        return self.initialize

    @property
    def where(self) -> str:
        """Such an entry has no place of its own: that of the table or include, and what it looks like."""
        return f"{self.origin}: entry ({self.pattern!r}, {self.handler!r})"


def _methods(given: Iterable[str] | None) -> frozenset[str] | None:
    """Upper case; GET brings HEAD along."""
    if given is None:
        return None
    methods = {given.upper()} if isinstance(given, str) else {str(method).upper() for method in given}
    return frozenset(methods | {"HEAD"} if "GET" in methods else methods)


def _checked(route: Route, handler: Any) -> Any:
    if isinstance(handler, type):
        if issubclass(handler, RequestHandler) or isinstance(route, TornadoRoute):
            return handler
    elif callable(handler) or isinstance(handler, HTTPServerConnectionDelegate | list | tuple):
        return handler
    raise UrlError.at(
        route.where,
        got=f"handler {handler!r}",
        expected="a tornado.web.RequestHandler class or its dotted path",
        remedy="Give the class itself; of Tornado's other targets, an instance.",
    )
