"""Which modules run for which route or path: compiled once per application, then only looked up.

Common modules come before route modules, in declared order, in every phase. Keys that match add up in declared
order, each module once; `!x` takes a common module away, `!all` takes them all, and a common module that a key
lists after that runs where the key lists it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .base import BaseHttpModule
from .declaration import Declaration, Key, hooks_of, name_of
from .errors import ModuleConfigError

__all__ = ["NOTHING", "Chains", "ModuleUse", "Plan"]

# Paths come from clients: what is remembered of them must not grow without end.
REMEMBERED = 4096

Hooks = tuple[Callable[..., Any], ...]


@dataclass(frozen=True, slots=True)
class Chains:
    """What runs in each phase, in order."""

    request: Hooks = ()
    render: Hooks = ()
    response: Hooks = ()
    complete: Hooks = ()


NOTHING = Chains()


@dataclass(frozen=True, slots=True)
class ModuleUse:
    """One line of `Plan.describe`: a module, where it was declared, and its hooks."""

    module: str
    declared: str
    hooks: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.module} ({self.declared}): {', '.join(self.hooks)}"


class Plan:
    """The modules of one application: an object per class, and the order for every route and path.

    Args:
        declaration: What was declared.
        names: The names of the application's routes; a key that is none of them is a regular expression.

    Safe for threads and loops once it is made.

    Raises:
        ModuleConfigError: a key is no name and no expression, or a class cannot be made without arguments.
    """

    def __init__(self, declaration: Declaration, names: Iterable[str] = ()) -> None:
        known = frozenset(names)
        self._objects: dict[int, BaseHttpModule] = {}
        self._common = declaration.common
        self._keys = declaration.keys
        self._names = frozenset(key.text for key in self._keys if key.text in known)
        self._expressions = {key.text: key.expression() for key in self._keys if key.text not in known}
        self._chains = lru_cache(maxsize=REMEMBERED)(self._compiled)
        for module in (*self._common, *(module for key in self._keys for module in key.modules)):
            self._object(module)

    @property
    def uses_names(self) -> bool:
        """Whether any key is a route's name."""
        return bool(self._names)

    @property
    def expressions(self) -> tuple[re.Pattern[str], ...]:
        """The keys that are regular expressions."""
        return tuple(self._expressions.values())

    def chains(self, name: str | None, path: str, found: bool = True) -> Chains:
        """Answers what runs.

        Args:
            name: The matched route's name, or None.
            path: The path of the request, as the client sent it.
            found: Whether a route matched. On a 404 modules run only if a key's expression matches the path.
        """
        return self._chains(name if name in self._names else None, path if self._expressions else "", found)

    def describe(self, route: str | None = None, path: str = "/", found: bool = True) -> list[ModuleUse]:
        """Lists what runs for a route's name and a path, in order."""
        keys = self._matching(route, path)
        if not found and not any(key.text in self._expressions for key in keys):
            return []
        return [
            ModuleUse(name_of(module), self._declared(module, keys), hooks_of(module)) for module in self._order(keys)
        ]

    def _declared(self, module: Any, keys: tuple[Key, ...]) -> str:
        if any(module is common for common in self._kept(keys)):
            return "common"
        return next(key.text for key in keys if any(module is one for one in key.modules))

    def _matching(self, name: str | None, path: str) -> tuple[Key, ...]:
        return tuple(
            key
            for key in self._keys
            if (key.text == name if key.text in self._names else self._expressions[key.text].search(path))
        )

    def _kept(self, keys: tuple[Key, ...]) -> list[Any]:
        if any(key.without_all for key in keys):
            return []
        without = frozenset().union(*(key.without for key in keys))
        return [module for module in self._common if id(module) not in without]

    def _order(self, keys: tuple[Key, ...]) -> list[Any]:
        return list(dict.fromkeys([*self._kept(keys), *(module for key in keys for module in key.modules)]))

    def _compiled(self, name: str | None, path: str, found: bool) -> Chains:
        keys = self._matching(name, path)
        if not found and not any(key.text in self._expressions for key in keys):
            return NOTHING
        objects = [self._object(module) for module in self._order(keys)]

        def hooks(attribute: str) -> Hooks:
            return tuple(hook for one in objects if (hook := getattr(one, attribute, None)) is not None)

        return Chains(
            hooks("begin_request"), hooks("begin_render"), hooks("begin_response"), hooks("complete_response")
        )

    def _object(self, module: Any) -> BaseHttpModule:
        if not isinstance(module, type):
            return module  # type: ignore[no-any-return]  # a module object, checked in the declaration
        made = self._objects.get(id(module))
        if made is None:
            made = self._objects[id(module)] = _made(module)
        return made


def _made(kind: Any) -> BaseHttpModule:
    try:
        return kind()  # type: ignore[no-any-return]  # a subclass of BaseHttpModule, checked in the declaration
    except TypeError as error:
        raise ModuleConfigError(
            f"{name_of(kind)} cannot be made without arguments ({error}); declare an object of it, "
            f"{kind.__name__}(…), instead of its path"
        ) from error
