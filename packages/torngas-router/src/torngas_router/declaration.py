"""One declared route: what `u(...)` and `path(...)` return, before any table compiles it.

A Route is a `tornado.web.URLSpec`: a plain `tornado.web.Application` takes it in its list of handlers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.routing import HostMatches, Matcher, PathMatches, URLSpec
from tornado.util import import_object

from .converters import BUILTIN_CONVERTERS
from .delegate import arguments, handler_with_url_kwargs
from .errors import UrlError
from .origin import Origin
from .pattern import PathPattern

__all__ = ["Route"]


class Route(URLSpec):
    """A path, a handler, and what goes with them; never changed once made."""

    def __init__(
        self,
        path: PathPattern,
        handler: Any,
        *,
        kwargs: Mapping[str, Any] | None = None,
        name: str | None = None,
        methods: frozenset[str] | None = None,
        host: str | None = None,
        initialize: Mapping[str, Any] | None = None,
        origin: Origin,
    ) -> None:
        self.path = path
        self.pattern = path.text
        self.handler = handler
        self.kwargs: dict[str, Any] = dict(kwargs or {})
        self.name = name
        self.methods = methods
        self.host = host
        self.target_kwargs = dict(initialize or {})
        self.origin = origin

    @cached_property
    def regex(self) -> re.Pattern[str]:  # type: ignore[override]
        """The path as one expression, for the built-in converters."""
        return self.path.compile(BUILTIN_CONVERTERS)

    @cached_property
    def handler_class(self) -> Any:
        """The handler, imported now if it is a dotted string."""
        if not isinstance(self.handler, str):
            return self.handler
        try:
            return import_object(self.handler)
        except (ImportError, ValueError) as error:
            raise UrlError(f"{self.origin}: {self}: got handler {self.handler!r} ({error})") from error

    @cached_property
    def target(self) -> Any:
        """What Tornado makes the request's handler of."""
        return handler_with_url_kwargs(self.handler_class)

    @cached_property
    def matcher(self) -> Matcher:  # type: ignore[override]
        """What Tornado asks whether a request is meant."""
        return _RouteMatches(self)

    def __repr__(self) -> str:
        return f"Route({self.pattern!r}, {self.handler!r}, kwargs={self.kwargs!r}, name={self.name!r})"


class _RouteMatches(PathMatches):
    def __init__(self, route: Route) -> None:
        super().__init__(route.regex)
        self._route = route
        self._host = HostMatches(route.host) if route.host else None
        self._converters = {name: BUILTIN_CONVERTERS[converter] for name, converter in route.path.placeholders()}

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        route = self._route
        if route.methods and request.method not in route.methods:
            return None
        if self._host and self._host.match(request) is None:
            return None
        found = self.regex.match(request.path)
        params = None if found is None else arguments(found, self._converters)
        if params is not None:
            request.route = route  # type: ignore[attr-defined]
            request._url_kwargs = dict(route.kwargs or {})  # type: ignore[attr-defined]
        return params
