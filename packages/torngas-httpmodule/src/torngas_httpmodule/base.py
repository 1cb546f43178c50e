"""The base class of modules, and the four hooks.

    class Audit(BaseHttpModule):
        def begin_request(self, handler, clear):
            handler.set_header("X-Audited", "yes")

Every hook gets the handler and `clear`: calling it ends every later hook of this request, of modules and of the
middlewares round them. A true return value ends the rest of that phase for the other modules. A module implements
the hooks that it needs, at least one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from tornado.web import RequestHandler

__all__ = ["HOOKS", "BaseHttpModule", "Clear", "Module"]

Clear: TypeAlias = Callable[[], None]

HOOKS = ("begin_request", "begin_render", "begin_response", "complete_response")


class BaseHttpModule:
    """What modules derive from; a subclass implements any of the four hooks.

    One object of a class serves all requests of an application: keep no state of a request on it. The hooks are
    only declared for the type checker; a module that implements none of them is refused.
    """

    if TYPE_CHECKING:

        def begin_request(self, handler: RequestHandler, clear: Clear) -> Awaitable[Any] | Any:
            """Before the method; may be async. Finishing the response here keeps the method from running."""

        def begin_render(self, handler: RequestHandler, clear: Clear, template_name: str, **kwargs: Any) -> Any:
            """In `render` and `render_string`; `kwargs` are the template's arguments."""

        def begin_response(self, handler: RequestHandler, clear: Clear, chunk: list[bytes]) -> Any:
            """Before the response is sent; `chunk` is the list of the body's chunks, editable in place."""

        def complete_response(self, handler: RequestHandler, clear: Clear) -> Any:
            """The response has been sent."""


Module: TypeAlias = BaseHttpModule | type[BaseHttpModule] | str
"""How modules are declared: a class (made once per application, without arguments), an object, or a dotted path."""
