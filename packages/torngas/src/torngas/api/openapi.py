"""The OpenAPI 3.1 document of an application, from its routes and the declarations of its typed methods.

document = OpenAPI(application, title="Notes", version="1.0.0")
document["paths"]["/notes/{note_id}"]["get"]["operationId"]     # 'get_note'
json.dumps(document)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tornado.web import Application

from torngas.api._needs import check_msgspec
from torngas.exception import ConfigError

__all__ = ["OpenAPI", "document_of"]

_ENTRY = {
    "type": "object",
    "properties": {
        "in": {"enum": ["path", "query", "header", "cookie", "form", "body"]},
        "name": {"type": "string", "description": "Of the parameter, as it is sent."},
        "pointer": {"type": "string", "description": "Where in the value, as a JSON pointer."},
        "detail": {"type": "string", "description": "What was expected."},
    },
    "required": ["in", "name", "detail"],
}
_PROBLEM_SCHEMA = {
    "title": "ProblemDetails",
    "description": "What went wrong (RFC 9457).",
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "Identifies the kind of problem."},
        "title": {"type": "string", "description": "The kind of problem, in words."},
        "status": {"type": "integer", "description": "The status of the response."},
        "detail": {"type": "string", "description": "A sentence on this occurrence."},
        "instance": {"type": "string", "format": "uri-reference", "description": "Identifies this occurrence."},
        "request_id": {"type": "string", "description": "Finds this request in the logs."},
        "errors": {"type": "array", "items": _ENTRY, "description": "Every part of the request that is wrong."},
    },
    "required": ["type", "title", "status"],
}


class OpenAPI(dict[str, Any]):
    """The document: a dictionary of JSON's types.

    Args:
        application: Whose routes are described; those without typed methods are left out.
        title: The API's name.
        version: The API's own version.
        description: What it is for, in Markdown.
        servers: Base addresses, or server objects; none: where the document comes from.
        tags: Descriptions of tags, by name; the others follow in the order of their use.

    Raises:
        ConfigError: msgspec is not installed, two operations have one declared id, or two schemes one name.
        ArgumentError: a typed method cannot be filled from its route.
    """

    def __init__(
        self,
        application: Application,
        *,
        title: str = "API",
        version: str = "1.0.0",
        description: str = "",
        servers: Iterable[str | Mapping[str, Any]] = (),
        tags: Mapping[str, str] | None = None,
    ) -> None:
        check_msgspec("torngas.api.OpenAPI")
        from torngas.api._operations import PROBLEM
        from torngas.api._schemas import Schemas

        schemas = Schemas()
        operations = list(_operations(application, schemas))
        paths: dict[str, dict[str, Any]] = {}
        for operation, identity in zip(operations, _identities(operations), strict=True):
            paths.setdefault(operation.path, {})[operation.verb.lower()] = operation.described(identity)
        info = {"title": title, "version": version, "description": description}
        super().__init__(openapi="3.1.0", info={name: value for name, value in info.items() if value})
        listed = [{"url": one} if isinstance(one, str) else dict(one) for one in servers]
        found: dict[str, Any] = {
            "servers": listed,
            "tags": _tags(paths, tags or {}),
            "paths": paths,
            "components": {"schemas": schemas.fill({PROBLEM: _PROBLEM_SCHEMA}), **_security_schemes(operations)},
        }
        self.update({name: value for name, value in found.items() if value or name == "paths"})


def document_of(application: Application) -> OpenAPI:
    """The document with what the setting OPENAPI says.

    Raises:
        ConfigError: the setting is wrong, or see `OpenAPI`.
    """
    settings = getattr(application, "project_settings", None)
    said = dict(settings.OPENAPI) if settings is not None else {}
    known = {"title", "version", "description", "servers", "tags"}
    if unknown := sorted(said.keys() - known):
        raise ConfigError(f"OPENAPI: got the keys {unknown}; expected some of {sorted(known)}")
    return OpenAPI(application, **said)


def _operations(application: Application, schemas: Any) -> Iterator[Any]:
    """Those of all routes; of two for one path and method the first, which is the one that answers."""
    from torngas.api._operations import Operation
    from torngas.api._paths import template_of
    from torngas.api._routes import served

    seen = set()
    for one in served(application):
        template = template_of(one.pattern)
        for verb, method, endpoint in one.endpoints():
            operation = Operation(one, verb, method, endpoint, template, schemas)
            if (operation.path, verb) not in seen:
                seen.add((operation.path, verb))
                yield operation


def _identities(operations: list[Any]) -> list[str]:
    """Operation ids: the declared ones, else `get_note` of a class Note; with the path where that is not unique."""
    declared = [one.endpoint.declaration.operation_id for one in operations]
    short = [f"{one.verb.lower()}_{_snake(one.served.name or one.served.handler.__name__)}" for one in operations]
    often = Counter(name for name, own in zip(short, declared, strict=True) if own is None)
    long = [f"{one.verb.lower()}_{_snake(one.path)}" for one in operations]
    ids: dict[str, Any] = {}
    for operation, own, name, longer in zip(operations, declared, short, long, strict=True):
        wanted = own or (name if often[name] == 1 and name not in declared else longer)
        if own is not None and ids.get(own, operation.endpoint) is not operation.endpoint:
            raise ConfigError(f"endpoint: got operation_id={own!r} of two methods; expected an id per method")
        number, chosen = 2, wanted
        while chosen in ids:  # a handler may stand at several paths
            chosen, number = f"{wanted}_{number}", number + 1
        ids[chosen] = operation.endpoint
    return list(ids)


def _snake(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "_", name)
    return words.strip("_").lower() or "root"


def _tags(paths: Mapping[str, Mapping[str, Any]], described: Mapping[str, str]) -> list[dict[str, str]]:
    used = [tag for path in paths.values() for operation in path.values() for tag in operation.get("tags", ())]
    names = dict.fromkeys([*described, *used])
    return [{"name": name, **({"description": described[name]} if described.get(name) else {})} for name in names]


def _security_schemes(operations: list[Any]) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    for operation in operations:
        for scheme, _ in operation.security or ():
            said = dict(scheme.openapi_scheme)
            if found.setdefault(scheme.scheme_name, said) != said:
                raise ConfigError(
                    f"OpenAPI: got two schemes of the name {scheme.scheme_name!r} that differ; give one another "
                    "scheme_name"
                )
    return {"securitySchemes": found} if found else {}
