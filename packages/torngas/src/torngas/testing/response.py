"""What the application answered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from email.message import Message
from typing import Any

from tornado.httputil import HTTPHeaders

__all__ = ["Response"]


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, read to its end; transfer and content encodings are undone.

    Attributes:
        status_code: e.g. 200.
        reason: The phrase beside it.
        headers: Of any case; `get_list` gives those that stand several times.
        body: As bytes.
        url: The path and query that were asked last.
        history: The redirects before it, the first one first.
    """

    status_code: int
    reason: str
    headers: HTTPHeaders
    body: bytes
    url: str
    history: tuple[Response, ...] = ()

    @property
    def text(self) -> str:
        """The body as text, in the charset that Content-Type names, else UTF-8."""
        message = Message()
        message["Content-Type"] = self.headers.get("Content-Type", "")
        charset = message.get_content_charset("utf-8")
        try:
            return self.body.decode(charset, "replace")
        except LookupError:  # a charset that nobody knows
            return self.body.decode("utf-8", "replace")

    @property
    def location(self) -> str | None:
        """Where a redirect leads."""
        return self.headers.get("Location")

    def json(self) -> Any:
        """The body, read as JSON.

        Raises:
            ValueError: it is none.
        """
        return json.loads(self.body)

    def __repr__(self) -> str:
        return f"<Response {self.status_code} {self.reason} of {self.url}: {len(self.body)} bytes>"
