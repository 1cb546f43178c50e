"""The session's cookie: read from the request's header, written by Tornado's own `set_cookie`.

Of several cookies of the name (a sibling host can add one) every one is offered, the most specific first
(RFC 6265 §5.4), so that a planted one cannot hide the real one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from http.cookies import Morsel, SimpleCookie
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from .config import SessionConfig
from .persistence import Outcome

__all__ = ["SessionCookie"]

_MOST_CANDIDATES = 4
_NONE: Sequence[str] = ()
_BOUNDARIES = ("", "; ")
_AROUND = ' \t"'
_NO_END = 400 * 86_400
"""Seconds; what browsers keep at most (RFC 6265bis §5.5)."""


class SessionCookie:
    """One cookie name with its attributes; immutable, safe in any thread."""

    def __init__(self, config: SessionConfig) -> None:
        self.name = config.session_name
        self._named = f"{self.name}="
        self._find = re.compile(rf";[ \t]*{re.escape(config.session_name)}[ \t]*=[ \t]*([^;\s]*)").findall
        self._secure = config.secure
        self._partitioned = config.partitioned
        self._attributes: dict[str, Any] = {
            "domain": config.cookie_domain,
            "path": config.cookie_path,
            "httponly": config.httponly,
            "samesite": config.samesite,
        }

    def read(self, request: HTTPServerRequest) -> Sequence[str]:
        """The values that the request carries under the name; empty if none."""
        lines = request.headers.get_list("Cookie")
        if not lines:
            return _NONE
        header = ";".join(lines)
        before, found, rest = header.partition(self._named)
        if not found or before[-2:] not in _BOUNDARIES or self.name in rest:
            return self._search(header)
        return (rest.partition(";")[0].strip(_AROUND),)  # once, as browsers write it: most requests

    def _search(self, header: str) -> Sequence[str]:
        """Every value under the name, however the header is written."""
        found = self._find(";" + header)  # so every cookie follows a semicolon, which is quick to find
        return [value.strip(_AROUND) for value in found[:_MOST_CANDIDATES]]

    def apply(self, handler: RequestHandler, outcome: Outcome, now: float) -> None:
        """Sends or deletes the cookie, as decided."""
        if outcome.action == "send":
            self._send(handler, outcome.value, outcome.seconds, now)
        elif outcome.action == "clear":
            handler.clear_cookie(self.name, secure=self._is_secure(handler), **self._attributes)
            self._mark_partitioned(handler)

    def _send(self, handler: RequestHandler, value: str, seconds: float | None, now: float) -> None:
        lifetime: dict[str, Any] = {}
        if seconds != 0:
            whole = _NO_END if seconds is None else min(_NO_END, math.ceil(seconds))
            lifetime = {"max_age": whole, "expires": now + whole}
        handler.set_cookie(self.name, value, secure=self._is_secure(handler), **self._attributes, **lifetime)
        self._mark_partitioned(handler)

    def _is_secure(self, handler: RequestHandler) -> bool:
        return handler.request.protocol == "https" if self._secure is None else self._secure

    def _mark_partitioned(self, handler: RequestHandler) -> None:
        if not self._partitioned:
            return
        cookies: SimpleCookie = handler._new_cookie
        plain = cookies[self.name]
        marked = _PartitionedMorsel()
        marked.set(plain.key, plain.value, plain.coded_value)
        marked.update(plain)
        cookies[self.name] = marked


class _PartitionedMorsel(Morsel[str]):
    """A morsel that says `Partitioned`, which http.cookies knows from Python 3.14 on only."""

    def OutputString(self, attrs: Any = None) -> str:  # noqa: N802 - http.cookies' name
        return super().OutputString(attrs) + "; Partitioned"
