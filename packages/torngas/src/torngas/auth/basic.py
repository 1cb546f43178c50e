"""HTTP basic authentication (RFC 7617), in UTF-8.

    class Reports(AuthMixin, ApiHandler):
        auth = (BasicAuth(verify),)

    async def verify(user, password):
        account = await find_account(user)                    # None if there is nobody by that name
        return await passwords.verify(password, account and account.password_hash)

The password comes with every request: use TLS, and tokens where hashing it each time is too slow.
"""

from __future__ import annotations

import asyncio
import binascii
import inspect
from base64 import b64decode
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from tornado.web import RequestHandler

from torngas.auth.errors import InvalidCredentials
from torngas.auth.identity import Identity
from torngas.auth.schemes import AuthScheme, authorization, quoted

__all__ = ["BasicAuth"]

Verify = Callable[[str, str], Awaitable[Any] | Any]


class BasicAuth(AuthScheme):
    """A user and a password in the Authorization header.

    Args:
        verify: Gets both; answers False or None for no, True for yes, or the user's id. A coroutine function is
            awaited. Compare in constant time, and let an unknown user take as long as a wrong password
            (`Passwords.verify(password, None)`).
        blocking: Whether a plain `verify` runs in a thread; False for one that is quick and does no I/O.
        scopes: What every user of this scheme may do.
        realm: What a browser shows.
        name: The `scheme_name`.
        ambient: Whether browsers may be among the clients. They send the password by themselves, so that requests
            that change something need the XSRF token; False for an API without browsers.
    """

    header_scheme = "basic"

    def __init__(
        self,
        verify: Verify,
        *,
        blocking: bool = True,
        scopes: Iterable[str] = (),
        realm: str = "api",
        name: str = "basic",
        ambient: bool = True,
    ) -> None:
        self.scheme_name = name
        self.openapi_scheme: Mapping[str, Any] = {"type": "http", "scheme": "basic"}
        self.ambient = ambient
        self._verify = verify
        self._in_thread = blocking and not _is_async(verify)
        self._scopes = frozenset(scopes)
        self._challenge = f'Basic realm={quoted(realm)}, charset="UTF-8"'

    async def authenticate(self, handler: RequestHandler) -> Identity | None:
        """Asks `verify`."""
        given = authorization(handler, "basic")
        if given is None:
            return None
        user, password = _credentials(given)
        if self._in_thread:
            answer = await asyncio.to_thread(self._verify, user, password)
        else:
            answer = self._verify(user, password)
        answer = await answer if inspect.isawaitable(answer) else answer
        if answer is None or answer is False:
            raise InvalidCredentials("the user or the password is wrong")
        subject = user if answer is True else answer
        return Identity(
            subject=subject, user=subject, scheme=self.scheme_name, scopes=self._scopes, ambient=self.ambient
        )

    def challenge(self, error: InvalidCredentials | None = None, missing: tuple[str, ...] = ()) -> str:
        """`Basic realm=…, charset="UTF-8"`."""
        return self._challenge


def _is_async(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


def _credentials(given: str) -> tuple[str, str]:
    try:
        text = b64decode(given, validate=True).decode()
    except (binascii.Error, ValueError) as error:  # no base64, or no UTF-8
        raise InvalidCredentials("the Authorization header is malformed") from error
    user, colon, password = text.partition(":")
    if not colon or any(ord(char) < 32 or ord(char) == 127 for char in text):  # RFC 7617 §2
        raise InvalidCredentials("the Authorization header is malformed")
    return user, password
