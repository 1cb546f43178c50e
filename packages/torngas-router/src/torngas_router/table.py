"""The table of routes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import ReversibleRouter
from tornado.web import Application, _ApplicationRouter

__all__ = ["RouteTable"]


class RouteTable(ReversibleRouter):
    """All routes of an application."""

    def __init__(self, entries: Iterable[Any] = (), *, application: Application | None = None) -> None:
        self.application = application
        self._entries = list(entries)
        self._linear: _ApplicationRouter | None = None

    def replace(self, entries: Iterable[Any]) -> None:
        """Swaps the whole table."""
        self._entries, self._linear = list(entries), None

    def _router(self) -> _ApplicationRouter:
        if self._linear is None:
            self._linear = _ApplicationRouter(self.application or Application(), self._entries)
        return self._linear

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        """The delegate of the first route that matches."""
        return self._router().find_handler(request, **kwargs)

    def reverse_url(self, name: str, *args: Any) -> str | None:
        """The URL of a named route, None if there is no such name."""
        return self._router().reverse_url(name, *args)
