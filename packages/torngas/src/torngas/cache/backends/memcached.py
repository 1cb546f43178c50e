"""The cache in memcached."""

from torngas_cache.backends.memcached import MemcachedCache, PyLibMCCache

__all__ = ["MemcachedCache", "PyLibMCCache"]
