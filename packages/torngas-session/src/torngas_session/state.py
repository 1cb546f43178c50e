"""The state of one session in one request: what was loaded, and what changed since. Does no I/O."""

from __future__ import annotations

import math
import secrets
from typing import Any

from .addresses import network_of
from .record import DEFAULT_LIFETIME, Record

__all__ = ["SessionState", "new_id"]

_ID_BYTES = 24


def new_id() -> str:
    """32 characters that carry 192 bits of the system's randomness (OWASP ASVS 5.0 V7.2.3 asks for 128)."""
    return secrets.token_urlsafe(_ID_BYTES)


class SessionState:
    """Loaded record and pending changes.

    Changes are kept as the keys that were touched, so that a save can apply them to a record that somebody else
    wrote meanwhile. The defaults of what few requests need stand on the class: making one allocates little.

    Attributes:
        ready: It was accessed, loaded, and could be read: nothing stands between a use and the data.
        closed: The response was sent: a change could reach neither the store nor the client.
        touched: A change was asked for, so that a save may have something to do.
        has_cookie: The request carried a cookie of our name, so that ending the session must delete it.
        cookie: The verified value that the request carried.
        address: From where the request came, as the server says.
        id: Under which it is stored; None: nowhere yet.
        base: The record as it was loaded or last saved.
        raw: The same, as the store gave it.
        token: The store's token of `raw`; None once we wrote it ourselves.
        renew_at: From this instant on a mere use must be noted in the record.
        deep: Something inside a value changed: compare every key.
        is_plain: Nothing changed but values under keys.
        doomed: Ids and users of records that the save removes.
        authenticated: login() was called: the session begins anew, with or without the old record.
        ended: It was ended in this request.
        failure: Why the record could not be read.
    """

    has_cookie = False
    cookie: str | None = None
    id: str | None = None
    base: Record | None = None
    raw: Any = None
    token: Any = None
    renew_at = math.inf
    address: str | None = None
    wiped = False
    deep = False
    is_plain = True
    lifetime: float | None = DEFAULT_LIFETIME
    lifetime_set = False
    user: str | int | None = None
    rotating = False
    authenticated = False
    ended = False
    failure: Exception | None = None
    doomed: tuple[tuple[str, str | int | None], ...] = ()
    _next_id: str | None = None

    def __init__(self) -> None:
        self.ready = self.accessed = self.loaded = self.touched = self.closed = False
        self.data: dict[str, Any] = {}
        self.dirty: set[str] = set()

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

    @property
    def network(self) -> str:
        """What of the address a session is bound to."""
        return network_of(self.address)

    def adopt(self, identity: str, record: Record, raw: Any, token: Any, renew_at: float) -> None:
        """Takes over what the store had."""
        self.id, self.base, self.raw, self.token, self.renew_at = identity, record, raw, token, renew_at
        self.data, self.lifetime, self.user = record.data, record.lifetime, record.user

    def settle(self, identity: str, record: Record, raw: Any) -> None:
        """Takes over what was just stored: nothing is pending any more."""
        self.adopt(identity, record, raw, None, math.inf)
        self._next_id = None
        self.forget_changes()

    def advance(self, record: Record, raw: Any) -> None:
        """Takes over what was just stored in place of `base`, where nothing but values under keys had changed."""
        self.base, self.raw, self.token, self.renew_at, self.dirty = record, raw, None, math.inf, set()

    def forget_changes(self) -> None:
        """Drops what is pending; the values stay readable."""
        self.dirty = set()
        self.wiped = self.deep = self.lifetime_set = self.rotating = self.authenticated = False
        self.is_plain = True

    def end(self, identity: str | None, user: str | int | None) -> None:
        """Ends the stored session and begins an empty one."""
        if identity is not None:
            self.doomed += ((identity, user),)
        self.ended = self.touched = True
        self.id = self.base = self.raw = self.token = self.user = self._next_id = None
        self.renew_at = math.inf
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
