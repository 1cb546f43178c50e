"""What a store and a serializer must offer: structure only, nothing to inherit from.

The smallest store that works is a dict with three methods::

    class DictStore:
        blocking = False

        def __init__(self):
            self.entries = {}

        def get(self, key, default=None):
            return self.entries.get(key, default)

        def set(self, key, value, timeout):
            self.entries[key] = value

        def delete(self, key):
            self.entries.pop(key, None)

Such a store is merged under a lock of this process; one that also has `gets` and `cas` is safe across processes.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

__all__ = ["AsyncSessionStore", "CompareAndSetStore", "Serializer", "SessionStore"]


@runtime_checkable
class SessionStore(Protocol):
    """Keeps values under string keys for a time.

    A class attribute `blocking: bool` says whether the calls do I/O. Where it is missing, a store that has `aget`
    counts as blocking. A blocking store is never called on the event loop: its `aget`, `aset`, `adelete` are
    awaited, or, if it has none, its plain methods run in a thread.

    `timeout` is in seconds: None never expires, 0 and less expire at once. `get` answers `default` for what is
    absent or expired. Values are `str` or `bytes`; the store returns what it was given.
    """

    def get(self, key: str, default: Any = None, /) -> Any:
        """The value, or `default`."""

    def set(self, key: str, value: Any, timeout: float | None, /) -> object:
        """Stores the value for `timeout` seconds."""

    def delete(self, key: str, /) -> object:
        """Removes the entry; what is not there is no error."""


@runtime_checkable
class AsyncSessionStore(Protocol):
    """The same for the event loop."""

    async def aget(self, key: str, default: Any = None, /) -> Any:
        """The value, or `default`."""

    async def aset(self, key: str, value: Any, timeout: float | None, /) -> object:
        """Stores the value for `timeout` seconds."""

    async def adelete(self, key: str, /) -> object:
        """Removes the entry."""


@runtime_checkable
class CompareAndSetStore(Protocol):
    """The pair that saves sessions without losing updates, also between processes (and `agets`, `acas`)."""

    def gets(self, key: str, /) -> tuple[Any, Any]:
        """The value and a token of this state of it; `(None, None)` if absent."""
        ...

    def cas(self, key: str, value: Any, token: Any, timeout: float | None, /) -> bool:
        """Stores the value if the entry is as it was at `gets`; with the token None, if there is none.

        False: it was changed, removed or evicted since, and nothing was stored.
        """
        ...


@runtime_checkable
class Serializer(Protocol):
    """Turns a session into text or bytes and back.

    `trusted_only = True` says that `loads` may execute what it reads (pickle): then every record is signed, and
    one whose signature fails is never passed to `loads`.
    """

    def dumps(self, value: Any, /) -> str | bytes:
        """Serializes lists, dicts with string keys, strings, numbers, booleans and None, at least."""
        ...

    def loads(self, data: str | bytes, /) -> Any:
        """The value again; raises on anything else."""
