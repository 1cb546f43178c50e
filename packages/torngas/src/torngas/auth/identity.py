"""Who sent a request, how that was shown, and what it may do.

    class Orders(AuthMixin, ApiHandler):
        auth = (BearerAuth(Tokens("default")), SessionAuth())

        def get(self):
            self.write({"user": self.current_user, "by": self.identity.scheme})

`handler.current_user` is the user alone, whatever scheme found it; the identity is there for who wants to know more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Identity", "identity_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """An authenticated sender.

    Attributes:
        subject: Names the user: what was given to `login`, `Tokens.issue`, the user of basic authentication, the
            `sub` of a JWT.
        user: What `current_user` answers: the subject, or what `load_user` made of it.
        scheme: `scheme_name` of the scheme that found out.
        scopes: What it may do; `requires(...)` asks for them. No scheme gives a scope that nobody declared.
        ambient: Whether a browser sends the credentials by itself (cookie, basic), so that a request that changes
            something needs its XSRF token.
        token_id: Names the token in `Tokens.revoke`; None for other schemes.
        claims: Of a JWT; empty for other schemes.
    """

    subject: str | int
    user: Any
    scheme: str
    scopes: frozenset[str] = frozenset()
    ambient: bool = False
    token_id: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)


def identity_of(handler: Any) -> Identity | None:
    """Who sent this handler's request; None nobody, or nobody has asked yet."""
    state = handler.__dict__.get("_auth_state")
    return None if state is None else state.identity
