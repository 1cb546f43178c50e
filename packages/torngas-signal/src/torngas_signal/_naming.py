"""Named signals, and how a pickle finds one again: by its module and its name, as it would a function."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any
from weakref import WeakValueDictionary

__all__ = ["calling_module", "find_named", "reduce_named", "remember"]

_named: WeakValueDictionary[tuple[str, str], Any] = WeakValueDictionary()
"""The living named signals of this process: a lazy face like `sys.modules`, which keeps nothing alive."""


def remember(signal: Any, module: str, name: str) -> None:
    """Makes the signal the one that a pickle finds by this module and name."""
    _named[module, name] = signal


def find_named(module: str, name: str) -> Any:
    """Answers the signal of this name, importing its module where that has not been done yet."""
    if (found := _named.get((module, name))) is None:
        import_module(module)
        found = _named.get((module, name))
    if found is None:
        from pickle import UnpicklingError  # seldom needed, and slow to import

        raise UnpicklingError(f"signal {name!r}: {module} has none of this name; create it when {module} is imported.")
    return found


def reduce_named(signal: Any, module: str, name: str | None) -> tuple[Callable[..., Any], tuple[str, str]]:
    """Answers the reduced form of a signal for pickle."""
    from pickle import PicklingError  # whoever comes here has imported it

    if name is None:
        raise PicklingError(f"{signal}: got an anonymous signal; expected a named one, e.g. Signal('saved').")
    if _named.setdefault((module, name), signal) is not signal:
        raise PicklingError(f"{signal}: {module} has a newer signal of this name; give them different names.")
    return find_named, (module, name)


def calling_module() -> str:
    """Answers the module outside this package that is creating a signal."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    name = frame.f_globals.get("__name__", "__main__")
    return name if isinstance(name, str) else "__main__"


def _is_ours(module: str) -> bool:
    return module.startswith(f"{__package__}._") or module == f"{__package__}.namespace"
