"""The body of a request: JSON of a declared type, read quickly, and all of its faults where it is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from tornado.web import RequestHandler

from torngas.api._defaults import completing
from torngas.api._faults import Fault, faults_of, told, unknown_fields
from torngas.api._parameters import REQUIRED, Parameter
from torngas.api._pydantic import adapter_of, faults_by_pydantic

__all__ = ["FORM_TYPES", "BodyRefused", "JsonBody", "content_type"]

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


class BodyRefused(ValueError):
    """A body that cannot be used; `JsonBody.faults` says why."""


class JsonBody:
    """Reads the body parameter of a typed method.

    Args:
        parameter: The parameter.
        closed: Whether fields that no model has are refused.
    """

    __slots__ = ("_adapter", "_closed", "_decode", "parameter")

    def __init__(self, parameter: Parameter, closed: bool) -> None:
        self.parameter = parameter
        self._closed = closed
        self._adapter = adapter_of(parameter.type) if parameter.by_pydantic else None
        self._decode: Callable[[bytes], Any]
        if self._adapter is None:
            self._decode = completing(msgspec.json.Decoder(parameter.type).decode, parameter.type)
        else:
            self._decode = self._adapter.validate_json

    def read(self, handler: RequestHandler) -> Any:
        """The value.

        Raises:
            ValueError: it is missing, of another content type, no JSON, or does not fit.
        """
        body = handler.request.body
        if not body:
            return self._missing()
        kind = handler.request.headers.get("Content-Type", "")
        if kind != "application/json" and not _is_json(kind):
            raise BodyRefused
        if not self._closed:
            return self._decode(body)
        if self._adapter is not None:
            return self._adapter.validate_json(body, extra="forbid")
        value = self._decode(body)
        if unknown_fields(msgspec.json.decode(body), self.parameter.type):
            raise BodyRefused
        return value

    def faults(self, handler: RequestHandler) -> tuple[int, list[Fault]]:
        """The status that its mistakes deserve, and all of them; (0, []) if there is none."""
        body = handler.request.body
        if not body:
            return (422, [("", "Required")]) if self.parameter.default is REQUIRED else (0, [])
        if not _is_json(handler.request.headers.get("Content-Type", "")):
            return 415, [("", "Expected the content type application/json")]
        if self._adapter is not None:
            return faults_by_pydantic(self._adapter, body, self._closed)
        try:
            value = msgspec.json.decode(body)
        except msgspec.ValidationError as error:
            return 422, [told(error)]
        except RecursionError:
            return 400, [("", "Nested too deeply")]
        except ValueError as error:
            return 400, [("", _malformed(error))]
        found = faults_of(value, self.parameter.type, closed=self._closed)
        return (422, found) if found else (0, [])

    def _missing(self) -> Any:
        if self.parameter.default is REQUIRED:
            raise BodyRefused
        return self.parameter.default


def content_type(handler: RequestHandler) -> str:
    """The media type of the request's body, without its parameters."""
    return handler.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _is_json(header: str) -> bool:
    media = header.partition(";")[0].strip().lower()
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


def _malformed(error: ValueError) -> str:
    return f"Not JSON: {error}" if isinstance(error, msgspec.DecodeError) else "Not JSON: the text is not UTF-8"
