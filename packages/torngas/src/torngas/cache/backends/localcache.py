"""The cache in local memory."""

from torngas_cache.backends.localcache import LocMemCache

__all__ = ["LocMemCache"]
