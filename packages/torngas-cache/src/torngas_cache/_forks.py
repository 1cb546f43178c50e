"""Tells objects that they are in a forked child now: threads stayed with the parent, and held locks with them."""

from __future__ import annotations

import os
import weakref
from typing import Protocol

__all__ = ["Forked", "forks"]


class Forked(Protocol):
    """Something that must put itself right in a child."""

    def after_fork(self) -> None:
        """Called in the child before anything else of it runs; renews locks, forgets threads."""


class Forks:
    """The objects of this process that want to know; none is kept alive by it."""

    def __init__(self) -> None:
        self._watching: weakref.WeakSet[Forked] = weakref.WeakSet()
        self._registered = False

    def watch(self, one: Forked) -> None:
        """Tells the object in every child from now on."""
        self._watching.add(one)
        if not self._registered and hasattr(os, "register_at_fork"):
            self._registered = True
            os.register_at_fork(after_in_child=self._tell)

    def _tell(self) -> None:
        for one in list(self._watching):
            one.after_fork()


forks = Forks()
