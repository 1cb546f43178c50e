"""Compressed responses: gzip, and br or zstd where their packages are installed.

    Application(handlers, middlewares=[CompressionMiddleware()])       # pip install 'torngas-middleware[compression]'

What is compressed together with a secret can be guessed from its length (BREACH), so a response that sets a cookie is
left alone unless you ask for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from weakref import ref

import tornado.web
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform, RequestHandler

from ._encoders import Encoder, accepted, encoders
from .protocols import Clear

__all__ = ["CompressionMiddleware"]

_TYPES = frozenset(
    "application/" + name
    for name in ("javascript", "json", "manifest+json", "rss+xml", "atom+xml", "wasm", "xhtml+xml", "xml")
) | {"image/svg+xml", "font/ttf", "font/otf"}


class CompressionMiddleware:
    """Compresses what the client accepts, streams included, of text, JSON, XML, scripts, SVG and fonts.

    Left alone: 204, 206 and 304, what has a Content-Encoding or says `Cache-Control: no-transform`, and responses
    that set cookies. A strong ETag becomes a weak one (RFC 9110 §8.8.1): the bytes differ from the uncompressed ones.

    Args:
        encodings: Preferred ones first, of `zstd`, `br`, `gzip`; None is that order, without what is not installed.
        minimum: A complete body of fewer bytes is not worth it. Streams are compressed whatever their length.
        with_cookies: Whether responses that set cookies are compressed as well.

    Raises:
        ValueError: An unknown encoding.
        MiddlewareImportError: A named encoding whose package is not installed.
    """

    def __init__(
        self, *, encodings: Iterable[str] | None = None, minimum: int = 1024, with_cookies: bool = False
    ) -> None:
        self._encoders = encoders(encodings)
        self._minimum = minimum
        self._with_cookies = with_cookies

    def process_init(self, application: tornado.web.Application) -> None:
        """Puts the compression in front of the application's other transforms."""
        transform = partial(_Compressed, self._encoders, self._minimum, self._with_cookies)
        application.transforms = [transform, *application.transforms]  # type: ignore[list-item]

    def process_request(self, handler: RequestHandler, clear: Clear) -> None:
        """Lets the transform, which is given the request alone, ask the handler for its cookies."""
        request: Any = handler.request
        request._compression_handler = ref(handler)


class _Compressed(OutputTransform):
    """The body of one response on its way out."""

    def __init__(
        self,
        choices: dict[str, Callable[[], Encoder]],
        minimum: int,
        with_cookies: bool,
        request: HTTPServerRequest,
    ) -> None:
        self._choices = choices
        self._minimum = minimum
        self._with_cookies = with_cookies
        self._request = request
        self._encoder: Encoder | None = None

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        if status_code == 304:
            self._repeat_weak_etag(headers)
        elif self._may_compress(status_code, headers) and not (finishing and len(chunk) < self._minimum):
            _add_vary(headers)
            name = accepted(self._request.headers.get("Accept-Encoding", ""), self._choices)
            if name is not None:
                chunk = self._begin(name, headers, chunk, finishing)
        return status_code, headers, chunk

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        if self._encoder is None:
            return chunk
        data = self._encoder.compress(chunk) if chunk else b""
        return data + (self._encoder.finish() if finishing else self._encoder.flush())

    def _may_compress(self, status_code: int, headers: HTTPHeaders) -> bool:
        kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return (
            status_code >= 200
            and status_code not in (204, 206)
            and (kind.startswith("text/") or kind in _TYPES)
            and "Content-Encoding" not in headers
            and "no-transform" not in headers.get("Cache-Control", "").lower()
            and (self._with_cookies or not self._sets_cookies(headers))
        )

    def _sets_cookies(self, headers: HTTPHeaders) -> bool:
        """Whether it does, or nobody can tell; Tornado writes the cookies of a handler after its transforms."""
        reference = getattr(self._request, "_compression_handler", None)
        handler = reference() if reference is not None else None
        return handler is None or bool(getattr(handler, "_new_cookie", None)) or "Set-Cookie" in headers

    def _begin(self, name: str, headers: HTTPHeaders, chunk: bytes, finishing: bool) -> bytes:
        self._encoder = self._choices[name]()
        headers["Content-Encoding"] = name
        etag = headers.get("Etag")
        if etag is not None and not etag.startswith("W/"):
            headers["Etag"] = "W/" + etag
        chunk = self.transform_chunk(chunk, finishing)
        if "Content-Length" in headers:
            if finishing:
                headers["Content-Length"] = str(len(chunk))
            else:
                del headers["Content-Length"]
        return chunk

    def _repeat_weak_etag(self, headers: HTTPHeaders) -> None:
        """Answers with the validator that the client sent: that of the compressed response."""
        etag = headers.get("Etag")
        if etag is not None and "W/" + etag in self._request.headers.get("If-None-Match", ""):
            headers["Etag"] = "W/" + etag


def _add_vary(headers: HTTPHeaders) -> None:
    present = headers.get("Vary")
    if present is None:
        headers["Vary"] = "Accept-Encoding"
    elif "accept-encoding" not in present.lower() and present.strip() != "*":
        headers["Vary"] = present + ", Accept-Encoding"
