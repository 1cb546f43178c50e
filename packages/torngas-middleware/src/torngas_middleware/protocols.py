"""The seven hooks, one `Protocol` each.

A middleware is any object that has at least one of them; nothing needs to be inherited. Parameters are passed by
position, but for the keyword arguments of a template. A true return value skips the rest of the same hook; `clear()`
ends every later hook of every middleware for this request, the rest of the same hook included.
"""

from __future__ import annotations

from collections.abc import Awaitable
from types import TracebackType
from typing import Any, Protocol, TypeAlias

from tornado.httputil import HTTPServerRequest
from tornado.web import Application, RequestHandler

__all__ = [
    "Clear",
    "HOOKS",
    "Hook",
    "Middleware",
    "ProcessCall",
    "ProcessEndcall",
    "ProcessException",
    "ProcessInit",
    "ProcessRender",
    "ProcessRequest",
    "ProcessResponse",
]

HOOKS = (
    "process_init",
    "process_call",
    "process_request",
    "process_render",
    "process_exception",
    "process_response",
    "process_endcall",
)


class Clear(Protocol):
    """Ends every later hook of every middleware for this request."""

    def __call__(self) -> None:  # noqa: D102
        ...


class ProcessInit(Protocol):
    """Runs once, as the application is built, in declared order; may not be async."""

    def process_init(self, application: Application, /) -> None:
        """Prepares the middleware; an exception ends the start of the application."""


class ProcessCall(Protocol):
    """Runs when the request object exists and no route is matched, in declared order; may not be async."""

    def process_call(self, request: HTTPServerRequest, clear: Clear, /) -> object:
        """Looks at, or changes, the bare request. An exception becomes the answer 500 (an HTTPError its own code)."""


class ProcessRequest(Protocol):
    """Runs when the handler is chosen, before its `prepare` and its method, in declared order; may be async."""

    def process_request(self, handler: RequestHandler, clear: Clear, /) -> Awaitable[object] | object:
        """May finish the response: then the remaining hooks of this kind and the method do not run."""


class ProcessRender(Protocol):
    """Runs at every `render` and `render_string`, in reverse order; may not be async."""

    def process_render(self, handler: RequestHandler, clear: Clear, template_name: str, **kwargs: Any) -> object:
        """Sees the template's name and arguments before it is rendered."""


class ProcessException(Protocol):
    """Runs on an uncaught exception, HTTPError included, in reverse order; may be async."""

    def process_exception(
        self,
        handler: RequestHandler,
        clear: Clear,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
        /,
    ) -> Awaitable[object] | object:
        """A true return value means that it is handled: the default logging is skipped."""


class ProcessResponse(Protocol):
    """Runs before the response is sent, in reverse order; may be async (the response is held meanwhile)."""

    def process_response(
        self, handler: RequestHandler, clear: Clear, chunk: list[bytes], /
    ) -> Awaitable[object] | object:
        """Edits the body in place: `chunk[index] = …`, or `handler.write(…)`, which appends to it."""


class ProcessEndcall(Protocol):
    """Runs exactly once when the response has been sent, in reverse order; may be async."""

    def process_endcall(self, handler: RequestHandler, clear: Clear, /) -> Awaitable[object] | object:
        """Releases what the request held. An exception is logged; the other middlewares' hooks still run."""


Hook: TypeAlias = (
    ProcessInit | ProcessCall | ProcessRequest | ProcessRender | ProcessException | ProcessResponse | ProcessEndcall
)
"""An object with at least one hook; type checkers look at that one."""

Middleware: TypeAlias = Hook | type[Hook] | str
"""What can be registered: an object, a class that needs no arguments, or the dotted path of either."""
