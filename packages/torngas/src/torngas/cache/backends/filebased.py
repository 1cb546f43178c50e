"""The cache in files."""

from torngas_cache.backends.filebased import FileBasedCache

__all__ = ["FileBasedCache"]
