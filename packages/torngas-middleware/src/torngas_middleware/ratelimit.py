"""A limit to how often one client may ask.

    Application(handlers, middlewares=[RateLimitMiddleware(rate=5, burst=20)])

Each client has a bucket that holds `burst` tokens and refills by `rate` tokens a second; a request takes one.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable

from tornado.web import RequestHandler

from ._buckets import BucketStore, MemoryBuckets, bucket_store
from ._responses import refuse
from .protocols import Clear

__all__ = ["BucketStore", "MemoryBuckets", "RateLimitMiddleware"]

logger = logging.getLogger("torngas_middleware")


def _address(handler: RequestHandler) -> str | None:
    return handler.request.remote_ip


class RateLimitMiddleware:
    """Answers 429 with `Retry-After` to who has no token left.

    Args:
        rate: Tokens per second that come back; above 0.
        burst: How many fit in the bucket: requests that may come at once; 1 or more.
        key: Tells whose bucket it is; None lets the request pass. The default is the client's address as the server
            sees it: behind a proxy, have the server trust its headers first.
        store: Keeps the buckets: anything with `take` (see `BucketStore`), or a cache with `add` and `incr` (or `aadd`
            and `aincr`). None is a `MemoryBuckets` of this process.
        fail_open: What happens when the store fails: False answers 503, True lets the request pass. Both are logged.
    """

    def __init__(
        self,
        *,
        rate: float,
        burst: int,
        key: Callable[[RequestHandler], str | None] = _address,
        store: object | None = None,
        fail_open: bool = False,
    ) -> None:
        if not rate > 0 or not burst >= 1:
            raise ValueError(
                f"RateLimitMiddleware: got rate={rate!r}, burst={burst!r}; "
                "expected tokens per second above 0 and a burst of 1 or more"
            )
        self._rate = rate
        self._burst = burst
        self._key = key
        self._store: BucketStore = bucket_store(MemoryBuckets() if store is None else store)
        self._fail_open = fail_open

    def process_request(self, handler: RequestHandler, clear: Clear) -> Awaitable[bool] | bool:
        """Takes a token, or finishes the response; async only if the store is."""
        key = self._key(handler)
        if key is None:
            return False
        try:
            wait = self._store.take(f"ratelimit:{key}", self._burst, self._rate)
        except Exception:
            logger.exception("The rate limit's store failed")
            return self._failed(handler)
        return self._decide(handler, wait) if isinstance(wait, int | float) else self._decide_later(handler, wait)

    async def _decide_later(self, handler: RequestHandler, waiting: Awaitable[float]) -> bool:
        try:
            wait = await waiting
        except Exception:
            logger.exception("The rate limit's store failed")
            return self._failed(handler)
        return self._decide(handler, wait)

    def _decide(self, handler: RequestHandler, wait: float) -> bool:
        return wait > 0 and refuse(handler, 429, {"Retry-After": str(math.ceil(wait))})

    def _failed(self, handler: RequestHandler) -> bool:
        return not self._fail_open and refuse(handler, 503, {"Retry-After": "1"})
