"""Models of pydantic: imported only where a method names one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["adapter_of", "faults_by_pydantic", "faults_of_arguments"]

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
