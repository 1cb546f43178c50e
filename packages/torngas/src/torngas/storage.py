"""Dictionaries with attributes, and other containers that 1.8 took from web.py.

row = storage(name="Ada", born=1815)
row.name == row["name"]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any, TypeVar

__all__ = ["Storage", "ThreadedDict", "sorteddict", "storage", "storify"]

V = TypeVar("V")


class Storage(dict[str, Any]):
    """A dictionary whose items are attributes too; a missing attribute raises AttributeError."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __repr__(self) -> str:
        return f"<Storage {dict.__repr__(self)}>"


storage = Storage


def storify(mapping: Mapping[str, Any], *required: str, **defaults: Any) -> Storage:
    """Makes a Storage of a mapping.

    Args:
        mapping: Where the values come from; of a list or tuple the last item counts, unless the default is a list.
        *required: Keys that must be there.
        **defaults: Values of keys that may be missing; a list asks for all values.

    Raises:
        KeyError: a required key is missing.
    """
    found = Storage({key: _single(mapping[key], defaults.get(key)) for key in (*required, *mapping)})
    for key, value in defaults.items():
        found.setdefault(key, value)
    return found


def _single(value: Any, default: Any) -> Any:
    if isinstance(default, list):
        return list(value) if isinstance(value, list | tuple) else [value]
    if isinstance(value, list | tuple):
        return value[-1] if value else default
    return value


class sorteddict(MutableMapping[Any, V]):  # noqa: N801 - a documented name
    """A dictionary that iterates in the order of its keys."""

    def __init__(self, *args: Any, **kwargs: V) -> None:
        self._items: dict[Any, V] = dict(*args, **kwargs)

    def __getitem__(self, key: Any) -> V:
        return self._items[key]

    def __setitem__(self, key: Any, value: V) -> None:
        self._items[key] = value

    def __delitem__(self, key: Any) -> None:
        del self._items[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(sorted(self._items))

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"sorteddict({dict(self.items())!r})"


class ThreadedDict:
    """Attributes that every thread, and every request, has for itself.

    The values live in a context variable: a request sees those that were set in it, a plain thread its own.
    """

    def __init__(self) -> None:
        object.__setattr__(self, "_values", ContextVar("ThreadedDict", default=None))

    def _own(self) -> dict[str, Any]:
        own: dict[str, Any] = self._values.get() or {}
        return own

    def __getattr__(self, name: str) -> Any:
        try:
            return self._own()[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        # A new dictionary each time: a context that was copied from this one must not see the change.
        self._values.set({**self._own(), name: value})

    def __delattr__(self, name: str) -> None:
        own = dict(self._own())
        if name not in own:
            raise AttributeError(name)
        del own[name]
        self._values.set(own)

    def clear(self) -> None:
        """Forgets all attributes of this thread or request."""
        self._values.set({})
