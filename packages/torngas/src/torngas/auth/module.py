"""Authentication for chosen routes, or all of them, as an HTTP module.

# myapp/security.py
class Api(AuthModule):
    schemes = (BearerAuth(Tokens("default")), SessionAuth())
    required = True

# settings
COMMON_MODULES = ("myapp.security.Api",)
ROUTE_MODULES = {"^/login$": ["!myapp.security.Api"]}
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import Any, ClassVar

from tornado.web import RequestHandler

from torngas.auth._state import authenticate
from torngas.auth.errors import AuthConfigError
from torngas.auth.identity import Identity
from torngas.auth.mixin import AuthMixin
from torngas.auth.requiring import is_admitted, method_admits
from torngas.auth.schemes import AuthScheme
from torngas_httpmodule import BaseHttpModule

__all__ = ["AuthModule"]


class AuthModule(BaseHttpModule):
    """Finds the sender before the handler runs; handlers need not know of it.

    Args:
        *schemes: In order; none given: the class attribute.
        required: Whether anonymous requests are refused; None: the class attribute.
        scopes: What every request needs besides being authenticated; implies `required`.

    Attributes:
        schemes: For a subclass, which settings can name by its path.
        required: False lets requests without credentials through; `requires` on a method still refuses them.

    Handlers that take changes by bearer token derive from `AuthMixin` too: Tornado checks the XSRF token before any
    module runs.

    Raises:
        AuthConfigError: there is no scheme.
    """

    schemes: ClassVar[Iterable[AuthScheme]] = ()
    required: ClassVar[bool] = False

    def __init__(self, *schemes: AuthScheme, required: bool | None = None, scopes: Iterable[str] = ()) -> None:
        self._schemes = schemes or tuple(type(self).schemes)
        self._scopes = tuple(scopes)
        self._required = bool(self._scopes) or (type(self).required if required is None else required)
        if not self._schemes:
            raise AuthConfigError(
                f"{type(self).__name__}: got no scheme; expected some, e.g. AuthModule(BearerAuth(Tokens())) or a "
                "subclass with `schemes = (…,)`"
            )

    def load_user(self, handler: RequestHandler, identity: Identity) -> Awaitable[Any] | Any:
        """What `current_user` becomes; may be async. None refuses the credentials; the default is the user's id."""
        return identity.user

    async def begin_request(self, handler: RequestHandler, clear: Any) -> bool:
        """Authenticates; True if the request was refused."""
        if not await authenticate(handler, self._schemes, self.load_user):
            return True
        if self._required and not is_admitted(handler, self._scopes, ()):
            return True
        # A handler with schemes of its own asks them first, and then what its method requires.
        return not isinstance(handler, AuthMixin) and not method_admits(handler)
