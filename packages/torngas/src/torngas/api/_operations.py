"""One typed method of one route as an operation of OpenAPI 3.1."""

from __future__ import annotations

import http.client
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from torngas.api._bodies import FORM_TYPES
from torngas.api._parameters import REQUIRED, Parameter
from torngas.api._paths import Part, PathTemplate
from torngas.api._routes import Served
from torngas.api._schemas import Schemas
from torngas.api._sources import field_items
from torngas.api._types import unwrapped
from torngas.api.endpoints import Endpoint
from torngas.api.problem import CONTENT_TYPE

__all__ = ["PROBLEM", "Operation"]

PROBLEM = "ProblemDetails"
_ARGUMENTS = ("query", "header", "cookie")
Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """What is needed to describe one.

    Attributes:
        served: The route.
        verb: The HTTP method.
        method: The handler's method, as its decorators left it.
        endpoint: What is typed of it.
        template: The route's path.
        schemas: Where schemas are asked for.
    """

    served: Served
    verb: str
    method: Any
    endpoint: Endpoint
    template: PathTemplate
    schemas: Schemas

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """As this route fills them."""
        named = tuple(part.name for part in self.template.parts if part.name)
        return self.endpoint.parameters(named, 0 if named else len(self.template.parts))

    @property
    def path(self) -> str:
        """The path of OpenAPI."""
        return self.template.text(self._part_name)

    @property
    def security(self) -> tuple[tuple[Any, tuple[str, ...]], ...] | None:
        """The schemes that open it, each with its scopes; None where it is open."""
        found = getattr(self.method, "__security__", None)
        return getattr(self.served.handler, "__security__", None) if found is None else found

    def described(self, operation_id: str) -> Node:
        """The operation object."""
        said = self.endpoint.declaration
        summary, description = _docstring(self.endpoint.method)
        made: Node = {
            "operationId": operation_id,
            "tags": list(said.tags),
            "summary": said.summary or summary,
            "description": said.description or description,
            "deprecated": said.deprecated,
            "parameters": list(self._parameters()),
            "requestBody": self._body(),
        }
        if self.security:
            made["security"] = [{scheme.scheme_name: list(scopes)} for scheme, scopes in self.security]
        made = {name: value for name, value in made.items() if value}
        made["responses"] = self._responses()
        return _merged(made, getattr(self.method, "__openapi__", {}))

    def _part_name(self, number: int, part: Part) -> str:
        if part.name:
            return part.name
        names = [one.name for one in self.parameters if one.location == "path"]
        return names[number] if number < len(names) else f"part{number + 1}"

    def _parameters(self) -> Iterator[Node]:
        by_key = {one.key: one for one in self.parameters if one.location == "path"}
        for number, part in enumerate(self.template.parts):
            name = self._part_name(number, part)
            yield self._of_part(name, part, by_key.get(name))
        for one in self.parameters:
            if one.location in _ARGUMENTS and not one.fields:
                yield self._of_argument(one)
            elif one.location in _ARGUMENTS:
                yield from self._of_fields(one)

    def _of_part(self, name: str, part: Part, declared: Parameter | None) -> Node:
        made: Node = {"name": name, "in": "path", "required": True, "schema": dict(part.schema)}
        if declared is not None:
            made |= _said(declared) | {"schema": self.schemas.of(declared.type, pattern=part.schema)}
        return made

    def _of_argument(self, one: Parameter) -> Node:
        made: Node = {"name": one.key, "in": one.location}
        if one.default is REQUIRED:
            made["required"] = True
        made["schema"] = self.schemas.of(one.type, default=_default(one.default))
        return made | _said(one)

    def _of_fields(self, one: Parameter) -> Iterator[Node]:
        for field, (name, key, _) in zip(one.fields, field_items(one), strict=True):
            made: Node = {"name": key, "in": one.location, "schema": self.schemas.of(one.type, member=name)}
            if field.required and one.default is REQUIRED:
                made["required"] = True
            yield made

    def _body(self) -> Node:
        closed = self.endpoint.declaration.forbid_unknown
        for one in self.parameters:
            if one.location == "body":
                media = {"schema": self.schemas.of(one.type, closed=closed), **_examples(one)}
                said = {"description": one.marker.description} if one.marker.description else {}
                return {"required": one.default is REQUIRED, "content": {"application/json": media}, **said}
        fields = [one for one in self.parameters if one.location == "form"]
        return self._form(fields) if fields else {}

    def _form(self, parameters: list[Parameter]) -> Node:
        properties: Node = {}
        required = []
        for one in parameters:
            named = [(one.key, None, one.default is REQUIRED)]
            if one.fields:
                named = [(field.name, field.name, field.required) for field in one.fields]  # type: ignore[misc]
            for key, member, needed in named:
                properties[key] = self.schemas.of(one.type, member=member)
                required += [key] if needed else []
        schema: Node = {"type": "object", "properties": properties, "required": required}
        if self.endpoint.declaration.forbid_unknown:
            schema["additionalProperties"] = False
        return {"required": bool(required), "content": {media: {"schema": schema} for media in FORM_TYPES}}

    def _responses(self) -> Node:
        returns = self.endpoint.signature.returns
        nothing = returns is None or returns is type(None)
        status = self.endpoint.declaration.status or (204 if nothing else 200)
        found: dict[int, Node] = {status: {"description": _phrase(status)}}
        if not nothing and status not in (204, 304):
            found[status]["content"] = self._content(returns)
        for code in self._errors():
            found[code] = _problem(_phrase(code))
        for code, said in self.endpoint.declaration.responses.items():
            found[code] = self._declared(code, said)
        return {str(code): found[code] for code in sorted(found)}

    def _content(self, kind: Any) -> Node:
        if unwrapped(kind)[0] is bytes:
            return {"application/octet-stream": {}}
        schema = {} if kind is REQUIRED else {"schema": self.schemas.of(kind, sent=True)}
        return {"application/json": schema}

    def _declared(self, code: int, said: Any) -> Node:
        if isinstance(said, str):
            return _problem(said) if code >= 400 else {"description": said}
        made: Node = {"description": _phrase(code)}
        return made if said is None else {**made, "content": self._content(said)}

    def _errors(self) -> Iterator[int]:
        locations = {one.location for one in self.parameters}
        if locations:
            yield 400
        if self.security is not None:
            yield from (401, 403)
        if self.template.parts:
            yield 404
        if locations & {"body", "form"}:
            yield 415
        if locations:
            yield 422


