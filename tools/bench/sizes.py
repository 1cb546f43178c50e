"""Memory that many things of one kind keep, as `tracemalloc` counts it: each peer in a forked process of its own.

    sizes = Sizes(bench, "cache entries")

    @sizes.peer("cachelib", package="cachelib")
    def cachelib(count):
        from cachelib import SimpleCache
        cache = SimpleCache(threshold=2 * count)
        return lambda: [cache.set(key, value) for key in keys(count)] and cache

The function makes ready, uncounted; what it returns fills, and answers what is to be kept. It is called for a few
first, so that nothing loaded lazily counts.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from harness import Bench, Measured, Table

Fill = Callable[[], Any]
Prepare = Callable[[int], Fill]
UNIT = 100_000


@dataclass
class Sizes:
    """The peers of one kind of thing; `count` of them are made, a tenth with --quick, and stated per 100,000."""

    bench: Bench
    things: str
    count: int = UNIT
    peers: dict[str, Prepare] = field(default_factory=dict)

    def __post_init__(self) -> None:
        def memory(args: argparse.Namespace) -> list[Measured]:
            return self._measure(args)

        self.bench.check(memory)

    def peer(self, name: str, package: str | None = None, differs: str = "") -> Callable[[Prepare], Prepare]:
        """Registers a peer, as `Bench.peer` does."""

        def register(function: Prepare) -> Prepare:
            self.bench.peer(name, package, differs)(dict)
            self.peers[name] = function
            return function

        return register

    def _measure(self, args: argparse.Namespace) -> list[Measured]:
        count = self.count // 10 if args.quick else self.count
        columns = ["peer", "MiB", "bytes each", "x first", "differs"]
        table = Table(f"Memory per {UNIT:,} {self.things}, from {count:,}", columns)
        first = 0.0
        for name in args.peers:
            each = retained(self.peers[name], count)
            first = first or each
            total, own = f"{each * UNIT / 2**20:,.1f}", self.bench.differs.get(name, "")
            table.rows.append([name, total, f"{each:,.0f}", f"{each / first:.2f}", own])
        table.show()
        return []


def retained(prepare: Prepare, count: int) -> float:
    """Bytes for each of `count` things."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_count, args=(prepare, count, sender))
    child.start()
    sender.close()
    try:
        answer = receiver.recv() if receiver.poll(300) else "no answer within 300 s"
    except EOFError:
        answer = "ended without an answer"
    finally:
        if child.is_alive():
            child.kill()
        child.join()
        receiver.close()
    if isinstance(answer, str):
        raise RuntimeError(answer)
    return float(answer)


def _count(prepare: Prepare, count: int, sender: Any) -> None:
    try:
        few = prepare(3)()
        fill = prepare(count)
        gc.collect()
        tracemalloc.start()
        kept = fill()
        gc.collect()
        sender.send(tracemalloc.get_traced_memory()[0] / count)
        del few, kept
    except Exception as error:  # noqa: BLE001  # told to the parent, which raises it
        sender.send(f"{type(error).__name__}: {error}")
