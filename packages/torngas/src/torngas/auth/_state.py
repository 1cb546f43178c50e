"""Asks schemes in order, remembers the result on the handler, and refuses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from tornado.web import RequestHandler

from torngas.api._denials import answer_denial
from torngas.auth.errors import InvalidCredentials
from torngas.auth.identity import Identity
from torngas.auth.schemes import AuthScheme

__all__ = ["AuthState", "Loader", "authenticate", "deny_anonymous", "deny_scopes", "state_of"]

Loader = Callable[[RequestHandler, Identity], Any]


@dataclass(slots=True)
class AuthState:
    """What is known of a request's sender; kept on its handler."""

    schemes: tuple[AuthScheme, ...]
    identity: Identity | None = None


def state_of(handler: RequestHandler) -> AuthState | None:
    """What `authenticate` found; None if it did not run."""
    state: AuthState | None = handler.__dict__.get("_auth_state")
    return state


async def authenticate(handler: RequestHandler, schemes: Iterable[AuthScheme], load: Loader | None = None) -> bool:
    """Finds the sender and sets `current_user`; without credentials that is left to `get_current_user`.

    Returns:
        False if the request was refused, and answered.
    """
    outer = state_of(handler)
    if outer is not None and outer.identity is not None:
        return True  # an outer module knows already
    own = tuple(schemes)
    state = handler.__dict__["_auth_state"] = AuthState((*(outer.schemes if outer else ()), *own))
    failure: tuple[AuthScheme, InvalidCredentials] | None = None
    for scheme in own:
        if failure is not None and scheme.header_scheme != failure[0].header_scheme:
            continue  # another kind of token in the same header may still fit, other credentials may not
        try:
            identity = await _identified(handler, scheme, load)
        except InvalidCredentials as error:
            failure = failure or (scheme, error)
            continue
        if identity is not None:
            state.identity = identity
            handler.current_user = identity.user
            return True
    if failure is not None:
        _deny_invalid(handler, state, *failure)
    return failure is None


async def _identified(handler: RequestHandler, scheme: AuthScheme, load: Loader | None) -> Identity | None:
    found = scheme.authenticate(handler)
    identity = await found if isawaitable(found) else found
    if identity is None or load is None:
        return identity
    user = load(handler, identity)
    user = await user if isawaitable(user) else user
    if user is not None:
        return dataclasses.replace(identity, user=user)
    if scheme.header_scheme:
        raise InvalidCredentials("the credentials are not valid", error="invalid_token")
    return None  # a session of somebody who is gone is nobody's


def _deny_invalid(handler: RequestHandler, state: AuthState, scheme: AuthScheme, error: InvalidCredentials) -> None:
    challenges = [one.challenge(error if one is scheme else None) for one in state.schemes]
    _answer(handler, 401, error.description, challenges)


def deny_anonymous(handler: RequestHandler, schemes: Iterable[AuthScheme], scopes: tuple[str, ...] = ()) -> None:
    """Answers 401 with the challenges of all schemes."""
    _answer(handler, 401, "this needs authentication", [one.challenge() for one in schemes], needed=scopes)


def deny_scopes(handler: RequestHandler, identity: Identity | None, scopes: tuple[str, ...]) -> None:
    """Answers 403; a bearer scheme says which scopes would have been needed (RFC 6750 §3.1)."""
    state = state_of(handler)
    used = [one for one in (state.schemes if state else ()) if identity and one.scheme_name == identity.scheme]
    challenges = [one.challenge(missing=scopes) for one in used if one.header_scheme == "bearer"]
    _answer(handler, 403, "this needs more than the sender is allowed", challenges, needed=scopes)


def _answer(
    handler: RequestHandler,
    status: int,
    detail: str,
    challenges: Iterable[str | None],
    needed: tuple[str, ...] = (),
) -> None:
    headers = [("WWW-Authenticate", one) for one in challenges if one]
    members: dict[str, Any] = {"scopes": list(needed)} if needed and status == 403 else {}
    answer_denial(handler, status, detail, headers=headers, **members)
