"""What memcached takes as an expiration time."""

from __future__ import annotations

import math
import time

__all__ = ["FOREVER", "expiry"]

FOREVER = 0
_MONTH = 30 * 24 * 60 * 60


def expiry(seconds: float | None) -> int:
    """Whole seconds, rounded up; above 30 days the moment itself, since memcached reads larger numbers as moments."""
    if seconds is None:
        return FOREVER
    whole = math.ceil(seconds)
    # The server's clock ticks once a second, so that it may be one behind: the entry must not outlive its time by that.
    return whole if whole <= _MONTH else int(time.time() + seconds) - 1
