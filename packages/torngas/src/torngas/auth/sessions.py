"""The login of a browser: a session that says whose it is.

    class Login(WebHandler):
        async def post(self):
            account = await find_account(self.get_argument("name"))
            stored = account and account.password_hash
            if not await passwords.verify(self.get_argument("password"), stored):
                raise HttpForbiddenError("login failed")        # the same for an unknown name
            login(self, account.id)
            self.redirect("/")

`login` gives the session a new id, `logout` ends it. Requests that change something need the XSRF token as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tornado.web import RequestHandler

from torngas.auth.errors import AuthConfigError, InvalidCredentials
from torngas.auth.identity import Identity
from torngas.auth.schemes import AuthScheme, quoted
from torngas_session import NoSessionError, login, logout

__all__ = ["SessionAuth", "login", "logout"]


class SessionAuth(AuthScheme):
    """Whoever logged in by `login(handler, user)`.

    Args:
        scopes: What a user may do: names for all, or a function from the user's id to names. The default is nothing.
        cookie: The session's cookie, for OpenAPI documents.
        realm: Shown in the challenge.
        name: The `scheme_name`.
    """

    ambient = True

    def __init__(
        self,
        *,
        scopes: Iterable[str] | Callable[[Any], Iterable[str]] = (),
        cookie: str = "__TORNADOSSID",
        realm: str = "api",
        name: str = "session",
    ) -> None:
        self.scheme_name = name
        self.openapi_scheme: Mapping[str, Any] = {"type": "apiKey", "in": "cookie", "name": cookie}
        self._scopes = scopes if callable(scopes) else frozenset(scopes)
        self._challenge = f"Session realm={quoted(realm)}"

    async def authenticate(self, handler: RequestHandler) -> Identity | None:
        """Reads the session, if the store does I/O asynchronously.

        Raises:
            AuthConfigError: the application has no sessions.
        """
        try:
            session = handler.session  # type: ignore[attr-defined]  # SessionAccessMixin, or the middleware
        except (AttributeError, NoSessionError) as error:
            raise AuthConfigError(
                "SessionAuth: got a handler without a session; expected the SessionMiddleware in "
                "MIDDLEWARE_CLASSES, before the HTTP modules"
            ) from error
        await session.aload()
        user = session.user
        if user is None:
            return None
        scopes = frozenset(self._scopes(user)) if callable(self._scopes) else self._scopes
        return Identity(subject=user, user=user, scheme=self.scheme_name, scopes=scopes, ambient=True)

    def challenge(self, error: InvalidCredentials | None = None, missing: tuple[str, ...] = ()) -> str:
        """`Session realm=…`: no registered scheme, but a 401 must name one (RFC 9110 §15.5.2)."""
        return self._challenge
