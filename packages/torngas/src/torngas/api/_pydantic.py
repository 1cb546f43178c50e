"""Models of pydantic: imported only where a method names one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["adapter_of", "faults_by_pydantic", "faults_of_arguments", "schemas_by_pydantic"]

Faults = list[tuple[str, str]]


def adapter_of(hint: Any) -> TypeAdapter[Any]:
    """What reads and writes values of this type."""
    from pydantic import TypeAdapter

    return TypeAdapter(hint)


def faults_by_pydantic(adapter: TypeAdapter[Any], body: bytes, closed: bool) -> tuple[int, Faults]:
    """The status and all faults of a JSON body; (0, []) if there is none."""
    from pydantic import ValidationError

    try:
        adapter.validate_json(body, extra="forbid" if closed else None)
    except ValidationError as error:
        malformed = any(one["type"] == "json_invalid" for one in error.errors(include_url=False))
        return 400 if malformed else 422, _faults(error)
    return 0, []


def faults_of_arguments(adapter: TypeAdapter[Any], raw: Mapping[str, Any]) -> Faults:
    """All faults of arguments that a model is made of."""
    from pydantic import ValidationError

    try:
        adapter.validate_python(raw)
    except ValidationError as error:
        return _faults(error)
    return []


def _faults(error: Any) -> Faults:
    return [
        ("".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in one["loc"]), _detail(one))
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def _detail(one: Mapping[str, Any]) -> str:
    return "Required" if one["type"] == "missing" else str(one["msg"])


def schemas_by_pydantic(
    kinds: Sequence[tuple[Any, bool]], root: str, components: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """The schema of each type, read or (True) sent; their definitions are added to the components."""
    if not kinds:
        return []
    from pydantic import TypeAdapter

    inputs: list[Any] = [
        (number, "serialization" if sent else "validation", TypeAdapter(kind))
        for number, (kind, sent) in enumerate(kinds)
    ]
    for prefix in ("", "pydantic."):
        found, whole = TypeAdapter.json_schemas(inputs, ref_template=f"{root}{prefix}{{model}}")
        made = {f"{prefix}{name}": schema for name, schema in whole.get("$defs", {}).items()}
        if not made.keys() & components.keys():
            break
    components |= made
    return [found[number, mode] for number, mode, _ in inputs]
