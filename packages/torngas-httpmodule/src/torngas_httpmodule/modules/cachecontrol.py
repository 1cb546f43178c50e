"""Cache-Control for chosen routes.

install(application, routes={"^/assets/": [CacheControlModule("public", max_age=3600)]})
"""

from __future__ import annotations

from typing import Literal

from tornado.web import RequestHandler

from ..base import BaseHttpModule, Clear
from ..errors import ModuleConfigError

__all__ = ["CacheControlModule"]


class CacheControlModule(BaseHttpModule):
    """Sets Cache-Control (RFC 9111) on answers with status 200 or 304 that have none.

    Args:
        kind: "public", "private", "no-cache" or "no-store".
        max_age: Seconds that an answer stays fresh; None says nothing, 0 is stale at once.
        immutable: The address never changes its content (RFC 8246).

    An answer that sets a cookie is never made public: it stays as it is.
    """

    def __init__(
        self,
        kind: Literal["public", "private", "no-cache", "no-store"] = "private",
        *,
        max_age: int | None = None,
        immutable: bool = False,
    ) -> None:
        if kind not in ("public", "private", "no-cache", "no-store"):
            raise ModuleConfigError(
                f"CacheControlModule: got {kind!r}; expected 'public', 'private', 'no-cache' or 'no-store'"
            )
        if max_age is not None and max_age < 0:
            raise ModuleConfigError(
                f"CacheControlModule: got max_age={max_age!r}; expected seconds, 0 or more, or None"
            )
        age = () if max_age is None else (f"max-age={max_age}",)
        self._public = kind == "public"
        self._value = ", ".join((kind, *age, *(("immutable",) if immutable else ())))

    def begin_response(self, handler: RequestHandler, clear: Clear, chunk: list[bytes]) -> None:
        """Sets the header."""
        headers = handler._headers
        # Tornado has no public way to ask for cookies that are set and not sent yet.
        sets_cookie = "Set-Cookie" in headers or bool(getattr(handler, "_new_cookie", None))
        if handler.get_status() in (200, 304) and "Cache-Control" not in headers and not (self._public and sets_cookie):
            handler.set_header("Cache-Control", self._value)
