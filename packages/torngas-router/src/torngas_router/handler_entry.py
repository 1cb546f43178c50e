"""The entry of a path that leads to a RequestHandler class: all of an ordinary table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import HostMatches
from tornado.web import Application

from .converters import Converter
from .declaration import Route
from .delegate import Converted, unquoted
from .entries import Entry, Match
from .literal import Head

__all__ = ["HandlerEntry"]

_new = tuple.__new__  # half the time of calling a NamedTuple


class HandlerEntry(Entry):
    """A path that leads to a RequestHandler class, perhaps only for some methods or hosts."""

    __slots__ = (
        "_constant",
        "_handler",
        "_host",
        "_is_typed",
        "_kwargs",
        "_parts",
        "_plain",
        "_positional",
        "_single",
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
        self._constant: dict[str, Any] = {"target_kwargs": route.target_kwargs} if route.target_kwargs else {}
        self._plain = not regex.groups
        self._positional = not regex.groupindex
        self._single = self._positional and regex.groups == 1
        self._parts = tuple((name, converters.get(name)) for name in regex.groupindex)
        self._is_typed = bool(converters)

    def answers_whenever(self, other: HandlerEntry) -> bool:
        """Whether its methods and hosts, and what its typed parts accept, include those of `other`."""
        methods = self.methods is None or (other.methods is not None and other.methods <= self.methods)
        converts = not self._is_typed or self._parts == other._parts
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
        if self._single:
            args = [unquoted(found[1])]
        elif self._positional:
            args = [unquoted(text) for text in found.groups()]
        elif (kwargs := self._named(found, Converted.of)) is None:
            return None
        request.route = self.route  # type: ignore[attr-defined]  # the agreed place
        request._url_kwargs = self._kwargs.copy()  # type: ignore[attr-defined]
        if not self._constant:
            return application.get_handler_delegate(request, self._handler, path_args=args, path_kwargs=kwargs)
        return application.get_handler_delegate(
            request, self._handler, self._constant["target_kwargs"], path_args=args, path_kwargs=kwargs
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
        if self._single:
            return _new(Match, (self.route, (unquoted(found[1]),), {}))
        if self._positional:
            return _new(Match, (self.route, tuple([unquoted(text) for text in found.groups()]), {}))
        named = self._named(found, _value)
        return None if named is None else _new(Match, (self.route, (), named))

    def allowed_methods(self, request: HTTPServerRequest, found: Any) -> Iterable[str]:
        """Its own, where path and host fit."""
        if self.methods is None or not self.admits_host(request) or self.matched_path(found) is None:
            return ()
        return self.methods

    def _named(self, found: re.Match[str], box: Callable[[str, Any], Any]) -> dict[str, Any] | None:
        values: dict[str, Any] = {}
        for name, converter in self._parts:
            text = found[name]
            if converter is None:
                values[name] = unquoted(text)
                continue
            try:
                value = converter.to_python(unquote(text, errors="strict") if "%" in text else text)
            except ValueError:
                return None
            values[name] = value if isinstance(value, str) else box(text, value)
        return values


def _value(text: str, value: Any) -> Any:
    return value
