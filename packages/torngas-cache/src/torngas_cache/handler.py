"""Named caches: `CacheHandler` makes them from a configuration, `caches` and `cache` are the way to the one in use.

    from torngas_cache import CacheHandler, cache, caches

    caches.replace(CacheHandler({
        "default": {"BACKEND": "locmem", "OPTIONS": {"MAX_ENTRIES": 10_000}},
        "pages": {"BACKEND": "file", "LOCATION": "/var/cache/pages", "TIMEOUT": 3600},
    }))
    cache.set("greeting", "hello")          # caches["default"]
    caches["pages"].get("/about")

Nothing is made before it is used. There is one object per alias and handler; threads and event loops share it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any, cast

from torngas_cache._params import OPTION_NAMES, TOP_LEVEL, refuse_unknown
from torngas_cache.backends.base import BaseCache
from torngas_cache.errors import CacheConfigError, InvalidCacheBackendError

__all__ = [
    "CacheHandler",
    "Caches",
    "DEFAULT_CACHE_ALIAS",
    "DEFAULT_DUMMY_ALIAS",
    "DEFAULT_MEMCACHED_ALIAS",
    "DEFAULT_REDIS_ALIAS",
    "cache",
    "caches",
    "close_caches",
    "create_cache",
]

DEFAULT_CACHE_ALIAS = "default"
DEFAULT_MEMCACHED_ALIAS = "default_memcache"
DEFAULT_REDIS_ALIAS = "default_redis"
DEFAULT_DUMMY_ALIAS = "dummy"

_BACKENDS = "torngas_cache.backends"
SHORT_NAMES = {
    "dummy": f"{_BACKENDS}.dummy.DummyCache",
    "file": f"{_BACKENDS}.filebased.FileBasedCache",
    "locmem": f"{_BACKENDS}.localcache.LocMemCache",
    "memcached": f"{_BACKENDS}.memcached.MemcachedCache",
    "redis": f"{_BACKENDS}.rediscache.RedisCache",
    "tiered": f"{_BACKENDS}.tiered.TieredCache",
}
"""What BACKEND may say instead of a dotted path."""

_OUTAGE_KEYS = ("BREAKER_FAILURES", "BREAKER_WINDOW", "ON_OUTAGE")
_ALIAS_KEYS = {*TOP_LEVEL, *_OUTAGE_KEYS, "CULL_FREQUENCY", "MAX_ENTRIES"}
_CREATE_KEYS = {"TIMEOUT", "KEY_PREFIX", "VERSION", "KEY_FUNCTION"}


class CacheHandler:
    """The caches of one configuration, each made when it is first asked for.

    Args:
        config: Alias -> its configuration: BACKEND (a dotted path, or a short name such as `locmem`), LOCATION,
            TIMEOUT, KEY_PREFIX, VERSION, KEY_FUNCTION, OPTIONS. None: one alias, `default`, in local memory.

    Raises:
        InvalidCacheBackendError: An alias has no BACKEND, or a key that nobody knows.
    """

    def __init__(self, config: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        config = {DEFAULT_CACHE_ALIAS: {"BACKEND": "locmem"}} if config is None else config
        self.settings: dict[str, dict[str, Any]] = {alias: _checked(alias, config[alias]) for alias in config}
        self._caches: dict[str, BaseCache] = {}
        self._lock = threading.Lock()

    def __getitem__(self, alias: str) -> BaseCache:
        found = self._caches.get(alias)
        return self._make(alias) if found is None else found

    def _make(self, alias: str) -> BaseCache:
        if alias not in self.settings and alias not in self._caches:
            raise InvalidCacheBackendError(f"The connection {alias!r} doesn't exist. Known are {sorted(self)}.")
        with self._lock:
            if alias not in self._caches:
                self._caches[alias] = _build(f"CACHES[{alias!r}]", self.settings[alias])
            return self._caches[alias]

    def __setitem__(self, alias: str, cache: BaseCache) -> None:
        """Puts a cache in the place of an alias, or adds one; the former is not closed."""
        with self._lock:
            self._caches[alias] = cache

    def __delitem__(self, alias: str) -> None:
        """Forgets the cache of an alias, which is not closed; it is made anew when asked for, if configured."""
        with self._lock:
            del self._caches[alias]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self.settings, *self._caches]))

    def __contains__(self, alias: object) -> bool:
        return alias in self.settings or alias in self._caches

    def all(self, initialized_only: bool = False) -> list[BaseCache]:
        """The caches of all aliases; with `initialized_only` those that were used already."""
        return [self[alias] for alias in self if not initialized_only or alias in self._caches]

    def close_all(self) -> None:
        """Closes the caches that were used; each opens again what it needs if it is used again."""
        for cache in self.all(initialized_only=True):
            cache.close()

    async def aclose_all(self) -> None:
        """`close_all` as a coroutine: what belongs to the running loop is given back too."""
        for cache in self.all(initialized_only=True):
            await cache.aclose()

    close = close_all
    aclose = aclose_all


def create_cache(backend: str | type[BaseCache], location: Any = "", **options: Any) -> BaseCache:
    """Makes one cache without a configuration of aliases; the caller closes it.

    Args:
        backend: A short name (`locmem`, `file`, `redis`, `memcached`, `tiered`, `dummy`), a dotted path or a class.
        location: What LOCATION means to the backend: a name, a folder, servers.
        options: `timeout`, `key_prefix`, `version`, `key_function` in either case; `OPTIONS`, a mapping; all other
            names are options of the backend, those of this library in either case.

    Raises:
        InvalidCacheBackendError: The backend cannot be loaded, or refuses an option.
    """
    named = {name.upper(): options.pop(name) for name in list(options) if name.upper() in _CREATE_KEYS}
    inner = dict(options.pop("OPTIONS", {}))
    inner |= {name.upper() if name.upper() in OPTION_NAMES else name: value for name, value in options.items()}
    return _build("create_cache", {**named, "BACKEND": backend, "LOCATION": location, "OPTIONS": inner})


def _checked(alias: str, config: Any) -> dict[str, Any]:
    where = f"CACHES[{alias!r}]"
    if not isinstance(config, Mapping):
        raise CacheConfigError(f"{where}: got {config!r}; expected a dict with BACKEND.")
    if "BACKEND" not in config:
        raise CacheConfigError(f"{where}: got no BACKEND; expected a dotted path or one of {sorted(SHORT_NAMES)}.")
    refuse_unknown(where, (name.upper() for name in config), _ALIAS_KEYS)
    return dict(config)


def _build(where: str, config: Mapping[str, Any]) -> BaseCache:
    backend = _load(config["BACKEND"])
    params = {name: value for name, value in config.items() if name.upper() not in _OUTAGE_KEYS}
    outage = {name.upper(): value for name, value in config.items() if name.upper() in _OUTAGE_KEYS}
    if outage and getattr(backend, "knows_outages", False):  # what is in memory or in files has no server to lose
        params["OPTIONS"] = {**outage, **(config.get("OPTIONS") or {})}
    try:
        return cast("BaseCache", backend(config.get("LOCATION", ""), params))
    except CacheConfigError as error:
        raise CacheConfigError(f"{where}: {error}") from error


def _load(backend: Any) -> Any:
    if not isinstance(backend, str):
        return backend
    path = SHORT_NAMES.get(backend, backend)
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidCacheBackendError(
            f"Could not find backend {path!r}: {error} (in module {module!r}); expected a dotted path or one of "
            f"{sorted(SHORT_NAMES)}."
        ) from error


class Caches:
    """The handler in use: a face over one that can be replaced, for the process or for the current context only."""

    def __init__(self) -> None:
        self._handler: CacheHandler | None = None
        self._local: ContextVar[CacheHandler | None] = ContextVar("torngas_cache.caches", default=None)
        self._lock = threading.Lock()

    @property
    def handler(self) -> CacheHandler:
        """The handler in use. Until one was given it is that of `CacheHandler()`: local memory."""
        if (local := self._local.get()) is not None:
            return local
        with self._lock:
            if self._handler is None:
                self._handler = CacheHandler()
            return self._handler

    def replace(self, handler: CacheHandler | None) -> CacheHandler | None:
        """Uses this handler from now on in the whole process; returns the former one, which is not closed."""
        with self._lock:
            former, self._handler = self._handler, handler
        return former

    def activate(self, handler: CacheHandler | None) -> None:
        """Uses this handler in the current context from now on (a request's, say) and in what it starts."""
        self._local.set(handler)

    @contextmanager
    def using(self, handler: CacheHandler) -> Iterator[CacheHandler]:
        """Uses this handler within the block, in the current task or thread and what they start."""
        token = self._local.set(handler)
        try:
            yield handler
        finally:
            self._local.reset(token)

    def __getitem__(self, alias: str) -> BaseCache:
        return self.handler[alias]

    def __iter__(self) -> Iterator[str]:
        return iter(self.handler)

    def __contains__(self, alias: object) -> bool:
        return alias in self.handler

    def all(self, initialized_only: bool = False) -> list[BaseCache]:
        """As `CacheHandler.all`."""
        return self.handler.all(initialized_only)

    def close_all(self) -> None:
        """As `CacheHandler.close_all`."""
        self.handler.close_all()

    async def aclose_all(self) -> None:
        """As `CacheHandler.aclose_all`."""
        await self.handler.aclose_all()


class _DefaultCache:
    """`caches["default"]`, looked up at every use."""

    def __getattr__(self, name: str) -> Any:
        return getattr(caches[DEFAULT_CACHE_ALIAS], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(caches[DEFAULT_CACHE_ALIAS], name, value)

    def __contains__(self, key: Any) -> bool:
        return key in caches[DEFAULT_CACHE_ALIAS]

    def __dir__(self) -> Iterable[str]:
        return dir(caches[DEFAULT_CACHE_ALIAS])


caches = Caches()
cache: BaseCache = cast("BaseCache", _DefaultCache())


def close_caches(**_: Any) -> None:
    """Closes the caches in use; takes and ignores keywords, so that it can be a signal's receiver."""
    caches.close_all()
