"""A circuit breaker: how often a server that does not answer may cost a caller its timeout.

It counts failures and tells whether to try; it does no I/O, starts no thread and never sleeps. After `failures`
failures in a row it is *open* for `window` seconds, and callers are turned away without touching the network. Then
it is *half open*: one caller is let through as the probe, the others stay turned away until the probe has
succeeded (closed again) or failed (open for another window). A probe that never reports, because its task was
cancelled or its thread died, counts as failed when a window has passed: no state of it is for ever.

    >>> now = 100.0
    >>> breaker = CircuitBreaker(window=5.0, clock=lambda: now)
    >>> breaker.failed()
    >>> breaker.allows()
    False
    >>> now = 105.0
    >>> breaker.allows(), breaker.allows()
    (True, False)
    >>> breaker.succeeded()
    >>> breaker.allows()
    True
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from torngas_cache.errors import CacheError

__all__ = ["CacheTimeout", "CacheUnavailable", "CircuitBreaker"]


class CacheUnavailable(CacheError, ConnectionError):
    """The server cannot be reached; without a cause, the circuit breaker says so and nobody asked it."""


class CacheTimeout(CacheUnavailable, TimeoutError):
    """The server accepted the connection and did not answer in time: nobody knows whether it ran the command."""


class CircuitBreaker:
    """Turns callers away while a server is known to be down.

    Args:
        window: Seconds for which it stays open after a failure, default 5. 0: it never opens.
        failures: Failures in a row that open it, default 1. An open breaker needs one success to close.
        clock: Monotonic seconds; a test passes its own.

    Safe for threads and for coroutines of several loops; while closed, no lock is taken.

    Raises:
        ValueError: a negative window, or less than one failure.
    """

    __slots__ = ("_clock", "_failures", "_limit", "_lock", "_open_until", "_window")

    def __init__(self, window: float = 5.0, failures: int = 1, *, clock: Callable[[], float] = time.monotonic) -> None:
        if window < 0 or failures < 1:
            raise ValueError(
                f"CircuitBreaker: got window={window!r}, failures={failures!r}; "
                "expected seconds from 0 and a count from 1, e.g. window=5.0, failures=1."
            )
        self._window = window
        self._limit = failures
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether callers but a probe are turned away. Asking never makes the caller the probe."""
        return self._open_until is not None

    @property
    def remaining(self) -> float:
        """Seconds until the next probe is let through; 0 when closed or due."""
        until = self._open_until
        return 0.0 if until is None else max(0.0, until - self._clock())

    def after_fork(self) -> None:
        """For a forked child: the state stays, a lock that some thread of the parent held does not."""
        self._lock = threading.Lock()

    def allows(self) -> bool:
        """Answers whether the caller may try; it must then report `succeeded` or `failed`.

        Of all callers that ask after the window has passed one gets True: the probe.
        """
        if not self.is_open:
            return True
        with self._lock:
            now, until = self._clock(), self._open_until
            if until is None:
                return True
            if now < until:
                return False
            # The probe holds the breaker for a window; if it never reports, the next one comes after that.
            self._open_until = now + self._window
            return True

    def failed(self) -> None:
        """Reports a failure, also one that is hidden from the caller's user."""
        with self._lock:
            self._failures += 1
            if self._window and self._failures >= self._limit:
                self._open_until = self._clock() + self._window

    def succeeded(self) -> None:
        """Reports an answer of the server: closes the breaker and forgets the failures."""
        if self._failures or self._open_until is not None:
            with self._lock:
                self._failures = 0
                self._open_until = None
