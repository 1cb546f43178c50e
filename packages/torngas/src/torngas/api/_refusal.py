"""The answer to a request that a typed method cannot be called with: one problem that tells all mistakes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tornado.web import RequestHandler

from torngas.api._bodies import FORM_TYPES, BodyRefused, JsonBody, content_type
from torngas.api._faults import faults_of, told
from torngas.api._fielded import FieldedModel
from torngas.api._parameters import REQUIRED, Parameter, is_lax
from torngas.api._pydantic import adapter_of, faults_of_arguments
from torngas.api._sources import SOURCES, Item, field_items
from torngas.api.problem import Problem

__all__ = ["Refusal"]

_DETAILS = {
    400: "The request is malformed.",
    415: "The body is of another content type than is expected.",
    422: "The request is well-formed, but not valid.",
}
_MOST = 100

Found = tuple[int, dict[str, Any]]
"""The status that a mistake deserves, and its entry among the problem's errors."""


class Refusal:
    """Finds what is wrong with requests to one method.

    Args:
        parameters: Of the method, with their final locations.
        body: What reads the JSON body, or None.
        closed: Whether unknown query arguments are refused.
    """

    def __init__(self, parameters: tuple[Parameter, ...], body: JsonBody | None, closed: bool) -> None:
        self._parameters = parameters
        self._body = body
        self._has_form = any(one.location == "form" for one in parameters)
        self._known = frozenset(_names(parameters, "query")) if closed else None
        self._fields = frozenset(_names(parameters, "form")) if closed and self._has_form else None

    def check(self, handler: RequestHandler) -> None:
        """Refuses query arguments and fields of a form that the method does not have, if it shall.

        Raises:
            ValueError: there is one.
        """
        if self._known is not None and not handler.request.query_arguments.keys() <= self._known:
            raise BodyRefused
        if self._fields is not None and not handler.request.body_arguments.keys() <= self._fields:
            raise BodyRefused

    def problem(self, handler: RequestHandler, parts: dict[str, Any], error: Exception) -> Problem:
        """Everything that is wrong, worst status first: 415, 400, 422.

        Args:
            handler: Of the request.
            parts: The parts of the path, by parameter.
            error: What was raised; its message is told where nothing else is found.
        """
        found = list(self._found(handler, parts))
        statuses = {status for status, _ in found} or {422}
        status = next(one for one in (415, 400, 422) if one in statuses)
        entries = [entry for _, entry in found][:_MOST] or [{"in": "body", "name": "", "detail": told(error)[1]}]
        return Problem(status, _DETAILS[status], errors=entries)

    def _found(self, handler: RequestHandler, parts: dict[str, Any]) -> Iterator[Found]:
        if self._has_form:
            yield from _form_type(handler)
        for one in self._parameters:
            if one.location == "path":
                yield from _faults(one, one.key, parts.get(one.name))
            elif one.fields:
                yield from _of_model(handler, one)
            elif one.location != "body":
                yield from _of_argument(handler, one)
        yield from self._unknown(handler)
        if self._body is not None:
            status, faults = self._body.faults(handler)
            for pointer, detail in faults:
                yield status, _entry("body", self._body.parameter.name, pointer, detail)

    def _unknown(self, handler: RequestHandler) -> Iterator[Found]:
        if self._known is not None:
            for name in handler.request.query_arguments.keys() - self._known:
                yield 422, _entry("query", name[:100], "", "Unknown argument")
        if self._fields is not None:
            for name in handler.request.body_arguments.keys() - self._fields:
                yield 422, _entry("form", name[:100], "", "Unknown field")


def _form_type(handler: RequestHandler) -> Iterator[Found]:
    if handler.request.body and content_type(handler) not in FORM_TYPES:
        yield 415, _entry("form", "", "", f"Expected the content type {' or '.join(FORM_TYPES)}")


def _of_argument(handler: RequestHandler, parameter: Parameter) -> Iterator[Found]:
    try:
        raw = _fetched(handler, parameter.location, [(parameter.name, parameter.key, parameter.is_many)])
    except UnicodeDecodeError:
        yield 400, _entry(parameter.location, parameter.key, "", "Not UTF-8")
        return
    yield from _faults(parameter, parameter.key, raw.get(parameter.name))


def _of_model(handler: RequestHandler, parameter: Parameter) -> Iterator[Found]:
    """The model's fields are arguments of their own; a fault names the argument."""
    raw: dict[str, Any] = {}
    items = field_items(parameter)
    for item in items:
        try:
            raw.update(_fetched(handler, parameter.location, [item]))
        except UnicodeDecodeError:
            yield 400, _entry(parameter.location, item[1], "", "Not UTF-8")
    if not raw and parameter.default is not REQUIRED:
        return
    keys = {name: key for name, key, _ in items}
    if parameter.by_pydantic:
        faults = faults_of_arguments(adapter_of(parameter.type), raw)
    else:
        faults = FieldedModel(parameter).faults(raw)
    for pointer, detail in faults:
        name, _, rest = pointer.removeprefix("/").partition("/")
        yield 422, _entry(parameter.location, keys.get(name, name), f"/{rest}" if rest else "", detail)


def _fetched(handler: RequestHandler, location: str, items: Iterable[Item]) -> dict[str, Any]:
    raw: dict[str, Any] = {}
    SOURCES[location](handler, raw, tuple(items))
    return raw


def _faults(parameter: Parameter, key: str, raw: Any) -> Iterator[Found]:
    if raw is None:
        if parameter.default is REQUIRED:
            yield 422, _entry(parameter.location, key, "", "Required")
        return
    if parameter.by_pydantic:
        faults = faults_of_arguments(adapter_of(parameter.type), raw)
    else:
        faults = faults_of(raw, parameter.type, strict=not is_lax(parameter.type))
    for pointer, detail in faults:
        yield 422, _entry(parameter.location, key, pointer, detail)


def _entry(location: str, name: str, pointer: str, detail: str) -> dict[str, Any]:
    entry = {"in": location, "name": name, "detail": detail}
    return {**entry, "pointer": pointer} if pointer else entry


def _names(parameters: Iterable[Parameter], location: str) -> Iterator[str]:
    for one in parameters:
        if one.location == location:
            yield from (key for _, key, _ in field_items(one)) if one.fields else (one.key,)
