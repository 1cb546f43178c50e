"""Changing something that the garbage collector also wants to change.

The callbacks of weak references never wait for a lock: the collector calls them wherever it likes, also in a
thread that is just changing this object or another one. Who finds the lock taken leaves a note, and whoever holds
the lock reads the notes before going.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

__all__ = ["Changeable"]

Note = TypeVar("Note")


class Changeable(Generic[Note]):
    """`with self:` is a change: one thread at a time, which may nest them (a finalizer may come in between).

    Subclasses say what a note means and what is to be done at the end of every change.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._notes: deque[Note] = deque()

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._changed()
        self._depth -= 1
        innermost = self._depth > 0
        self._lock.release()
        if self._notes and not innermost:
            self._read_notes()

    def _note(self, note: Note) -> None:
        """Leaves a note, and reads it at once if nobody is changing anything. Never waits."""
        self._notes.append(note)
        self._read_notes()

    def _read_notes(self) -> None:
        while self._notes and self._lock.acquire(blocking=False):
            try:
                if self._depth:
                    return  # this very thread, further out; it comes here at its end
                self._depth = 1
                while self._notes:
                    self._apply(self._notes.popleft())
                self._changed()
                self._depth = 0
            finally:
                self._lock.release()

    def _apply(self, note: Note) -> None:
        """Does what the note asks for."""
        raise NotImplementedError

    def _changed(self) -> None:
        """Ends a change, still under the lock."""
        raise NotImplementedError
