"""Cross-origin requests, as the Fetch standard has them (https://fetch.spec.whatwg.org/#http-cors-protocol).

Application(handlers, middlewares=[CORSMiddleware(origins=["https://app.example"], credentials=True)])
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from ._responses import add_vary
from .protocols import Clear

__all__ = [
    "CORS",
    "CORSMiddleware",
]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^/\s?#@]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class CORS:
    """Who may read responses from another origin.

    Args:
        origins: Exact origins (`https://app.example`, with the port unless it is the scheme's own), or `["*"]` for all.
            Empty allows none. `null`, which anybody can send from a sandboxed frame, only where it is listed.
        methods: What a preflight may ask for beyond GET, HEAD and POST, which need no permission but are listed too.
        headers: Request headers that a preflight may ask for; `["*"]` allows what is asked, by name.
        expose: Response headers that scripts may read.
        credentials: Whether cookies may come along; never together with the origin `*`.
        max_age: Seconds that a browser may keep the answer to a preflight; 0 means not at all.
    """

    origins: Collection[str] = ()
    methods: Collection[str] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    headers: Collection[str] = ()
    expose: Collection[str] = ()
    credentials: bool = False
    max_age: int = 600

    def __post_init__(self) -> None:
        for name in ("origins", "methods", "headers", "expose"):
            self._check(name, _ORIGIN if name == "origins" else _TOKEN)
        if self.credentials and "*" in self.origins:
            raise ValueError(
                "CORS.origins: got '*' together with credentials=True, which would let every site act as its visitor; "
                "expected the exact origins, e.g. ['https://app.example']"
            )
        if self.max_age < 0:
            raise ValueError(f"CORS.max_age: got {self.max_age}; expected seconds, 0 or more")

    def _check(self, name: str, form: re.Pattern[str]) -> None:
        values = getattr(self, name)
        if isinstance(values, str):
            raise ValueError(f"CORS.{name}: got the string {values!r}; expected a list, e.g. [{values!r}]")
        for value in values:
            if not form.fullmatch(value):
                example = "https://app.example" if name == "origins" else "X-Token"
                raise ValueError(f"CORS.{name}: got {value!r}; expected e.g. {example!r}")


class CORSMiddleware:
    """Answers preflights, and marks the responses that may be shared; the handlers need to know nothing.

    A preflight gets 204 in place of the method, with permission only for a listed origin. A request from elsewhere is
    served as usual, without the headers that would let a script read the answer: CORS is no access control.

    Args:
        options: The rules; None means the defaults of `CORS`, which share nothing.
        changes: Single fields of `CORS` that differ from `options`.
    """

    def __init__(self, options: CORS | None = None, **changes: Any) -> None:
        self._rules = rules = replace(options or CORS(), **changes)
        self._origins = frozenset(rules.origins)
        self._any_origin = "*" in self._origins
        self._headers = frozenset(name.lower() for name in rules.headers)
        self._methods = ", ".join(rules.methods)

    def process_request(self, handler: RequestHandler, clear: Clear) -> bool:
        """Answers a preflight; marks another response early, in case it streams."""
        if not _is_preflight(handler.request):
            self._share(handler)
            return False
        handler.clear()
        handler.clear_header("Content-Type")
        handler.set_status(204)
        self._allow(handler)
        handler.finish()
        return True

    def process_response(self, handler: RequestHandler, clear: Clear, chunk: list[bytes]) -> None:
        """Marks the response again, since an error response starts from empty headers."""
        if not handler._headers_written and not _is_preflight(handler.request):
            self._share(handler)

    def _shared_with(self, request: HTTPServerRequest) -> str | None:
        """The value of Access-Control-Allow-Origin."""
        if self._any_origin:
            return "*"
        origin = request.headers.get("Origin")
        return origin if origin in self._origins else None

    def _share(self, handler: RequestHandler) -> None:
        if not self._any_origin:
            add_vary(handler, "Origin")
        origin = self._shared_with(handler.request)
        if origin is None or "Origin" not in handler.request.headers:
            return
        if "Access-Control-Allow-Origin" not in handler._headers:
            self._set_origin(handler, origin)
            if self._rules.expose:
                handler.set_header("Access-Control-Expose-Headers", ", ".join(self._rules.expose))

    def _set_origin(self, handler: RequestHandler, origin: str) -> None:
        handler.set_header("Access-Control-Allow-Origin", origin)
        if self._rules.credentials:
            handler.set_header("Access-Control-Allow-Credentials", "true")

    def _allow(self, handler: RequestHandler) -> None:
        add_vary(handler, "Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers")
        origin = self._shared_with(handler.request)
        if origin is None:
            return
        self._set_origin(handler, origin)
        handler.set_header("Access-Control-Allow-Methods", self._methods)
        if allowed := self._allowed_headers(handler.request):
            handler.set_header("Access-Control-Allow-Headers", allowed)
        handler.set_header("Access-Control-Max-Age", self._rules.max_age)

    def _allowed_headers(self, request: HTTPServerRequest) -> str:
        """What of the asked headers is allowed, by name: with credentials, browsers take `*` literally."""
        asked = [name.strip() for name in request.headers.get("Access-Control-Request-Headers", "").split(",")]
        every = "*" in self._headers
        return ", ".join(n for n in asked if _TOKEN.fullmatch(n) and (every or n.lower() in self._headers))


def _is_preflight(request: HTTPServerRequest) -> bool:
    return (
        request.method == "OPTIONS"
        and "Origin" in request.headers
        and "Access-Control-Request-Method" in request.headers
    )
