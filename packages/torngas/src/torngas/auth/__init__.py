"""Who sent a request: sessions, bearer tokens, basic authentication and JWTs, behind one `current_user`."""

from torngas.auth.basic import BasicAuth
from torngas.auth.bearer import BearerAuth
from torngas.auth.errors import AuthConfigError, InvalidCredentials
from torngas.auth.identity import Identity, identity_of
from torngas.auth.jwt import JWTAuth
from torngas.auth.mixin import AuthMixin
from torngas.auth.module import AuthModule
from torngas.auth.passwords import Passwords, ScryptCost
from torngas.auth.requiring import requires
from torngas.auth.schemes import AuthScheme
from torngas.auth.sessions import SessionAuth, login, logout
from torngas.auth.tokens import IssuedToken, TokenRecord, Tokens

__all__ = [
    "AuthConfigError",
    "AuthMixin",
    "AuthModule",
    "AuthScheme",
    "BasicAuth",
    "BearerAuth",
    "Identity",
    "InvalidCredentials",
    "IssuedToken",
    "JWTAuth",
    "Passwords",
    "ScryptCost",
    "SessionAuth",
    "TokenRecord",
    "Tokens",
    "identity_of",
    "login",
    "logout",
    "requires",
]
