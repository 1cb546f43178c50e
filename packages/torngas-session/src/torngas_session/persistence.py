"""How a session is kept by the server: which steps on the store a response needs, and what becomes of the cookie.

No I/O happens here, see `driver`. The rules:

- Nothing is written that was not changed, and a changed key is merged into whatever the store holds by then.
- A record that vanished since it was loaded (logout, rotation, revocation, eviction) is never made again, and the
  request that was too late succeeds all the same (OWASP ASVS 5.0 V7.4.1).
- A failed response (5xx) saves nothing; only the end of a session is carried out.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from .config import SessionConfig
from .driver import Steps
from .errors import SessionConflictError, StoreError
from .index import UserIndex
from .record import DEFAULT_LIFETIME, TOMBSTONE, Lifetimes, Record, RecordCodec
from .signing import Signer
from .state import SessionState

__all__ = ["NOTHING", "Outcome", "ServerPersistence"]

_logger = logging.getLogger("torngas_session")

_ATTEMPTS = 100
_SERVER_ERROR = 500
_TOMBSTONE_KEPT = 60.0
CompareAndSet: TypeAlias = Callable[[str, Any, Any, float | None], Any]


class Outcome(NamedTuple):
    """What the response does with the cookie: send it for `seconds` (0: with the browser, None: for ever)."""

    action: Literal["none", "send", "clear"]
    value: str = ""
    seconds: float | None = 0


NOTHING: Final = Outcome("none")
_CLEAR: Final = Outcome("clear")


class ServerPersistence:
    """Sessions as records in a store, found by the signed id in the cookie."""

    def __init__(self, config: SessionConfig, codec: RecordCodec, signer: Signer) -> None:
        self.lifetimes = Lifetimes(config)
        self.index = UserIndex(config.key_prefix)
        self._codec = codec
        self._signer = signer
        self.prefix = config.key_prefix
        self._conflict = config.conflict
        self._ignore_address = config.ignore_change_ip

    def key(self, identity: str) -> str:
        """The store's key of a session."""
        return self.prefix + identity

    def living(self, raw: Any, now: int) -> Record | None:
        """The record, unless it is missing, unreadable or over."""
        record = self._codec.decode(raw)
        return None if record is None or self.lifetimes.outlook(record, now) is None else record

    def adopt(self, state: SessionState, identity: str, found: tuple[Any, Any], now: int) -> None:
        """Takes over what the store answered for a cookie, or leaves the session anonymous."""
        raw, token = found
        record = self._codec.decode(raw)
        if record is None:
            _logger.info("a session cookie names no session; it counts as anonymous")
            return
        renew_at = self.lifetimes.outlook(record, now)
        if renew_at is None:
            _logger.info("a session is over by its timeouts")
            state.end(identity, record.user)
        elif not self._ignore_address and record.address != state.address and record.address != state.network:
            _logger.info("a session is over because its address changed")
            state.end(identity, record.user)
        else:
            state.adopt(identity, record, raw, token, renew_at)

    def needs_store(self, state: SessionState, status: int, now: int) -> bool:
        """Whether `commit` would call the store."""
        if state.doomed:
            return True
        if status >= _SERVER_ERROR:
            return False
        if state.id is None:
            return state.is_modified and not (not state.data and state.user is None)
        return state.is_modified or now >= state.renew_at

    def exchange(self, state: SessionState, now: int, cas: CompareAndSet) -> Outcome | None:
        """The most frequent save, in one step and without a generator: values under keys, nobody logged in.

        Args:
            state: Of a session that is kept by a store whose calls need no waiting.
            now: The time.
            cas: The store's.

        Returns:
            None if it takes more than that, or somebody else wrote meanwhile: then `commit` does it.
        """
        identity, base, token, data = state.id, state.base, state.token, state.data
        if identity is None or base is None or token is None or base.user is not None or not data:
            return None
        _, created, _, _, lifetime, address, _, indexed, _ = base
        deadline = self.lifetimes.deadline(lifetime, created, now)
        record = Record(data, created, now, deadline, lifetime, address, None, indexed)
        raw = self._codec.encode(record)
        if not cas(self.prefix + identity, raw, token, self.lifetimes.timeout(record, now)):
            state.token = None
            return None
        state.advance(record, raw)
        return self._announcement(identity, record, state.cookie, now)

    def commit(self, state: SessionState, status: int, now: int) -> Steps[Outcome]:
        """Writes what the response must write."""
        if state.doomed:
            yield from self._bury(state, now)
        over = _CLEAR if state.ended and state.has_cookie else NOTHING
        if status >= _SERVER_ERROR:
            return over
        if state.failure is not None and state.is_modified:
            raise StoreError(
                "session: got changes, but the stored session could not be read; expected both to work, "
                "since saving now would replace it"
            ) from state.failure
        if state.id is None:
            return (yield from self._create(state, now)) or over
        if state.rotating:
            return (yield from self._rotate(state, state.id, now))
        if state.is_modified:
            return (yield from self._update(state, state.id, now))
        if now >= state.renew_at:
            return (yield from self._renew(state, state.id, now))
        return NOTHING

    def destroy(self, identity: str, user: str | int | None, now: int) -> Steps[None]:
        """Removes a record and its place on the user's list."""
        yield "delete", (self.key(identity),)
        if user is not None:
            yield from self.index.remove(user, identity, now)

    def _bury(self, state: SessionState, now: int) -> Steps[None]:
        while state.doomed:
            identity, user = state.doomed[0]
            yield from self.destroy(identity, user, now)
            state.doomed = state.doomed[1:]

    def _create(self, state: SessionState, now: int) -> Steps[Outcome | None]:
        record = self._record(state, None, state.data, now)
        if record.is_empty or not state.is_modified:
            state.forget_changes()
            return None
        return (yield from self._insert(state, record, now))

    def _insert(self, state: SessionState, record: Record, now: int) -> Steps[Outcome]:
        identity = state.next_id
        if record.user is not None:
            record = yield from self._list(record.user, identity, record, now)
        raw = self._codec.encode(record)
        if not (yield "cas", (self.key(identity), raw, None, self.lifetimes.timeout(record, now))):
            raise StoreError(
                "session: got a refusal of the store for a new session; expected it to be stored. "
                "Does a cache swallow its errors? Use an alias that raises them"
            )
        return self._settled(state, identity, record, raw, now)

    def _update(self, state: SessionState, identity: str, now: int) -> Steps[Outcome]:
        if state.deep:
            self._find_deep_changes(state)

        def successor(current: Record) -> Record:
            data = state.data if current is state.base or self._conflict == "last" else state.merged(current)
            return self._record(state, current, data, now)

        swapped = yield from self._swap(state, identity, successor, now)
        if swapped is None:
            return self._vanished(state)
        record, raw = swapped
        if record.is_empty:
            yield "delete", (self.key(identity),)
            state.end(None, None)
            return _CLEAR
        return self._settled(state, identity, record, raw, now)

    def _rotate(self, state: SessionState, identity: str, now: int) -> Steps[Outcome]:
        """Gives the session a new id; the old record first becomes a tombstone, so no late save is lost in it."""
        if state.deep:
            self._find_deep_changes(state)
        swapped = yield from self._swap(state, identity, lambda current: None, now)
        if swapped is None and not state.authenticated:
            return self._vanished(state)
        base = None if swapped is None else swapped[0]
        data = state.data if base is state.base else state.merged(base or _NOBODY)
        record = self._record(state, None if state.authenticated else base, data, now)
        record = record._replace(indexed=0)
        user = None if base is None else base.user
        outcome = yield from self._insert(state, record, now)
        yield from self.destroy(identity, user, now)
        return outcome

    def _renew(self, state: SessionState, identity: str, now: int) -> Steps[Outcome]:
        """Notes the use of a session. If somebody wrote meanwhile, that was a use as well."""
        state.renew_at = math.inf
        base = state.base
        if base is None or state.token is None:
            return NOTHING
        deadline = self.lifetimes.renewed_deadline(base, now)
        record = base._replace(seen=now, deadline=deadline)
        if record.user is not None:
            record = yield from self._list(record.user, identity, record, now)
        raw = self._codec.encode(record)
        timeout = self.lifetimes.timeout(record, now)
        if not (yield "cas", (self.key(identity), raw, state.token, timeout)):
            return NOTHING
        state.base, state.raw, state.token = record, raw, None
        if not self.lifetimes.sends_cookie_on_use(record):
            return NOTHING
        return Outcome("send", self._signer.sign(identity), self.lifetimes.cookie_seconds(record, now))

    def _swap(
        self, state: SessionState, identity: str, successor: Callable[[Record], Record | None], now: int
    ) -> Steps[tuple[Record, Any] | None]:
        """Replaces the record by its successor (None: by a tombstone), again and again until nobody intervened.

        Answers the new record and its stored form, or None if the session is over by now.
        """
        key, current, token = self.key(identity), state.base, state.token
        for _ in range(_ATTEMPTS):
            if current is not None and token is not None:
                record = successor(current)
                if record is not None and record.user is not None:
                    record = yield from self._list(record.user, identity, record, now)
                raw, timeout = self._stored_form(record, now)
                if (yield "cas", (key, raw, token, timeout)):
                    return (current if record is None else record), raw
                yield "lock", (key,)
            stored, token = yield "gets", (key,)
            current = self.living(stored, now)
            if current is None:
                return None
            self._refuse_conflict(state, current)
        raise SessionConflictError(
            f"session: got {_ATTEMPTS} conflicts in a row; expected one save to succeed. Does the store's cas() work?"
        )

    def _stored_form(self, record: Record | None, now: int) -> tuple[Any, float | None]:
        if record is None:
            return TOMBSTONE, _TOMBSTONE_KEPT
        if record.is_empty:
            return TOMBSTONE, 0
        return self._codec.encode(record), self.lifetimes.timeout(record, now)

    def _record(self, state: SessionState, base: Record | None, data: dict[str, Any], now: int) -> Record:
        lifetime = state.lifetime if base is None or state.lifetime_set else base.lifetime
        created = now if base is None else base.created
        deadline = self.lifetimes.deadline(lifetime, created, now)
        address = state.network if base is None else base.address
        indexed = 0 if base is None else base.indexed
        return Record(data, created, now, deadline, lifetime, address, state.user, indexed)

    def _list(self, user: str | int, identity: str, record: Record, now: int) -> Steps[Record]:
        """Sees to it that the user's list outlives the record; twice as long, so that few saves must renew it."""
        if record.indexed is None or (record.deadline is not None and record.deadline <= record.indexed):
            return record
        until = None if record.deadline is None else now + 2 * (record.deadline - now)
        yield from self.index.add(user, identity, until, now)
        return record._replace(indexed=until)

    def _settled(self, state: SessionState, identity: str, record: Record, raw: Any, now: int) -> Outcome:
        cookie = None if state.lifetime_set else state.cookie
        state.settle(identity, record, raw)
        return self._announcement(identity, record, cookie, now)

    def _announcement(self, identity: str, record: Record, cookie: str | None, now: int) -> Outcome:
        """The cookie for what was stored; `cookie` is the client's, if that could do."""
        seconds = self.lifetimes.cookie_seconds(record, now)
        if seconds == 0 and cookie is not None and self._signer.would_make(identity, cookie):
            return NOTHING  # the client has it; sent late, it would replace that of a login which overtook us
        return Outcome("send", self._signer.sign(identity), seconds)

    def _vanished(self, state: SessionState) -> Outcome:
        _logger.info("a session ended while a request was using it; the request's changes are dropped")
        state.end(None, None)
        state.ended = False  # no cookie is touched: the client may hold a newer one by now
        return NOTHING

    def _refuse_conflict(self, state: SessionState, current: Record) -> None:
        if self._conflict != "raise":
            return
        loaded = self._codec.decode(state.raw)
        if loaded is None or loaded.data != current.data:
            raise SessionConflictError(
                "session: got a record that another request changed meanwhile; expected none (conflict='raise'). "
                "Load it again and repeat, or choose conflict='merge'"
            )

    def _find_deep_changes(self, state: SessionState) -> None:
        loaded = self._codec.decode(state.raw)
        before = {} if loaded is None else loaded.data
        missing = object()
        state.dirty |= {key for key, value in state.data.items() if before.get(key, missing) != value}
        state.dirty |= before.keys() - state.data.keys()


_NOBODY: Final = Record({}, 0, 0, None, DEFAULT_LIFETIME, "", None, 0)
