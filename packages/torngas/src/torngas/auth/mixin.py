"""Authentication of one handler class.

    class Orders(AuthMixin, ApiHandler):
        auth = (BearerAuth(Tokens("default")), SessionAuth())

        def get(self):                       # anybody: current_user is None for who sent no credentials
            self.write({"user": self.current_user})

        @requires("orders:write")
        def post(self):
            ...

For chosen routes, or all of them, without touching the handlers, see `torngas.auth.module`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, ClassVar

from torngas.auth._state import authenticate
from torngas.auth.identity import Identity, identity_of
from torngas.auth.requiring import method_admits, security
from torngas.auth.schemes import AuthScheme

if TYPE_CHECKING:
    from tornado.web import RequestHandler as _Base
else:
    _Base = object

__all__ = ["AuthMixin"]


class AuthMixin(_Base):
    """Stands before the handler class in the bases; finds the sender before the method runs.

    Attributes:
        auth: Schemes, in order; the first that finds its credentials in the request decides. Empty where a module
            authenticates.

    A request without credentials goes on with `get_current_user`; one with wrong credentials is refused with 401. A
    handler with a `prepare` of its own calls `super()`'s, and awaits it. Requests with a bearer token need no XSRF
    token, which no other site can make a browser send; all others do, if `xsrf_cookies` is on.
    """

    auth: ClassVar[Iterable[AuthScheme]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Tells OpenAPI documents which schemes open the methods that `requires` guards without naming one."""
        super().__init_subclass__(**kwargs)
        for method in vars(cls).values():
            asked = getattr(method, "__requires__", None)
            if asked is not None and not asked[1]:
                method.__security__ = security(asked[0], tuple(cls.auth))

    @property
    def identity(self) -> Identity | None:
        """Who sent the request, how that was shown, with which scopes; None for nobody."""
        return identity_of(self)

    def load_user(self, identity: Identity) -> Awaitable[Any] | Any:
        """What `current_user` becomes; may be async. None refuses the credentials; the default is the user's id."""
        return identity.user

    def prepare(self) -> Awaitable[None] | None:
        """Finds the sender, asks what the method requires, then runs `prepare` of the next class."""
        return self._prepare_authenticated()

    async def _prepare_authenticated(self) -> None:
        if self.auth and not await authenticate(self, self.auth, AuthMixin._load):
            return
        self._check_postponed_xsrf()
        if method_admits(self):
            following = super().prepare()
            if isawaitable(following):
                await following

    @staticmethod
    def _load(handler: Any, identity: Identity) -> Any:
        return handler.load_user(identity)

    def check_xsrf_cookie(self) -> None:
        """Postponed for a request that brings a token of its own accord, until it is known whether that is valid."""
        scheme = self.request.headers.get("Authorization", "").partition(" ")[0].lower()
        deliberate = {one.header_scheme for one in self.auth if not one.ambient} | {"bearer"}
        if scheme and scheme in deliberate:
            self.__dict__["_xsrf_postponed"] = True
        else:
            super().check_xsrf_cookie()

    def _check_postponed_xsrf(self) -> None:
        identity = self.identity
        if "_xsrf_postponed" in self.__dict__ and (identity is None or identity.ambient):
            super().check_xsrf_cookie()
