"""The current request, from anywhere: `request_context.request`.

    from torngas import request_context

    def audit():
        request_context.data.user = "ada"
        return request_context.request.remote_ip

It is a context variable: set as the request begins, seen by the handler, hooks, tasks, `on_finish` and by threads
that `async_execute` runs, and by no other request. Outside a request both are None.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from torngas.settings_manager import Settings, settings
from torngas.storage import Storage
from torngas_cache import caches

if TYPE_CHECKING:
    from collections.abc import Callable

    from tornado.httputil import HTTPServerRequest

    from torngas.wiring.resources import Resources

__all__ = ["RequestContext", "RequestScope", "request_context"]

_request: ContextVar[HTTPServerRequest | None] = ContextVar("torngas_request", default=None)


class RequestContext:
    """The face of `request_context`; holds nothing itself."""

    __slots__ = ()

    @property
    def request(self) -> HTTPServerRequest | None:
        """The request that is served in this context, or None."""
        return _request.get()

    @property
    def data(self) -> Storage | None:
        """A dictionary of this request's own, readable and writable by attribute; None outside a request."""
        request = _request.get()
        if request is None:
            return None
        found: Storage = request.__dict__.setdefault("_context_data", Storage())
        return found


class RequestScope:
    """The middleware that every `torngas.application.Application` begins with: it opens the request's context.

    Args:
        own: The settings of the application; None leaves the process's.
        resources: The caches of the application; None leaves the process's.
    """

    def __init__(self, own: Settings | None, resources: Resources | None) -> None:
        self._settings = own
        self._caches = resources.caches if resources is not None else None

    def process_call(self, request: HTTPServerRequest, clear: Callable[[], None]) -> None:
        """Shows the request, and the application's settings and caches, in the request's context."""
        _request.set(request)
        if self._settings is not None:
            settings.activate(self._settings)
        if self._caches is not None:
            caches.activate(self._caches)


request_context = RequestContext()
