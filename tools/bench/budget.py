"""How long a run may still take: a deadline that the runner hands to each script, and the script to its parts.

Without a deadline everything is unlimited. With one, whoever repeats something asks `left()` before, and takes fewer or
shorter rounds; never fewer than one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["left", "limit", "part"]

_deadlines: list[float] = []


def limit(seconds: float | None) -> None:
    """Allows the process so many more seconds; None, any number."""
    _deadlines[:] = [] if seconds is None else [time.monotonic() + seconds]


def left() -> float:
    """Seconds until the deadline, at least 0; infinity where there is none."""
    return max(0.0, _deadlines[-1] - time.monotonic()) if _deadlines else float("inf")


@contextmanager
def part(fraction: float) -> Iterator[None]:
    """Inside, only this fraction of what is left may be used."""
    if not _deadlines:
        yield
        return
    _deadlines.append(time.monotonic() + left() * fraction)
    try:
        yield
    finally:
        _deadlines.pop()
