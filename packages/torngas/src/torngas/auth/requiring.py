"""`requires`: what a method asks of its caller.

    class Orders(AuthMixin, ApiHandler):
        auth = (BearerAuth(Tokens("default")),)

        @requires("orders:write")
        def post(self):
            ...

Nobody gets 401 with the challenges of all schemes; who lacks a scope gets 403. It is checked before the method, its
parameters and its body are looked at.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from tornado.web import Finish, RequestHandler

from torngas.auth._state import authenticate, deny_anonymous, deny_scopes, state_of
from torngas.auth.errors import AuthConfigError
from torngas.auth.schemes import AuthScheme

__all__ = ["requires"]

F = TypeVar("F", bound=Callable[..., Any])
_SCOPE = re.compile(r"[!#-\[\]-~]+", re.ASCII)  # RFC 6749 §3.3
Schemes = tuple[AuthScheme, ...]


def requires(*scopes: str, auth: AuthScheme | Iterable[AuthScheme] = ()) -> Callable[[F], F]:
    """Lets only authenticated senders that have all of these scopes call a method.

    Args:
        *scopes: Names; none: every authenticated sender may.
        auth: Schemes, in order, of which one must have found the sender; the method asks them itself if neither
            `AuthMixin` nor `AuthModule` did. None given: whatever scheme the handler or its module has, or a user
            that the handler's own `get_current_user` finds (who has no scopes).

    The method carries `__security__`, a tuple of a scheme and its scopes for each way in, for OpenAPI documents.

    Raises:
        AuthConfigError: used without parentheses.
    """
    if not all(map(_is_scope, scopes)):
        raise AuthConfigError(
            "requires(…): got something that is no scope; expected names without spaces and quotes, e.g. "
            '@requires("orders:read"), or @requires() with parentheses'
        )
    schemes = (auth,) if isinstance(auth, AuthScheme) else tuple(auth)

    def decorate(method: F) -> F:
        guarded: Any = _guarded(method, scopes, schemes)
        guarded.__requires__ = (scopes, schemes)
        guarded.__security__ = security(scopes, schemes)
        return cast(F, guarded)

    return decorate


def _is_scope(scope: Any) -> bool:
    return isinstance(scope, str) and _SCOPE.fullmatch(scope) is not None


def security(scopes: tuple[str, ...], schemes: Schemes) -> tuple[tuple[AuthScheme, tuple[str, ...]], ...]:
    """The alternatives, as `__security__` has them."""
    return tuple((scheme, scopes) for scheme in schemes)


def _guarded(method: Callable[..., Any], scopes: tuple[str, ...], schemes: Schemes) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(method):

        @functools.wraps(method)
        async def guarded(self: RequestHandler, *args: Any, **kwargs: Any) -> Any:
            if await _admitted(self, scopes, schemes):
                return await method(self, *args, **kwargs)
            raise Finish

        return guarded

    @functools.wraps(method)
    def plain(self: RequestHandler, *args: Any, **kwargs: Any) -> Any:
        if state_of(self) is None and schemes:
            return _called_later(self, method, scopes, schemes, args, kwargs)
        if is_admitted(self, scopes, schemes):
            return method(self, *args, **kwargs)
        raise Finish

    return plain


async def _called_later(
    handler: RequestHandler, method: Any, scopes: tuple[str, ...], schemes: Schemes, args: Any, kwargs: Any
) -> Any:
    if not await _admitted(handler, scopes, schemes):
        raise Finish
    result = method(handler, *args, **kwargs)
    return await result if inspect.isawaitable(result) else result


async def _admitted(handler: RequestHandler, scopes: tuple[str, ...], schemes: Schemes) -> bool:
    if state_of(handler) is None and schemes and not await authenticate(handler, schemes):
        return False
    return is_admitted(handler, scopes, schemes)


def is_admitted(handler: RequestHandler, scopes: tuple[str, ...], schemes: Schemes) -> bool:
    """Whether the sender may; if not, the request is answered."""
    state = state_of(handler)
    identity = None if state is None else state.identity
    accepted = schemes or (() if state is None else state.schemes)
    known = bool(handler.current_user) if not schemes else identity is not None
    if schemes and identity is not None:
        known = identity.scheme in {one.scheme_name for one in schemes}
    if not known:
        deny_anonymous(handler, accepted, scopes)
        return False
    if not (identity.scopes if identity is not None else frozenset()).issuperset(scopes):
        deny_scopes(handler, identity, scopes)
        return False
    return True


def method_admits(handler: RequestHandler) -> bool:
    """What the method of this request asks, ahead of it; True where it asks nothing."""
    method = getattr(handler, (handler.request.method or "").lower(), None)
    asked = getattr(method, "__requires__", None)
    return asked is None or is_admitted(handler, *asked)
