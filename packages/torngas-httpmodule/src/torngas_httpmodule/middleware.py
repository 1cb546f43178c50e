"""The modules as a middleware: one object with the process_* hooks, for any chain that calls them."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import Any

from tornado.web import Application, RequestHandler

from .base import Clear, Module
from .declaration import Declaration
from .dispatcher import Dispatcher
from .plan import Plan

__all__ = ["HttpModuleMiddleware"]


class HttpModuleMiddleware:
    """Runs modules where a middleware's hooks run.

    It has only the hooks that its modules need: without modules it costs nothing.

    Args:
        common: Modules for every request.
        routes: From a route's name, or an expression searched in the path, to modules, `"!module"` and `"!all"`.

    Raises:
        ModuleConfigError: the declaration is wrong.

    One object may serve several applications; each gets module objects of its own.
    """

    def __init__(self, common: Iterable[Module] = (), routes: Mapping[str, Iterable[Module]] | None = None) -> None:
        self._declaration = Declaration(common, routes)
        self._dispatchers: dict[Application, Dispatcher] = {}
        hooks = self._declaration.hooks()
        if "begin_request" in hooks:
            self.process_request = self._request
        if "begin_render" in hooks:
            self.process_render = self._render
        if "begin_response" in hooks:
            self.process_response = self._response
        if "complete_response" in hooks:
            self.process_endcall = self._complete

    def process_init(self, application: Application) -> None:
        """Freezes the plan for the application's routes.

        Raises:
            ModuleConfigError: a key is neither a route's name nor an expression.
        """
        if self._declaration:
            self._dispatchers[application] = Dispatcher(self._declaration, application)

    def plan(self, application: Application) -> Plan:
        """What runs for which route of this application; `plan(app).describe(...)` lists it."""
        if application in self._dispatchers:
            return self._dispatchers[application].plan
        return Plan(self._declaration)

    def _request(self, handler: RequestHandler, clear: Clear) -> Awaitable[None] | None:
        return self._dispatchers[handler.application].request(handler, clear)

    def _render(self, handler: RequestHandler, clear: Clear, template_name: str, **kwargs: Any) -> None:
        self._dispatchers[handler.application].render(handler, clear, template_name, kwargs)

    def _response(self, handler: RequestHandler, clear: Clear, chunk: list[bytes]) -> None:
        self._dispatchers[handler.application].response(handler, clear, chunk)

    def _complete(self, handler: RequestHandler, clear: Clear) -> None:
        self._dispatchers[handler.application].complete(handler, clear)
