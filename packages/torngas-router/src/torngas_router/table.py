"""The table of routes: Tornado's first-match-wins order, without Tornado's scan.

table = RouteTable(route(u("/?", Index, name="Index"), path("/user/<int:uid>/", User, name="User")))
table.match("/user/7/").kwargs   # {'uid': 7}
table.reverse("User", uid=7)     # '/user/7/'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import tornado.web
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest, RequestStartLine
from tornado.routing import AnyMatches, Rule

from .compiler import Compiler
from .content import Content, unknown_name
from .converters import BUILTIN_CONVERTERS, Converter, checked_converters
from .delegate import MethodNotAllowedHandler
from .description import RouteInfo, describe, readable
from .entries import Entry, Match, NestedTable
from .errors import UrlError
from .origin import Origin

__all__ = ["RouteTable"]


class RouteTable(NestedTable):
    """All routes of an application, or of a part of it; a router wherever Tornado takes one.

    Every lookup works on one immutable index, and `replace` swaps it in a single assignment: a request sees the
    old table or the new one, from any thread.

    Args:
        entries: Routes, Tornado's rules and tuples, lists of all these.
        application: Whose handlers are made, and whose settings they see. None: the application that the table
            is the router of (`torngas_router.Application`), else one of its own without settings.
        converters: For typed paths, by name, beside (or in place of) the built-in ones; known to this table only.

    Raises:
        UrlError: An entry is wrong; the message has its file and line.
    """

    def __init__(
        self,
        entries: Iterable[Any] = (),
        *,
        application: tornado.web.Application | None = None,
        converters: Mapping[str, Converter] | None = None,
    ) -> None:
        self.application = application
        self._converters = MappingProxyType({**BUILTIN_CONVERTERS, **checked_converters(converters or {})})
        self._content = self._compiled(entries)

    def replace(self, entries: Iterable[Any]) -> None:
        """Puts other routes in place of all; a wrong entry raises UrlError and changes nothing."""
        self._content = self._compiled(entries)

    def match(self, path: str, method: str = "GET", host: str = "") -> Match | None:
        """The route that such a request meets, and the values of its path; None if there is none.

        Args:
            path: As in the request line: percent-encoded, without the query.
            method: Matters only to routes with `methods`.
            host: Matters only to routes with `host`, and to Tornado's host rules.
        """
        content = self._content
        entry: Entry | None = content.exact.get(path)
        if entry is not None:
            return entry.answer
        request = None
        for entry in content.candidates(path):
            found = entry.match(path, entry.start)
            if found is None:
                continue
            if entry.guarded:
                request = request or _request(path, method, host)
                matched = entry.matched(request, found)
            else:
                matched = entry.matched_path(found)
            if matched is not None:
                return matched
        return None

    def match_request(self, request: HTTPServerRequest) -> Match | None:
        """The same for a request that exists already."""
        entry = self._content.exact.get(request.path)
        return entry.answer if entry is not None else self._content.match_request(request)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        """The delegate that answers the request; None if no route matches, so that an outer router goes on.

        The request gets `route` and `_url_kwargs`. Where a route fits in all but the method the answer is a 405
        with `Allow`; called with `application=`, as by an outer table or application, that is left to the caller.
        """
        content, path = self._content, request.path
        outer: tornado.web.Application | None = kwargs.get("application")
        application = self._own_application() if outer is None else outer
        exact = content.exact.get(path)
        if exact is not None:
            return exact.deliver_plain(request, application)
        for entry in content.candidates(path):
            found = entry.match(path, entry.start)
            if found is not None:
                delegate = entry.deliver(request, application, found)
                if delegate is not None:
                    return delegate
        return self.refuse_method(request, application) if outer is None else None

    def allowed_methods(self, request: HTTPServerRequest) -> frozenset[str]:
        """The methods that routes of this path and host take, apart from those that take all."""
        return self._content.allowed_methods(request)

    def refuse_method(
        self, request: HTTPServerRequest, application: tornado.web.Application
    ) -> HTTPMessageDelegate | None:
        """The delegate of a 405 if only the method was wrong, else None.

        The application's setting `method_not_allowed_handler_class` may name another class than
        MethodNotAllowedHandler; it is initialized with `allow`.
        """
        allowed = self.allowed_methods(request)
        if not allowed:
            return None
        target_kwargs = {"allow": ", ".join(sorted(allowed))}
        handler = application.settings.get("method_not_allowed_handler_class", MethodNotAllowedHandler)
        return application.get_handler_delegate(request, handler, target_kwargs=target_kwargs)

    def reverse(self, name: str, /, *args: Any, **kwargs: Any) -> str:
        """The quoted path of a named route; ReverseError says what is unknown, missing or does not fit."""
        found = self.reverse_url(name, *args, **kwargs)
        if found is None:
            raise unknown_name(name, self._content.names)
        return found

    def reverse_url(self, name: str, /, *args: Any, **kwargs: Any) -> str | None:  # type: ignore[override]
        """The same as a `tornado.routing.ReversibleRouter` does it: None for an unknown name."""
        return self._content.reverse(name, args, kwargs)

    def describe(self) -> list[RouteInfo]:
        """Every route in declared order, with those that earlier ones shadow marked."""
        return describe(self._content.index)

    def install(self, application: tornado.web.Application) -> None:
        """Makes a plain Tornado application use this table, before the handlers that it has."""
        self.application = application
        application.add_handlers(".*", [Rule(AnyMatches(), self)])

    def __str__(self) -> str:
        return readable(self.describe())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._content.index.entries)} entries>"

    def _compiled(self, declared: Iterable[Any]) -> Content:
        origin = Origin.of_caller()
        if isinstance(declared, str) or not isinstance(declared, Iterable):
            raise UrlError.at(
                f"{origin}: table", got=repr(declared), expected="a list of routes", remedy="Write route(...)."
            )
        return Content(Compiler(self._converters, self._nested).compile(declared, origin), self._converters)

    def _nested(self, rules: list[Any]) -> RouteTable:
        return type(self)(rules, converters=self._converters)

    def _own_application(self) -> tornado.web.Application:
        if self.application is None:
            self.application = tornado.web.Application()
        return self.application


def _request(path: str, method: str, host: str) -> HTTPServerRequest:
    line = RequestStartLine(method, path, "HTTP/1.1")
    return HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": host}))
