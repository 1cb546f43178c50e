"""Everything that this library raises by itself; `CacheError` catches all of it.

Errors of a server or of a disk that happen below are passed on as they are (`OSError`, the driver's own), unless a
backend says otherwise: what went wrong there is not this library's to rename.
"""

from __future__ import annotations

import pickle

__all__ = [
    "CacheConfigError",
    "CacheError",
    "CacheKeyWarning",
    "CacheStorageError",
    "CacheValueError",
    "InvalidCacheBackendError",
    "InvalidCacheKey",
    "LockError",
    "LockLost",
    "MissingExtraError",
    "UndecodableValue",
]


class CacheError(Exception):
    """The base class of every error of this library."""


class InvalidCacheBackendError(CacheError, ValueError):
    """A configuration that gives no working cache: an unknown alias, a backend that cannot be loaded, a bad option."""


class CacheConfigError(InvalidCacheBackendError):
    """One option of a cache's configuration is wrong; the message names it, what was got and what was expected."""


class MissingExtraError(InvalidCacheBackendError, ImportError):
    """A backend or serializer needs a package that is not installed; the message holds the command that installs it."""


class InvalidCacheKey(CacheError, ValueError):
    """The key would break the backend (memcached: over 250 bytes, a space or a control character)."""


class CacheKeyWarning(RuntimeWarning):
    """The key works here, but would not with memcached."""


class CacheStorageError(CacheError, OSError):
    """The disk refused: it is full, read-only, or not this user's. The message names the folder."""


class CacheValueError(CacheError, TypeError, pickle.PicklingError):
    """The value cannot be serialized; the entry that was there before is untouched."""


class UndecodableValue(CacheError, ValueError):
    """A serializer could not make sense of stored bytes. Backends catch and log it: for a reader it is a miss."""


class LockError(CacheError, RuntimeError):
    """A lock was used in a way that its state forbids, or was not to be had within the waiting time."""


class LockLost(LockError):
    """The lease of the lock ended, or somebody else holds it now: what it protected may have been touched."""
