"""The formats of instants and times in schemas: msgspec names them only where a time zone is asked for."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any, get_origin

from torngas.api._types import alternatives, is_model, is_pydantic, item_type, model_fields, unwrapped, value_type

__all__ = ["add_formats"]

_FORMATS = {datetime: "date-time", time: "time"}
Schema = dict[str, Any]


def add_formats(hint: Any, schema: Schema, components: dict[str, Schema], root: str, seen: set[str]) -> None:
    """Completes a schema that was made of this type, and the components that it refers to.

    Args:
        hint: The type.
        schema: Of the type; changed in place.
        components: All of them; changed in place.
        root: What stands before a component's name in a reference.
        seen: Names of components that are complete already; grows.
    """
    kinds = [unwrapped(one)[0] for one in alternatives(hint)]
    for place in schema.get("anyOf") or [schema]:
        for kind in kinds:
            if kind in _FORMATS and place.get("type") == "string":
                place.setdefault("format", _FORMATS[kind])
            elif item_type(kind) is not None and isinstance(place.get("items"), dict):
                add_formats(item_type(kind), place["items"], components, root, seen)
            elif value_type(kind) is not None and isinstance(place.get("additionalProperties"), dict):
                add_formats(value_type(kind), place["additionalProperties"], components, root, seen)
            elif is_model(kind) and not is_pydantic(kind):
                _of_model(kind, place, components, root, seen)


def _of_model(kind: Any, place: Schema, components: dict[str, Schema], root: str, seen: set[str]) -> None:
    references = [one.get("$ref", "") for one in (place, *place.get("allOf", ()))]
    for name in [one.removeprefix(root) for one in references if one.startswith(root)]:
        component = components.get(name, {})
        named = component.get("title", "").partition("[")[0] == (get_origin(kind) or kind).__name__
        if name in seen or not named:
            continue
        seen.add(name)
        properties = component.get("properties", {})
        for field in model_fields(kind):
            if field.name in properties:
                add_formats(field.type, properties[field.name], components, root, seen)
