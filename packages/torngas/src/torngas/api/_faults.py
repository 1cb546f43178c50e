"""All that is wrong with a value: msgspec stops at the first mistake, this goes on. Runs only where there is one.

A fault says where in the value, as a JSON pointer (RFC 6901), and what was expected; it repeats no value.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import msgspec

from torngas.api._types import (
    alternatives,
    is_model,
    is_pydantic,
    item_type,
    model_fields,
    unwrapped,
    value_type,
    without_none,
)

__all__ = ["Fault", "faults_of", "told", "unknown_fields"]

Fault = tuple[str, str]
"""A JSON pointer ("" is the whole value), and what is wrong there."""

_MOST = 100
_PLACE = re.compile(r" - at `(?:key in )?\$(?P<path>[^`]*)`$")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_KINDS = {dict: "object", list: "array", str: "str", bool: "bool", int: "int", float: "float", type(None): "null"}


def faults_of(value: Any, hint: Any, *, strict: bool = True, closed: bool = False) -> list[Fault]:
    """What is wrong with a value made of JSON's types; at most a hundred faults.

    Args:
        value: As decoded from JSON, or text where `strict` is False.
        hint: The declared type.
        strict: Whether text stays text; else it may look like a number or boolean.
        closed: Whether fields that no model has are refused.
    """
    found = []
    for fault in _walk(value, hint, "", strict, closed):
        found.append(fault)
        if len(found) == _MOST:
            break
    return found


def unknown_fields(value: Any, hint: Any) -> bool:
    """Whether the value, which is valid otherwise, has a field that its model does not know."""
    return bool(next(_walk(value, hint, "", True, True), None))


def told(error: Exception, hint: Any = None) -> Fault:
    """A fault from what msgspec says."""
    text = str(error)
    found = _PLACE.search(text)
    if found:
        text = text[: found.start()]
    choices = _choices(hint)
    if text.startswith(("Invalid enum value", "Invalid value")):
        text = f"Expected one of {choices}" if choices else "Not one of the allowed values"
    steps = [name or number for name, number in _STEP.findall(found["path"])] if found else []
    known = steps[: steps.index("...")] if "..." in steps else steps  # a key that msgspec does not name
    return "".join(f"/{_escaped(step)}" for step in known), text


def _walk(value: Any, hint: Any, at: str, strict: bool, closed: bool) -> Iterator[Fault]:
    members = [one for one in alternatives(hint) if one is not type(None)]
    if value is None and len(members) < len(alternatives(hint)):
        return
    if len(members) > 1:
        yield from _union(value, hint, members, at, strict, closed)
        return
    kind = without_none(hint)[0]
    below = list(_below(value, kind, at, strict, closed)) if _has_parts(value, kind) else []
    yield from below or _leaf(value, hint, at, strict)


def _leaf(value: Any, hint: Any, at: str, strict: bool) -> Iterator[Fault]:
    try:
        msgspec.convert(value, hint, strict=strict)
    except (msgspec.ValidationError, RecursionError) as error:
        pointer, detail = told(error, hint)
        yield at + pointer, detail if strict else detail.removesuffix(", got `str`")


def _has_parts(value: Any, kind: Any) -> bool:
    """Whether the value has parts that can be looked at one by one."""
    if is_model(kind):
        return isinstance(value, dict) and not is_pydantic(kind)
    if item_type(kind) is not None:
        return isinstance(value, list) and get_origin(unwrapped(kind)[0]) is not None
    return value_type(kind) is not None and isinstance(value, dict)


def _below(value: Any, kind: Any, at: str, strict: bool, closed: bool) -> Iterator[Fault]:
    if is_model(kind):
        yield from _model(value, kind, at, strict, closed)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _walk(item, _nth(kind, number), f"{at}/{number}", strict, closed)
    else:
        for name, item in value.items():
            yield from _walk(item, value_type(kind), f"{at}/{_escaped(name)}", strict, closed)


def _nth(kind: Any, number: int) -> Any:
    """The type of an item; in a tuple of fixed length it depends on the place."""
    base = unwrapped(kind)[0]
    items = get_args(base)
    if get_origin(base) is tuple and Ellipsis not in items:
        return items[number] if number < len(items) else Any
    return item_type(kind)


def _model(value: dict[Any, Any], kind: Any, at: str, strict: bool, closed: bool) -> Iterator[Fault]:
    fields = model_fields(kind)
    for field in fields:
        if field.name in value:
            yield from _walk(value[field.name], field.type, f"{at}/{_escaped(field.name)}", strict, closed)
        elif field.required:
            yield f"{at}/{_escaped(field.name)}", "Required"
    config = getattr(get_origin(unwrapped(kind)[0]) or unwrapped(kind)[0], "__struct_config__", None)
    if closed or (config is not None and config.forbid_unknown_fields):
        known = {field.name for field in fields} | ({config.tag_field} if config is not None else set())
        for name in value:
            if name not in known:
                yield f"{at}/{_escaped(str(name))}", "Unknown field"


def _union(value: Any, hint: Any, members: list[Any], at: str, strict: bool, closed: bool) -> Iterator[Fault]:
    """Of the alternatives the one that the value is meant to be: by its tag, or as the only one of its kind."""
    chosen = [one for one in members if _has_parts(value, one)]
    if tagged := [one for one in chosen if _has_tag(value, one)]:
        chosen = tagged
    if len(chosen) == 1:
        yield from _walk(value, chosen[0], at, strict, closed)
    else:
        yield from _leaf(value, hint, at, strict)


def _has_tag(value: Any, kind: Any) -> bool:
    config = getattr(unwrapped(kind)[0], "__struct_config__", None)
    return bool(config and config.tag_field and value.get(config.tag_field) == config.tag)


def _choices(hint: Any) -> str:
    """The values that an enumeration, or the tag of a union, may have."""
    kind = unwrapped(hint)[0]
    if tags := [one.__struct_config__.tag for one in alternatives(hint) if hasattr(one, "__struct_config__")]:
        return ", ".join(map(repr, tags))
    if get_origin(kind) is Literal:
        return ", ".join(repr(one) for one in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return ", ".join(repr(one.value) for one in kind)
    return ""


def _escaped(name: Any) -> str:
    """A step of a pointer; long names, which only the client made, are cut."""
    text = str(name)
    text = text if len(text) <= 100 else text[:100] + "…"
    return text.replace("~", "~0").replace("/", "~1")
