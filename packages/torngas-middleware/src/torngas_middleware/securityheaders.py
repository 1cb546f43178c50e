"""Response headers that tell a browser to be strict.

Application(handlers, middlewares=[SecurityHeadersMiddleware(frame_options="DENY")])

<script nonce="{{ handler.csp_nonce }}">…</script>      in a template: the one inline script that may run
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, fields, replace
from typing import Any

from tornado.web import RequestHandler

from .protocols import Clear

__all__ = [
    "SecurityHeaders",
    "SecurityHeadersMiddleware",
]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityHeaders:
    """The values; None leaves a header out. A header that the handler sets itself stays as it is.

    Args:
        csp: Content-Security-Policy; each `{nonce}` becomes the request's own random value (128 bits), which is
            `handler.csp_nonce` too. Without `{nonce}` none is made.
        hsts: Strict-Transport-Security, sent over https only (RFC 6797 §7.2).
        content_type_options, referrer_policy, frame_options, opener_policy: X-Content-Type-Options, Referrer-Policy,
            X-Frame-Options, Cross-Origin-Opener-Policy.
    """

    csp: str | None = (
        "default-src 'self'; script-src 'self' 'nonce-{nonce}'; object-src 'none'; base-uri 'self'; "
        "frame-ancestors 'self'"
    )
    hsts: str | None = "max-age=31536000"
    content_type_options: str | None = "nosniff"
    referrer_policy: str | None = "strict-origin-when-cross-origin"
    frame_options: str | None = "SAMEORIGIN"
    opener_policy: str | None = "same-origin"

    def __post_init__(self) -> None:
        for option in fields(self):
            value = getattr(self, option.name)
            if value is not None and (not isinstance(value, str) or _CONTROL.search(value)):
                raise ValueError(
                    f"SecurityHeaders.{option.name}: got {value!r}; expected None or text without control characters"
                )


class SecurityHeadersMiddleware:
    """Sets the headers on every response, errors and streams included.

    Args:
        options: The values; None means the defaults of `SecurityHeaders`.
        changes: Single fields of `SecurityHeaders` that differ from `options`.
    """

    def __init__(self, options: SecurityHeaders | None = None, **changes: Any) -> None:
        chosen = replace(options or SecurityHeaders(), **changes)
        self._csp = chosen.csp
        self._nonce = "{nonce}" in (chosen.csp or "")
        self._hsts = chosen.hsts
        pairs = {
            "X-Content-Type-Options": chosen.content_type_options,
            "Referrer-Policy": chosen.referrer_policy,
            "X-Frame-Options": chosen.frame_options,
            "Cross-Origin-Opener-Policy": chosen.opener_policy,
        }
        self._fixed = [(name, value) for name, value in pairs.items() if value is not None]

    def process_request(self, handler: RequestHandler, clear: Clear) -> None:
        """Sets them early, so that they also lead a response that streams, and the handler may change them."""
        self._set(handler)

    def process_response(self, handler: RequestHandler, clear: Clear, chunk: list[bytes]) -> None:
        """Sets them again where `handler.clear()`, as every error response does, took them away."""
        if getattr(handler.request, "_security_headers", None) is not handler._headers:
            self._set(handler)

    def _set(self, handler: RequestHandler) -> None:
        headers = handler._headers
        for name, value in self._fixed:
            if name not in headers:
                handler.set_header(name, value)
        if self._csp is not None and "Content-Security-Policy" not in headers:
            handler.set_header("Content-Security-Policy", self._policy(handler, self._csp))
        if self._hsts is not None and handler.request.protocol == "https":
            handler.set_header("Strict-Transport-Security", self._hsts)
        request: Any = handler.request
        request._security_headers = headers

    def _policy(self, handler: RequestHandler, csp: str) -> str:
        if not self._nonce:
            return csp
        nonce: str | None = getattr(handler, "csp_nonce", None)
        if nonce is None:
            nonce = secrets.token_urlsafe(16)
            handler.csp_nonce = nonce  # type: ignore[attr-defined]
        return csp.replace("{nonce}", nonce)
