"""The entry of a rule that only Tornado understands: a matcher of its own, or a target that is no handler class."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import Matcher, RuleRouter
from tornado.web import Application, RequestHandler

from .declaration import Route
from .entries import Entry, Match, NestedTable

__all__ = ["RuleEntry"]

_OTHER_TARGETS = RuleRouter()


class RuleEntry(Entry):
    """A rule whose matcher or target only Tornado understands; asked in its place, with the whole request."""

    __slots__ = ("_constant", "_handler", "_params", "matcher", "nested", "target")

    def __init__(
        self,
        order: int,
        route: Route,
        matcher: Matcher,
        target: Any,
        prefix: str = "",
        match: Callable[[str, int], Any] | None = None,
    ) -> None:
        super().__init__(order, route, prefix, 0, match or _always, guarded=True)
        self.matcher = matcher
        self._params = getattr(matcher, "params", matcher.match)
        self.target = target
        self._constant: dict[str, Any] = {"target_kwargs": route.target_kwargs} if route.target_kwargs else {}
        self._handler = isinstance(target, type) and issubclass(target, RequestHandler)
        self.nested = target if isinstance(target, NestedTable) else None

    def deliver(self, request: HTTPServerRequest, application: Application, found: Any) -> HTTPMessageDelegate | None:
        """What the target makes of the request; a router may answer None."""
        params = self._params(request)
        if params is None:
            return None
        params |= self._constant
        if self.nested is not None:
            return self.nested.find_handler(request, application=application, **params)
        if self._handler:
            self._mark(request)
            return application.get_handler_delegate(request, self.target, **params)
        delegate = _OTHER_TARGETS.get_target_delegate(self.target, request, **params)
        if delegate is not None and not hasattr(request, "route"):
            self._mark(request)
        return delegate

    def _mark(self, request: HTTPServerRequest) -> None:
        request.route = self.route  # type: ignore[attr-defined]
        request._url_kwargs = self.route.kwargs.copy()  # type: ignore[attr-defined]

    def matched(self, request: HTTPServerRequest, found: Any) -> Match | None:
        """The rule and the groups; a table below decides itself, other routers count as a match."""
        params = self._params(request)
        if params is None:
            return None
        if self.nested is not None:
            return self.nested.match_request(request)
        return Match(self.route, tuple(params.get("path_args", ())), params.get("path_kwargs", {}))

    def allowed_methods(self, request: HTTPServerRequest, found: Any) -> Iterable[str]:
        """Those of the table below."""
        if self.nested is None or self._params(request) is None:
            return ()
        return self.nested.allowed_methods(request)


def _always(path: str, start: int) -> bool:
    return True
