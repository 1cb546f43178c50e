"""The application: Tornado's, with the routes' index, the middlewares and the settings of a project.

    from torngas.application import Application

    class MyApp(Application):
        "What this project adds."

    Server().load_application(MyApp)

An instance that you make yourself is used as it is: what it needs it is given as arguments.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

from torngas.context import RequestScope
from torngas.settings_manager import Settings
from torngas.wiring.resources import Resources
from torngas_middleware import Application as MiddlewareApplication
from torngas_router import Application as RouterApplication

if TYPE_CHECKING:
    from torngas.asgi.adapter import ASGIAdapter

__all__ = ["Application"]

Cleanup = Callable[[], Awaitable[None] | None]


class Application(MiddlewareApplication, RouterApplication):
    """A `tornado.web.Application` that takes everything that Tornado's takes, and more.

    Args:
        handlers: Routes: entries of `route(...)`, tuples, `URLSpec`, `Rule`, nested routers or applications.
        default_host: As in Tornado.
        transforms: As in Tornado.
        middlewares: Classes, instances or dotted paths, outermost first.
        wrap_all: Run the hooks for handlers that do not derive from WebHandler too (static files, 404, redirects).
        project_settings: What `torngas.settings` shows while this application serves; None: the process's settings.
        resources: The caches that `torngas.cache` shows while this application serves, and its databases; None: the
            process's.
        **tornado_settings: Tornado's settings.

    Attributes:
        project_settings: The settings of the project, or None.
        resources: Its caches and databases, or None.
        ready: Whether a load balancer should send requests here; False from the moment the server is told to stop.
    """

    def __init__(
        self,
        handlers: Iterable[Any] | None = None,
        default_host: str | None = None,
        transforms: list[Any] | None = None,
        *,
        middlewares: Iterable[Any] = (),
        wrap_all: bool = True,
        project_settings: Settings | None = None,
        resources: Resources | None = None,
        **tornado_settings: Any,
    ) -> None:
        self.project_settings = project_settings
        self.resources = resources
        self.ready = True
        self._asgi: ASGIAdapter | None = None
        self._cleanups: list[Cleanup] = []
        super().__init__(
            list(handlers or []),
            default_host,
            transforms,
            middlewares=(RequestScope(project_settings, resources), *middlewares),
            wrap_all=wrap_all,
            **tornado_settings,
        )

    @property
    def asgi(self) -> ASGIAdapter:
        """This application for an ASGI server, e.g. `uvicorn asgi:application`; made when first asked for."""
        if self._asgi is None:
            from torngas.asgi.project import adapter_of

            self._asgi = adapter_of(self)
        return self._asgi

    def on_shutdown(self, cleanup: Cleanup) -> None:
        """Registers a function, plain or async, that runs when the server has stopped; the last one runs first."""
        self._cleanups.append(cleanup)

    async def aclose(self) -> None:
        """Waits for held responses and async endcalls, then runs the clean-ups, each once; idempotent."""
        await self.drain()
        while self._cleanups:
            result = self._cleanups.pop()()
            if inspect.isawaitable(result):
                await result
