"""From what a typed method returns to the response, by the declared type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from tornado.web import RequestHandler

from torngas.api._defaults import completing
from torngas.api._parameters import REQUIRED, Signature
from torngas.api._pydantic import adapter_of
from torngas.api._types import alternatives, has_pydantic, unwrapped
from torngas.exception import ArgumentError

__all__ = ["Writer"]

_HTML = "text/html; charset=UTF-8"  # what Tornado's clear() sets
_JSON = "application/json"


class Writer:
    """Writes the results of one method.

    A value of another type than the declared one is converted to it first, from a mapping or from the attributes of
    an object: what the type does not have is not sent, what does not fit is an error of the server.

    Args:
        signature: Of the method.
    """

    __slots__ = ("_encode", "_null", "_where", "_without_content")

    def __init__(self, signature: Signature) -> None:
        hint = signature.returns
        self._where = signature.where
        self._without_content = hint is None or hint is type(None)
        self._null = not self._without_content and type(None) in alternatives(hint)
        self._encode = _encoder(signature.where, Any if hint is REQUIRED or self._without_content else hint)

    def write(self, handler: RequestHandler, result: Any) -> None:
        """Writes the result.

        Raises:
            ArgumentError: the method wrote or finished the response too, or the result does not fit its type.
        """
        if result is None and not self._null:
            self._write_nothing(handler)
            return
        if handler._finished or handler._write_buffer:
            raise ArgumentError(
                f"{self._where}: got a result, {type(result).__name__}, after the response was written; "
                "expected one of both: return the value, or write it and return None"
            )
        if isinstance(result, bytes):
            handler.write(result)
            return
        chunk = self._encode(result)
        if handler._headers.get("Content-Type") == _HTML:
            handler.set_header("Content-Type", _JSON)
        handler.set_header("X-Content-Type-Options", "nosniff")
        handler.write(chunk)

    def _write_nothing(self, handler: RequestHandler) -> None:
        """204 where None is declared, unless the method answered by itself or chose a status."""
        if (
            self._without_content
            and handler.get_status() == 200
            and not (handler._finished or handler._headers_written or handler._write_buffer)
        ):
            handler.set_status(204)


def _encoder(where: str, hint: Any) -> Callable[[Any], bytes]:
    if has_pydantic(hint):
        return _by_pydantic(where, hint)
    encode = msgspec.json.Encoder(enc_hook=_plain).encode
    base = unwrapped(hint)[0]
    if base is Any:
        return encode
    _check(where, hint)

    convert = completing(msgspec.convert, hint)

    def fitted(result: Any) -> bytes:
        if result.__class__ is base:
            return encode(result)
        try:
            return encode(convert(result, hint, from_attributes=True))
        except msgspec.ValidationError as error:
            raise _unfit(where, result, hint, error) from error

    return fitted


def _by_pydantic(where: str, hint: Any) -> Callable[[Any], bytes]:
    adapter = adapter_of(hint)
    base = unwrapped(hint)[0]

    def fitted(result: Any) -> bytes:
        try:
            value = result if result.__class__ is base else adapter.validate_python(result, from_attributes=True)
        except ValueError as error:
            raise _unfit(where, result, hint, error) from error
        return adapter.dump_json(value, by_alias=True)

    return fitted


def _plain(value: Any) -> Any:
    """What msgspec does not know: models of pydantic among the values of an undeclared result."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True)
    raise NotImplementedError


def _check(where: str, hint: Any) -> None:
    try:
        msgspec.json.schema_components([hint])
    except TypeError as error:
        raise ArgumentError(f"{where}: got the result {hint!r}; expected a type of msgspec's ({error})") from error


def _unfit(where: str, result: Any, hint: Any, error: Exception) -> ArgumentError:
    return ArgumentError(f"{where}: got a {type(result).__name__}; expected what becomes {hint!r} ({error})")
