"""A limit of requests for chosen routes.

install(application, routes={"^/login": [RateLimitModule(5, per=60)]})
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from tornado.web import RequestHandler

from ..base import BaseHttpModule, Clear
from ..errors import ModuleConfigError

__all__ = ["RateLimitModule"]


class RateLimitModule(BaseHttpModule):
    """Answers 429 with Retry-After to whoever asks too often: a token bucket for each, in this process.

    Args:
        limit: Requests in `per` seconds; also how many may come at once.
        per: Seconds.
        key: Who asks; the default is `request.remote_ip`.
        max_keys: How many are remembered; beyond that the one that was quiet for the longest is forgotten.
        clock: Seconds, monotonic.

    For one event loop. Several processes count for themselves: a limit over all of them needs a shared store.
    """

    def __init__(
        self,
        limit: int,
        *,
        per: float = 60.0,
        key: Callable[[RequestHandler], str | None] = lambda handler: handler.request.remote_ip,
        max_keys: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if limit < 1 or per <= 0 or max_keys < 1:
            raise ModuleConfigError(
                f"RateLimitModule: got limit={limit!r}, per={per!r}, max_keys={max_keys!r}; expected numbers above 0"
            )
        self._limit = limit
        self._rate = limit / per
        self._key = key
        self._max_keys = max_keys
        self._clock = clock
        self._buckets: OrderedDict[str | None, tuple[float, float]] = OrderedDict()

    def begin_request(self, handler: RequestHandler, clear: Clear) -> bool:
        """Takes a token, or refuses."""
        wait = self._take(self._key(handler))
        if wait <= 0:
            return False
        handler.set_status(429)
        handler.set_header("Retry-After", str(math.ceil(wait)))
        handler.finish()
        return True

    def _take(self, key: str | None) -> float:
        """Takes a token; answers the seconds until there is one, 0 if there was."""
        now = self._clock()
        tokens, since = self._buckets.pop(key, (float(self._limit), now))
        tokens = min(self._limit, tokens + (now - since) * self._rate)
        allowed = tokens >= 1
        self._buckets[key] = (tokens - allowed, now)
        if len(self._buckets) > self._max_keys:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) / self._rate
