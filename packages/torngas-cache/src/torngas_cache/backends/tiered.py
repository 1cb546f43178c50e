"""A local level over a remote cache: what was read a moment ago is read from this process's memory.

    CACHES = {
        "default": {
            "BACKEND": "torngas_cache.backends.tiered.TieredCache",
            "LOCATION": "127.0.0.1:6379",
            "OPTIONS": {"DB": 0, "LOCAL": {"MAX_ENTRIES": 10_000}},
        }
    }

All writes go to the remote level; a copy is kept of what was read, for the remaining life of the entry. Changes by
other processes reach the local level over a connection to redis; while that connection is down the local level is
empty and unused, and every read goes to the remote one. Between a write elsewhere and its arrival here, commonly well
under a millisecond, the old value may still be read.
"""

from __future__ import annotations

import itertools
import logging
import weakref
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, ClassVar, cast

from torngas_cache._codec import Payload
from torngas_cache._keymaking import MISSING
from torngas_cache._keys import default_key_func, escape_prefix, internal_key
from torngas_cache._params import KeyFunction, check_seconds, refuse_unknown
from torngas_cache._redis.server import Server
from torngas_cache._steps import Step, Steps, arun, run
from torngas_cache._tiered.level import LocalLevel
from torngas_cache._tiered.listener import Listener
from torngas_cache._tiered.remote import RemoteLevel
from torngas_cache.backends.localcache import LocMemCache
from torngas_cache.backends.records import RecordCache
from torngas_cache.backends.rediscache import DEFAULT_LOCATION, RedisCache
from torngas_cache.breaker import CacheUnavailable
from torngas_cache.errors import CacheConfigError

__all__ = ["TieredCache"]

_log = logging.getLogger("torngas_cache")
_NAMES = ("INVALIDATION", "LOCAL", "LOCAL_TIMEOUT", "REMOTE")

# How long a copy lives at most where nobody tells of changes.
UNTOLD_SECONDS = 5.0
_names = itertools.count()


class TieredCache(RemoteLevel):
    """A local level over a remote cache.

    Args:
        location: The remote cache's.
        params: The configuration of the alias. OPTIONS takes
            REMOTE: the remote cache, as an alias is configured (`{"BACKEND": …, "LOCATION": …}`) or as an object; by
            default `RedisCache` at `location`, which gets all options that are not named here;
            LOCAL: options of the local level, as of `LocMemCache` (MAX_ENTRIES 10,000, CULL_FREQUENCY, MAX_BYTES);
            LOCAL_TIMEOUT: seconds that a copy lives at most; by default no longer than its entry, or 5 where changes
            are not told;
            INVALIDATION: "tracking" (the redis server tells; the default for one server or sentinels), "pubsub"
            (tiered caches tell each other; the default for a cluster) or None (nobody tells; the default for remote
            caches that are not redis).

    Entries with tags, and those kept beyond their end for stale reads, are always read from the remote level.
    """

    blocking: ClassVar[bool] = True
    knows_outages: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    def __init__(self, location: Any = DEFAULT_LOCATION, params: Mapping[str, Any] | None = None) -> None:
        super().__init__(params)
        options = self._options
        local = {"MAX_ENTRIES": 10_000, **dict(options.pop("LOCAL", None) or {})}
        limit = options.pop("LOCAL_TIMEOUT", None)
        given = options.pop("REMOTE", None)
        asked = options.pop("INVALIDATION", "")
        self._remote = _remote(given, location, params or {}, options)
        if isinstance(given, RecordCache):
            self._key_prefix, self._version, self._key_func = given.key_prefix, given.version, given.key_func
            self._codec = given._codec
        mode = _mode(asked, self._remote)
        if mode is None and limit is None:
            limit = UNTOLD_SECONDS
        self.strict_keys = self._remote.strict_keys  # type: ignore[misc]  # the remote's rules are this object's
        self._level = LocalLevel(
            LocMemCache(f"~tiered {next(_names)}", {"OPTIONS": local}),
            None if limit is None else check_seconds("TieredCache OPTIONS['LOCAL_TIMEOUT']", limit),
            live=mode is None,
        )
        self._local_get = self._level.local.get
        self._adopt()
        self._listener = self._listen(mode)

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        """The value, or `default`; from the local level if it has a copy."""
        if self._level.live and (value := self._local_get(key, MISSING, version)) is not MISSING:
            return value
        return run(self, self._fetch_steps((key,), version)).get(key, default)

    async def aget(self, key: Any, default: Any = None, version: Any = None) -> Any:
        """As `get`."""
        if self._level.live and (value := self._local_get(key, MISSING, version)) is not MISSING:
            return value
        return (await arun(self, self._fetch_steps((key,), version))).get(key, default)

    def get_many(self, keys: Iterable[Any], version: Any = None) -> dict[Any, Any]:
        """The values that are there; only those without a local copy are asked for."""
        keys = list(keys)
        found = self._level.local.get_many(keys, version) if self._level.live else {}
        rest = [key for key in keys if key not in found]
        return found | run(self, self._fetch_steps(rest, version)) if rest else found

    async def aget_many(self, keys: Iterable[Any], version: Any = None) -> dict[Any, Any]:
        """As `get_many`."""
        keys = list(keys)
        found = self._level.local.get_many(keys, version) if self._level.live else {}
        rest = [key for key in keys if key not in found]
        return found | await arun(self, self._fetch_steps(rest, version)) if rest else found

    def close(self, **_: Any) -> None:
        """Ends the connection for invalidations, empties the local level and closes the remote one."""
        if self._listener is not None:
            self._listener.stop()
        self._level.empty()
        self._remote.close()

    async def aclose(self, **_: Any) -> None:
        """As `close`, and what belongs to the running loop."""
        await self._remote.aclose()
        self.close()

    @property
    def key_prefix(self) -> str:
        """Stands in front of every key; assignable before the first use."""
        return self._key_prefix

    @key_prefix.setter
    def key_prefix(self, value: str) -> None:
        self._key_prefix, self._made = value, {}
        self._adopt()

    @property
    def version(self) -> Any:
        """The version of keys where a call names none; assignable."""
        return self._version

    @version.setter
    def version(self, value: Any) -> None:
        self._version, self._made = value, {}
        self._adopt()

    @property
    def key_func(self) -> KeyFunction:
        """`(key, key_prefix, version) -> storage key`; assignable before the first use."""
        return self._key_func

    @key_func.setter
    def key_func(self, value: KeyFunction) -> None:
        self._key_func, self._made = value, {}
        self._adopt()

    def _adopt(self) -> None:
        """Both levels make the same storage keys as this object."""
        for cache in (self._level.local, self._remote):
            cache.key_prefix, cache.version, cache.key_func = self._key_prefix, self._version, self._key_func

    def _fetch_steps(self, keys: Iterable[Any], version: Any) -> Steps[dict[Any, Any]]:
        """Reads from the remote level, and keeps copies of what may be kept."""
        if self._listener is not None:
            self._listener.start()
        names = {key: self.make_and_validate_key(key, version) for key in keys}
        tickets = {name: self._level.begin(name) for name in names.values()}
        found = {}
        try:
            lives = yield Step("read_lives", (list(tickets),))
            for key, name in names.items():
                if name in lives:
                    payload, seconds = lives[name]
                    value = yield from self._taken_in(name, payload, seconds, tickets[name])
                    if value is not MISSING:
                        found[key] = value
        finally:
            self._level.give_up(tickets)
        return found

    def _taken_in(self, name: str, payload: Payload, seconds: float | None, ticket: object | None) -> Steps[Any]:
        if self._is_framed(payload):
            return (yield from self._open_framed(payload, MISSING))
        value = self._open(payload, MISSING)
        if ticket is not None and value is not MISSING:
            self._level.keep(name, ticket, value, seconds)
        return value

    def _listen(self, mode: str | None) -> Listener | None:
        """The listener for the mode, not started; a cache that is dropped ends it."""
        if mode is None:
            return None
        server = cast("RedisCache", self._remote).primary
        standard = self._key_func is default_key_func
        channel = internal_key("changes", "", self._key_prefix, "") if mode == "pubsub" else ""
        if channel:
            self._publish, self._apublish = partial(_publish, server, channel), partial(_apublish, server, channel)
        listener = Listener(server, self._level, escape_prefix(self._key_prefix) + ":" if standard else "", channel)
        weakref.finalize(self, listener.stop)
        return listener


