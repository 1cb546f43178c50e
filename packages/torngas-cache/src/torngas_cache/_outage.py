"""What a remote backend does while its server does not answer: the policy of one alias."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeVar

from torngas_cache.breaker import CacheUnavailable, CircuitBreaker
from torngas_cache.errors import CacheConfigError

__all__ = ["OutagePolicy"]

T = TypeVar("T")

_log = logging.getLogger("torngas_cache")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutagePolicy:
    """How an alias behaves in an outage.

    Args:
        misses: Whether calls behave as with an empty cache; otherwise they raise `CacheUnavailable`. Locks always
            raise: who goes on without the lock that he asked for breaks what it protects.
        window: Seconds for which a server that failed is not asked, 5; 0: it is asked every time.
        failures: Failures in a row after which it is not asked, 1.
        clock: Monotonic seconds for the breakers.
    """

    misses: bool = False
    window: float = 5.0
    failures: int = 1
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def take(cls, options: MutableMapping[str, Any], clock: Callable[[], float]) -> OutagePolicy:
        """Takes ON_OUTAGE, BREAKER_WINDOW and BREAKER_FAILURES out of the options, upper or lower case.

        Raises:
            CacheConfigError: a value that cannot work.
        """
        policy = _pop(options, "ON_OUTAGE", "raise")
        if policy not in ("raise", "miss"):
            raise CacheConfigError(f"ON_OUTAGE: got {policy!r}; expected 'raise' or 'miss'.")
        window, failures = _pop(options, "BREAKER_WINDOW", 5.0), _pop(options, "BREAKER_FAILURES", 1)
        # The cache's clock is the wall's by default, which may be set back; a breaker would stay open that long.
        made = cls(
            misses=policy == "miss",
            window=window,
            failures=failures,
            clock=time.monotonic if clock is time.time else clock,
        )
        try:
            made.breaker()
        except (TypeError, ValueError) as error:
            raise CacheConfigError(f"BREAKER_WINDOW, BREAKER_FAILURES: {error}") from error
        return made

    def breaker(self) -> CircuitBreaker:
        """A closed breaker for one server."""
        return CircuitBreaker(self.window, self.failures, clock=self.clock)

    def answer(self, error: CacheUnavailable, value: T) -> T:
        """Answers `value`, what an empty cache would, or raises the error, as the policy says."""
        if not self.misses:
            raise error
        if error.__cause__ is not None:
            # A caller whom the breaker turned away has no cause: one line per failure, not one per call.
            _log.warning("going on without the cache: %s", error)
        return value


def _pop(options: MutableMapping[str, Any], name: str, default: Any) -> Any:
    return options.pop(name, options.pop(name.lower(), default))
