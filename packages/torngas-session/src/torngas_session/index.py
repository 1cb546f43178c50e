"""The index of users: which sessions a user has, kept in the same store, one entry per user."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import TypeAlias

from .driver import Steps
from .errors import StoreError

__all__ = ["UserIndex"]

_ATTEMPTS = 100
_Entry: TypeAlias = dict[str, int | None]


class UserIndex:
    """Lists the ids of a user's sessions, each with the instant until which it is listed (None: for ever).

    Instants are in milliseconds, as in the records.
    The names of the keys are hashed: a user's name may have any length and any character.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = f"{prefix}user:"

    def add(self, user: str | int, identity: str, until: int | None, now: int) -> Steps[None]:
        """Lists a session."""
        yield from self._change(user, now, lambda entry: entry.update({identity: until}))

    def remove(self, user: str | int, identity: str, now: int) -> Steps[None]:
        """Takes a session off the list."""
        yield from self._change(user, now, lambda entry: entry.pop(identity, None))

    def ids(self, user: str | int, now: int) -> Steps[list[str]]:
        """The ids on the list, the oldest first."""
        raw, _ = yield "gets", (self._key(user),)
        return list(_living(raw, now))

    def _key(self, user: str | int) -> str:
        name = f"{type(user).__name__}:{user}".encode()
        return self._prefix + hashlib.sha256(name).hexdigest()[:40]

    def _change(self, user: str | int, now: int, change: Callable[[_Entry], object]) -> Steps[None]:
        key = self._key(user)
        for attempt in range(_ATTEMPTS):
            if attempt == 1:
                yield "lock", (key,)
            raw, token = yield "gets", (key,)
            entry = _living(raw, now)
            before = dict(entry)
            change(entry)
            if entry == before:
                return
            # An empty list goes by compare-and-set too: a plain delete could take a login's new entry with it.
            if (yield "cas", (key, json.dumps(entry), token, _timeout(entry, now) if entry else 0)):
                return
        raise StoreError(
            f"session index: got {_ATTEMPTS} conflicts on one user's list; expected one of them to be written. "
            "Does the store's cas() work?"
        )


def _living(raw: str | bytes | None, now: int) -> _Entry:
    if raw is None:
        return {}
    try:
        entry = json.loads(raw)
    except (TypeError, ValueError):
        return {}
    if not isinstance(entry, dict):
        return {}
    return {identity: until for identity, until in entry.items() if until is None or until > now}


def _timeout(entry: _Entry, now: int) -> float | None:
    ends = [until for until in entry.values() if until is not None]
    return (max(ends) - now) / 1000 if len(ends) == len(entry) else None
