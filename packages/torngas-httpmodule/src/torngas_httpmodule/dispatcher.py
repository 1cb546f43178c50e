"""Runs the modules of one application in the four phases; no I/O, shared by the middleware and the mixin."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from inspect import isawaitable
from typing import Any

from tornado.web import Application, RequestHandler

from .base import Clear
from .declaration import Declaration
from .errors import HttpModuleError
from .plan import Chains, Plan
from .routes import RouteNames, is_not_found, warn_of_unmatched

__all__ = ["Dispatcher", "Progress"]


class Progress:
    """One request on its way through the modules; what the hooks get as `clear`."""

    __slots__ = ("_clear", "chains", "cleared")

    def __init__(self, chains: Chains) -> None:
        self.chains = chains
        self.cleared = False

    def __call__(self) -> None:
        """Ends every later hook of this request, of modules and of whoever called us."""
        self.cleared = True
        self._clear()

    def on(self, clear: Clear) -> Progress:
        """The same, ending also what `clear` of this phase ends."""
        self._clear = clear
        return self


class Dispatcher:
    """The modules of one application, ready to run.

    Args:
        declaration: What was declared.
        application: The application whose routes are meant.

    Attributes:
        plan: What runs for which route or path.
    """

    def __init__(self, declaration: Declaration, application: Application) -> None:
        self._routes = RouteNames(application)
        self.plan = Plan(declaration, self._routes.names)
        warn_of_unmatched(self.plan.expressions, self._routes)

    def progress(self, handler: RequestHandler, clear: Clear) -> Progress:
        """The request's progress, made at its first phase."""
        found: Progress | None = handler.__dict__.get("_http_modules")
        if found is None:
            found = handler.__dict__["_http_modules"] = Progress(self._chains(handler))
        return found.on(clear)

    def _chains(self, handler: RequestHandler) -> Chains:
        request = handler.request
        missing = is_not_found(handler)
        name = None if missing or not self.plan.uses_names else self._routes.name_of(request)
        return self.plan.chains(name, request.path, not missing)

    def request(self, handler: RequestHandler, clear: Clear) -> Awaitable[None] | None:
        """Runs begin_request; answers an awaitable only where a module is async."""
        progress = self.progress(handler, clear)
        hooks = iter(progress.chains.request)
        for hook in hooks:
            result = hook(handler, progress)
            if result is not None:
                if isawaitable(result):
                    return self._request_async(result, hooks, handler, progress)
                if result:
                    return None
            if progress.cleared or handler._finished:
                return None
        return None

    async def _request_async(
        self, result: Any, hooks: Iterator[Any], handler: RequestHandler, progress: Progress
    ) -> None:
        while True:
            if isawaitable(result):
                result = await result
            if result or progress.cleared or handler._finished:
                return
            hook = next(hooks, None)
            if hook is None:
                return
            result = hook(handler, progress)

    def render(self, handler: RequestHandler, clear: Clear, template_name: str, kwargs: dict[str, Any]) -> None:
        """Runs begin_render."""
        progress = self.progress(handler, clear)
        for hook in progress.chains.render:
            if progress.cleared or _plain(hook, hook(handler, progress, template_name, **kwargs)):
                return

    def response(self, handler: RequestHandler, clear: Clear, chunk: list[bytes]) -> None:
        """Runs begin_response."""
        progress = self.progress(handler, clear)
        for hook in progress.chains.response:
            if progress.cleared or _plain(hook, hook(handler, progress, chunk)):
                return

    def complete(self, handler: RequestHandler, clear: Clear) -> None:
        """Runs complete_response."""
        progress = self.progress(handler, clear)
        for hook in progress.chains.complete:
            if progress.cleared or _plain(hook, hook(handler, progress)):
                return


def _plain(hook: Any, result: Any) -> Any:
    """The result of a hook that may not be async."""
    if result is not None and isawaitable(result):
        if close := getattr(result, "close", None):
            close()  # a coroutine that nobody awaits would warn besides
        raise HttpModuleError(
            f"{getattr(hook, '__qualname__', hook)}: got an awaitable; expected a plain function, only begin_request "
            "may be async"
        )
    return result
