"""The stores that come along: memory, files, SQL, and the cookie itself."""

from .cookie import SignedCookieStore
from .file import FileStore
from .memory import MemoryStore
from .sql import SQLStore

__all__ = ["FileStore", "MemoryStore", "SQLStore", "SignedCookieStore"]
