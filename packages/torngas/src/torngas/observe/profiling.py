"""Where the time of a request went: the header `Server-Timing` in DEBUG, and a line for each slow request.

    MIDDLEWARE_CLASSES = ("torngas.observe.profiling.ProfilingMiddleware", …)      # outermost
    SLOW_REQUEST_SECONDS = 0.5

A browser's network panel shows the header (W3C Server Timing). Durations are milliseconds:
`middleware` is the time in the hooks of all other middlewares, `handler` that from `prepare` to `finish`, and within
those `query`, `cache` and `template`, each with the number of calls.

A slow request is logged as a warning of the logger `torngas`, with its statements, the slowest first, without values.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from tornado.web import RequestHandler

from torngas.exception import ConfigError
from torngas.observe.watch import Work

__all__ = ["Profile", "ProfilingMiddleware"]

KINDS = ("query", "cache", "template")
MOST_STATEMENTS = 1000
SHOWN_STATEMENTS = 20

logger = logging.getLogger("torngas")


class Profile:
    """What is known of one request's time so far, in seconds.

    Attributes:
        shares: Kind -> seconds and number of calls.
        statements: Seconds and text of each query, 1000 at most.
    """

    __slots__ = ("answered", "entered", "shares", "statements")

    def __init__(self) -> None:
        self.entered: float | None = None
        self.answered: float | None = None
        self.shares: dict[str, tuple[float, int]] = {}
        self.statements: list[tuple[float, str]] = []

    def add(self, work: Work) -> None:
        """Adds something that is done."""
        seconds, count = self.shares.get(work.kind, (0.0, 0))
        self.shares[work.kind] = seconds + work.seconds, count + 1
        if work.kind == "query" and len(self.statements) < MOST_STATEMENTS:
            self.statements.append((work.seconds, work.text))


class ProfilingMiddleware:
    """Measures requests, from outermost; `innermost` is to be the last of all middlewares (the settings see to it).

    Args:
        timing: Whether responses have the header `Server-Timing`. It tells a stranger how the application works:
            True in development only.
        slow: Seconds from which on a request is logged; 0 logs each, None none.
        clock: Seconds that never go back.

    Raises:
        ConfigError: `slow` is negative.
    """

    observes = True
    kinds = frozenset(KINDS)

    def __init__(
        self, *, timing: bool = True, slow: float | None = 1.0, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        if slow is not None and not slow >= 0:
            raise ConfigError(f"SLOW_REQUEST_SECONDS: got {slow!r}; expected seconds, 0 or above, or None")
        self._timing = timing
        self._slow = slow
        self._clock = clock
        self._current: ContextVar[Profile | None] = ContextVar("torngas_observe_profile", default=None)
        self.innermost = _Innermost(clock)

    @property
    def current(self) -> Profile | None:
        """The profile of the request at hand; None outside of one."""
        return self._current.get()

    def process_request(self, handler: RequestHandler, clear: Any) -> None:
        """Starts the clock."""
        profile = Profile()
        self._current.set(profile)
        handler.request._torngas_profile = profile, self._clock()  # type: ignore[attr-defined]

    def process_response(self, handler: RequestHandler, clear: Any, chunk: list[bytes]) -> None:
        """Sets the header, if it can still be sent."""
        if self._timing and not handler._headers_written and handler.get_status() != 101:
            found = getattr(handler.request, "_torngas_profile", None)
            if found is not None:
                profile, began = found
                handler.set_header("Server-Timing", _header(profile, began, self._clock()))

    def process_endcall(self, handler: RequestHandler, clear: Any) -> None:
        """Logs the request, if it was slow."""
        request: Any = handler.request
        found = request.__dict__.pop("_torngas_profile", None)
        if found is not None and self._slow is not None and handler.get_status() != 101:
            profile, began = found
            seconds = self._clock() - began
            if seconds >= self._slow:
                logger.warning("slow request: %s", _described(handler, profile, seconds))

    def ended(self, work: Work) -> None:
        """Adds a cache call, a query or a template to the request that caused it."""
        profile = self._current.get()
        if profile is not None:
            profile.add(work)


class _Innermost:
    """Marks where the other middlewares' hooks end and the handler begins, and the other way round."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    def process_request(self, handler: RequestHandler, clear: Any) -> None:
        """The last one before the handler."""
        found = getattr(handler.request, "_torngas_profile", None)
        if found is not None:
            found[0].entered = self._clock()

    def process_response(self, handler: RequestHandler, clear: Any, chunk: list[bytes]) -> None:
        """The first one after it."""
        found = getattr(handler.request, "_torngas_profile", None)
        if found is not None:
            found[0].answered = self._clock()


def _header(profile: Profile, began: float, now: float) -> str:
    entered = now if profile.entered is None else profile.entered
    answered = max(entered, now if profile.answered is None else profile.answered)
    handler = answered - entered
    parts = [_entry("middleware", now - began - handler), _entry("handler", handler)]
    for kind in KINDS:
        seconds, count = profile.shares.get(kind, (0.0, 0))
        parts.append(_entry(kind, seconds) + (f';desc="{count}"' if count else ""))
    return ", ".join([*parts, _entry("total", now - began)])


def _entry(name: str, seconds: float) -> str:
    return f"{name};dur={seconds * 1000:.3f}"


def _described(handler: RequestHandler, profile: Profile, seconds: float) -> str:
    request = handler.request
    shares = [f"{kind} {seconds * 1000:.1f} ms in {count}" for kind, (seconds, count) in profile.shares.items()]
    slowest = sorted(profile.statements, key=lambda one: one[0], reverse=True)
    statements = [f"{seconds * 1000:.1f} ms {text}" for seconds, text in slowest[:SHOWN_STATEMENTS]]
    if more := profile.shares.get("query", (0.0, 0))[1] - len(statements):
        statements.append(f"and {more} more")
    line = f"{request.method} {request.path} {handler.get_status()} {seconds * 1000:.1f} ms"
    return " | ".join([f"{line} ({'; '.join(shares)})" if shares else line, *statements])
