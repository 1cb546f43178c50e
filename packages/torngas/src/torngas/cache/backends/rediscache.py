"""The cache in redis."""

from torngas_cache.backends.rediscache import RedisCache, RedisClient

__all__ = ["RedisCache", "RedisClient"]
