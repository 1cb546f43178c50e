"""Bearer tokens in the Authorization header (RFC 6750).

    class Orders(AuthMixin, ApiHandler):
        auth = (BearerAuth(Tokens("default")),)

A token is taken from the header only: addresses and bodies end in logs. Use TLS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from tornado.web import RequestHandler

from torngas.auth.errors import InvalidCredentials
from torngas.auth.identity import Identity
from torngas.auth.schemes import AuthScheme, authorization, quoted
from torngas.auth.tokens import TokenRecord

__all__ = ["BearerAuth", "BearerScheme", "TokenFinder"]

_B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)


class TokenFinder(Protocol):
    """What `BearerAuth` asks; `Tokens` is one."""

    async def find(self, token: str, /) -> TokenRecord | None:
        """The record of a valid token, else None."""
        ...


class BearerScheme(AuthScheme):
    """What all bearer schemes share: reading the header, and the challenge.

    Args:
        realm: Shown in the challenge.
        name: The `scheme_name`.
        form: What an OpenAPI document calls the format of the tokens.
    """

    header_scheme = "bearer"

    def __init__(self, realm: str, name: str, form: str) -> None:
        self.scheme_name = name
        self.openapi_scheme: Mapping[str, Any] = {"type": "http", "scheme": "bearer", "bearerFormat": form}
        self._realm = realm

    def token_of(self, handler: RequestHandler) -> str | None:
        """The token; None if there is no bearer header.

        Raises:
            InvalidCredentials: the token is malformed, which RFC 6750 §3.1 counts as invalid.
        """
        token = authorization(handler, "bearer")
        if token is not None and not _B64TOKEN.fullmatch(token):
            raise InvalidCredentials("the token is malformed", error="invalid_token")
        return token

    def challenge(self, error: InvalidCredentials | None = None, missing: tuple[str, ...] = ()) -> str:
        """`Bearer realm=…`, with an error code only where a token was sent (RFC 6750 §3.1)."""
        parts = [f"realm={quoted(self._realm)}"]
        if error is not None:
            parts += [f"error={quoted(error.error)}", f"error_description={quoted(error.description)}"]
        elif missing:
            parts += ['error="insufficient_scope"', f"scope={quoted(' '.join(missing))}"]
        return "Bearer " + ", ".join(parts)


class BearerAuth(BearerScheme):
    """Opaque tokens.

    Args:
        tokens: Where they are found: `Tokens`, or an object with `async find(token)`.
        realm: Shown in the challenge.
        name: The `scheme_name`.
    """

    def __init__(self, tokens: TokenFinder, *, realm: str = "api", name: str = "bearer") -> None:
        super().__init__(realm, name, "opaque")
        self._tokens = tokens

    async def authenticate(self, handler: RequestHandler) -> Identity | None:
        """Finds the token's user."""
        token = self.token_of(handler)
        if token is None:
            return None
        record = await self._tokens.find(token)
        if record is None:
            raise InvalidCredentials("the token is expired, revoked or unknown", error="invalid_token")
        return Identity(
            subject=record.user,
            user=record.user,
            scheme=self.scheme_name,
            scopes=frozenset(record.scopes),
            token_id=record.id,
        )
