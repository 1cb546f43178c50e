"""Encoders for dictionaries that a handler writes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from tornado.escape import json_encode, utf8

from .exceptions import MiddlewareError

__all__ = ["Encode", "encoder"]

Encode = Callable[[dict[str, Any]], bytes]
_REFUSED = (TypeError, ValueError, OverflowError, RecursionError)


@cache
def encoder(wanted: str | Encode) -> Encode:
    """The function for a value of the setting `json`; libraries are imported at the first use.

    Raises:
        MiddlewareError: the name is unknown, or its library is not installed.
    """
    if callable(wanted):
        return lambda value: utf8(wanted(value)).replace(b"</", b"<\\/")
    return _with_tornados(_library(wanted))


def _library(name: str) -> Encode:
    try:
        if name == "orjson":
            import orjson

            return lambda value: orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
        if name == "msgspec":
            import msgspec

            return msgspec.json.Encoder().encode
    except ImportError as error:
        raise MiddlewareError(
            f"settings['json']: got {name!r}, which is not installed; run: pip install {name} (or 'torngas[speed]')"
        ) from error
    raise MiddlewareError(f"settings['json']: got {name!r}; expected 'orjson', 'msgspec', a function, or None")


def _with_tornados(encode: Encode) -> Encode:
    def encoded(value: dict[str, Any]) -> bytes:
        try:
            return encode(value).replace(b"</", b"<\\/")
        except _REFUSED:
            return utf8(json_encode(value))

    return encoded
