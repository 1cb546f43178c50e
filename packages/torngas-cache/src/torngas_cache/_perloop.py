"""One object per running event loop: what an asynchronous client must be, because its connections belong to a loop.

The loop keeps the object alive, this module only finds it: a loop that is dropped takes its clients with it. Where
the loop is ended in the standard way (`asyncio.run`, `asyncio.Runner`, `loop.shutdown_asyncgens()`), the object is
closed with it; otherwise `aclose` closes it.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, TypeVar

__all__ = ["PerLoop"]

T = TypeVar("T")

# Far beyond any process; the timer exists to be held by its loop, not to fire.
_NEVER = 3.2e9


class PerLoop(Generic[T]):
    """Makes and finds the object of the running loop.

    Args:
        make: Called in the running loop when it has no object yet; must not await.
        close: Closes one object, in its own loop.

    Safe for threads: every loop sees its own object only.
    """

    def __init__(self, make: Callable[[], T], close: Callable[[T], Awaitable[None]]) -> None:
        self._make = make
        self._close = close
        self._lock = threading.Lock()
        self._entries: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, weakref.ref[_Entry[T]]] = (
            weakref.WeakKeyDictionary()
        )

    def get(self) -> T:
        """Answers the running loop's object, made now if this is the first call in that loop.

        Raises:
            RuntimeError: no event loop is running.
        """
        loop = asyncio.get_running_loop()
        reference = self._entries.get(loop)
        if reference is not None and (entry := reference()) is not None:
            return entry.value
        return self._enter(loop)

    def __len__(self) -> int:
        """Loops that have an object now."""
        return sum(reference() is not None for reference in list(self._entries.values()))

    async def aclose(self) -> None:
        """Closes the running loop's object, if there is one; the next `get` makes another."""
        reference = self._entries.get(asyncio.get_running_loop())
        if reference is not None and (entry := reference()) is not None:
            await entry.guard.aclose()

    def after_fork(self) -> None:
        """The loops of the parent do not run here."""
        self._lock = threading.Lock()

    def _enter(self, loop: asyncio.AbstractEventLoop) -> T:
        entry = _Entry(self._make(), weakref.WeakMethod(self._leave))
        with self._lock:
            self._entries[loop] = weakref.ref(entry)
        # The only strong reference is the loop's: a mapping from loop to client would keep both for ever, since a
        # client's connections know their loop.
        entry.anchor = loop.call_later(_NEVER, _hold, entry)
        entry.close = self._close
        _advance(entry.guard)
        return entry.value

    def _leave(self) -> None:
        with self._lock:
            self._entries.pop(asyncio.get_running_loop(), None)


class _Entry(Generic[T]):
    __slots__ = ("__weakref__", "anchor", "close", "guard", "leave", "value")

    anchor: asyncio.TimerHandle
    close: Callable[[T], Awaitable[None]]

    def __init__(self, value: T, leave: weakref.WeakMethod[Callable[[], None]]) -> None:
        self.value = value
        self.leave = leave
        self.guard = _guard(self)


async def _guard(entry: _Entry[T]) -> AsyncGenerator[None, None]:
    """Suspended for as long as the loop lives: loops close the asynchronous generators that they have seen."""
    try:
        yield
    finally:
        entry.anchor.cancel()
        if (leave := entry.leave()) is not None:
            leave()
        await entry.close(entry.value)


def _advance(guard: AsyncGenerator[None, None]) -> None:
    """Runs the generator to its `yield`, where the loop gets to know it; it awaits nothing on the way."""
    try:
        guard.__anext__().send(None)
    except StopIteration:
        pass


def _hold(_entry: object) -> None:
    """What the anchor would call."""
