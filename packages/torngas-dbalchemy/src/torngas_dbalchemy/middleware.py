"""Sessions for the requests of a web application: a plain object with the hooks of a middleware.

    middleware = DBAlchemyMiddleware(connector)

`process_request` opens a scope of sessions in the request's context, `process_endcall` closes it on every exit and
rolls back what was not committed. Requests that may write (all but GET, HEAD, OPTIONS and TRACE) read from the
primary from the start. Nothing here blocks the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol

from .connector import Connector, get_connector
from .errors import ConfigError
from .scope import Scope

__all__ = ["CookiePins", "DBAlchemyMiddleware", "PinStore", "SessionPins"]

_log = logging.getLogger("torngas_dbalchemy")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_SCOPE = "_dbalchemy_scope"


class PinStore(Protocol):
    """Where a user's pins wait for the next request."""

    def load(self, handler: Any, /) -> str | None:
        """Answers the token of the user's earlier writes, None without."""

    def save(self, handler: Any, token: str, seconds: float, /) -> None:
        """Keeps the token for the user's next requests, for `seconds` at most."""


class CookiePins:
    """Keeps pins in a cookie. It holds positions and times, no secret; forging it only costs its sender.

    Args:
        name: the cookie's name.
        options: more of `set_cookie`, such as `domain`.
    """

    def __init__(self, name: str = "torngas_pins", **options: Any) -> None:
        self.name = name
        self._options = {"httponly": True, "samesite": "Lax", **options}

    def load(self, handler: Any, /) -> str | None:
        """Answers the token of the request's cookie."""
        value: str | None = handler.get_cookie(self.name)
        return value

    def save(self, handler: Any, token: str, seconds: float, /) -> None:
        """Sets the cookie for as long as the pins last; secure where the request is."""
        secure = handler.request.protocol == "https"
        options = {"secure": secure, **self._options}
        handler.set_cookie(self.name, token, max_age=max(1, round(seconds)), **options)


class SessionPins:
    """Keeps pins in `handler.session`, a mapping."""

    def __init__(self, key: str = "_torngas_pins") -> None:
        self.key = key

    def load(self, handler: Any, /) -> str | None:
        """Answers the token of the user's session."""
        value = handler.session.get(self.key)
        return value if isinstance(value, str) else None

    def save(self, handler: Any, token: str, seconds: float, /) -> None:
        """Puts the token into the user's session."""
        handler.session[self.key] = token


class DBAlchemyMiddleware:
    """Gives every request its own sessions.

    Args:
        connector: the databases of this application; None: the current one at each request.
        ping_interval: `PING_DB`: seconds between pings of idle connections; 0 or None: never.
        ping_count: `PING_CONN_COUNT`: idle connections to ping per pool.
        pins: where a user's writes are remembered between requests, so that the next request reads them;
            None: only within the request.
    """

    def __init__(
        self,
        connector: Connector | None = None,
        *,
        ping_interval: float | None = 500,
        ping_count: int = 5,
        pins: PinStore | None = None,
    ) -> None:
        if ping_interval is not None and ping_interval < 0:
            raise ConfigError(f"PING_DB: got {ping_interval!r}; expected seconds, 0 for never.")
        self._connector = connector
        self._interval = ping_interval or 0
        self._count = ping_count
        self._pins = pins
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def process_request(self, handler: Any, clear: Callable[[], None]) -> None:
        """Opens the request's scope in the current context."""
        scope = Scope(self._connector, primary=handler.request.method not in _SAFE_METHODS)
        if self._pins is not None:
            connector = self._connector or get_connector()
            scope.state(connector).restore(self._pins.load(handler), connector.consistency)
        setattr(handler, _SCOPE, scope.enter())
        if self._interval:
            self._keep_alive()

    def process_response(self, handler: Any, clear: Callable[[], None], chunk: Any) -> None:
        """Remembers the request's writes for the user's next request."""
        scope: Scope | None = getattr(handler, _SCOPE, None)
        if scope is None or self._pins is None:
            return
        connector = self._connector or get_connector()
        state = scope.state(connector)
        if state.wrote and (token := state.token()) is not None:
            longest = max(pin.deadline for pin in state.pins.values())
            self._pins.save(handler, token, longest - connector.consistency.clock())

    async def process_endcall(self, handler: Any, clear: Callable[[], None]) -> None:
        """Closes the request's sessions; what was not committed is rolled back."""
        scope: Scope | None = getattr(handler, _SCOPE, None)
        if scope is not None:
            setattr(handler, _SCOPE, None)
            await asyncio.shield(scope.aclose())

    def close(self) -> None:
        """Stops the pings; idempotent."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop = None

    def _keep_alive(self) -> None:
        # Begun by the first request: the loop that serves exists then, and no fork follows.
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self.close()
            self._loop = loop
            self._timer = loop.call_later(self._interval, self._ping, loop, self._connector or get_connector())

    def _ping(self, loop: asyncio.AbstractEventLoop, connector: Connector) -> None:
        if self._loop is not loop:
            return
        self._timer = loop.call_later(self._interval, self._ping, loop, connector)
        for database in connector.databases.values():
            work = loop.run_in_executor(None, database.ping_db, self._count)
            work.add_done_callback(_report)


def _report(work: asyncio.Future[None]) -> None:
    if not work.cancelled() and (error := work.exception()) is not None:
        _log.error("PING_DB: %s", error, exc_info=error)
