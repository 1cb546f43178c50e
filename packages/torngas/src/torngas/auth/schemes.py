"""What every scheme of authentication offers, and the reading of the Authorization header.

A scheme of your own derives from `AuthScheme`:

    class ApiKeyAuth(AuthScheme):
        scheme_name = "apiKey"
        openapi_scheme = {"type": "apiKey", "in": "header", "name": "X-Api-Key"}

        def authenticate(self, handler):
            key = handler.request.headers.get("X-Api-Key")
            if key is None:
                return None
            if not hmac.compare_digest(key, KEY):
                raise InvalidCredentials("the key is not valid")
            return Identity(subject="robot", user="robot", scheme=self.scheme_name)
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

from tornado.web import RequestHandler

from torngas.auth.errors import InvalidCredentials
from torngas.auth.identity import Identity

__all__ = ["AuthScheme", "authorization", "quoted"]


class AuthScheme:
    """A way to show who one is.

    One object serves all requests, in any event loop: it keeps no state of a request.

    Attributes:
        scheme_name: Names it among the security schemes of an OpenAPI document, and in `Identity.scheme`.
        openapi_scheme: The security scheme object of OpenAPI 3.1.
        header_scheme: The scheme of the Authorization header that it reads, in lower case; empty for none.
        ambient: Whether browsers send its credentials by themselves; see `Identity.ambient`.
    """

    scheme_name: str = ""
    openapi_scheme: Mapping[str, Any] = {}
    header_scheme: str = ""
    ambient: bool = False

    def authenticate(self, handler: RequestHandler) -> Awaitable[Identity | None] | Identity | None:
        """Answers who sent the request; None if it has no credentials of this scheme, so that the next one is asked.

        Raises:
            InvalidCredentials: it has some, and they are wrong.
        """
        raise NotImplementedError

    def challenge(self, error: InvalidCredentials | None = None, missing: tuple[str, ...] = ()) -> str | None:
        """The value of a WWW-Authenticate header (RFC 9110 §11.6.1); None if the scheme has none.

        Args:
            error: What was wrong with the credentials of this scheme; None: there were none.
            missing: The scopes that would have been needed.
        """
        return None


def authorization(handler: RequestHandler, scheme: str) -> str | None:
    """The credentials of the Authorization header if it is of this scheme (in any case), else None."""
    found, _, credentials = handler.request.headers.get("Authorization", "").partition(" ")
    return credentials.strip(" ") if found.lower() == scheme else None


def quoted(text: str) -> str:
    """A quoted-string (RFC 9110 §5.6.4); what cannot stand in a header is replaced."""
    plain = "".join(char if " " <= char <= "~" else "?" for char in text)
    return '"{}"'.format(plain.replace("\\", r"\\").replace('"', r"\""))