def _said(one: Parameter) -> Node:
    marker = one.marker
    said = {"description": marker.description, "deprecated": marker.deprecated}
    return {**{name: value for name, value in said.items() if value}, **_examples(one)}


def _examples(one: Parameter) -> Node:
    examples = {f"example{n}": {"value": _plain(value)} for n, value in enumerate(one.marker.examples, 1)}
    return {"examples": examples} if examples else {}


def _default(value: Any) -> Any:
    return REQUIRED if value is REQUIRED or value is None else _plain(value)


def _plain(value: Any) -> Any:
    """As JSON has it."""
    return json.loads(msgspec.json.encode(value))


def _docstring(method: Any) -> tuple[str, str]:
    first, _, rest = (inspect.getdoc(method) or "").partition("\n")
    return first.rstrip("."), re.sub(r"(?<!\n)\n(?!\n)", " ", rest.strip())


def _phrase(status: int) -> str:
    return http.client.responses.get(status, f"Status {status}")


def _problem(description: str) -> Node:
    schema = {"$ref": f"#/components/schemas/{PROBLEM}"}
    return {"description": description, "content": {CONTENT_TYPE: {"schema": schema}}}


def _merged(made: Node, more: Mapping[str, Any]) -> Node:
    """What other decorators say of the operation: mappings are merged, lists joined, all else replaced."""
    for name, value in more.items():
        former = made.get(name)
        if isinstance(former, dict) and isinstance(value, Mapping):
            made[name] = _merged(dict(former), value)
        elif isinstance(former, list) and isinstance(value, list | tuple):
            made[name] = [*former, *value]
        else:
            made[name] = value
    return made
