"""The record of a session: what lies in the store, and when it is over.

The server alone decides that: the deadline, the last use and the beginning stand in the record, so a cookie that
was forged, kept or copied prolongs nothing (OWASP ASVS 5.0 V7.3).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote

from .config import SessionConfig
from .errors import SessionSerializationError
from .protocols import Serializer

__all__ = ["DEFAULT_LIFETIME", "Lifetimes", "Record", "RecordCodec"]

_logger = logging.getLogger("torngas_session")

DEFAULT_LIFETIME: Final = -1
"""In `Record.lifetime`: the configured `expires`, whatever it is then."""

_BROWSER_SESSION_KEPT = 86_400.0
_BROWSER_SESSION_RENEWED = 3_600.0
_FORMAT = "1"
_FIELDS = 8


@dataclass(slots=True)
class Record:
    """One session as it is stored; instants are seconds since the epoch.

    Attributes:
        data: What the application put in.
        created: When it began, or when its user logged in.
        seen: When it was last used.
        deadline: When it ends by itself; None never.
        lifetime: Its own lifetime in seconds: `set_expire`; 0 with the browser, None never, `DEFAULT_LIFETIME`.
        address: The network that it belongs to.
        user: Who logged in; None nobody.
        indexed: Until when the index of users lists it; None for ever, 0 not at all.
    """

    data: dict[str, Any]
    created: float
    seen: float
    deadline: float | None
    lifetime: float | None
    address: str
    user: str | int | None
    indexed: float | None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is worth keeping."""
        return not self.data and self.user is None


class RecordCodec:
    """Records to and from the text or bytes that the store keeps.

    Eight fields separated by `|`, instants in milliseconds, then the data as the serializer writes it: floats
    and nested lists would double the cost of a save.
    """

    def __init__(self, serializer: Serializer) -> None:
        self._dumps = serializer.dumps
        self._loads = serializer.loads

    def encode(self, record: Record) -> str | bytes:
        """Serializes a record.

        Raises:
            SessionSerializationError: A value is nothing that the serializer knows; names the key, not the value.
        """
        deadline, indexed, user = record.deadline, record.indexed, record.user
        head = (
            f"{_FORMAT}|{int(record.created * 1000)}|{int(record.seen * 1000)}"
            f"|{'' if deadline is None else int(deadline * 1000)}|{'' if record.lifetime is None else record.lifetime}"
            f"|{record.address}|{'' if user is None else _user_text(user)}"
            f"|{'' if indexed is None else int(indexed * 1000)}|"
        )
        try:
            data = self._dumps(record.data)
        except Exception as error:
            raise SessionSerializationError(
                f"session[{self._culprit(record.data)!r}]: got a value that the serializer refused "
                f"({type(error).__name__}); expected strings, numbers, booleans, None, lists and dicts, "
                "or choose serializer='msgpack' or 'pickle'"
            ) from error
        return head + data if isinstance(data, str) else head.encode() + data

    def decode(self, stored: Any) -> Record | None:
        """The record, or None for what is none; logged, never raised: a damaged entry is a missing one."""
        try:
            if isinstance(stored, str):
                form, created, seen, deadline, lifetime, address, user, indexed, data = stored.split("|", _FIELDS)
            else:
                *head, data = stored.split(b"|", _FIELDS)
                form, created, seen, deadline, lifetime, address, user, indexed = [text.decode() for text in head]
            values = self._loads(data)
            if form != _FORMAT or type(values) is not dict:
                raise ValueError("a stored session has a foreign form")
            return Record(
                values,
                int(created) / 1000,
                int(seen) / 1000,
                int(deadline) / 1000 if deadline else None,
                _number(lifetime) if lifetime else None,
                address,
                _user(user) if user else None,
                int(indexed) / 1000 if indexed else None,
            )
        except Exception as error:  # noqa: BLE001 - any bytes, any serializer; pickle alone raises a dozen kinds
            _logger.warning("a stored session cannot be read (%s); it counts as missing", type(error).__name__)
            return None

    def _culprit(self, data: dict[str, Any]) -> str:
        for key, value in data.items():
            try:
                self._dumps([value])
            except Exception:  # noqa: BLE001 - the same refusal again, to find the key
                return key
        return ""


def _user_text(user: str | int) -> str:
    return f"i{user}" if isinstance(user, int) else f"s{quote(user, safe='')}"


def _user(text: str) -> str | int:
    return int(text[1:]) if text[0] == "i" else unquote(text[1:])


def _number(text: str) -> float:
    return int(text) if text.lstrip("-").isdigit() else float(text)


class Lifetimes:
    """The timeouts of a configuration, applied to records."""

    __slots__ = ("_absolute", "_expires", "_granularity", "_idle", "_rolling")

    def __init__(self, config: SessionConfig) -> None:
        self._expires = config.expires
        self._idle = config.idle_timeout
        self._absolute = config.absolute_timeout
        self._rolling = config.rolling
        self._granularity = min(60.0, self._idle / 100) if self._idle else 0.0

    def of(self, lifetime: float | None) -> float | None:
        """The lifetime in force: the session's own, or the configured one."""
        return self._expires if lifetime == DEFAULT_LIFETIME else lifetime

    def is_over(self, record: Record, now: float) -> bool:
        """Whether a deadline, the idle or the absolute timeout has passed."""
        return (
            (record.deadline is not None and now >= record.deadline)
            or (self._idle is not None and now - record.seen >= self._idle)
            or (self._absolute is not None and now - record.created >= self._absolute)
        )

    def deadline(self, lifetime: float | None, created: float, now: float) -> float | None:
        """When a session that is saved now ends by itself."""
        seconds = self.of(lifetime)
        if seconds == 0:
            seconds = max(_BROWSER_SESSION_KEPT, self._idle or 0.0)
        deadline = None if seconds is None else now + seconds
        if self._absolute is None:
            return deadline
        return created + self._absolute if deadline is None else min(deadline, created + self._absolute)

    def renews(self, record: Record, now: float) -> bool:
        """Whether a session that was only read must be written, so that its use is known."""
        if self._rolling:
            return True
        if self._idle is not None and now - record.seen >= self._granularity:
            return True
        return self.of(record.lifetime) == 0 and now - record.seen >= _BROWSER_SESSION_RENEWED

    def renewed_deadline(self, record: Record, now: float) -> float | None:
        """The deadline after a mere use: a lifetime counts from the last save unless it rolls."""
        if self._rolling or self.of(record.lifetime) == 0:
            return self.deadline(record.lifetime, record.created, now)
        return record.deadline

    def sends_cookie_on_use(self, record: Record) -> bool:
        """Whether a response that only read the session renews the cookie: if it rolls and outlives the browser."""
        return self._rolling and self.of(record.lifetime) != 0

    def timeout(self, record: Record, now: float) -> float | None:
        """Seconds for which the store must keep the record; None for ever."""
        timeout = None if record.deadline is None else record.deadline - now
        if self._idle is None:
            return timeout
        return self._idle if timeout is None else min(timeout, self._idle)

    def cookie_seconds(self, record: Record, now: float) -> float | None:
        """`Max-Age` of the cookie: 0 for one that goes with the browser, None for one without an end."""
        if self.of(record.lifetime) == 0:
            return 0
        return None if record.deadline is None else max(1.0, record.deadline - now)
