"""A session store whose writes are told to a watch; everything else goes straight to the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torngas.observe.watch import Watch

__all__ = ["ObservedStore"]

_WRITES = {"set": "save", "cas": "save", "delete": "delete"}


class ObservedStore:
    """Stands before a store. A write that the store refused (a lost compare-and-set) is told as an attempt with
    `misses = 1`, one that it took with `hits = 1`.

    Args:
        store: Any session store.
        target: What to call it: the alias.
        watch: Who is told.
    """

    def __init__(self, store: Any, target: str, watch: Watch) -> None:
        self._store = store
        for name, operation in _WRITES.items():
            for method, make in ((name, _plain), (f"a{name}", _coroutine)):
                if hasattr(store, method):
                    setattr(self, method, make(getattr(store, method), operation, target, watch))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def _plain(method: Callable[..., Any], operation: str, target: str, watch: Watch) -> Callable[..., Any]:
    def write(*args: Any, **kwargs: Any) -> Any:
        work = watch.begin("session", operation, target)
        try:
            done = method(*args, **kwargs)
        except BaseException as error:
            watch.end(work, error)
            raise
        work.hits, work.misses = (0, 1) if operation == "save" and done is False else (1, 0)
        watch.end(work)
        return done

    return write


def _coroutine(method: Callable[..., Any], operation: str, target: str, watch: Watch) -> Callable[..., Any]:
    async def write(*args: Any, **kwargs: Any) -> Any:
        work = watch.begin("session", operation, target)
        try:
            done = await method(*args, **kwargs)
        except BaseException as error:
            watch.end(work, error)
            raise
        work.hits, work.misses = (0, 1) if operation == "save" and done is False else (1, 0)
        watch.end(work)
        return done

    return write
