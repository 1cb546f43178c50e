"""Which errors of redis-py say that the server cannot serve, and what they are called here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from torngas_cache._redis.driver import driver
from torngas_cache.breaker import CacheTimeout, CacheUnavailable, CircuitBreaker

__all__ = ["Outages", "outages", "refusal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outages:
    """Exception types of redis-py by what they mean for a caller.

    Args:
        down: The server, or the way to it, does not work now; counted by the breaker.
        lost: The connection broke; the server may be well.
        timeouts: It did not answer in time.
        refused: An error reply: the server is well.
        denied: A wrong password or missing right, which redis-py calls a connection error. No outage: waiting does
            not help, and a policy of carrying on without the cache would hide it for ever.
        exhausted: The pool's own limit is reached. An error to the caller, but the server is well.
        unknown_script: The server does not have the script.
        moved: The cluster has put the slot elsewhere.
    """

    down: tuple[type[Exception], ...]
    lost: type[Exception]
    timeouts: tuple[type[Exception], ...]
    refused: type[Exception]
    denied: tuple[type[Exception], ...]
    exhausted: tuple[type[Exception], ...]
    unknown_script: type[Exception]
    moved: tuple[type[Exception], ...]


@cache
def outages() -> Outages:
    """Answers the types; loads redis-py."""
    errors: Any = driver().exceptions
    return Outages(
        down=(
            errors.ConnectionError,
            errors.TimeoutError,
            errors.RedisClusterException,
            errors.ClusterDownError,
            errors.MasterDownError,
            errors.ReadOnlyError,
            errors.TryAgainError,
            OSError,
        ),
        lost=errors.ConnectionError,
        timeouts=(errors.TimeoutError, TimeoutError),
        refused=errors.ResponseError,
        denied=(errors.AuthenticationError, errors.AuthorizationError),
        exhausted=(errors.MaxConnectionsError,),
        unknown_script=errors.NoScriptError,
        moved=(errors.MovedError, errors.AskError, errors.TryAgainError, errors.ClusterDownError),
    )


def refusal(name: str, breaker: CircuitBreaker) -> CacheUnavailable:
    """The error of a caller whom the breaker turned away."""
    return CacheUnavailable(
        f"redis at {name}: not asked, it failed a moment ago; the next try is in {breaker.remaining:.1f} s. "
        "Look at the log for the failure, or set on_outage='miss' to go on without the cache."
    )


def failure(name: str, error: Exception) -> CacheUnavailable:
    """Our error for the driver's; raise it `from` that."""
    kind = CacheTimeout if isinstance(error, outages().timeouts) else CacheUnavailable
    return kind(f"redis at {name}: {type(error).__name__}: {error}")
