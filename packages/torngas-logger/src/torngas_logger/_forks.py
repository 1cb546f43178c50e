"""Tells handlers in a forked child that what they hold belongs to the parent."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forked(Protocol):
    """Something that a fork copies and that must not go on as it is."""

    def _after_fork(self) -> None: ...


_known: weakref.WeakSet[Forked] = weakref.WeakSet()
_hooks: list[bool] = []


def survive_forks(handler: Forked) -> None:
    """Calls `handler._after_fork()` in every child that is forked from now on, as long as the handler lives."""
    _known.add(handler)
    if not _hooks and hasattr(os, "register_at_fork"):  # hooks cannot be taken back: one for all
        os.register_at_fork(after_in_child=_tell_all)
        _hooks.append(True)


def _tell_all() -> None:
    for handler in list(_known):
        handler._after_fork()
