"""Private copies of values that never leave the process.

A value that nobody can change is its own copy. Everything else is pickled as it comes in. What is read more than once,
and is a small structure of dicts, lists and sets over such values, is from then on copied container by container, which
is several times faster than unpickling.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from typing import Any

Load = Callable[[Any], Any]

PLAIN = frozenset({str, bytes, int, float, bool})
SCALAR = PLAIN | {type(None), complex}
_MANY = 64


class Reads(enum.Enum):
    """How often a pickled value was read, as far as that is of interest."""

    NONE = 0
    ONE = 1


def after_read(value: Any, payload: tuple[Load, Any, Any]) -> tuple[Load, Any, Any]:
    """How to keep from now on what was just read from a payload that notes its `Reads`."""
    load, data, reads = payload
    if reads is Reads.NONE:
        return load, data, Reads.ONE
    return *(_plan(value, set()) or (load, data)), None


def same(value: Any) -> Any:
    """The value itself."""
    return value


def _plan(value: Any, seen: set[int]) -> tuple[Load, Any] | None:
    """None: not a small structure of plain containers, or one in which a container occurs twice."""
    kind = type(value)
    if kind in SCALAR:
        return same, value
    if kind is dict:
        copy = value.copy()
        if not SCALAR.issuperset(map(type, copy)):
            return None
        items: Iterable[tuple[Any, Any]] = copy.items()
    elif kind is list:
        copy = value.copy()
        items = enumerate(copy)
    elif kind is tuple or kind is frozenset:
        return (same, value) if SCALAR.issuperset(map(type, value)) else None
    elif kind is set:
        copy = value.copy()
        return (set.copy, copy) if SCALAR.issuperset(map(type, copy)) else None
    else:
        return None
    nested = [item for item in items if type(item[1]) not in SCALAR]
    return _plan_of_parts(copy, nested, seen) if nested else (kind.copy, copy)


def _plan_of_parts(copy: Any, nested: list[tuple[Any, Any]], seen: set[int]) -> tuple[Load, Any] | None:
    parts = []
    for key, part in nested:
        if id(part) in seen or len(seen) > _MANY:
            return None
        seen.add(id(part))
        found = _plan(part, seen)
        if found is None:
            return None
        parts.append((key, *found))
    return _rebuild, (copy, parts)


def _rebuild(plan: tuple[Any, list[tuple[Any, Load, Any]]]) -> Any:
    copy, parts = plan
    copy = copy.copy()
    for key, load, data in parts:
        copy[key] = load(data)
    return copy
