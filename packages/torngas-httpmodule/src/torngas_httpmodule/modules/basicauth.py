"""HTTP basic authentication (RFC 7617).

install(application, routes={"^/admin": [BasicAuthModule({"ada": "a long password"})]})
"""

from __future__ import annotations

import hmac
from base64 import b64decode
from collections.abc import Callable, Mapping

from tornado.web import RequestHandler

from ..base import BaseHttpModule, Clear

__all__ = ["BasicAuthModule"]


class BasicAuthModule(BaseHttpModule):
    """Asks for a user and a password; the user is `handler.current_user` afterwards.

    Args:
        users: From user to password; or a function that gets both and says yes or no (compare in constant time there,
            with `hmac.compare_digest` or a password hash).
        realm: What the browser shows.

    Passwords of the mapping are compared in constant time, for unknown users too. Use it with TLS only: basic
    authentication sends the password with every request.
    """

    def __init__(self, users: Mapping[str, str] | Callable[[str, str], bool], *, realm: str = "restricted") -> None:
        self._check = users if callable(users) else _comparing(dict(users))
        self._challenge = 'Basic realm="{}", charset="UTF-8"'.format(realm.replace("\\", r"\\").replace('"', r"\""))

    def begin_request(self, handler: RequestHandler, clear: Clear) -> bool:
        """Answers 401 unless the credentials are right."""
        given = _credentials(handler.request.headers.get("Authorization", ""))
        if given is not None and self._check(*given):
            handler.current_user = given[0]
            return False
        handler.set_status(401)
        handler.set_header("WWW-Authenticate", self._challenge)
        handler.finish()
        return True


def _comparing(users: dict[str, str]) -> Callable[[str, str], bool]:
    def check(user: str, password: str) -> bool:
        expected = users.get(user)
        same = hmac.compare_digest((expected if expected is not None else "").encode(), password.encode())
        return same and expected is not None

    return check


def _credentials(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # no base64, or no UTF-8
        return None
    return (user, password) if colon else None
