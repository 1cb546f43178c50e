"""Small things that 1.8 offered, on Python 3: most have a better home in the standard library today.

sleep(0.5)              asyncio.sleep
cached_property         functools.cached_property
is_future(x)            tornado.concurrent.is_future
lazyimport("json")      a module that is imported at its first use
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib
import threading
from collections.abc import Awaitable, Iterable, Iterator
from types import ModuleType
from typing import Any

from tornado.concurrent import is_future

__all__ = [
    "Null",
    "RWLock",
    "cached_property",
    "is_future",
    "iterbetter",
    "lazyimport",
    "lstrips",
    "rstrips",
    "safestr",
    "safeunicode",
    "sleep",
    "strips",
]

cached_property = functools.cached_property


def sleep(seconds: float) -> Awaitable[None]:
    """Waits without blocking the event loop: `await sleep(0.5)`, or `yield` in a `gen.coroutine`."""
    return asyncio.sleep(seconds)


def lazyimport(name: str) -> ModuleType:
    """Answers a stand-in for a module, which is imported when one of its attributes is first read.

    Raises:
        ImportError: at that first read, when the module does not import.
    """
    return _LazyModule(name)


class _LazyModule(ModuleType):
    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(importlib.import_module(self.__name__), attribute)


class Null:
    """An object that takes every call, attribute and item, answers itself, and is false."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __call__(self, *args: Any, **kwargs: Any) -> Null:  # noqa: D102 - it swallows the call
        return self

    def __getattr__(self, name: str) -> Null:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        pass

    def __delattr__(self, name: str) -> None:
        pass

    def __getitem__(self, key: Any) -> Null:
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "<Null>"


def safeunicode(value: Any, encoding: str = "utf-8") -> str:
    """Answers text: bytes decoded, all else by `str`.

    Raises:
        UnicodeDecodeError: the bytes are not in this encoding.
    """
    return value.decode(encoding) if isinstance(value, bytes) else str(value)


def safestr(value: Any, encoding: str = "utf-8") -> str:
    """The same as `safeunicode`: on Python 3 a str is text."""
    return safeunicode(value, encoding)


def lstrips(text: str, *remove: str) -> str:
    """Takes prefixes away, in order, each once."""
    for prefix in remove:
        text = text.removeprefix(prefix)
    return text


def rstrips(text: str, *remove: str) -> str:
    """Takes suffixes away, in order, each once."""
    for suffix in remove:
        text = text.removesuffix(suffix)
    return text


def strips(text: str, *remove: str) -> str:
    """Takes strings away from both ends, in order, each once an end."""
    return rstrips(lstrips(text, *remove), *remove)


class iterbetter:  # noqa: N801 - a documented name
    """An iterator that also answers `[i]` for the next items, `first()`, `list()` and its truth.

    Raises:
        IndexError: an item that has passed already, or that never comes, is asked for.
    """

    def __init__(self, iterable: Iterable[Any]) -> None:
        self._iterator = iter(iterable)
        self._ahead: list[Any] = []
        self._passed = 0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        item = self._ahead.pop(0) if self._ahead else next(self._iterator)
        self._passed += 1
        return item

    def __getitem__(self, index: int) -> Any:
        if index < self._passed:
            raise IndexError(f"iterbetter: got [{index}], which has passed already; the next is [{self._passed}]")
        item: Any = None
        for _ in range(index - self._passed + 1):
            try:
                item = next(self)
            except StopIteration:
                raise IndexError(f"iterbetter: got [{index}]; there are {self._passed} items") from None
        return item

    def __bool__(self) -> bool:
        if not self._ahead:
            for item in self._iterator:
                self._ahead.append(item)
                break
        return bool(self._ahead)

    def first(self, default: Any = None) -> Any:
        """Answers the next item, or the default."""
        return next(self, default)

    def list(self) -> list[Any]:
        """Answers all that is left."""
        return [*self]


class RWLock:
    """A lock for threads that many readers share and a writer has alone; waiting writers go first.

    Not for coroutines: waiting blocks the thread.

        lock = RWLock()
        with lock.reader(): ...
        with lock.writer(): ...
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._readers = 0
        self._writing = False
        self._writers_waiting = 0

    def reader_enters(self) -> None:
        """Waits until nobody writes or waits to write."""
        with self._changed:
            self._changed.wait_for(lambda: not self._writing and not self._writers_waiting)
            self._readers += 1

    def reader_leaves(self) -> None:
        """Ends what `reader_enters` began."""
        with self._changed:
            self._readers -= 1
            self._changed.notify_all()

    def writer_enters(self) -> None:
        """Waits until nobody reads or writes."""
        with self._changed:
            self._writers_waiting += 1
            self._changed.wait_for(lambda: not self._writing and not self._readers)
            self._writers_waiting -= 1
            self._writing = True

    def writer_leaves(self) -> None:
        """Ends what `writer_enters` began."""
        with self._changed:
            self._writing = False
            self._changed.notify_all()

    @contextlib.contextmanager
    def reader(self) -> Iterator[None]:
        """Holds the lock for reading."""
        self.reader_enters()
        try:
            yield
        finally:
            self.reader_leaves()

    @contextlib.contextmanager
    def writer(self) -> Iterator[None]:
        """Holds the lock for writing."""
        self.writer_enters()
        try:
            yield
        finally:
            self.writer_leaves()
