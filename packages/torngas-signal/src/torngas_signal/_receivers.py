"""Who is called: one connected receiver, held weakly or not.

A record knows how to reach its receiver (`resolve`), how it wants to be called and whether it is
asynchronous, all found out once. It does not know the signal.
"""

from __future__ import annotations

import inspect
import sys
import warnings
import weakref
from collections.abc import Callable, Hashable
from functools import partial
from types import BuiltinMethodType, FunctionType, MethodType
from typing import Any, NamedTuple

from torngas_signal._conventions import Convention, convention_of
from torngas_signal._senders import Key
from torngas_signal.exceptions import ReceiverError, ReceiverLostWarning

__all__ = ["Connection", "Origin", "Receiver", "describe", "is_async", "receiver_key"]

Resolve = Callable[[], Callable[..., Any] | None]


class Connection:
    """One receiver connected to one sender. `holds` counts the `connected_to` blocks that need it."""

    __slots__ = ("holds", "lasting", "once", "order", "priority", "receiver", "sender")

    def __init__(self, receiver: Receiver, sender: Key, priority: int, once: bool, order: int, lasting: bool) -> None:
        self.receiver = receiver
        self.sender = sender
        self.priority = priority
        self.once = once
        self.order = order
        self.lasting = lasting
        self.holds = 0


class Origin(NamedTuple):
    """Where a receiver that is easily lost was connected."""

    name: str
    filename: str
    line: int

    def warn(self, signal: str) -> None:
        """Tells the user what happened, at the line of the connect call."""
        message = (
            f"{signal}: the receiver {self.name}, connected at {self.filename}:{self.line}, was garbage-collected "
            "before it was ever called; a signal references receivers weakly, so keep a reference to it or connect "
            "it with weak=False."
        )
        try:
            warnings.warn_explicit(message, ReceiverLostWarning, self.filename, self.line)
        except ReceiverLostWarning:  # warnings are errors, but no error can leave a callback of the collector
            import logging  # seldom needed, and slow to import

            logging.getLogger("torngas_signal").error(message)


class Receiver:
    """A connected callable. `origin` is set until the first call, and only where losing it is a trap."""

    __slots__ = ("__weakref__", "connections", "convention", "is_async", "key", "origin", "reference", "resolve")

    def __init__(self, receiver: Callable[..., Any], key: Hashable) -> None:
        self.key = key
        self.convention: Convention = convention_of(receiver)
        self.is_async = is_async(receiver)
        self.connections: dict[Key, Connection] = {}
        self.origin: Origin | None = None
        self.reference: Any = receiver
        self.resolve: Resolve = lambda: receiver

    def weaken(self, receiver: Callable[..., Any], lost: Callable[[object], None]) -> None:
        """Holds the receiver weakly from now on; `lost` is called when it was collected."""
        try:
            if isinstance(receiver, MethodType):
                self.reference = weakref.WeakMethod(receiver, lost)
                self.resolve = _method_resolver(receiver)
            else:
                self.reference = self.resolve = weakref.ref(receiver, lost)
        except TypeError as error:
            raise ReceiverError(
                f"connect: got {describe(receiver)}, which cannot be referenced weakly; "
                "expected a receiver whose type supports weak references; connect it with weak=False."
            ) from error
        self.origin = _origin_of(receiver)

    def pin(self, receiver: Callable[..., Any]) -> None:
        """Holds the receiver strongly from now on."""
        self.reference, self.resolve, self.origin = receiver, lambda: receiver, None


def _method_resolver(method: MethodType) -> Resolve:
    """Like `weakref.WeakMethod`, at a third of its time."""
    instance, function = weakref.ref(method.__self__), weakref.ref(method.__func__)

    def resolve() -> MethodType | None:
        owner, called = instance(), function()
        return None if owner is None or called is None else MethodType(called, owner)

    return resolve


def receiver_key(receiver: object) -> Hashable:
    """Answers what identifies a receiver: a bound method is a new object at every look, its two halves are not."""
    if isinstance(receiver, MethodType):
        return id(receiver.__func__), id(receiver.__self__)
    return id(receiver)


def is_async(receiver: Any) -> bool:
    """Answers whether calling it gives a coroutine: functions, partials, objects with an async `__call__`."""
    while isinstance(receiver, partial):
        receiver = receiver.func
    function = receiver.__func__ if isinstance(receiver, MethodType) else receiver
    if isinstance(function, FunctionType) and not function.__dict__:
        return bool(function.__code__.co_flags & inspect.CO_COROUTINE)
    if inspect.iscoroutinefunction(receiver):
        return True
    if inspect.isroutine(receiver) or inspect.isclass(receiver):
        return False
    return inspect.iscoroutinefunction(type(receiver).__call__)


def describe(receiver: object) -> str:
    """The name of a receiver for messages: its qualified name, or its repr where it has none."""
    name = getattr(receiver, "__qualname__", None)
    return name if isinstance(name, str) else repr(receiver)


def _origin_of(receiver: object) -> Origin | None:
    """Remembers the line of the connect call for receivers that no module or class keeps alive."""
    name = getattr(receiver, "__qualname__", "")
    local = isinstance(name, str) and ("<locals>" in name or "<lambda>" in name)
    if isinstance(receiver, MethodType) or not (local or isinstance(receiver, (partial, BuiltinMethodType))):
        return None
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        frame = frame.f_back
    return Origin(describe(receiver), frame.f_code.co_filename, frame.f_lineno)
