"""A model whose fields are arguments of their own: converted field by field, then made of the values.

Text cannot be null: of `int | None` only the number is taken, and absence is what the model's default says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypedDict

import msgspec

from torngas.api._defaults import completing
from torngas.api._faults import Fault, faults_of, told
from torngas.api._parameters import Parameter, is_lax
from torngas.api._types import without_none

__all__ = ["FieldedModel"]


class FieldedModel:
    """Makes the model of one parameter.

    Args:
        parameter: One with fields.
    """

    __slots__ = ("_kinds", "_lax", "_make", "_required", "_strict", "_type")

    def __init__(self, parameter: Parameter) -> None:
        self._type = parameter.type
        self._kinds = {field.name: without_none(field.type)[0] for field in parameter.fields}
        self._required = [field.name for field in parameter.fields if field.required]
        self._lax = _dictionary({name: kind for name, kind in self._kinds.items() if is_lax(kind)})
        self._strict = _dictionary({name: kind for name, kind in self._kinds.items() if not is_lax(kind)})
        self._make = completing(msgspec.convert, parameter.type)

    def read(self, raw: Mapping[str, Any]) -> Any:
        """The model, of texts and lists of texts.

        Raises:
            ValueError: a field is missing or does not fit.
        """
        values = {}
        if self._lax is not None:
            values = msgspec.convert(raw, self._lax, strict=False)
        if self._strict is not None:
            values |= msgspec.convert(raw, self._strict)
        return self._make(values, self._type)

    def faults(self, raw: Mapping[str, Any]) -> list[Fault]:
        """All that is wrong; the first step of each pointer is the field."""
        found = list(self._of_fields(raw))
        if not found:
            try:
                self.read(raw)
            except ValueError as error:
                found.append(told(error))
        return found

    def _of_fields(self, raw: Mapping[str, Any]) -> Iterator[Fault]:
        for name, kind in self._kinds.items():
            if name in raw:
                for pointer, detail in faults_of(raw[name], kind, strict=not is_lax(kind)):
                    yield f"/{name}{pointer}", detail
            elif name in self._required:
                yield f"/{name}", "Required"


def _dictionary(kinds: dict[str, Any]) -> Any:
    """A type of dictionaries that have some of these keys; None if there are none."""
    return TypedDict("Fields", kinds, total=False) if kinds else None  # type: ignore[operator]  # made at run time
