"""Headers between ASGI's pairs of bytes and Tornado's HTTPHeaders, each way only as far as somebody looks.

This module is the one that knows two private names of `tornado.httputil.HTTPHeaders`: its content `_as_list`, so that
the headers of a request are decoded only when one of them is asked for, and `_combined_cache`. Its public `add`
would check every name and value once more with regular expressions, which the server did already.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeAlias

import tornado
from tornado.httputil import HTTPHeaders

__all__ = ["Pairs", "RequestHeaders", "response_pairs"]

Pairs: TypeAlias = Iterable[tuple[bytes, bytes]]

_TORNADO = f"TornadoServer/{tornado.version}"
# The server frames the message; RFC 9113 §8.2.2 forbids the last ones where there is no HTTP/1 connection.
_FRAMING = frozenset(("Transfer-Encoding",))
_CONNECTION = _FRAMING | {"Connection", "Keep-Alive", "Proxy-Connection", "Upgrade"}


class _Content:
    """Stands for `_as_list` until the first look at it, then gives way to the dictionary that it makes."""

    def __get__(self, headers: RequestHeaders, owner: type[HTTPHeaders]) -> dict[str, list[str]]:
        made: dict[str, list[str]] = {}
        for raw, value in headers.pairs:
            name = _name(raw)
            if name in made:
                made[name].append(value.decode("latin1"))
            else:
                made[name] = [value.decode("latin1")]
        headers.__dict__["_as_list"] = made
        return made


class RequestHeaders(HTTPHeaders):
    """A request's headers, decoded (as latin-1, RFC 9110 §5.5) when the first one is asked for.

    Args:
        pairs: Names and values as the server's scope has them.
    """

    _as_list: Any = _Content()

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs
        self._combined_cache = {}


@lru_cache(1000)
def _name(raw: bytes) -> str:
    return "-".join([word.capitalize() for word in raw.decode("latin1").split("-")])


@lru_cache(1000)
def _raw_name(name: str) -> bytes:
    return name.lower().encode("latin1")


def response_pairs(headers: HTTPHeaders, *, multiplexed: bool = False) -> list[tuple[bytes, bytes]]:
    """The headers of a response as ASGI wants them: names in lower case, values in latin-1.

    `Date` and Tornado's own `Server` are left out, since the server sends its own, and so is `Transfer-Encoding`.

    Args:
        headers: Those of the handler.
        multiplexed: HTTP/2 or 3, where the headers of one connection are forbidden.

    Raises:
        ValueError: A value holds CR, LF or NUL, or no latin-1.
    """
    pairs = []
    unwanted = _CONNECTION if multiplexed else _FRAMING
    content: dict[str, list[Any]] = headers._as_list  # str by its type, bytes in what older code wrote
    for name, values in content.items():
        if name == "Date" or name in unwanted:
            continue
        raw = _raw_name(name)
        for value in values:
            if value == _TORNADO and name == "Server":
                continue
            coded = value if isinstance(value, bytes) else value.encode("latin1")
            if b"\n" in coded or b"\r" in coded or b"\0" in coded:
                raise ValueError(f"Illegal characters (CR, LF or NUL) in header: {coded!r}")
            pairs.append((raw, coded))
    return pairs
