"""What authentication raises: credentials that are wrong, and a configuration that cannot work."""

from __future__ import annotations

from torngas.exception import BaseError, ConfigError

__all__ = ["AuthConfigError", "InvalidCredentials"]


class AuthConfigError(ConfigError):
    """A scheme cannot work as it is declared; the message names the remedy, never a secret."""


class InvalidCredentials(BaseError, ValueError):
    """The request brought credentials of a scheme, and they are no good: it is refused, no other scheme is asked.

    Args:
        description: For the client's programmer; the same for an unknown user and a wrong password, and nothing of
            the credentials.
        error: The code of RFC 6750 §3.1, for bearer schemes; empty for others.
    """

    def __init__(self, description: str, *, error: str = "") -> None:
        super().__init__(description)
        self.description = description
        self.error = error
