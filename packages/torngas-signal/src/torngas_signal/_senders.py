"""Who sends: the key of a sender, and a reference to it that keeps nothing alive.

Strings and integers are the same sender when they are equal. Everything else is the same sender only when it
is the same object, and is referenced weakly where its type allows that.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from enum import Enum
from types import MethodType
from typing import Final, Literal

__all__ = ["ANY", "AnySender", "Key", "Reference", "reference_to", "sender_key"]

Key = Hashable
Reference = Callable[[], object]
"""Answers the sender, or `None` once it was collected."""


class AnySender(Enum):
    """The type of `ANY`."""

    ANY = "ANY"

    def __repr__(self) -> str:
        return self.name

    __str__ = __repr__
    __hash__ = object.__hash__  # it is a key of every signal; Enum's own is written in Python


ANY: Final[Literal[AnySender.ANY]] = AnySender.ANY
"""Every sender. It is the default of `connect`."""


class _ByValue:
    """The first half of an integer sender's key: integers alone are the keys of identities."""


class _Method:
    """The first part of a bound method's key."""


def sender_key(sender: object) -> Key:
    """Answers what identifies this sender among the living: for most its `id`, for a string the string itself."""
    if isinstance(sender, str):
        return sender
    if isinstance(sender, int):
        return _ByValue, sender
    if isinstance(sender, MethodType):
        return _Method, id(sender.__self__), id(sender.__func__)
    return ANY if sender is ANY else id(sender)


def reference_to(sender: object, lost: Callable[[object], None]) -> Reference:
    """References the sender, weakly where possible; `lost` is called when it was collected.

    What cannot be referenced weakly (a tuple, `None`) is kept until its last receiver is disconnected: an
    identity alone could be taken over by another object.
    """
    if isinstance(sender, (str, int)):
        return lambda: sender
    try:
        if isinstance(sender, MethodType):
            return weakref.WeakMethod(sender, lost)
        return weakref.ref(sender, lost)
    except TypeError:
        return lambda: sender
