"""The errors of the test client."""

from __future__ import annotations

from torngas.exception import BaseError

__all__ = ["HandshakeError", "NoSessionManagerError", "TestingError", "TooManyRedirectsError"]


class TestingError(BaseError, RuntimeError):
    """The client was used wrongly, or the application did what it cannot follow."""

    __test__ = False


class TooManyRedirectsError(TestingError):
    """Redirects lead to redirects without end."""


class NoSessionManagerError(TestingError):
    """The application has no sessions."""


class HandshakeError(TestingError, ConnectionError):
    """The application refused a WebSocket.

    Attributes:
        status_code: What it answered instead of 101.
    """

    def __init__(self, message: str, status_code: int) -> None:
        super().__init__(message)
        self.status_code = status_code
