"""The parameters of a typed method, read from its signature once."""

from __future__ import annotations

import builtins
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import FrameType
from typing import Annotated, Any, get_origin, get_type_hints
from uuid import UUID

import msgspec

from torngas.api._types import (
    Field,
    alternatives,
    has_pydantic,
    holds_model,
    is_model,
    item_type,
    model_fields,
    unwrapped,
    without_none,
)
from torngas.api.markers import Marker
from torngas.exception import ArgumentError

__all__ = ["REQUIRED", "Parameter", "Signature", "is_lax", "namespace_of", "read_signature"]

REQUIRED: Any = inspect.Parameter.empty
# Of these msgspec takes numbers too when it is lax, which their documented formats do not.
_TEXTUAL = (datetime, date, time, timedelta, Decimal, UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter.

    Attributes:
        name: In the method's signature.
        location: Where it comes from: "path", "query", "header", "cookie", "form", "body"; "" is the path where the
            route has a part of its name, else the query.
        key: Its name for the client.
        type: What its value is converted to: without None, with the marker's constraints.
        default: What it is where the client sends none; REQUIRED: it must be sent.
        marker: What was said of it.
        fields: Of a model whose fields are arguments of their own; empty for all else.
    """

    name: str
    location: str
    key: str
    type: Any
    default: Any
    marker: Marker
    fields: tuple[Field, ...] = ()

    @property
    def is_many(self) -> bool:
        """Whether it takes all values of a repeated argument."""
        return item_type(self.type) is not None

    @property
    def by_pydantic(self) -> bool:
        """Whether pydantic converts it."""
        return has_pydantic(self.type)


def is_lax(kind: Any) -> bool:
    """Whether text is converted to what it looks like: to numbers and booleans, not to instants and the like."""
    item = item_type(kind)
    return unwrapped(kind if item is None else item)[0] not in _TEXTUAL


@dataclass(frozen=True, slots=True)
class Signature:
    """What a typed method takes and returns.

    Attributes:
        where: The method, for messages.
        parameters: In the order of the signature, without `self`.
        returns: The declared type of the result; REQUIRED if none is declared.
        open_ended: Whether `**kwargs` takes what else the route has.
    """

    where: str
    parameters: tuple[Parameter, ...]
    returns: Any
    open_ended: bool


def read_signature(method: Callable[..., Any], namespace: Mapping[str, Any] | None = None) -> Signature:
    """Reads the annotations.

    Raises:
        NameError: an annotation names what does not exist yet.
        ArgumentError: a parameter cannot be filled from a request.
    """
    where = f"{method.__module__}.{method.__qualname__}"
    hints = get_type_hints(method, localns=dict(namespace or {}), include_extras=True)
    found = list(inspect.signature(method).parameters.values())[1:]
    taken = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
    for one in found:
        if one.kind not in taken:
            raise ArgumentError(f"{where}: got the parameter {one}; expected parameters that can be given by name")
    named = [one for one in found if one.kind is not inspect.Parameter.VAR_KEYWORD]
    parameters = tuple(_parameter(where, one, hints.get(one.name, str)) for one in named)
    if len([one for one in parameters if one.location == "body"]) > 1:
        raise ArgumentError(f"{where}: got two JSON bodies; expected one, of a model that holds both")
    if {"body", "form"} <= {one.location for one in parameters}:
        raise ArgumentError(f"{where}: got a JSON body and form fields; expected one of them, a request has one body")
    return Signature(where, parameters, hints.get("return", REQUIRED), len(named) < len(found))


def namespace_of(depth: int) -> dict[str, Any]:
    """The local names round the caller at `depth`: those of a class body, and of the functions it stands in."""
    return dict(_names(sys._getframe(depth + 1)))


def _names(frame: FrameType | None) -> Iterator[tuple[str, Any]]:
    frames = []
    file = frame.f_code.co_filename if frame else ""
    while frame and frame.f_code.co_filename == file and frame.f_locals is not frame.f_globals:
        frames.append(frame)
        frame = frame.f_back
    for one in reversed(frames):
        is_class = "__qualname__" in one.f_locals
        for name, value in one.f_locals.items():
            if not (is_class and (name in one.f_globals or hasattr(builtins, name))):  # `list` is no method of it
                yield name, value


def _parameter(where: str, found: inspect.Parameter, hint: Any) -> Parameter:
    declared, optional = without_none(hint)
    marker, kind = _marked(where, found.name, declared)
    location = marker.location or ("body" if holds_model(kind) else "")
    if location == "body":  # where null can be sent
        kind = _marked(where, found.name, hint)[1]
    default = None if optional and found.default is REQUIRED else found.default
    fields: tuple[Field, ...] = ()
    if location in ("query", "header", "cookie", "form") and is_model(kind):
        fields = model_fields(kind)
    _check(where, found.name, location, kind, fields)
    key = marker.alias or (found.name.replace("_", "-") if location == "header" else found.name)
    return Parameter(
        name=found.name, location=location, key=key, type=kind, default=default, marker=marker, fields=fields
    )


def _marked(where: str, name: str, hint: Any) -> tuple[Marker, Any]:
    """The marker, and the type with its constraints in msgspec's form."""
    base, said = unwrapped(hint) if get_origin(hint) is Annotated else (hint, ())
    made = [one() if isinstance(one, type) and issubclass(one, Marker) else one for one in said]
    markers = [one for one in made if isinstance(one, Marker)]
    if len(markers) > 1:
        raise ArgumentError(f"{where}, {name}: got {len(markers)} markers; expected one of Path, Query, Header, …")
    marker = markers[0] if markers else Marker()
    rest = [one for one in made if not isinstance(one, Marker)]
    if constraints := marker.constraints():
        rest.append(msgspec.Meta(**constraints))
    return marker, Annotated[(base, *rest)] if rest else base


def _check(where: str, name: str, location: str, kind: Any, fields: tuple[Field, ...]) -> None:
    if location not in ("body", "") and not fields and holds_model(kind):
        raise ArgumentError(
            f"{where}, {name}: got {kind!r} from {location}; expected a model, a scalar or a list of scalars"
        )
    if len([one for one in alternatives(kind) if is_model(one)]) > 1 and location in ("query", "header", "cookie"):
        raise ArgumentError(f"{where}, {name}: got a union of models from {location}; expected one model")
