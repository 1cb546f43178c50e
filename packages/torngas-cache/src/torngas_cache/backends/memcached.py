"""memcached: one server or several, each key on one of them.

    CACHES = {
        "default": {
            "BACKEND": "torngas_cache.backends.memcached.MemcachedCache",
            "LOCATION": "127.0.0.1:11211;127.0.0.1:11212",
            "OPTIONS": {"timeout": 2, "connect_timeout": 2},
        }
    }

`LOCATION`: `host:port`, or the path of a unix socket, one or several. Keys follow memcached's rules here: more than 250
bytes, a space or a control character raise `InvalidCacheKey`. memcached counts time in seconds, so lifetimes are
rounded up, and has no negative counters: `decr` stops at 0.

pymemcache is loaded when the backend is made. Its calls block; coroutines run them in threads.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, ClassVar

from torngas_cache._codec import Payload
from torngas_cache._keymaking import DEFAULT_TIMEOUT, Timeout
from torngas_cache._keys import belongs_to, default_key_func
from torngas_cache._memcached.expiry import expiry
from torngas_cache._memcached.listing import listed_keys
from torngas_cache._outage import OutagePolicy
from torngas_cache._params import split_locations
from torngas_cache.backends.records import RecordCache
from torngas_cache.breaker import CacheTimeout, CacheUnavailable
from torngas_cache.errors import CacheConfigError, InvalidCacheBackendError, MissingExtraError

__all__ = ["MemcachedCache", "PyLibMCCache"]

DEFAULT_LOCATION = "127.0.0.1:11211"

_REPEATABLE = frozenset({"delete", "get", "get_many", "gets", "raw", "set", "set_many", "touch"})


class MemcachedCache(RecordCache):
    """A cache on memcached servers, by pymemcache.

    Args:
        location: One or several servers.
        params: The configuration of the alias. OPTIONS takes ON_OUTAGE ("raise" or "miss"), BREAKER_WINDOW (seconds for
            which a server that failed is left out, 5) and BREAKER_FAILURES; all other names go to pymemcache's
            `HashClient`: by default both timeouts are 2 s and connections are pooled. `dead_timeout` is another name of
            BREAKER_WINDOW.

    The keys of a server that fails go to the others until it answers again; when none is left, ON_OUTAGE decides.
    `add`, `incr` and `cas` are the server's own and atomic. Safe for threads and forks.

    Raises:
        CacheConfigError: a wrong option; it is named.
        MissingExtraError: pymemcache is not installed.
    """

    blocking: ClassVar[bool] = True
    knows_outages: ClassVar[bool] = True
    shared: ClassVar[bool] = True
    strict_keys: ClassVar[bool] = True

    def __init__(self, location: Any = DEFAULT_LOCATION, params: Mapping[str, Any] | None = None) -> None:
        super().__init__(params)
        if "dead_timeout" in self._options:
            self._options.setdefault("BREAKER_WINDOW", self._options.pop("dead_timeout"))
        self._policy = OutagePolicy.take(self._options, self._clock)
        self._servers = [_server(text) for text in split_locations(location or DEFAULT_LOCATION)]
        if not self._servers:
            raise CacheConfigError("MemcachedCache LOCATION: got nothing; expected at least one 'host:port'.")
        self._module = self._loaded()
        self._made_ring: tuple[int, Any] | None = None
        self._ring_options = _client_options(self._options)

    @staticmethod
    def _loaded() -> Any:
        return _module("ring", "MemcachedCache needs pymemcache: pip install 'torngas-cache[memcached]'")

    @property
    def client(self) -> Any:
        """The `HashClient` of this process; made on first use, it connects with the first command."""
        pid = os.getpid()
        made = self._made_ring
        if made is None or made[0] != pid:
            # A forked process must not talk on its parent's sockets: both would read each other's answers.
            made = self._made_ring = (pid, self._module.Ring(self._servers, self._policy.breaker, **self._ring_options))
        return made[1]

    def close(self, **_: Any) -> None:
        """Closes the connections; the next call connects again. May be called twice."""
        made, self._made_ring = self._made_ring, None
        if made is not None and made[0] == os.getpid():
            made[1].close()

    async def aclose(self, **_: Any) -> None:
        """As `close`, which does not wait for anything."""
        self.close()

    def get_backend_timeout(self, timeout: Timeout = DEFAULT_TIMEOUT) -> int:
        """What memcached is told: 0 never expires, -1 is expired at once, above 30 days a moment, else seconds."""
        seconds = self._seconds(timeout)
        return -1 if seconds is not None and seconds <= 0 else expiry(seconds)

    def _call(self, name: str, key: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls the client; a connection that broke is tried once more, on another server if this one left the ring."""
        gone = self._module.GONE
        try:
            try:
                return getattr(self.client, name)(key, *args, **kwargs)
            except gone:
                if name not in _REPEATABLE:
                    raise
                return getattr(self.client, name)(key, *args, **kwargs)
        except gone as error:
            kind = CacheTimeout if isinstance(error, TimeoutError) else CacheUnavailable
            raise kind(f"memcached: {type(error).__name__}: {error}") from error
        except self._module.MemcacheError as error:
            if not self._module.is_all_down(error):
                raise
            cause = error.__context__ if isinstance(error.__context__, gone) else None
            raise CacheUnavailable(
                "memcached: no server answers. Look at the log for the failure, or set on_outage='miss' to go on "
                "without the cache."
            ) from cause

    def _read(self, key: str) -> Payload | None:
        try:
            return self._call("get", key)  # type: ignore[no-any-return]  # pymemcache answers Any
        except CacheUnavailable as error:
            return self._policy.answer(error, None)

    def _write(self, key: str, payload: Payload, seconds: float | None) -> None:
        try:
            try:
                self._call("set", key, payload, expire=expiry(seconds))
            except self._module.MemcacheError:
                # Too large, or no memory left: what was there before must not be taken for the new value.
                self._call("delete", key)
                raise
        except CacheUnavailable as error:
            self._policy.answer(error, None)

    def _insert(self, key: str, payload: Payload, seconds: float | None) -> bool:
        try:
            return self._claim_lock(key, payload, seconds)
        except CacheUnavailable as error:
            return self._policy.answer(error, False)

    def _remove(self, key: str) -> bool:
        try:
            return bool(self._call("delete", key))
        except CacheUnavailable as error:
            return self._policy.answer(error, False)

    def _expire(self, key: str, seconds: float | None) -> bool:
        try:
            return bool(self._call("touch", key, expire=expiry(seconds)))
        except CacheUnavailable as error:
            return self._policy.answer(error, False)

    def _remaining(self, key: str) -> float | None:
        try:
            return _time_to_live(self._call("raw", key, b"mg %s t" % key.encode()))
        except CacheUnavailable as error:
            return self._policy.answer(error, 0.0)

    def _increment(self, key: str, delta: int) -> int | None:
        name, amount = ("incr", delta) if delta >= 0 else ("decr", -delta)
        try:
            return self._call(name, key, amount)  # type: ignore[no-any-return]  # as in _read
        except CacheUnavailable as error:
            return self._policy.answer(error, None)
        except self._module.MemcacheClientError as error:
            return self._add_below_zero(key, delta, error)

    def _add_below_zero(self, key: str, delta: int, error: Exception) -> int | None:
        """memcached counts from 0; a negative integer that was stored is replaced by compare-and-swap."""
        while True:
            payload, token = self._read_token(key)
            if payload is None:
                return None
            try:
                total = int(payload) + delta
            except ValueError:
                raise TypeError(f"incr: got the key {key!r} whose value memcached cannot count with.") from error
            if self._swap(key, total, token, self._remaining(key)):
                return total

    def _read_token(self, key: str) -> tuple[Payload | None, Any]:
        try:
            payload, token = self._call("gets", key)
        except CacheUnavailable as error:
            payload, token = self._policy.answer(error, (None, None))
        return payload, token

    def _swap(self, key: str, payload: Payload, token: Any, seconds: float | None) -> bool:
        try:
            if seconds is not None and seconds <= 0:
                return bool(self._call("raw", key, b"md %s C%d" % (key.encode(), int(token))) == b"HD")
            return bool(self._call("cas", key, payload, token, expire=expiry(seconds)))
        except CacheUnavailable as error:
            return self._policy.answer(error, False)

    def _read_many(self, keys: Sequence[str]) -> dict[str, Payload]:
        try:
            return self._call("get_many", keys)  # type: ignore[no-any-return]  # as in _read
        except CacheUnavailable as error:
            return self._policy.answer(error, {})

    def _write_many(self, payloads: Mapping[str, Payload], seconds: float | None) -> list[str]:
        try:
            return list(self._call("set_many", payloads, expire=expiry(seconds)))
        except CacheUnavailable as error:
            return self._policy.answer(error, list(payloads))

    def _remove_many(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._remove(key)

    def _claim_lock(self, key: str, payload: Payload, seconds: float | None) -> bool:
        """Raises in an outage under every policy: a lock that nobody holds is worse than an error."""
        return bool(self._call("add", key, payload, expire=expiry(seconds)))

    def _claim_lease(self, key: str, payload: Payload, seconds: float | None) -> bool:
        """In an outage that counts as a miss everybody computes: there is nobody whose result could be waited for."""
        try:
            return self._claim_lock(key, payload, seconds)
        except CacheUnavailable as error:
            return self._policy.answer(error, True)

    def _wipe(self, everything: bool) -> None:
        if not everything and self.key_func is not default_key_func:
            raise InvalidCacheBackendError(
                "clear: got a KEY_FUNCTION, so that this cache's entries cannot be told from others; expected the "
                "default one. clear(all=True) empties the servers."
            )
        try:
            for client in self.client.live():
                self._wipe_one(client, everything)
        except self._module.GONE as error:
            self._policy.answer(CacheUnavailable(f"memcached: {type(error).__name__}: {error}"), None)

    def _wipe_one(self, client: Any, everything: bool) -> None:
        """Lists the keys of a server, which does not hold it up, and removes this cache's."""
        if everything:
            client.flush_all()
            return
        for key in list(listed_keys(client.server, client.timeout, client.tls_context)):
            if belongs_to(key.decode(errors="replace"), self.key_prefix):
                client.delete(key)


class PyLibMCCache(MemcachedCache):
    """The same cache over pylibmc, for those who have libmemcached and its placement of keys.

    Args:
        location: As for `MemcachedCache`.
        params: As for `MemcachedCache`; the options of the client are pylibmc's: `behaviors`, `binary`, `username`,
            `password`.

    Raises:
        MissingExtraError: pylibmc is not installed.
    """

    @staticmethod
    def _loaded() -> Any:
        return _module("pylibmc_ring", "PyLibMCCache needs pylibmc: pip install pylibmc")


def _server(text: str) -> tuple[str, int] | str:
    """A location as pymemcache wants it.

    Raises:
        CacheConfigError: no port.
    """
    path = text.removeprefix("unix:")
    if path.startswith("/"):
        return path
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise CacheConfigError(
            f"MemcachedCache LOCATION: got {text!r} (no port); expected 'host:port' or a socket path, "
            "e.g. '127.0.0.1:11211'."
        )
    return host.strip("[]"), int(port)


def _client_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of `HashClient`, with defaults that suit a cache that several threads share."""
    return {
        "timeout": 2.0,
        "connect_timeout": 2.0,
        "no_delay": True,
        "allow_unicode_keys": True,
        "default_noreply": False,
        **options,
    }


def _module(name: str, remedy: str) -> Any:
    try:
        return import_module(f"torngas_cache._memcached.{name}")
    except ModuleNotFoundError as error:
        raise MissingExtraError(remedy) from error


def _time_to_live(answer: bytes) -> float | None:
    """The reply to `mg … t`: `HD t300`, `HD t-1` (never expires), or `EN` (absent)."""
    if not answer.startswith(b"HD t"):
        return 0.0
    seconds = int(answer[4:])
    return None if seconds == -1 else float(max(seconds, 1))
