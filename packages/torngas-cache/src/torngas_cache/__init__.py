"""Django's cache API, native async, no stampedes, and fast."""

from torngas_cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from torngas_cache.errors import (
    CacheConfigError,
    CacheError,
    CacheKeyWarning,
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

__all__ = [
    "DEFAULT_CACHE_ALIAS",
    "DEFAULT_DUMMY_ALIAS",
    "DEFAULT_MEMCACHED_ALIAS",
    "DEFAULT_REDIS_ALIAS",
    "DEFAULT_TIMEOUT",
    "BaseCache",
    "CacheConfigError",
    "CacheError",
    "CacheHandler",
    "CacheKeyWarning",
    "CacheValueError",
    "InvalidCacheBackendError",
    "InvalidCacheKey",
    "LockError",
    "LockLost",
    "MissingExtraError",
    "UndecodableValue",
    "cache",
    "caches",
    "close_caches",
    "create_cache",
]
