"""Registries of named signals: who asks for a name first makes the signal, who asks later gets the same.

orders = Namespace()
orders.signal("paid") is orders.signal("paid")  # True
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, MutableMapping
from typing import Any
from weakref import WeakValueDictionary

from torngas_signal._typing import Signal

__all__ = ["Namespace", "default_namespace", "signal"]


class Namespace(MutableMapping[str, "Signal[...]"]):
    """A mapping of names to signals. May be used from any thread.

    Args:
        weak: Forget a signal when nobody else refers to it. By default it stays.
    """

    def __init__(self, *, weak: bool = False) -> None:
        self._lock = threading.RLock()
        self._signals: MutableMapping[str, Signal[...]] = WeakValueDictionary() if weak else {}

    def signal(self, name: str, doc: str | None = None, **options: Any) -> Signal[...]:
        """Answers the signal of this name, making it if there is none.

        `doc` and the `options` are those of `Signal`; they count for the call that makes it.
        """
        with self._lock:
            if (found := self._signals.get(name)) is None:
                found = self._signals[name] = Signal(name, doc=doc, **options)
            return found

    def __getitem__(self, name: str) -> Signal[...]:
        return self._signals[name]

    def __setitem__(self, name: str, signal: Signal[...]) -> None:
        with self._lock:
            self._signals[name] = signal

    def __delitem__(self, name: str) -> None:
        with self._lock:
            del self._signals[name]

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            return iter(list(self._signals))

    def __len__(self) -> int:
        return len(self._signals)

    def __repr__(self) -> str:
        return f"Namespace({sorted(self)})"


default_namespace = Namespace()
"""The namespace of `signal`."""


def signal(name: str, doc: str | None = None, **options: Any) -> Signal[...]:
    """Answers the signal of this name in `default_namespace`, making it if there is none."""
    return default_namespace.signal(name, doc, **options)
