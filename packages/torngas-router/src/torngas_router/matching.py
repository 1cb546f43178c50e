"""The matcher by which a plain Tornado router understands a Route."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from tornado.httputil import HTTPServerRequest
from tornado.routing import HostMatches, PathMatches

from .converters import BUILTIN_CONVERTERS, Converter
from .declaration import Route
from .delegate import Converted

__all__ = ["RouteMatches"]


class RouteMatches(PathMatches):
    """Path, methods, host and typed parts of a Route."""

    def __init__(
        self,
        route: Route,
        regex: re.Pattern[str] | None = None,
        converters: Mapping[str, Converter] = BUILTIN_CONVERTERS,
    ) -> None:
        super().__init__(regex or route.regex)
        self._route = route
        self._host = None if route.host is None else HostMatches(route.host)
        self._typed = [(name, converters[converter]) for name, converter in route.path.placeholders()]

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Tornado's `target_params` or None; a match marks the request."""
        params = self.params(request)
        if params is not None:
            request.route = self._route  # type: ignore[attr-defined]  # the agreed place
            request._url_kwargs = self._route.kwargs.copy()  # type: ignore[attr-defined]
        return params

    def params(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """The same decision, which leaves the request alone."""
        route = self._route
        if route.methods is not None and request.method not in route.methods:
            return None
        if self._host is not None and self._host.match(request) is None:
            return None
        params = super().match(request)
        return params if params is not None and self._convert(params) else None

    def _convert(self, params: dict[str, Any]) -> bool:
        values = params.get("path_kwargs", {})
        for name, converter in self._typed:
            try:
                text = values[name].decode()
                value = converter.to_python(text)
            except ValueError:
                return False
            values[name] = value if isinstance(value, str) else Converted.of(quote(text), value)
        return True
