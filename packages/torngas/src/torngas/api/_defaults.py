"""Plain defaults of dataclasses as attributes of the instances that msgspec makes.

msgspec leaves such a default to the class, where Python finds it; but it writes only what the instance itself has, so
that the field would be missing from a response.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, get_args

import msgspec

from torngas.api._types import is_model, model_fields, unwrapped

__all__ = ["completing"]

_PLAIN = (str, int, float, bool, bytes, type(None))


def completing(read: Callable[..., Any], *hints: Any) -> Callable[..., Any]:
    """The same function, whose results are completed where the types in them make that necessary."""
    seen: set[str] = set()
    if not any(_has_defaults(hint, seen) for hint in hints):
        return read
    complete = _Completer().complete

    def completed(*args: Any, **kwargs: Any) -> Any:
        value = read(*args, **kwargs)
        complete(value)
        return value

    return completed


def _has_defaults(hint: Any, seen: set[str]) -> bool:
    """Whether a dataclass with a plain default stands anywhere in the type."""
    base = unwrapped(hint)[0]
    if isinstance(base, str) or str(base) in seen:
        return False
    seen.add(str(base))
    if dataclasses.is_dataclass(base) and isinstance(base, type) and _defaults_of(base):
        return True
    inner = [field.type for field in model_fields(base)] if is_model(base) else []
    return any(_has_defaults(one, seen) for one in (*inner, *get_args(base)))


def _defaults_of(kind: type) -> list[tuple[str, Any]]:
    if not hasattr(kind, "__dictoffset__") or kind.__dictoffset__ == 0:
        return []  # with slots the instance has them
    fields: Any = dataclasses.fields(kind)
    return [(one.name, one.default) for one in fields if one.default is not dataclasses.MISSING]


class _Completer:
    def __init__(self) -> None:
        self._known: dict[type, list[tuple[str, Any]]] = {}

    def complete(self, value: Any) -> None:
        """Sets the defaults of every dataclass in the value."""
        kind = value.__class__
        if kind in _PLAIN:
            return
        if dataclasses.is_dataclass(value):
            self._set(value, kind)
        elif isinstance(value, msgspec.Struct):
            for name in value.__struct_fields__:
                self.complete(getattr(value, name))
        elif isinstance(value, dict):
            for one in value.values():
                self.complete(one)
        elif isinstance(value, list | tuple | set | frozenset):
            for one in value:
                self.complete(one)

    def _set(self, value: Any, kind: type) -> None:
        defaults = self._known.get(kind)
        if defaults is None:
            defaults = self._known[kind] = _defaults_of(kind)
        own = getattr(value, "__dict__", {})
        for name, default in defaults:
            if name not in own:
                own[name] = default
        for field in dataclasses.fields(value):
            self.complete(getattr(value, field.name, None))