def _remote(given: Any, location: Any, params: Mapping[str, Any], options: dict[str, Any]) -> RecordCache:
    """The remote cache: an object, a configuration, or redis with what is left of the options."""
    if isinstance(given, RecordCache):
        refuse_unknown("TieredCache OPTIONS", options, _NAMES)
        return given
    if given is None:
        return RedisCache(location, {**params, "OPTIONS": options})
    if not isinstance(given, Mapping):
        raise CacheConfigError(
            f"TieredCache OPTIONS['REMOTE']: got {given!r}; expected a cache of this library or its configuration, "
            "e.g. {'BACKEND': 'redis', 'LOCATION': '127.0.0.1:6379'}."
        )
    refuse_unknown("TieredCache OPTIONS", options, _NAMES)
    from torngas_cache.handler import CacheHandler  # at the top it would be a circle: the handler knows all backends

    made = CacheHandler({"default": given})["default"]
    if not isinstance(made, RecordCache):
        raise CacheConfigError(f"TieredCache OPTIONS['REMOTE']: got a {type(made).__name__}; expected a RecordCache.")
    return made


def _mode(asked: str | None, remote: RecordCache) -> str | None:
    """How changes are told."""
    if asked not in ("", None, "tracking", "pubsub"):
        raise CacheConfigError(
            f"TieredCache OPTIONS['INVALIDATION']: got {asked!r}; expected 'tracking', 'pubsub' or None."
        )
    if not isinstance(remote, RedisCache):
        if asked:
            raise CacheConfigError(
                f"TieredCache OPTIONS['INVALIDATION']: got {asked!r} over a {type(remote).__name__}; expected None, "
                "only redis can tell of changes."
            )
        return None
    if asked == "tracking" and remote.is_cluster:
        raise CacheConfigError(
            "TieredCache OPTIONS['INVALIDATION']: got 'tracking' with a cluster, whose nodes tell of their own keys "
            "only; expected 'pubsub'."
        )
    if asked == "":
        return "pubsub" if remote.is_cluster else "tracking"
    return asked


def _publish(server: Server, channel: str, what: str | bytes) -> None:
    try:
        server.execute(("PUBLISH", channel, what))
    except CacheUnavailable as error:
        # The change itself has failed as well, or the copies elsewhere end with their listeners' connection.
        _log.warning("a change could not be told: %s", error)


async def _apublish(server: Server, channel: str, what: str | bytes) -> None:
    try:
        await server.aexecute(("PUBLISH", channel, what))
    except CacheUnavailable as error:
        _log.warning("a change could not be told: %s", error)
