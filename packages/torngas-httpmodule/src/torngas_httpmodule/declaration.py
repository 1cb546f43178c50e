"""COMMON and ROUTE modules as declared -> checked module classes; nothing is made yet.

COMMON_MODULES = ("auth.AuthModule", "ip.Block")
ROUTE_MODULES = {"^/user/.*$": ["login.LoginModule", "!ip.Block"], "Index": ["!all"]}
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from .base import HOOKS, BaseHttpModule, Module
from .errors import ModuleConfigError, ModuleImportError

__all__ = ["Declaration", "Key", "hooks_of", "name_of"]

Declared = BaseHttpModule | type[BaseHttpModule]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the route modules: what it adds, and which common modules it takes away."""

    text: str
    modules: tuple[Declared, ...]
    without: frozenset[int]
    without_all: bool

    def expression(self) -> re.Pattern[str]:
        """The key as a regular expression.

        Raises:
            ModuleConfigError: it is none.
        """
        try:
            return re.compile(self.text)
        except re.error as error:
            raise ModuleConfigError(
                f"ROUTE_MODULES[{self.text!r}]: is no route's name and no regular expression ({error}); "
                "expected the name of a route, or an expression that is searched in the path, e.g. '^/user/'"
            ) from error


class Declaration:
    """The modules of one application, checked: every path imports, every `!x` names a common module.

    Args:
        common: Modules for every request.
        routes: From a route's name or a regular expression to modules, `"!module"` and `"!all"`.

    Raises:
        ModuleConfigError: something is wrong; the message names the key and the remedy.
    """

    def __init__(self, common: Iterable[Module] = (), routes: Mapping[str, Iterable[Module]] | None = None) -> None:
        self.common = tuple(
            dict.fromkeys(_resolved("COMMON_MODULES", one) for one in _listed("COMMON_MODULES", common))
        )
        self.keys = tuple(self._key(text, declared) for text, declared in (routes or {}).items())

    def __bool__(self) -> bool:
        return bool(self.common or self.keys)

    def hooks(self) -> frozenset[str]:
        """The hooks that at least one module implements."""
        modules = (*self.common, *(module for key in self.keys for module in key.modules))
        return frozenset(hook for module in modules for hook in hooks_of(module))

    def _key(self, text: str, declared: Iterable[Module]) -> Key:
        where = f"ROUTE_MODULES[{text!r}]"
        modules: list[Declared] = []
        without: set[int] = set()
        without_all = False
        for one in _listed(where, declared):
            if not (isinstance(one, str) and one.startswith("!")):
                modules.append(_resolved(where, one))
            elif one == "!all":
                without_all = True
            else:
                without.add(id(self._excluded(where, one)))
        return Key(text, tuple(dict.fromkeys(modules)), frozenset(without), without_all)

    def _excluded(self, where: str, text: str) -> Declared:
        found = _resolved(where, text[1:])
        for module in self.common:
            if module is found or type(module) is found:
                return module
        raise ModuleConfigError(
            f"{where}: got {text!r}, which is not in COMMON_MODULES; expected '!all' or one of "
            f"{[f'!{name_of(module)}' for module in self.common]}; take it out or add the module to COMMON_MODULES"
        )


def name_of(module: Declared) -> str:
    """The dotted path of a module's class."""
    kind = module if isinstance(module, type) else type(module)
    return f"{kind.__module__}.{kind.__qualname__}"


def hooks_of(module: Any) -> tuple[str, ...]:
    """The hooks that a module has, by the names of its attributes, however they are decorated."""
    return tuple(hook for hook in HOOKS if getattr(module, hook, None) is not None)


def _listed(where: str, declared: Iterable[Module]) -> Iterable[Module]:
    if isinstance(declared, str):
        raise ModuleConfigError(f"{where}: got the string {declared!r}; expected a list, e.g. [{declared!r}]")
    return declared


def _resolved(where: str, declared: Module) -> Declared:
    found = _imported(where, declared) if isinstance(declared, str) else declared
    kind = found if isinstance(found, type) else type(found)
    if not issubclass(kind, BaseHttpModule):
        raise ModuleConfigError(f"{where}: got {declared!r}; expected a subclass of torngas_httpmodule.BaseHttpModule")
    if not hooks_of(found):
        raise ModuleConfigError(f"{where}: {declared!r} has none of the hooks; expected one of {', '.join(HOOKS)}")
    return found


def _imported(where: str, path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ModuleImportError(
            f"{where}: got {path!r}, which does not import ({error}); expected the dotted path of a module class, "
            "e.g. 'httpmodule.auth.AuthModule'"
        ) from error
