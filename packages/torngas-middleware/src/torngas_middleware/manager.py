"""The list of middlewares, and the chains compiled from it.

manager = Manager()
manager.register_all([AccessLog(), "app.middlewares.Locale"])
chains = manager.chains
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from tornado.web import Application

from ._waiting import refuse_awaitable
from .exceptions import ManagerFrozenError, MiddlewareImportError, MiddlewareTypeError
from .protocols import HOOKS, Middleware

__all__ = ["Chains", "Manager"]

Chain = tuple[Callable[..., Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chains:
    """One tuple of bound hooks per phase, each in the order in which it runs."""

    init: Chain = ()
    call: Chain = ()
    request: Chain = ()
    render: Chain = ()
    exception: Chain = ()
    response: Chain = ()
    endcall: Chain = ()


class Manager:
    """Registers middlewares in the order of their declaration, then compiles them once.

    Reading `chains` (an application does, as it is built) freezes the manager. Register in one thread.
    """

    def __init__(self, middlewares: Iterable[Middleware] = ()) -> None:
        self._middlewares: list[Any] = []
        self._registered: list[Any] = []
        self._chains: Chains | None = None
        self.register_all(middlewares)

    @property
    def middlewares(self) -> tuple[Any, ...]:
        """The middleware objects, in declared order."""
        return tuple(self._middlewares)

    @property
    def chains(self) -> Chains:
        """The compiled chains; the first look freezes the manager."""
        if self._chains is None:
            self._chains = _compile(self._middlewares)
        return self._chains

    def register(self, middleware: Middleware) -> Any:
        """Appends a middleware: a class (called without arguments), an object, or the dotted path of either.

        Returns:
            The object whose hooks will run; a class is instantiated once, here.

        Raises:
            MiddlewareTypeError: It has none of the seven hooks, or was registered before.
            MiddlewareImportError: The dotted path leads nowhere.
            ManagerFrozenError: The chains are compiled already.
        """
        if self._chains is not None:
            raise ManagerFrozenError(
                f"Manager.register: got {middleware!r} after the chains were compiled; "
                "register every middleware before the application is built"
            )
        found = _import(middleware) if isinstance(middleware, str) else middleware
        if any(found is known for known in self._registered):
            raise MiddlewareTypeError(
                f"Manager.register: got {found!r} a second time; expected each class or object once, "
                "register two objects of the class if it shall run twice"
            )
        _check(found)
        made = _instance(found) if isinstance(found, type) else found
        self._registered.append(found)
        self._middlewares.append(made)
        return made

    def register_all(self, middlewares: Iterable[Middleware]) -> None:
        """Registers each in turn."""
        if isinstance(middlewares, str):
            raise MiddlewareTypeError(
                f"Manager.register_all: got the string {middlewares!r}; expected a list, e.g. [{middlewares!r}]"
            )
        for middleware in middlewares:
            self.register(middleware)

    def run_init(self, application: Application) -> None:
        """Runs every `process_init`, in declared order; the application calls it once as it is built."""
        for hook in self.chains.init:
            refuse_awaitable(hook, hook(application))


def _import(path: str) -> Any:
    module, _, name = path.replace(":", ".").rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise MiddlewareImportError(
            f"Manager.register: got {path!r} ({error}); expected the dotted path of a middleware, "
            "e.g. 'app.middlewares.Locale'"
        ) from error


def _hook(middleware: Any, name: str) -> Any:
    return getattr(middleware, name, None)


def _check(middleware: Any) -> None:
    hooks = [hook for name in HOOKS if (hook := _hook(middleware, name)) is not None]
    if not hooks:
        raise MiddlewareTypeError(
            f"Manager.register: got {middleware!r}, which has none of the hooks; expected at least one of "
            + ", ".join(HOOKS)
        )
    for hook in hooks:
        if not callable(hook):
            raise MiddlewareTypeError(f"Manager.register: {middleware!r} has the hook {hook!r}; expected a callable")


def _instance(middleware: type) -> Any:
    try:
        return middleware()
    except TypeError as error:
        raise MiddlewareTypeError(
            f"Manager.register: got the class {middleware!r}, which cannot be made without arguments ({error}); "
            f"register an object, e.g. {middleware.__name__}(…)"
        ) from error


def _compile(middlewares: list[Any]) -> Chains:
    def chain(name: str) -> Chain:
        return tuple(hook for middleware in middlewares if (hook := _hook(middleware, name)) is not None)

    return Chains(
        init=chain("process_init"),
        call=chain("process_call"),
        request=chain("process_request"),
        render=chain("process_render")[::-1],
        exception=chain("process_exception")[::-1],
        response=chain("process_response")[::-1],
        endcall=chain("process_endcall")[::-1],
    )
