"""What a table tries on a request: one compiled entry per route or rule.

An entry knows the literal `prefix` that a path must have before it is asked at all. `match(path, start)` tests
the rest of the path; `deliver` makes the delegate that answers the request, or None where a condition other than
the path refuses it and the search goes on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import HostMatches, Matcher, ReversibleRouter, RuleRouter
from tornado.web import Application, RequestHandler

from .converters import Converter
from .declaration import Route
from .delegate import Converted, unquoted
from .literal import Head

__all__ = ["Entry", "HandlerEntry", "Match", "RuleEntry"]

_OTHER_TARGETS = RuleRouter()
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

    __slots__ = ("guarded", "match", "order", "prefix", "route", "start")

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


class HandlerEntry(Entry):
    """A path that leads to a RequestHandler class, perhaps only for some methods or hosts."""

    __slots__ = (
        "_constant",
        "_converters",
        "_handler",
        "_host",
        "_kwargs",
        "_plain",
        "_positional",
        "answer",
        "flags",
        "head",
        "methods",
        "paths",
    )

    def __init__(
        self,
        order: int,
        route: Route,
        head: Head,
        regex: re.Pattern[str],
        converters: Mapping[str, Converter],
    ) -> None:
        start = 0 if route.path.compiled else len(head.prefix)
        guarded = route.methods is not None or route.host is not None
        super().__init__(order, route, head.prefix, start, regex.match, guarded=guarded)
        self.head = head
        self.flags = regex.flags
        self.paths = () if guarded else head.paths  # those that nothing but the path decides
        self.methods = route.methods
        self._host = HostMatches(route.host) if route.host is not None else None
        self._handler = route.target
        self._kwargs = route.kwargs
        self.answer = Match(route, (), _NOTHING)  # to every path, if there are no groups
        self._constant: dict[str, Any] = {"target_kwargs": route.target_kwargs} if route.target_kwargs else {}
        self._plain = not regex.groups
        self._positional = not regex.groupindex
        self._converters = tuple(converters.items())

    def answers_whenever(self, other: HandlerEntry) -> bool:
        """Whether its methods and hosts, and what its typed parts accept, include those of `other`."""
        methods = self.methods is None or (other.methods is not None and other.methods <= self.methods)
        converts = not self._converters or self._converters == other._converters
        return methods and converts and self.route.host in (None, other.route.host)

    def admits_host(self, request: HTTPServerRequest) -> bool:
        """Whether the request's host fits."""
        return self._host is None or self._host.match(request) is not None

    def _admits(self, request: HTTPServerRequest) -> bool:
        return (self.methods is None or request.method in self.methods) and self.admits_host(request)

    def deliver(self, request: HTTPServerRequest, application: Application, found: Any) -> HTTPMessageDelegate | None:
        """Marks the request with the route and its kwargs, and asks the application for the delegate."""
        if self.guarded and not self._admits(request):
            return None
        if self._plain:
            return self.deliver_plain(request, application)
        args: list[Any] = []
        kwargs: dict[str, Any] | None = {}
        if self._positional:
            args = [unquoted(text) for text in found.groups()]
        else:
            kwargs = self._named(found, Converted.of)
            if kwargs is None:
                return None
        request.route = self.route  # type: ignore[attr-defined]  # the agreed place
        request._url_kwargs = self._kwargs.copy()  # type: ignore[attr-defined]
        return application.get_handler_delegate(
            request,
            self._handler,
            path_args=args,
            path_kwargs=kwargs,
            **self._constant,
        )

    def deliver_plain(self, request: HTTPServerRequest, application: Application) -> HTTPMessageDelegate:
        """The delegate where the path has no groups and nothing else decides."""
        request.route = self.route  # type: ignore[attr-defined]
        request._url_kwargs = self._kwargs.copy()  # type: ignore[attr-defined]
        return application.get_handler_delegate(request, self._handler, **self._constant)

    def matched(self, request: HTTPServerRequest, found: Any) -> Match | None:
        """Route and values, or None."""
        if self.guarded and not self._admits(request):
            return None
        return self.matched_path(found)

    def matched_path(self, found: re.Match[str]) -> Match | None:
        """Route and values as far as the path decides; None if a typed part does not convert."""
        if self._positional:
            return Match(self.route, tuple([unquoted(text) for text in found.groups()]), {})
        named = self._named(found, _value)
        return None if named is None else Match(self.route, (), named)

    def allowed_methods(self, request: HTTPServerRequest, found: Any) -> Iterable[str]:
        """Its own, where path and host fit."""
        if self.methods is None or not self.admits_host(request) or self.matched_path(found) is None:
            return ()
        return self.methods

    def _named(self, found: re.Match[str], box: Callable[[bytes, Any], Any]) -> dict[str, Any] | None:
        values: dict[str, Any] = {name: unquoted(text) for name, text in found.groupdict().items()}
        for name, converter in self._converters:
            raw = values[name]
            try:
                value = converter.to_python(raw.decode())
            except ValueError:
                return None
            values[name] = value if isinstance(value, str) else box(raw, value)
        return values


def _value(raw: bytes, value: Any) -> Any:
    return value


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
