"""Read your writes: who has written reads from the primary until a replica has caught up.

After a commit the writer holds a *pin* for the alias: the position of the write in the server's log (PostgreSQL
LSN, MariaDB or MySQL GTID) where it can be had, and a deadline. A replica serves the writer again when it has
replayed that position, or when the deadline has passed. A pin travels between the requests of one user as a token.

    state = RequestState()
    state.pins["default"] = Pin(deadline=time.time() + 10)
    token = state.token()  # into a cookie or a session; RequestState().restore(token) in the next request
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, text

from .engines import Server
from .errors import ConfigError

__all__ = ["Consistency", "Pin", "RequestState", "has_reached", "position_of"]

_LONGEST_TOKEN = 4000
_LONGEST_POSITION = 1000  # a cookie holds 4096 bytes; MySQL's sets name every server that has ever written
_LSN = re.compile(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}")
_MARIADB_GTIDS = re.compile(r"\d+-\d+-\d+(,\d+-\d+-\d+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistency:
    """How a writer is kept from reading the past.

    Attributes:
        mode: `position` asks the servers (one short question after a commit, and one per later transaction until a
            replica has caught up) and falls back to `time` where a server has no positions; `time` trusts the clock;
            `off` reads from replicas at once.
        pin_seconds: seconds that a pin without a position lasts; 0 is the same as `off`.
        position_seconds: the longest that a pin with a position lasts, should no replica ever catch up.
        clock: seconds since the epoch, the same for all processes that share tokens.
    """

    mode: Literal["position", "time", "off"] = "position"
    pin_seconds: float = 10.0
    position_seconds: float = 3600.0
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        if self.mode not in ("position", "time", "off"):
            raise ConfigError(f"read_your_writes: got {self.mode!r}; expected 'position', 'time' or 'off'.")
        for name in ("pin_seconds", "position_seconds"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"{name}: got {getattr(self, name)!r}; expected seconds, 0 or more.")

    def pin(self, position: str | None) -> Pin:
        """Answers the pin of a write that happened now."""
        seconds = self.pin_seconds if position is None else self.position_seconds
        return Pin(deadline=self.clock() + seconds, position=position)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A write: until when (seconds since the epoch) and up to which position it binds its writer."""

    deadline: float
    position: str | None = None


class RequestState:
    """What one request has decided: its replica per alias, and its pins. Shared by the request's sessions.

    Attributes:
        chosen: the replica of each alias that this request reads from.
        pins: the writes that reads must not miss, by alias.
        primary: True sends every read to the primary.
        wrote: whether a pin was set here, so that a token has to be stored.
    """

    __slots__ = ("chosen", "pins", "primary", "wrote")

    def __init__(self, *, primary: bool = False) -> None:
        self.chosen: dict[str, Server] = {}
        self.pins: dict[str, Pin] = {}
        self.primary = primary
        self.wrote = False

    def pin(self, alias: str, pin: Pin) -> None:
        """Binds the reads of `alias` to a write of this request."""
        self.pins[alias] = pin
        self.wrote = True

    def token(self) -> str | None:
        """The pins as text of letters, digits, `-` and `_`; None without pins."""
        if not self.pins:
            return None
        rows = [[alias, round(pin.deadline, 3), pin.position] for alias, pin in self.pins.items()]
        return base64.urlsafe_b64encode(json.dumps(rows).encode()).decode().rstrip("=")

    def restore(self, token: str | None, policy: Consistency) -> None:
        """Takes over the pins of an earlier request; what cannot be read, or has passed, is left out.

        A forged token can do no more than send its sender's reads to the primary, no longer than the policy allows.
        """
        for alias, pin in _parse(token).items():
            longest = policy.pin_seconds if pin.position is None else policy.position_seconds
            deadline = min(pin.deadline, policy.clock() + longest)
            if deadline > policy.clock():
                self.pins[alias] = Pin(deadline=deadline, position=pin.position)


def _parse(token: str | None) -> dict[str, Pin]:
    if not token or len(token) > _LONGEST_TOKEN:
        return {}
    try:
        rows = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return {
            str(alias): Pin(deadline=float(deadline), position=None if position is None else str(position))
            for alias, deadline, position in rows
        }
    except (ValueError, TypeError, OverflowError, RecursionError):
        return {}


def position_of(connection: Connection) -> str | None:
    """Answers the log position that holds everything this connection has committed.

    None where there is none, or where it is too long to travel in a cookie.
    """
    dialect: Any = connection.dialect
    if dialect.name == "postgresql":
        query = "SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_current_wal_insert_lsn()::text END"
    elif dialect.name in ("mysql", "mariadb"):
        query = "SELECT @@last_gtid" if dialect.is_mariadb else "SELECT @@GLOBAL.gtid_executed"
    else:
        return None
    position: str | None = connection.execute(text(query)).scalar()
    return position if position and len(position) <= _LONGEST_POSITION else None


def has_reached(connection: Connection, position: str) -> bool:
    """Whether the server behind the connection has replayed `position`; False for what is no position."""
    dialect: Any = connection.dialect
    if dialect.name == "postgresql":
        return _postgres_reached(connection, position)
    if dialect.name in ("mysql", "mariadb"):
        return _mariadb_reached(connection, position) if dialect.is_mariadb else _mysql_reached(connection, position)
    return False


def _postgres_reached(connection: Connection, position: str) -> bool:
    if not _LSN.fullmatch(position):
        return False
    query = "SELECT NOT pg_is_in_recovery() OR pg_last_wal_replay_lsn() >= CAST(:position AS pg_lsn)"
    return bool(connection.execute(text(query), {"position": position}).scalar())


def _mysql_reached(connection: Connection, position: str) -> bool:
    query = "SELECT GTID_SUBSET(:position, @@GLOBAL.gtid_executed)"
    return bool(connection.execute(text(query), {"position": position}).scalar())


def _mariadb_reached(connection: Connection, position: str) -> bool:
    if not _MARIADB_GTIDS.fullmatch(position):
        return False
    replayed = _sequences(connection.execute(text("SELECT @@GLOBAL.gtid_current_pos")).scalar() or "")
    return all(replayed.get(domain, -1) >= number for domain, number in _sequences(position).items())


def _sequences(position: str) -> dict[str, int]:
    """A MariaDB position, `domain-server-sequence` by commas, as domain -> sequence."""
    parts = [one.strip().split("-") for one in position.split(",") if one.strip()]
    return {domain: int(number) for domain, _, number in parts}
