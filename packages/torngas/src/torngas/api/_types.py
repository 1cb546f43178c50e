"""What a type annotation is made of: constraints, alternatives, items, and the fields of models.

A model is a dataclass, a msgspec.Struct, a TypedDict or a pydantic model, also a parametrized generic one.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import types
from dataclasses import dataclass
from typing import Annotated, Any, NewType, NotRequired, Required, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

__all__ = [
    "Field",
    "alternatives",
    "has_pydantic",
    "holds_model",
    "is_model",
    "is_pydantic",
    "item_type",
    "model_fields",
    "unwrapped",
    "value_type",
    "without_none",
]

_LISTS = frozenset((list, set, frozenset, tuple, collections.abc.Sequence, collections.abc.MutableSequence))
_SETS = frozenset((collections.abc.Set, collections.abc.MutableSet, collections.abc.Collection))
_MAPPINGS = frozenset((dict, collections.abc.Mapping, collections.abc.MutableMapping))


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a model: its name in the data, its type, and whether it must be there."""

    name: str
    type: Any
    required: bool


def unwrapped(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type without Annotated and NewType, and what Annotated said, the innermost first."""
    said: tuple[Any, ...] = ()
    while True:
        if get_origin(hint) is Annotated:
            hint, *more = get_args(hint)
            said = (*said, *more)
        elif isinstance(hint, NewType):
            hint = hint.__supertype__
        elif get_origin(hint) in (Required, NotRequired):
            (hint,) = get_args(hint)
        else:
            return hint, said


def alternatives(hint: Any) -> tuple[Any, ...]:
    """The members of a union; of anything else itself."""
    base = unwrapped(hint)[0]
    return get_args(base) if get_origin(base) in (Union, types.UnionType) else (hint,)


def without_none(hint: Any) -> tuple[Any, bool]:
    """The type without None among its alternatives, its annotations kept, and whether there was one."""
    base, said = unwrapped(hint)
    if get_origin(base) not in (Union, types.UnionType):
        return hint, False
    kept = [one for one in get_args(base) if one is not types.NoneType]
    if len(kept) == len(get_args(base)) or not kept:
        return hint, False
    rest: Any = Union[tuple(kept)]  # noqa: UP007 - made at run time
    return (Annotated[(rest, *said)] if said else rest), True


def item_type(hint: Any) -> Any:
    """The type of a list's, set's or tuple's items, Any if it is not said; None for what is no list."""
    base = unwrapped(hint)[0]
    origin = get_origin(base) or base
    if not isinstance(origin, type) or origin not in _LISTS | _SETS:
        return None
    items = [one for one in get_args(base) if one is not Ellipsis]
    if not items:
        return Any
    return items[0] if len(items) == 1 else Union[tuple(items)]  # noqa: UP007 - made at run time


def value_type(hint: Any) -> Any:
    """The type of a mapping's values, Any if it is not said; None for what is no mapping."""
    base = unwrapped(hint)[0]
    origin = get_origin(base) or base
    if not isinstance(origin, type) or origin not in _MAPPINGS:
        return None
    return get_args(base)[1] if get_args(base) else Any


def is_pydantic(hint: Any) -> bool:
    """Whether it is a model or dataclass of pydantic, which is not imported to find that out."""
    base = unwrapped(hint)[0]
    kind = get_origin(base) or base
    return isinstance(kind, type) and "__pydantic_validator__" in kind.__dict__


def has_pydantic(hint: Any) -> bool:
    """Whether a pydantic model stands anywhere in the annotation; then pydantic reads and writes all of it."""
    base = unwrapped(hint)[0]
    return is_pydantic(base) or any(has_pydantic(one) for one in get_args(base) if not isinstance(one, str))


def is_model(hint: Any) -> bool:
    """Whether it has named fields."""
    base = unwrapped(hint)[0]
    kind = get_origin(base) or base
    if not isinstance(kind, type):
        return False
    return (
        issubclass(kind, msgspec.Struct) or dataclasses.is_dataclass(kind) or _is_typed_dict(kind) or is_pydantic(kind)
    )


def holds_model(hint: Any) -> bool:
    """Whether it is a model, a mapping, or a list or union in which one stands: what only a body can hold."""
    if is_model(hint) or value_type(hint) is not None:
        return True
    item = item_type(hint)
    if item is not None:
        return holds_model(item)
    members = alternatives(hint)
    return len(members) > 1 and any(map(holds_model, members))


def model_fields(hint: Any) -> tuple[Field, ...]:
    """The fields of a model, in their order."""
    base = unwrapped(hint)[0]
    kind = get_origin(base) or base
    if is_pydantic(kind) and hasattr(kind, "model_fields"):
        return tuple(
            Field(_pydantic_name(name, info), info.annotation, info.is_required())
            for name, info in kind.model_fields.items()
        )
    if issubclass(kind, msgspec.Struct):
        return tuple(Field(one.encode_name, one.type, one.required) for one in msgspec.structs.fields(base))
    hints = _hints(base, kind)
    if _is_typed_dict(kind):
        return tuple(Field(name, one, name in kind.__required_keys__) for name, one in hints.items())
    return tuple(Field(one.name, hints[one.name], _is_required(one)) for one in dataclasses.fields(kind) if one.init)


def _is_typed_dict(kind: type) -> bool:
    return issubclass(kind, dict) and hasattr(kind, "__total__")


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _pydantic_name(name: str, info: Any) -> str:
    alias = info.validation_alias if isinstance(info.validation_alias, str) else info.alias
    return alias or name


def _hints(base: Any, kind: Any) -> dict[str, Any]:
    """The resolved annotations; of a parametrized class with its arguments in place of the type variables."""
    hints = get_type_hints(kind, include_extras=True)
    chosen = dict(zip(getattr(kind, "__parameters__", ()), get_args(base), strict=False))
    return {name: _filled(hint, chosen) for name, hint in hints.items()} if chosen else hints


def _filled(hint: Any, chosen: dict[Any, Any]) -> Any:
    if isinstance(hint, TypeVar):
        return chosen.get(hint, Any)
    free = getattr(hint, "__parameters__", ())
    return hint[tuple(chosen.get(one, Any) for one in free)] if free else hint
