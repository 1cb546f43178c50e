"""Django's cache API, native async, no stampedes, and fast."""

from torngas_cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from torngas_cache.breaker import CacheTimeout, CacheUnavailable, CircuitBreaker
from torngas_cache.decorators import cached
from torngas_cache.errors import (
    CacheConfigError,
    CacheError,
    CacheKeyWarning,
    CacheStorageError,
    CacheValueError,
    InvalidCacheBackendError,
    InvalidCacheKey,
    LockError,
    LockLost,
    MissingExtraError,
    UndecodableValue,
)
from torngas_cache.handler import (
    DEFAULT_CACHE_ALIAS,
    DEFAULT_DUMMY_ALIAS,
    DEFAULT_MEMCACHED_ALIAS,
    DEFAULT_REDIS_ALIAS,
    CacheHandler,
    cache,
    caches,
    close_caches,
    create_cache,
)
from torngas_cache.locks import Lock
from torngas_cache.responses import cache_response

__all__ = [
    "BaseCache",
    "CacheConfigError",
    "CacheError",
    "CacheHandler",
    "CacheKeyWarning",
    "CacheStorageError",
    "CacheTimeout",
    "CacheUnavailable",
    "CacheValueError",
    "CircuitBreaker",
    "DEFAULT_CACHE_ALIAS",
    "DEFAULT_DUMMY_ALIAS",
    "DEFAULT_MEMCACHED_ALIAS",
    "DEFAULT_REDIS_ALIAS",
    "DEFAULT_TIMEOUT",
    "InvalidCacheBackendError",
    "InvalidCacheKey",
    "Lock",
    "LockError",
    "LockLost",
    "MissingExtraError",
    "UndecodableValue",
    "cache",
    "cache_response",
    "cached",
    "caches",
    "close_caches",
    "create_cache",
]
