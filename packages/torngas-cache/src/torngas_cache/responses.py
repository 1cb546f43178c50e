"""`cache_response`: remembers what a Tornado handler's method answered.

    class Page(RequestHandler):
        @cache_response(60, vary=["Accept-Language"])
        async def get(self, name):
            self.write(await render(name))

Only complete answers of status 200 to GET and HEAD are kept. A request with `Authorization` is neither answered from
the cache nor kept. Not kept either: the answer of a handler that looked at `current_user` and found somebody; one that
sets a cookie, says `Cache-Control: private`, `no-store` or `no-cache`, or varies by a header that is not in `vary`; one
that was flushed in parts.
The answer has an ETag, so that Tornado replies 304 to those who have it; `Cache-Control: max-age` with the remaining
time (unless the handler said otherwise), `Age`, and `Vary`. Tornado itself is not imported: any handler that has its
methods will do.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from torngas_cache._keymaking import DEFAULT_TIMEOUT, Timeout
from torngas_cache._keys import digest
from torngas_cache.backends.base import BaseCache
from torngas_cache.handler import DEFAULT_CACHE_ALIAS, caches

__all__ = ["cache_response"]

_UNSTORED = {"age", "connection", "content-length", "date", "server", "set-cookie", "transfer-encoding"}


def cache_response(
    timeout: Timeout = DEFAULT_TIMEOUT,
    *,
    vary: Iterable[str] = (),
    key: Callable[[Any], str] | None = None,
    alias: str = DEFAULT_CACHE_ALIAS,
    cache: BaseCache | None = None,
    authorized: bool = False,
    cookies: bool = False,
    stale_while_revalidate: float = 0.0,
    stale_if_error: float = 0.0,
    tags: Iterable[str] = (),
) -> Callable[[Callable[..., Any]], Callable[..., Awaitable[None]]]:
    """Decorates `get` or `head`; the method becomes a coroutine. One request at a time computes a missing answer.

    Args:
        timeout: Lifetime of an answer in seconds; None: for ever.
        vary: Names of request headers on which the answer depends.
        key: Called with the handler; what it returns takes the place of host and URI in the key.
        alias: The cache of `caches` to use.
        cache: The cache to use, instead of an alias.
        authorized: Keeps answers to authorized requests too. Whoever sends the same URI and `vary` headers is given
            them: name the header that tells users apart in `vary`.
        cookies: Keeps answers that set a cookie, without the cookie.
        stale_while_revalidate: See `BaseCache.get_or_set`, as for the rest.
    """
    if isinstance(vary, str):
        raise TypeError(f"cache_response: got vary={vary!r}; expected a list of header names, e.g. [{vary!r}].")
    policy: dict[str, Any] = {
        "stale_while_revalidate": stale_while_revalidate,
        "stale_if_error": stale_if_error,
        "tags": tuple(tags),
    }
    rules = _Rules(tuple(sorted({name.title() for name in vary})), key, authorized, cookies)

    def decorate(method: Callable[..., Any]) -> Callable[..., Awaitable[None]]:
        @functools.wraps(method)
        async def answer(handler: Any, *args: Any, **kwargs: Any) -> None:
            request = functools.partial(_call, method, handler, args, kwargs)
            if not rules.concern(handler.request):
                await request()
                return
            store = caches[alias] if cache is None else cache
            exchange = _Exchange(handler, request, rules, store, timeout)
            try:
                stored = await store.aget_or_set(rules.key_of(handler), exchange.compute, timeout, **policy)
            except _NotKept:
                if not exchange.computed:
                    await request()
                return
            if not exchange.computed:
                exchange.replay(stored)

        return answer

    return decorate


async def _call(method: Callable[..., Any], handler: Any, args: Any, kwargs: Any) -> None:
    result = method(handler, *args, **kwargs)
    if isawaitable(result):
        await result


class _NotKept(Exception):  # never seen by a user
    """The answer is for this request only."""


@dataclass(frozen=True, slots=True)
class _Rules:
    """Which answers may be kept, and under which key."""

    vary: tuple[str, ...]
    key: Callable[[Any], str] | None
    authorized: bool
    cookies: bool

    def concern(self, request: Any) -> bool:
        return request.method in ("GET", "HEAD") and (self.authorized or "Authorization" not in request.headers)

    def key_of(self, handler: Any) -> str:
        request = handler.request
        where = f"{request.protocol}://{request.host}{request.uri}" if self.key is None else self.key(handler)
        parts = [request.method, str(where), *(f"{name}={request.headers.get_list(name)}" for name in self.vary)]
        return "response:" + digest("\n".join(parts))

    def allow(self, handler: Any) -> bool:
        """Whether the answer of the handler may be kept."""
        headers = handler._headers
        if handler.get_status() != 200 or handler._headers_written:
            return False
        if not self.authorized and getattr(handler, "_current_user", None):
            return False
        if not self.cookies and ("Set-Cookie" in headers or getattr(handler, "_new_cookie", None)):
            return False
        if _tokens(headers, "Cache-Control") & {"private", "no-store", "no-cache"}:
            return False
        return _tokens(headers, "Vary") <= {name.lower() for name in self.vary}


def _tokens(headers: Any, name: str) -> set[str]:
    listed = ",".join(headers.get_list(name)).split(",")
    return {token.partition("=")[0].strip().lower() for token in listed} - {""}


class _Exchange:
    """One request that is answered from the cache, or whose answer is kept."""

    def __init__(
        self, handler: Any, request: Callable[[], Awaitable[None]], rules: _Rules, store: BaseCache, timeout: Timeout
    ) -> None:
        self._handler, self._request, self._rules = handler, request, rules
        self._lifetime = store.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        self._finish = handler.finish
        self._kept: dict[str, Any] | None = None
        self.computed = False
        self._failed = False

    async def compute(self) -> dict[str, Any]:
        """Runs the method, answers, and returns what there is to keep."""
        self.computed = True
        handler = self._handler
        handler.finish = self._finish_and_keep
        try:
            await self._request()
            if not handler._finished:
                await self._sent(handler.finish())
        except Exception:
            self.computed, self._failed = handler._finished, True
            raise
        finally:
            del handler.finish
        if self._kept is None:
            raise _NotKept
        return self._kept

    def _finish_and_keep(self, chunk: Any = None) -> Any:
        """In the place of the handler's own `finish`, for this one request: what is written so far is the answer."""
        if chunk is not None:
            self._handler.write(chunk)
        if self._rules.allow(self._handler):
            self._complete()
        return self._finish()

    async def _sent(self, sent: Any) -> None:
        if isawaitable(sent):
            # Not awaited itself: that the client has left is no reason not to keep the answer.
            await asyncio.wait([asyncio.ensure_future(sent)])

    def _complete(self) -> None:
        handler = self._handler
        for name in self._rules.vary:
            if name.lower() not in _tokens(handler._headers, "Vary"):
                handler.add_header("Vary", name)
        headers = [pair for pair in handler._headers.get_all() if pair[0].lower() not in _UNSTORED]
        if "Etag" not in handler._headers and (etag := handler.compute_etag()) is not None:
            headers.append(("Etag", etag))  # not set here: Tornado compares only those that it sets itself
        self._kept = {"headers": headers, "body": b"".join(handler._write_buffer), "at": time.time()}
        self._say_age(0)

    def replay(self, kept: dict[str, Any]) -> None:
        """Answers as it was answered before."""
        handler = self._handler
        if self._failed:  # what the method wrote before it failed
            handler.clear()
        for name in {name for name, _ in kept["headers"]}:
            handler.clear_header(name)
        for name, value in kept["headers"]:
            handler.add_header(name, value)
        age = max(0, int(time.time() - kept["at"]))
        handler.set_header("Age", str(age))
        self._say_age(age)
        if handler.check_etag_header():
            handler.set_status(304)
        else:
            handler.write(kept["body"])

    def _say_age(self, age: int) -> None:
        if "Cache-Control" not in self._handler._headers and isinstance(self._lifetime, int | float):
            self._handler.set_header("Cache-Control", f"max-age={max(0, int(self._lifetime) - age)}")
