"""The modules in a plain Tornado application: `install` them, and derive handlers from the mixin.

class Main(HttpModuleMixin, RequestHandler):
    def get(self):
        self.write("hello")

application = Application([(r"/", Main)])
install(application, common=[Audit])
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tornado.concurrent import Future
from tornado.web import Application

from .base import Module
from .declaration import Declaration
from .dispatcher import Dispatcher
from .errors import ModuleConfigError
from .plan import Plan

if TYPE_CHECKING:
    from tornado.web import RequestHandler

    _Base = RequestHandler
else:
    _Base = object

__all__ = ["HttpModuleMixin", "install"]

SETTING = "http_modules"


def install(
    application: Application, *, common: Iterable[Module] = (), routes: Mapping[str, Iterable[Module]] | None = None
) -> Plan:
    """Gives an application its modules; handlers with `HttpModuleMixin` run them.

    Args:
        application: A Tornado application whose routes are complete.
        common: Modules for every request.
        routes: From a route's name, or an expression searched in the path, to modules, `"!module"` and `"!all"`.

    Returns:
        The plan; `plan.describe(...)` lists what runs for a route or a path.

    Raises:
        ModuleConfigError: the declaration is wrong, or the application has modules already.
    """
    if SETTING in application.settings:
        raise ModuleConfigError("install: got an application that has modules; declare all of them in one call")
    dispatcher = Dispatcher(Declaration(common, routes), application)
    application.settings[SETTING] = dispatcher
    return dispatcher.plan


class HttpModuleMixin(_Base):
    """Stands before RequestHandler among the bases; runs the modules that were installed on the application.

    A handler with a `prepare` or `on_finish` of its own calls `super()`'s; its `prepare` is then entered after every
    `begin_request`.
    """

    def prepare(self) -> Awaitable[None] | None:
        """Runs begin_request of the modules, then `prepare` of the next class, unless the response is finished."""
        dispatcher: Dispatcher | None = self.settings.get(SETTING)
        waiting = dispatcher.request(self, _nothing) if dispatcher is not None else None
        if waiting is not None:
            return self._prepare_after(waiting)
        return None if self._finished else super().prepare()

    async def _prepare_after(self, waiting: Awaitable[None]) -> None:
        await waiting
        if not self._finished:
            more = super().prepare()
            if more is not None:
                await more

    def render_string(self, template_name: str, **kwargs: Any) -> bytes:
        """Runs begin_render, then renders."""
        dispatcher: Dispatcher | None = self.settings.get(SETTING)
        if dispatcher is not None:
            dispatcher.render(self, _nothing, template_name, kwargs)
        return super().render_string(template_name, **kwargs)

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """Runs begin_response on the chunks of the body, then sends them."""
        dispatcher: Dispatcher | None = self.settings.get(SETTING)
        if dispatcher is not None and not self._finished and "_http_modules_responded" not in self.__dict__:
            self.__dict__["_http_modules_responded"] = True  # an error in a hook comes here again, with its page
            if chunk is not None:
                self.write(chunk)
                chunk = None
            dispatcher.response(self, _nothing, self._write_buffer)
        return super().finish(chunk)

    def on_finish(self) -> None:
        """Runs complete_response."""
        super().on_finish()
        dispatcher: Dispatcher | None = self.settings.get(SETTING)
        if dispatcher is not None:
            dispatcher.complete(self, _nothing)


def _nothing() -> None:
    """What `clear` ends besides the modules where no middlewares are."""
