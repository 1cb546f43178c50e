"""What cannot be done, or not yet, behind an ASGI server."""

from __future__ import annotations

from torngas.exception import BaseError

__all__ = ["ASGIError", "UnsupportedError"]


class ASGIError(BaseError, RuntimeError):
    """The server and the application do not fit together; the message tells the remedy."""


class UnsupportedError(ASGIError, AttributeError):
    """A handler asked for what only Tornado's own server has, such as the raw stream.

    An AttributeError too: `getattr(request.connection, "stream", None)` is None.
    """
