"""A Tornado application whose handlers are found by a RouteTable.

    application = Application(route(u("/?", Index)), static_path="static", debug=True)

It takes all that `tornado.web.Application` takes, and serves what that would serve, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import tornado.web
from tornado.httputil import HTTPServerRequest
from tornado.routing import AnyMatches, DefaultHostMatches, HostMatches, Rule

from .table import RouteTable

if TYPE_CHECKING:
    _Base = tornado.web.Application
else:
    _Base = object

__all__ = ["Application", "ApplicationMixin"]


class ApplicationMixin(_Base):
    """Stands before `tornado.web.Application`, or a subclass of it, among the bases.

    Attributes:
        table: The routes; `application.table.replace(entries)` swaps them while serving. Static files of the
            setting `static_path` and what `add_handlers` added are not part of it, and stay.
    """

    table: RouteTable

    def __init__(
        self,
        handlers: RouteTable | Iterable[Any] | None = None,
        default_host: str | None = None,
        transforms: list[type[tornado.web.OutputTransform]] | None = None,
        **settings: Any,
    ) -> None:
        self.table = handlers if isinstance(handlers, RouteTable) else RouteTable(handlers or ())
        super().__init__(None, default_host, transforms, **settings)
        self._hosts: list[Rule] = []
        self._static: list[Rule] = list(self.wildcard_router.rules)
        self._default_hosts: list[Rule] = []
        self._router = self._surrounded()

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """The delegate that answers the request; there is always one, for the 404 too."""
        router = self._router
        delegate = router.find_handler(request, application=self)
        if delegate is None:
            delegate = router.refuse_method(request, self)
        return super().find_handler(request, **kwargs) if delegate is None else delegate

    def add_handlers(self, host_pattern: str, host_handlers: Any) -> None:
        """Adds handlers for a host, as Tornado does: before all others, in the order of the calls."""
        matcher = HostMatches(host_pattern)
        handlers = list(host_handlers)
        self._hosts.append(Rule(matcher, handlers))
        if self.default_host is not None:
            self._default_hosts.append(Rule(DefaultHostMatches(self, matcher.host_pattern), handlers))
        self._router = self._surrounded()

    def reverse_url(self, name: str, /, *args: Any, **kwargs: Any) -> str:  # type: ignore[override]
        """The path of a named route; ReverseError, which is a KeyError, for an unknown name."""
        found = self._router.reverse_url(name, *args, **kwargs)
        if found is None and not kwargs:
            found = self.default_router.reverse_url(name, *args)
        return self.table.reverse(name, *args, **kwargs) if found is None else found

    def _surrounded(self) -> RouteTable:
        """The table itself, or one more round it for what Tornado serves before and after."""
        if not (self._hosts or self._static):
            return self.table
        return RouteTable([*self._hosts, *self._static, Rule(AnyMatches(), self.table), *self._default_hosts])


class Application(ApplicationMixin, tornado.web.Application):
    """`tornado.web.Application` with a table of routes.

    Args:
        handlers: A RouteTable, or what one is made of; None: no routes.
        default_host, transforms, **settings: As in Tornado.
    """
