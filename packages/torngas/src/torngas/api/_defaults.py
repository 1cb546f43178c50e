"""Plain defaults of dataclasses as attributes of the instances that msgspec makes.

msgspec leaves such a default to the class, where Python finds it; but it writes only what the instance itself has, so
that the field would be missing from a response.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar, get_args

import msgspec

from torngas.api._types import is_model, model_fields, unwrapped

__all__ = ["completing"]

_CONTAINERS = (list, tuple, set, frozenset)
_Plan = tuple[list[tuple[str, Any]], tuple[str, ...]]  # defaults, and fields that may hold more of them


def completing(read: Callable[..., Any], *hints: Any) -> Callable[..., Any]:
    """The same function, whose results are completed where the types in them make that necessary."""
    seen: set[str] = set()
    if not any(_has_defaults(hint, seen) for hint in hints):
        return read
    completer = _Completer()
    complete = completer.flat(hints[0]) or completer.complete

    def completed(*args: Any, **kwargs: Any) -> Any:
        value = read(*args, **kwargs)
        complete(value)
        return value

    return completed


def _has_defaults(hint: Any, seen: set[str]) -> bool:
    """Whether a dataclass with a plain default stands anywhere in the type."""
    base = unwrapped(hint)[0]
    if isinstance(base, TypeVar):
        return True  # of a generic class' own field: it may be anything
    if isinstance(base, str) or str(base) in seen:
        return False
    seen.add(str(base))
    if dataclasses.is_dataclass(base) and isinstance(base, type) and _defaults_of(base):
        return True
    inner = [field.type for field in model_fields(base)] if is_model(base) else []
    return any(_has_defaults(one, seen) for one in (*inner, *get_args(base)))


def _defaults_of(kind: Any) -> list[tuple[str, Any]]:
    if not hasattr(kind, "__dictoffset__") or kind.__dictoffset__ == 0:
        return []  # with slots the instance has them
    fields: Any = dataclasses.fields(kind)
    return [(one.name, one.default) for one in fields if one.default is not dataclasses.MISSING]


class _Completer:
    """Sets what is missing in one kind of results; looks only where a dataclass with defaults can be."""

    def __init__(self) -> None:
        self._plans: dict[type, _Plan] = {}

    def flat(self, hint: Any) -> Callable[[Any], None] | None:
        """The short way for a dataclass that holds no other; None for all else."""
        kind = unwrapped(hint)[0]
        if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)) or self._planned(kind)[1]:
            return None
        defaults = self._planned(kind)[0]

        def complete(value: Any) -> None:
            own = value.__dict__
            for name, default in defaults:
                own.setdefault(name, default)

        return complete

    def complete(self, value: Any) -> None:
        """Sets the defaults of every dataclass in the value."""
        kind = value.__class__
        plan = self._plans.get(kind)
        if plan is not None or is_model(kind):
            self._set(value, plan or self._planned(kind))
        elif kind is dict:
            for one in value.values():
                self.complete(one)
        elif kind in _CONTAINERS:
            for one in value:
                self.complete(one)

    def _set(self, value: Any, plan: _Plan) -> None:
        defaults, inner = plan
        if defaults:
            own = value.__dict__
            for name, default in defaults:
                if name not in own:
                    own[name] = default
        for name in inner:
            self.complete(getattr(value, name, None))

    def _planned(self, kind: Any) -> _Plan:
        if issubclass(kind, msgspec.Struct):
            found = [(one.name, one.type) for one in msgspec.structs.fields(kind)]
        else:
            found = [(one.name, one.type) for one in model_fields(kind)]
        inner = tuple(name for name, hint in found if _has_defaults(hint, set()))
        defaults = [] if issubclass(kind, msgspec.Struct) else _defaults_of(kind)
        plan = self._plans[kind] = (defaults, inner)
        return plan
