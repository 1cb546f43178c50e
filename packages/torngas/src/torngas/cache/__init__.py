"""Caches, under their documented path."""

from torngas_cache import (
    DEFAULT_CACHE_ALIAS,
    DEFAULT_DUMMY_ALIAS,
    DEFAULT_MEMCACHED_ALIAS,
    DEFAULT_REDIS_ALIAS,
    BaseCache,
    CacheHandler,
    CacheKeyWarning,
    InvalidCacheBackendError,
    InvalidCacheKey,
    cache,
    caches,
    close_caches,
    create_cache,
)

__all__ = [
    "BaseCache",
    "CacheHandler",
    "CacheKeyWarning",
    "DEFAULT_CACHE_ALIAS",
    "DEFAULT_DUMMY_ALIAS",
    "DEFAULT_MEMCACHED_ALIAS",
    "DEFAULT_REDIS_ALIAS",
    "InvalidCacheBackendError",
    "InvalidCacheKey",
    "cache",
    "caches",
    "close_caches",
    "create_cache",
]
