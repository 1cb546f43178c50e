"""The state of one session in one request: what was loaded, and what changed since. Does no I/O."""

from __future__ import annotations

import secrets
from typing import Any

from .record import DEFAULT_LIFETIME, Record

__all__ = ["SessionState", "new_id"]

_ID_BYTES = 24


def new_id() -> str:
    """32 characters that carry 192 bits of the system's randomness (OWASP ASVS 5.0 V7.2.3 asks for 128)."""
    return secrets.token_urlsafe(_ID_BYTES)


class SessionState:
    """Loaded record and pending changes.

    Changes are kept as the keys that were touched, so that a save can apply them to a record that somebody else
    wrote meanwhile. The defaults stand on the class: making one allocates little.
    """

    loaded = False
    accessed = False
    closed = False
    """The response was sent: a change could reach neither the store nor the client."""
    has_cookie = False
    """The request carried a cookie of our name, so that ending the session must delete it."""
    cookie: str | None = None
    """The verified value that the request carried."""
    id: str | None = None
    """Under which it is stored; None: nowhere yet."""
    base: Record | None = None
    """As it was loaded or last saved."""
    raw: Any = None
    """The same, as the store gave it."""
    token: Any = None
    """The store's token of `raw`; None once we wrote it ourselves."""
    address = ""
    wiped = False
    deep = False
    """Something inside a value changed: compare every key."""
    lifetime: float | None = DEFAULT_LIFETIME
    lifetime_set = False
    user: str | int | None = None
    rotating = False
    authenticated = False
    """login() was called: the session begins anew, with or without the old record."""
    ended = False
    """It was ended in this request."""
    renewed = False
    failure: Exception | None = None
    """Why the record could not be read."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = {}
        self.dirty: set[str] = set()
        self.doomed: list[tuple[str, str | int | None]] = []
        self._next_id: str | None = None

    @property
    def next_id(self) -> str:
        """The id of the session that will be stored anew."""
        if self._next_id is None:
            self._next_id = new_id()
        return self._next_id

    @property
    def visible_id(self) -> str:
        """The id by which the client will know the session after this response."""
        return self.id if self.id is not None and not self.rotating else self.next_id

    @property
    def is_modified(self) -> bool:
        """Whether a save has something to write."""
        return bool(self.dirty) or self.deep or self.wiped or self.lifetime_set or self.rotating

    def adopt(self, identity: str, record: Record, raw: Any, token: Any) -> None:
        """Takes over what the store had."""
        self.id, self.base, self.raw, self.token = identity, record, raw, token
        self.data, self.lifetime, self.user = record.data, record.lifetime, record.user

    def settle(self, identity: str, record: Record, raw: Any) -> None:
        """Takes over what was just stored: nothing is pending any more."""
        self.adopt(identity, record, raw, None)
        self._next_id = None
        self.forget_changes()

    def forget_changes(self) -> None:
        """Drops what is pending; the values stay readable."""
        self.dirty = set()
        self.wiped = self.deep = self.lifetime_set = self.rotating = self.authenticated = False

    def end(self, identity: str | None, user: str | int | None) -> None:
        """Ends the stored session and begins an empty one."""
        if identity is not None:
            self.doomed.append((identity, user))
        self.ended = True
        self.id = self.base = self.raw = self.token = self.user = self._next_id = None
        self.data = {}
        self.lifetime = DEFAULT_LIFETIME
        self.forget_changes()

    def wipe(self) -> None:
        """Removes every key, those included that others add meanwhile."""
        self.data = {}
        self.dirty = set()
        self.wiped = True

    def merged(self, current: Record) -> dict[str, Any]:
        """The current record's data with this request's changes in it."""
        data: dict[str, Any] = {} if self.wiped else dict(current.data)
        for key in self.dirty:
            if key in self.data:
                data[key] = self.data[key]
            else:
                data.pop(key, None)
        return data
