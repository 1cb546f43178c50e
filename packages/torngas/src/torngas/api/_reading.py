"""From a request to the arguments of a typed method; compiled once per method and shape of its route."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from tornado.web import RequestHandler

from torngas.api._bodies import FORM_TYPES, BodyRefused, JsonBody, content_type
from torngas.api._fielded import FieldedModel
from torngas.api._parameters import REQUIRED, Parameter, Signature, is_lax
from torngas.api._pydantic import adapter_of
from torngas.api._refusal import Refusal
from torngas.api._sources import sources_of
from torngas.exception import ArgumentError

__all__ = ["Reader", "located"]

_IMMUTABLE = (type(None), bool, int, float, str, bytes)
_asdict = msgspec.structs.asdict
_convert = msgspec.convert


def located(signature: Signature, names: tuple[str, ...], unnamed: int = 0) -> tuple[Parameter, ...]:
    """The parameters with their final locations, for a route with these named parts or so many unnamed ones.

    Raises:
        ArgumentError: the route has a part that the method does not take.
    """
    able = [one.name for one in signature.parameters if one.location in ("path", "")]
    if unnamed > len(able):
        raise ArgumentError(
            f"{signature.where}: got {unnamed} unnamed parts of the path for the parameters {able}; "
            "expected a parameter for each"
        )
    positional = set(able[:unnamed])
    keys = set(names)
    found = []
    for one in signature.parameters:
        if one.location in ("path", "") and (one.name in positional or one.key in keys):
            keys.discard(one.key)
            found.append(replace(one, location="path"))
        else:
            found.append(replace(one, location=one.location or "query"))
    if keys and not signature.open_ended:
        raise ArgumentError(
            f"{signature.where}: got a route with {sorted(keys)}; expected parameters of these names, or **kwargs"
        )
    return tuple(found)


class Reader:
    """Reads the arguments of one method from requests that met one shape of route.

    Args:
        signature: Of the method.
        names: The named parts of the route.
        unnamed: How many unnamed parts the route has.
        closed: Whether unknown query arguments and fields of the body are refused.
    """

    def __init__(self, signature: Signature, names: tuple[str, ...], unnamed: int, closed: bool) -> None:
        self.parameters = located(signature, names, unnamed)
        path = [one for one in self.parameters if one.location == "path"]
        rest = [one for one in self.parameters if one.location != "body"]
        self._positional = [one.name for one in path][:unnamed]
        self._renamed = [(one.key, one.name) for one in path if not unnamed and one.key != one.name]
        self._others = tuple(name for name in names if name not in {one.key for one in path})
        self._sources = sources_of(self.parameters)
        self._optional_models = [one.name for one in rest if one.fields and one.default is not REQUIRED]
        plain = [one for one in rest if not (one.by_pydantic or one.fields)]
        self._lax = _struct(signature.where, [one for one in plain if is_lax(one.type)])
        self._strict = _struct(signature.where, [one for one in plain if not is_lax(one.type)])
        self._fielded = [(one, _fielded(signature.where, one)) for one in rest if one.fields and not one.by_pydantic]
        self._adapters = [(one, adapter_of(one.type)) for one in rest if one.by_pydantic]
        self._form = any(one.location == "form" for one in rest)
        body = [_body(signature.where, one, closed) for one in self.parameters if one.location == "body"]
        self._body = body[0] if body else None
        self._refusal = Refusal(self.parameters, self._body, closed)

    def arguments(self, handler: RequestHandler, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments by name; `kwargs`, the parts of the route, is changed on the way.

        Raises:
            Problem: something is missing, malformed or invalid; it tells everything.
        """
        parts = kwargs
        try:
            if args or self._renamed or None in kwargs.values():
                parts = self._parts(args, kwargs)
            values = self._converted(handler, parts)
            if self._body is not None:
                values[self._body.parameter.name] = self._body.read(handler)
            self._refusal.check(handler)
        except (ValueError, RecursionError) as error:
            raise self._refusal.problem(handler, parts, error) from error
        return values

    def _parts(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The parts of the path by parameter, without optional groups that took no part."""
        parts = {**dict(zip(self._positional, args, strict=False)), **kwargs}
        for key, name in self._renamed:
            parts[name] = parts.pop(key)
        return {name: value for name, value in parts.items() if value is not None}

    def _converted(self, handler: RequestHandler, raw: dict[str, Any]) -> dict[str, Any]:
        for fetch, into, items in self._sources:
            if into is None:
                fetch(handler, raw, items)
            else:
                part: dict[str, Any] = {}
                raw[into] = part
                fetch(handler, part, items)
        for name in self._optional_models:
            if not raw[name]:
                del raw[name]
        if self._form and handler.request.body and content_type(handler) not in FORM_TYPES:
            raise BodyRefused
        values = _asdict(_convert(raw, self._lax, strict=False)) if self._lax else {}
        if self._strict:
            values.update(_asdict(_convert(raw, self._strict)))
        for one, model in self._fielded:
            values[one.name] = model.read(raw[one.name]) if one.name in raw else one.default
        for one, adapter in self._adapters:
            missing = one.name not in raw and one.default is not REQUIRED
            values[one.name] = one.default if missing else adapter.validate_python(raw.get(one.name))
        for name in self._others:
            if name in raw:
                values[name] = raw[name]
        return values


def _body(where: str, parameter: Parameter, closed: bool) -> JsonBody:
    try:
        if not parameter.by_pydantic:
            msgspec.json.schema_components([parameter.type])
        return JsonBody(parameter, closed)
    except TypeError as error:
        raise _unusable(where, parameter, error) from error


def _fielded(where: str, parameter: Parameter) -> FieldedModel:
    try:
        msgspec.json.schema_components([parameter.type])
        return FieldedModel(parameter)
    except TypeError as error:
        raise _unusable(where, parameter, error) from error


def _struct(where: str, parameters: Sequence[Parameter]) -> Any:
    """A class whose fields are the parameters: msgspec converts all of them in one call. None if there are none."""
    for one in parameters:
        try:
            msgspec.json.schema_components([one.type])
        except TypeError as error:
            raise _unusable(where, one, error) from error
    fields = [(one.name, one.type) if one.default is REQUIRED else (one.name, one.type, _default(one.default))
              for one in parameters]  # fmt: skip
    return msgspec.defstruct("Arguments", fields, kw_only=True) if fields else None


def _default(value: Any) -> Any:
    """As a field's default: the same object each time, as Python does it."""
    if isinstance(value, _IMMUTABLE):
        return value
    factory: Callable[[], Any] = lambda: value  # noqa: E731 - it needs its type
    return msgspec.field(default_factory=factory)


def _unusable(where: str, parameter: Parameter, error: TypeError) -> ArgumentError:
    return ArgumentError(f"{where}, {parameter.name}: got {parameter.type!r}; expected a type of msgspec's ({error})")
