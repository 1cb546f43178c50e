"""The base of all backends."""

from torngas_cache.backends.base import DEFAULT_TIMEOUT, BaseCache

__all__ = ["BaseCache", "DEFAULT_TIMEOUT"]
