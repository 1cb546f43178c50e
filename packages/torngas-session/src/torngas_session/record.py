"""The record of a session: what lies in the store, and when it is over.

The server alone decides that: the deadline, the last use and the beginning stand in the record, so a cookie that
was forged, kept or copied prolongs nothing (OWASP ASVS 5.0 V7.3).
"""

from __future__ import annotations

import logging
import math
from itertools import product
from typing import Any, Final, NamedTuple

from .config import SessionConfig
from .errors import SessionSerializationError
from .protocols import Serializer

__all__ = ["DEFAULT_LIFETIME", "Lifetimes", "Record", "RecordCodec", "TOMBSTONE"]

_logger = logging.getLogger("torngas_session")

DEFAULT_LIFETIME: Final = -1
"""In `Record.lifetime`: the configured `expires`, whatever it is then."""

TOMBSTONE: Final = "over"
"""Stored for a while where a session was that moved away: it reads as no record."""

_TOMBSTONES = (TOMBSTONE, TOMBSTONE.encode())
_BROWSER_SESSION_KEPT = 86_400_000
_BROWSER_SESSION_RENEWED = 3_600_000
_FORM = 1


class Record(NamedTuple):
    """One session as it is stored; instants are whole milliseconds since the epoch, which JSON writes quickly.

    Attributes:
        data: What the application put in.
        created: When it began, or when its user logged in.
        seen: When it was last used.
        deadline: When it ends by itself; None never.
        lifetime: Its own lifetime in seconds: `set_expire`; 0 with the browser, None never, `DEFAULT_LIFETIME`.
        address: The network that it belongs to.
        user: Who logged in; None nobody.
        indexed: Until when the index of users lists it; None for ever, 0 not at all.
        form: The version of this list of fields.
    """

    data: dict[str, Any]
    created: int
    seen: int
    deadline: int | None
    lifetime: float | None
    address: str
    user: str | int | None
    indexed: int | None
    form: int = _FORM

    @property
    def is_empty(self) -> bool:
        """Whether nothing is worth keeping."""
        return not self.data and self.user is None


_NONE = type(None)
_SHAPES = frozenset(
    product(
        *((dict,), (int,), (int,), (int, _NONE), (int, float, _NONE)),
        *((str,), (int, str, _NONE), (int, _NONE), (int,)),
    )
)
"""The types that the fields of a record can have: what has others is none."""


class RecordCodec:
    """Records to and from the text or bytes that the store keeps: the serialized list of their fields."""

    def __init__(self, serializer: Serializer) -> None:
        self._dumps = serializer.dumps
        self._loads = serializer.loads

    def encode(self, record: Record) -> str | bytes:
        """Serializes a record.

        Raises:
            SessionSerializationError: A value is nothing that the serializer knows; names the key, not the value.
        """
        try:
            return self._dumps(list(record))
        except Exception as error:
            raise SessionSerializationError(
                f"session[{self._culprit(record.data)!r}]: got a value that the serializer refused "
                f"({type(error).__name__}); expected strings, numbers, booleans, None, lists and dicts, "
                "or choose serializer='msgpack' or 'pickle'"
            ) from error

    def decode(self, stored: Any) -> Record | None:
        """The record, or None for what is none; logged, never raised: a damaged entry is a missing one."""
        if stored is None:
            return None
        try:
            fields = self._loads(stored)
            if tuple(map(type, fields)) in _SHAPES and fields[-1] == _FORM:
                return tuple.__new__(Record, fields)
            reason = "foreign form"
        except Exception as error:  # noqa: BLE001 - any bytes, any serializer; pickle alone raises a dozen kinds
            reason = type(error).__name__
        if stored not in _TOMBSTONES:
            _logger.warning("a stored session cannot be read (%s); it counts as missing", reason)
        return None

    def _culprit(self, data: dict[str, Any]) -> str:
        for key, value in data.items():
            try:
                self._dumps([value])
            except Exception:  # noqa: BLE001 - the same refusal again, to find the key
                return key
        return ""


class Lifetimes:
    """The timeouts of a configuration, applied to records: `now` and all instants are in milliseconds."""

    __slots__ = ("_absolute", "_browser_interval", "_browser_kept", "_ends_early", "_expires", "_idle", "_interval")

    def __init__(self, config: SessionConfig) -> None:
        self._expires = config.expires
        self._idle = math.inf if config.idle_timeout is None else config.idle_timeout * 1000
        self._absolute = None if config.absolute_timeout is None else int(config.absolute_timeout * 1000)
        self._ends_early = config.idle_timeout is not None or self._absolute is not None
        self._browser_kept = max(_BROWSER_SESSION_KEPT, int((config.idle_timeout or 0) * 1000))
        self._interval = math.inf if config.idle_timeout is None else min(60_000.0, self._idle / 100)
        if config.rolling:
            self._interval = -math.inf
        self._browser_interval = min(self._interval, _BROWSER_SESSION_RENEWED)

    def of(self, lifetime: float | None) -> float | None:
        """The lifetime in force, in seconds: the session's own, or the configured one."""
        return self._expires if lifetime == DEFAULT_LIFETIME else lifetime

    def outlook(self, record: Record, now: int) -> float | None:
        """From when on a mere use must be written, so that it is known; None if the session is over by its timeouts."""
        deadline, lifetime = record.deadline, record.lifetime
        if (deadline is not None and now >= deadline) or (self._ends_early and self._was_left(record, now)):
            return None
        if lifetime == DEFAULT_LIFETIME:
            lifetime = self._expires
        return record.seen + (self._browser_interval if lifetime == 0 else self._interval)

    def deadline(self, lifetime: float | None, created: int, now: int) -> int | None:
        """When a session that is saved now ends by itself."""
        if lifetime == DEFAULT_LIFETIME:
            lifetime = self._expires
        deadline = None if lifetime is None else now + (int(lifetime * 1000) or self._browser_kept)
        if self._absolute is None:
            return deadline
        return created + self._absolute if deadline is None else min(deadline, created + self._absolute)

    def renewed_deadline(self, record: Record, now: int) -> int | None:
        """The deadline after a mere use: a lifetime counts from the last save unless it rolls."""
        if self._rolls or self.of(record.lifetime) == 0:
            return self.deadline(record.lifetime, record.created, now)
        return record.deadline

    def sends_cookie_on_use(self, record: Record) -> bool:
        """Whether a response that only read the session renews the cookie: if it rolls and outlives the browser."""
        return self._rolls and self.of(record.lifetime) != 0

    def timeout(self, record: Record, now: int) -> float | None:
        """Seconds for which the store must keep the record; None for ever."""
        deadline = record.deadline
        if deadline is not None:
            return min(deadline - now, self._idle) / 1000
        return None if self._idle == math.inf else self._idle / 1000

    def cookie_seconds(self, record: Record, now: int) -> float | None:
        """`Max-Age` of the cookie: 0 for one that goes with the browser, None for one without an end."""
        if self.of(record.lifetime) == 0:
            return 0
        return None if record.deadline is None else max(1.0, (record.deadline - now) / 1000)

    def _was_left(self, record: Record, now: int) -> bool:
        """Whether the idle or the absolute timeout has passed."""
        absolute = self._absolute
        return now - record.seen >= self._idle or (absolute is not None and now - record.created >= absolute)

    @property
    def _rolls(self) -> bool:
        return self._interval == -math.inf
