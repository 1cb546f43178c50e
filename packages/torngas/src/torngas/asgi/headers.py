"""Headers between ASGI's pairs of bytes and Tornado's HTTPHeaders, each way only as far as somebody looks.

This module is the one that knows two private names of `tornado.httputil.HTTPHeaders`: its content `_as_list`, so that
the headers of a request are decoded only when one of them is asked for, and `_combined_cache`. Its public `add`
would check every name and value once more with regular expressions, which the server did already.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeAlias

import tornado
from tornado.escape import native_str
from tornado.httputil import HTTPHeaders

__all__ = ["Pairs", "RequestHeaders", "response_pairs"]

Pairs: TypeAlias = Iterable[tuple[bytes, bytes]]

_TORNADO = [f"TornadoServer/{tornado.version}"]
# Of HTTP/1 alone, RFC 9113 §8.2.2.
_HOP_BY_HOP = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"upgrade"))


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
        self.fields: dict[bytes, bytes] = dict(pairs)
        self._combined_cache = {}

    def __contains__(self, name: object) -> bool:
        """Whether there is such a header; nothing is decoded for that."""
        if "_as_list" in self.__dict__ or not isinstance(name, str):
            return super().__contains__(name)
        return _raw_name(name) in self.fields

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or `default`; a header that is not there costs no exception."""
        return self[name] if name in self else default  # noqa: SIM401 - this is `get`

    def get_list(self, name: str) -> list[str]:
        """All values of the header; empty if it is not there."""
        return super().get_list(name) if name in self else []


@lru_cache(1000)
def _name(raw: bytes) -> str:
    return "-".join([word.capitalize() for word in raw.decode("latin1").split("-")])


@lru_cache(1000)
def _raw_name(name: str) -> bytes:
    return name.lower().encode("latin1", "replace")


class _RawNames(dict[str, bytes]):
    """The names of responses as ASGI has them; empty for what is the server's: its name, its clock, the framing."""

    def __missing__(self, name: str) -> bytes:
        raw = name.lower().encode("latin1")
        if len(self) < 1000:
            self[name] = raw
        return raw


_RAW = _RawNames({"Date": b"", "Server": b"", "Transfer-Encoding": b""})
_value = itemgetter(1)


def response_pairs(headers: HTTPHeaders, *, multiplexed: bool = False) -> list[tuple[bytes, bytes]]:
    """The headers of a response as ASGI wants them: names in lower case, values in latin-1.

    `Date` and Tornado's own `Server` are left out, since the server sends its own, and so is `Transfer-Encoding`.

    Args:
        headers: Those of the handler.
        multiplexed: HTTP/2 or 3, where the headers of one connection are forbidden.

    Raises:
        ValueError: A value holds CR, LF or NUL, or no latin-1.
    """
    content: dict[str, list[str]] = headers._as_list
    try:
        pairs = [
            (raw, value.encode("latin1")) for name, values in content.items() if (raw := _RAW[name]) for value in values
        ]
    except AttributeError:  # bytes, in what older code wrote: Tornado takes them too
        return response_pairs(_of_text(headers), multiplexed=multiplexed)
    if content.get("Server", _TORNADO) != _TORNADO:
        pairs.extend([(b"server", value.encode("latin1")) for value in content["Server"]])
    sent = b"".join(map(_value, pairs))
    if b"\n" in sent or b"\r" in sent or b"\0" in sent:
        raise ValueError(f"Illegal characters (CR, LF or NUL) in header: {sent!r}")
    return [pair for pair in pairs if pair[0] not in _HOP_BY_HOP] if multiplexed else pairs


def _of_text(headers: HTTPHeaders) -> HTTPHeaders:
    text = HTTPHeaders()
    for name, value in headers.get_all():
        text.add(name, native_str(value))
    return text
