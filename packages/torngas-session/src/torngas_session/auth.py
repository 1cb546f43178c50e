"""Logging in and out: the two moments at which a session must change its id or end.

login(self, user.id)
logout(self)
"""

from __future__ import annotations

from typing import Any

from .errors import SessionError
from .session import Session

__all__ = ["login", "logout"]


def login(handler: Any, user: str | int) -> None:
    """Binds the handler's session to a user, under a new id.

    The id that the visitor had before is dead with this response, and the absolute timeout begins anew
    (OWASP ASVS 5.0 V7.2.4). What an anonymous visitor put into the session stays; what another user did goes.

    Args:
        handler: Has a `session` that is loaded, or can be without I/O.
        user: Names the user in `sessions_of` and `revoke_all`, and in `session.user`.
    """
    if isinstance(user, bool) or not isinstance(user, str | int):
        raise TypeError(f"login: got a user of type {type(user).__name__}; expected its id, a str or an int")
    session: Session = handler.session
    if session.user is not None and session.user != user:
        session.flush()
    session.cycle_key()
    state = session._state
    state.user = user
    state.authenticated = state.lifetime_set = True


def logout(handler: Any) -> None:
    """Ends the handler's session for good; a request that is still running cannot bring it back."""
    session = handler.session
    if not isinstance(session, Session):
        raise SessionError(f"logout: got a session of type {type(session).__name__}; expected torngas_session's")
    session.flush()
