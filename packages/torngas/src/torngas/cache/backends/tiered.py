"""A local level over a remote cache."""

from torngas_cache.backends.tiered import TieredCache

__all__ = ["TieredCache"]
