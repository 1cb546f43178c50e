"""Server-side sessions for Tornado that lose nothing and cannot be stolen by habit."""

from .auth import login, logout
from .config import SessionConfig
from .errors import (
    ConfigurationError,
    ConfigurationTypeError,
    MissingKeyError,
    NoSessionError,
    SessionClosedError,
    SessionConflictError,
    SessionError,
    SessionNotLoadedError,
    SessionNotSavedError,
    SessionSerializationError,
    SessionTooLargeError,
    StoreError,
    UnsupportedByStoreError,
)
from .flash import FlashMessageMixIn
from .manager import SessionManager
from .middleware import SessionMiddleware
from .mixin import SessionAccessMixin, SessionMixin
from .protocols import AsyncSessionStore, CompareAndSetStore, Serializer, SessionStore
from .serializers import JsonSerializer, MsgpackSerializer, PickleSerializer
from .session import Session
from .stores import FileStore, MemoryStore, SignedCookieStore, SQLStore

__all__ = [
    "AsyncSessionStore",
    "CompareAndSetStore",
    "ConfigurationError",
    "ConfigurationTypeError",
    "FileStore",
    "FlashMessageMixIn",
    "JsonSerializer",
    "MemoryStore",
    "MissingKeyError",
    "MsgpackSerializer",
    "NoSessionError",
    "PickleSerializer",
    "SQLStore",
    "Serializer",
    "Session",
    "SessionAccessMixin",
    "SessionClosedError",
    "SessionConfig",
    "SessionConflictError",
    "SessionError",
    "SessionManager",
    "SessionMiddleware",
    "SessionMixin",
    "SessionNotLoadedError",
    "SessionNotSavedError",
    "SessionSerializationError",
    "SessionStore",
    "SessionTooLargeError",
    "SignedCookieStore",
    "StoreError",
    "UnsupportedByStoreError",
    "login",
    "logout",
]
