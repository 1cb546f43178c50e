"""JSON Web Tokens as bearer tokens (RFC 7519), verified by PyJWT: `pip install 'torngas[jwt]'`.

    class Orders(AuthMixin, ApiHandler):
        auth = (JWTAuth(KEY, algorithms=["RS256"], audience="orders", issuer="https://login.example"),)

A JWT is valid until it expires, whatever happens to its user meanwhile: opaque tokens can be revoked, these cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from tornado.web import RequestHandler

from torngas.auth.bearer import BearerScheme
from torngas.auth.errors import AuthConfigError, InvalidCredentials
from torngas.auth.identity import Identity

__all__ = ["JWTAuth"]

_ALGORITHMS = {
    *("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES256K", "ES384", "ES512", "ES521", "EdDSA"),
}
_LEAST_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}  # RFC 7518 §3.2


class JWTAuth(BearerScheme):
    """Signed claims.

    Args:
        key: What verifies: a secret for HS algorithms, a public key for the others, or a function from the token's
            unverified header (its `kid`) to the key, which answers None for an unknown one.
        algorithms: Those that are accepted; there is no default. HS algorithms cannot stand beside others, since the
            public key would then pass for a secret.
        audience: What `aud` must contain; None refuses tokens that have an `aud`.
        issuer: What `iss` must be; None does not ask.
        leeway: Seconds that clocks may differ, for `exp`, `nbf` and `iat`.
        require: Claims that must be there; `exp` is, unless this is empty, and the subject always.
        subject: The claim that names the user.
        scopes: The claim with the scopes: text with spaces (RFC 8693 §4.2) or a list.
        realm: Shown in the challenge.
        name: The `scheme_name`.

    Raises:
        AuthConfigError: PyJWT is missing, no algorithm is given, or one is `none` or unknown, or a secret is too short.
    """

    def __init__(
        self,
        key: Any,
        *,
        algorithms: Iterable[str],
        audience: str | Iterable[str] | None = None,
        issuer: str | None = None,
        leeway: float = 0,
        require: Iterable[str] = ("exp",),
        subject: str = "sub",
        scopes: str = "scope",
        realm: str = "api",
        name: str = "jwt",
    ) -> None:
        super().__init__(realm, name, "JWT")
        self._jwt = _pyjwt()
        self._key: Callable[[dict[str, Any]], Any] = key if callable(key) else lambda header: key
        self._algorithms = _checked(algorithms, None if callable(key) else key)
        self._options = {"require": [*require, subject]}
        self._audience = [*audience] if audience is not None and not isinstance(audience, str) else audience
        self._issuer = issuer
        self._leeway = leeway
        self._subject = subject
        self._scopes = scopes

    def authenticate(self, handler: RequestHandler) -> Identity | None:
        """Verifies signature and claims."""
        token = self.token_of(handler)
        if token is None:
            return None
        claims = self._claims(token)
        subject = claims.get(self._subject)
        if isinstance(subject, bool) or not isinstance(subject, str | int):
            raise self._invalid()
        return Identity(
            subject=subject,
            user=subject,
            scheme=self.scheme_name,
            scopes=_scopes_of(claims.get(self._scopes)),
            token_id=claims.get("jti") if isinstance(claims.get("jti"), str) else None,
            claims=claims,
        )

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = self._jwt.get_unverified_header(token)
            key = self._key(header) if header.get("alg") in self._algorithms else None
            if key is None:
                raise self._invalid()
            claims: dict[str, Any] = self._jwt.decode(
                token,
                key,
                algorithms=self._algorithms,
                audience=self._audience,
                issuer=self._issuer,
                leeway=self._leeway,
                options=self._options,
            )
        except self._jwt.PyJWTError as error:
            raise self._invalid() from error
        return claims

    @staticmethod
    def _invalid() -> InvalidCredentials:
        return InvalidCredentials(
            "the token is expired, not for this service, or not signed as expected", error="invalid_token"
        )


def _pyjwt() -> Any:
    try:
        return import_module("jwt")
    except ImportError as error:
        raise AuthConfigError("JWTAuth needs PyJWT: pip install 'torngas[jwt]'") from error


def _checked(algorithms: Iterable[str], key: Any) -> list[str]:
    given = [algorithms] if isinstance(algorithms, str) else list(algorithms)
    hashed = [one for one in given if one in _LEAST_BYTES]
    if not given or not _ALGORITHMS.issuperset(given) or len(hashed) not in (0, len(given)):
        raise AuthConfigError(
            f"JWTAuth(algorithms=): got {given!r}; expected one or several of {sorted(_ALGORITHMS)}, and HS algorithms "
            "only beside each other; an unsigned token ('none') shows nothing"
        )
    least = max((_LEAST_BYTES[one] for one in hashed), default=0)
    size = len(key.encode() if isinstance(key, str) else key) if isinstance(key, str | bytes) else least
    if size < least:
        raise AuthConfigError(
            f"JWTAuth(key=): got a secret of {size} bytes; expected at least {least} for {given} (RFC 7518 §3.2), e.g. "
            "from secrets.token_bytes"
        )
    return given


def _scopes_of(claim: Any) -> frozenset[str]:
    if isinstance(claim, str):
        return frozenset(claim.split())
    return frozenset(one for one in claim if isinstance(one, str)) if isinstance(claim, list) else frozenset()
