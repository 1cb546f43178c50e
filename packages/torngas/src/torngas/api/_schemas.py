"""The JSON schemas of all types that a document names, as components: msgspec's, and pydantic's of its models."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from torngas.api._formats import add_formats
from torngas.api._parameters import REQUIRED
from torngas.api._pydantic import schemas_by_pydantic
from torngas.api._types import has_pydantic
from torngas.exception import ConfigError

__all__ = ["Schemas"]

_ROOT = "#/components/schemas/"
_VALUES = ("default", "examples")  # of the user's; no schemas
Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Asked:
    schema: Schema
    kind: Any
    closed: bool
    sent: bool
    member: str | None
    pattern: Schema


class Schemas:
    """Collects types while the operations are described, and fills in their schemas at the end."""

    def __init__(self) -> None:
        self._asked: list[_Asked] = []
        self._components: dict[str, Schema] = {}

    def of(
        self,
        kind: Any,
        *,
        closed: bool = False,
        sent: bool = False,
        member: str | None = None,
        default: Any = REQUIRED,
        pattern: Schema | None = None,
    ) -> Schema:
        """A schema that `fill` completes.

        Args:
            kind: The type.
            closed: Whether fields that no model has are refused.
            sent: Whether the server sends it; else it reads it. pydantic tells the two apart.
            member: The schema of this field of a model, without null.
            default: What the server takes where nothing is sent; REQUIRED: nothing.
            pattern: What the route's pattern says of a part of the path, where the type does not say it.
        """
        schema: Schema = {} if default is REQUIRED else {"default": default}
        self._asked.append(_Asked(schema, kind, closed, sent, member, pattern or {}))
        return schema

    def fill(self, reserved: dict[str, Schema]) -> dict[str, Schema]:
        """Completes the schemas; answers the components that they need, and the reserved ones.

        Raises:
            ConfigError: a model has a reserved name.
        """
        by_msgspec = [one.kind for one in self._asked if not has_pydantic(one.kind)]
        made, self._components = msgspec.json.schema_components(by_msgspec, ref_template=f"{_ROOT}{{name}}")
        seen: set[str] = set()
        for kind, schema in zip(by_msgspec, made, strict=True):
            add_formats(kind, schema, self._components, _ROOT, seen)
        schemas = iter(made)
        by_pydantic = [(one.kind, one.sent) for one in self._asked if has_pydantic(one.kind)]
        others = iter(schemas_by_pydantic(by_pydantic, _ROOT, self._components))
        if taken := reserved.keys() & self._components.keys():
            raise ConfigError(f"OpenAPI: got a model of the name {min(taken)!r}; expected another one")
        for one in self._asked:
            found = next(others if has_pydantic(one.kind) else schemas)
            if one.member is not None:
                found = self._member(found, one.member)
            filled = self._closed(found) if one.closed else copy.deepcopy(found)
            one.schema.update({**_of_pattern(one.pattern, filled), **one.schema})
        self._components |= reserved
        return self._needed([*(one.schema for one in self._asked), *reserved.values()], reserved)

    def _member(self, schema: Schema, name: str) -> Schema:
        while "$ref" in schema:
            schema = self._components[schema["$ref"].removeprefix(_ROOT)]
        found = schema.get("properties", {}).get(name, {})
        kept = [one for one in found.get("anyOf", ()) if one != {"type": "null"}]
        if len(kept) == 1:
            found = {**{key: value for key, value in found.items() if key != "anyOf"}, **kept[0]}
        return {key: value for key, value in found.items() if (key, value) != ("default", None)}

    def _closed(self, schema: Any) -> Any:
        """The schema and all below it, without room for further fields."""
        if isinstance(schema, list):
            return [self._closed(one) for one in schema]
        if isinstance(schema, str) and schema.startswith(_ROOT):
            return _ROOT + self._closed_component(schema.removeprefix(_ROOT))
        if not isinstance(schema, dict):
            return schema
        made = {key: value if key in _VALUES else self._closed(value) for key, value in schema.items()}
        if "properties" in made and isinstance(made["properties"], dict) and made.get("type") == "object":
            made.setdefault("additionalProperties", False)
        return made

    def _closed_component(self, name: str) -> str:
        closed = f"{name}.closed"
        if closed not in self._components and not name.endswith(".closed"):
            self._components[closed] = {}  # a model may hold itself
            self._components[closed] |= self._closed(self._components[name])
        return closed

    def _needed(self, roots: list[Any], reserved: dict[str, Schema]) -> dict[str, Schema]:
        found: set[str] = set(reserved)
        waiting = list(roots)
        while waiting:
            for name in set(_references(waiting.pop())) - found:
                found.add(name)
                waiting.append(self._components[name])
        return {name: self._components[name] for name in sorted(found)}


def _of_pattern(pattern: Schema, declared: Schema) -> Schema:
    """Both, if they speak of the same kind of value; the type's word counts more."""
    alike = pattern.get("type") == declared.get("type") and not declared.keys() & {"format", "pattern"}
    return {**pattern, **declared} if alike else declared


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, str):
        if schema.startswith(_ROOT):
            yield schema.removeprefix(_ROOT)
    elif isinstance(schema, dict):
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)
