"""How many bytes of a body were sent."""

from __future__ import annotations

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform

__all__ = ["Sized"]


class Sized(OutputTransform):
    """Counts in `request._observed_size`, behind every other transform."""

    def __init__(self, request: HTTPServerRequest) -> None:
        self._request = request
        self._counts = request.method != "HEAD"

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Counts the first part."""
        return status_code, headers, self.transform_chunk(chunk, finishing)

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        """Counts one more."""
        if self._counts:
            request = self._request
            request._observed_size = getattr(request, "_observed_size", 0) + len(chunk)  # type: ignore[attr-defined]
        return chunk
