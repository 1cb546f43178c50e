"""What a table tries on a request: one compiled entry per route or rule.

An entry knows the literal `prefix` that a path must have before it is asked at all. `match(path, start)` tests
the rest of the path; `deliver` makes the delegate that answers the request, or None where a condition other than
the path refuses it and the search goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import ReversibleRouter
from tornado.web import Application

from .declaration import Route

__all__ = ["Entry", "Match", "NestedTable"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Match(NamedTuple):
    """What a path leads to.

    Attributes:
        route: The route; its handler is `route.handler_class`.
        args: The unnamed groups, percent-decoded bytes as Tornado passes them, None for a group that took no part.
        kwargs: The named groups likewise; typed parts as their converted values.
    """

    route: Route
    args: tuple[bytes | None, ...]
    kwargs: Mapping[str, Any]


class NestedTable(ReversibleRouter):
    """What a table of this library can do as the target of a rule, beyond Tornado's routers.

    Its `find_handler` takes `application=`, whose handlers it is to make.
    """

    def allowed_methods(self, request: HTTPServerRequest) -> frozenset[str]:
        """The methods that routes of this path and host take, apart from those that take all."""
        raise NotImplementedError

    def match_request(self, request: HTTPServerRequest) -> Match | None:
        """The route that the request meets."""
        raise NotImplementedError

    def describe(self) -> list[Any]:
        """Its routes."""
        raise NotImplementedError


class Entry:
    """What both kinds of entries have."""

    __slots__ = ("answer", "guarded", "match", "order", "prefix", "route", "start")

    def __init__(
        self,
        order: int,
        route: Route,
        prefix: str,
        start: int,
        match: Callable[[str, int], Any],
        *,
        guarded: bool,
    ) -> None:
        self.order = order
        self.route = route
        self.prefix = prefix
        self.start = start
        self.match = match
        self.guarded = guarded  # whether more than the path decides
        self.answer = Match(route, (), _NOTHING)  # where the path has no groups

    def deliver(self, request: HTTPServerRequest, application: Application, found: Any) -> HTTPMessageDelegate | None:
        """The delegate for a request whose path this entry matched as `found`; None: not meant after all."""
        raise NotImplementedError

    def matched(self, request: HTTPServerRequest, found: Any) -> Match | None:
        """The same decision without a delegate."""
        raise NotImplementedError

    def matched_path(self, found: Any) -> Match | None:
        """The decision as far as the path makes it; complete where `guarded` is False."""
        raise NotImplementedError

    def allowed_methods(self, request: HTTPServerRequest, found: Any) -> Iterable[str]:
        """The methods with which a request that this entry refused would be taken."""
        raise NotImplementedError
