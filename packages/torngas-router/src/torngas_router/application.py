"""A Tornado application whose handlers are found by a RouteTable."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tornado.web
from tornado.routing import AnyMatches, Rule

from .table import RouteTable

__all__ = ["Application", "ApplicationMixin"]


class ApplicationMixin(tornado.web.Application):
    """Put before `tornado.web.Application` (or a subclass of it) among the bases."""

    table: RouteTable

    def __init__(
        self,
        handlers: RouteTable | Iterable[Any] | None = None,
        default_host: str | None = None,
        transforms: list[Any] | None = None,
        **settings: Any,
    ) -> None:
        self.table = handlers if isinstance(handlers, RouteTable) else RouteTable(handlers or ())
        self.table.application = self
        super().__init__([Rule(AnyMatches(), self.table)], default_host, transforms, **settings)


class Application(ApplicationMixin):
    """`tornado.web.Application` with a table."""
