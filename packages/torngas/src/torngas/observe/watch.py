"""What happens inside of a request, told to whoever observes: cache calls, queries, templates, session writes.

    watch = Watch()
    watch.add(observer)         # has kinds, a set of "cache", "query", …; began(work), ended(work), or both
    work = watch.begin("query", "SELECT", "default:primary", text="SELECT ?")
    watch.end(work)

An application has a watch only where an observer was declared; without one nothing of this is in the path.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

__all__ = ["Watch", "Work", "unobserved"]

_silent: ContextVar[bool] = ContextVar("torngas_observe_silent", default=False)


@contextmanager
def unobserved() -> Iterator[None]:
    """Nothing in this block is told to observers: health checks are no traffic."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


class Work:
    """One thing that is done.

    Attributes:
        kind: "cache", "query", "template" or "session".
        operation: What is done: `get`, `SELECT`, `render`, `save`.
        target: To what: the alias, `alias:server`, the template's name.
        system: The database's dialect, else empty.
        text: The statement without values, else empty.
        seconds: How long it took; 0 until it ended.
        hits, misses: Of a cache that was read.
        error: What it raised, or None.
        note: The observer's own, by observer.
    """

    __slots__ = (
        "began",
        "error",
        "hits",
        "kind",
        "misses",
        "note",
        "operation",
        "seconds",
        "system",
        "target",
        "text",
        "told",
    )

    def __init__(self, kind: str, operation: str, target: str, system: str, text: str) -> None:
        self.kind = kind
        self.operation = operation
        self.target = target
        self.system = system
        self.text = text
        self.hits = self.misses = 0
        self.error: BaseException | None = None
        self.note: dict[object, Any] | None = None
        self.told = True
        self.seconds = 0.0
        self.began = time.perf_counter()


class Watch:
    """Tells observers. Add them before the application serves; telling is safe in threads, if the observers are."""

    def __init__(self) -> None:
        self._began: dict[str, tuple[Callable[[Work], object], ...]] = {}
        self._ended: dict[str, tuple[Callable[[Work], object], ...]] = {}

    def add(self, observer: Any) -> None:
        """Tells `observer.began(work)` and `observer.ended(work)` of the kinds in `observer.kinds` from now on."""
        for name, chains in (("began", self._began), ("ended", self._ended)):
            tell = getattr(observer, name, None)
            for kind in observer.kinds:
                chains[kind] = chains.get(kind, ()) + (() if tell is None else (tell,))

    def wants(self, kind: str) -> bool:
        """Whether anybody observes work of this kind; what nobody observes is not to be told."""
        return kind in self._ended

    def begin(self, kind: str, operation: str, target: str, *, system: str = "", text: str = "") -> Work:
        """Something begins; hand the answer to `end`."""
        work = Work(kind, operation, target, system, text)
        if _silent.get():
            work.told = False
            return work
        for tell in self._began[kind]:
            tell(work)
        return work

    def end(self, work: Work, error: BaseException | None = None) -> None:
        """It is over."""
        if work.told:
            work.seconds = time.perf_counter() - work.began
            work.error = error
            for tell in self._ended[work.kind]:
                tell(work)
