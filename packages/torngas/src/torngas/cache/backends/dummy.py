"""The cache that keeps nothing."""

from torngas_cache.backends.dummy import DummyCache

__all__ = ["DummyCache"]
