"""Log files: lines per second into one file that rotates every second, and what is lost on the way.

Every process writes 20,000 lines of 120 bytes through `logging.Logger` and the same `logging.Formatter`; the clock runs
from the first line to the last one. Each run begins shortly before a full second, so that all of them see a rotation.
Then the lines found are counted: lost, torn (a line that does not parse), doubled. The stress check writes
8 x 100,000 lines, with limits in size and time, and kills one of the processes.
"""

from __future__ import annotations

import argparse
import datetime
import logging
import logging.handlers
import multiprocessing
import os
import random
import re
import signal
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import budget
from harness import Bench, Measured, Table

fork = multiprocessing.get_context("fork")
bench = Bench("torngas-logger", __doc__, rounds=7)
FORMAT = "%(asctime)s %(levelname)s bench %(message)s"
PAD = "x" * 70
LINE = re.compile(r"\S+ \S+ INFO bench (\d+) (\d+) x{70}")
LINES = 20_000
COLUMNS = ["peer", "lines/s", "x base", "best", "lost", "torn", "twice", "differs"]

Log = Callable[[int, int], None]
Worker = Callable[[], tuple[Log, Callable[[], None]]]


class Result(NamedTuple):
    """One run of one peer."""

    rate: float
    lost: int
    torn: int
    doubled: int
    files: int


def through(handler: logging.Handler) -> tuple[Log, Callable[[], None]]:
    handler.setFormatter(logging.Formatter(FORMAT))
    logger = logging.Logger("bench", logging.INFO)
    logger.addHandler(handler)
    return (lambda worker, number: logger.info("%d %d %s", worker, number, PAD)), handler.close


def ours(path: str, **options: Any) -> logging.Handler:
    from torngas_logger import ProcessLogTimedFileHandler

    return ProcessLogTimedFileHandler(path, when="S", **options)


def concurrent(path: str) -> logging.Handler:
    from concurrent_log_handler import ConcurrentTimedRotatingFileHandler

    return ConcurrentTimedRotatingFileHandler(path, when="S", interval=1)


def loguru(path: str, *, enqueue: bool) -> Worker:
    from loguru import logger

    logger.remove()
    logger.add(
        path,
        format="{time:YYYY-MM-DD HH:mm:ss,SSS} {level} bench {message}",
        rotation=datetime.timedelta(seconds=1),
        enqueue=enqueue,
        context=fork if enqueue else None,
    )

    def setup() -> tuple[Log, Callable[[], None]]:
        return (lambda worker, number: logger.info("{} {} {}", worker, number, PAD)), logger.complete

    return setup


def per_process(make: Callable[[str], logging.Handler]) -> Callable[[str], Worker]:
    return lambda path: lambda: through(make(path))


# A peer: set-up in the parent (path) -> set-up in the process () -> (log, flush)
PEERS: dict[str, tuple[Callable[[str], Worker], str]] = {
    "stdlib FileHandler": (per_process(logging.FileHandler), ""),
    "stdlib WatchedFileHandler": (per_process(logging.handlers.WatchedFileHandler), ""),
    "stdlib TimedRotating": (
        per_process(lambda path: logging.handlers.TimedRotatingFileHandler(path, when="S")),
        "",
    ),
    "concurrent-log-handler": (per_process(concurrent), "concurrent-log-handler"),
    "loguru": (lambda path: loguru(path, enqueue=False), "loguru"),
    "loguru enqueue": (lambda path: loguru(path, enqueue=True), ""),
    "torngas": (per_process(ours), ""),
    "torngas gzip": (per_process(lambda path: ours(path, compress=True)), ""),
}
SKIPPED = {(4, "loguru"), (1, "torngas gzip")}  # loguru without its queue is for one process
BASE = "stdlib FileHandler"
bench.differs |= {
    "stdlib FileHandler": "does not rotate",
    "stdlib WatchedFileHandler": "does not rotate",
    "stdlib TimedRotating": "not for several processes",
    "loguru": "its own formatter; one process",
    "loguru enqueue": "its own formatter; one process writes for all",
    "torngas gzip": "old files compressed",
}


@bench.peer(BASE)
def stdlib_peer() -> dict[str, Any]:
    return {"one record, CPU": in_process(logging.FileHandler)}


@bench.peer("torngas")
def torngas_peer() -> dict[str, Any]:
    return {"one record, CPU": in_process(ours)}


for _name, (_, _package) in PEERS.items():
    if _package:
        bench.packages[_name] = _package
    bench.peers.setdefault(_name, dict)  # measured by the checks below
bench.target("one record, CPU", peer="torngas", at_most=1.0, of=BASE)


def in_process(make: Callable[[str], logging.Handler]) -> Callable[[int], None]:
    folder = tempfile.TemporaryDirectory()
    log, _ = through(make(os.path.join(folder.name, "app.log")))

    def operation(n: int, keep: Any = folder) -> None:
        for number in range(n):
            log(0, number)

    return operation


def write(worker: int, lines: int, setup: Worker, barrier: Any, results: Any) -> None:
    log, flush = setup()
    barrier.wait()
    start = time.monotonic()
    for number in range(lines):
        log(worker, number)
    flush()
    results.put((start, time.monotonic()))


def census(folder: str) -> tuple[Counter[tuple[int, int]], int, int]:
    import gzip

    found: Counter[tuple[int, int]] = Counter()
    torn = files = 0
    for file in Path(folder).iterdir():
        if "lock" in file.name:
            continue
        files += 1
        with (gzip.open if file.suffix == ".gz" else open)(file, "rt", errors="replace") as lines:
            for line in lines:
                if match := LINE.fullmatch(line.rstrip("\n")):
                    found[int(match[1]), int(match[2])] += 1
                else:
                    torn += 1
    return found, torn, files


def run(name: str, processes: int, lines: int) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        setup = PEERS[name][0](os.path.join(folder, "app.log"))
        results, barrier = fork.SimpleQueue(), fork.Barrier(processes + 1)
        children = [fork.Process(target=write, args=(i, lines, setup, barrier, results)) for i in range(processes)]
        for child in children:
            child.start()
        time.sleep((0.85 - time.time()) % 1)
        barrier.wait()
        spans = [results.get() for _ in children]
        for child in children:
            child.join()
        if name == "loguru enqueue":
            __import__("loguru").logger.remove()  # the queue's thread is the parent's
            spans.append((spans[0][0], time.monotonic()))
        found, torn, files = census(folder)
        elapsed = max(end for _, end in spans) - min(start for start, _ in spans)
        doubled = sum(count - 1 for count in found.values())
        return Result(processes * lines / elapsed, processes * lines - len(found), torn, doubled, files)


@bench.check
def throughput(args: argparse.Namespace) -> list[Measured]:
    cases = [(p, name) for p in (1, 4) for name in PEERS if (p, name) not in SKIPPED and name in args.peers]
    results: dict[tuple[int, str], list[Result]] = {case: [] for case in cases}
    for done in range(args.rounds):
        if done and not budget.left():
            break
        for case in random.sample(cases, len(cases)):
            results[case].append(run(case[1], case[0], LINES))
    rates = {case: statistics.median(result.rate for result in runs) for case, runs in results.items()}
    _print_rates(results, rates)
    return [row for row in _rows(results, rates) if row]


def _print_rates(results: dict[tuple[int, str], list[Result]], rates: dict[tuple[int, str], float]) -> None:
    table = Table(f"Lines per second, base: {BASE}", ["processes", *COLUMNS])
    for (processes, name), runs in results.items():
        rate, base = rates[processes, name], rates.get((processes, BASE), float("nan"))
        best = max(result.rate for result in runs)
        worst = [max(result[i] for result in runs) for i in (1, 2, 3)]
        figures = f"{rate:,.0f}", f"{rate / base:.2f}", f"{best:,.0f}", *(f"{count:,}" for count in worst)
        table.rows.append([str(processes), name, *figures, bench.differs.get(name, "")])
    table.show()


def _rows(results: dict[tuple[int, str], list[Result]], rates: dict[tuple[int, str], float]) -> list[Measured | None]:
    def row(processes: int, of: str, least: float) -> Measured | None:
        if not {(processes, "torngas"), (processes, of)} <= rates.keys():
            return None
        ratio = rates[processes, "torngas"] / rates[processes, of]
        return Measured(f"lines/s, {processes} processes", f">= {least:.2f} x {of}", f"{ratio:.2f} x", ratio >= least)

    runs = results.get((4, "torngas"), []) + results.get((1, "torngas"), [])
    wrong = [max((result[i] for result in runs), default=0) for i in (1, 2, 3)]
    found = Measured("lost, torn, doubled", "0, 0, 0", ", ".join(map(str, wrong)), not any(wrong))
    return [row(1, BASE, 1.0), row(4, BASE, 1.0), row(4, "concurrent-log-handler", 5.0), found if runs else None]


def _stress(folder: str, lines: int) -> tuple[int, int, int, int, float]:
    path = os.path.join(folder, "app.log")
    shared = fork.Array("Q", 8, lock=False)

    def child(number: int) -> None:
        log, close = through(ours(path, maxBytes=2_000_000, compress=True))
        for i in range(lines):
            log(number, i)
            shared[number] = i + 1
        close()

    children = [fork.Process(target=child, args=(number,)) for number in range(8)]
    start = time.monotonic()
    for process in children:
        process.start()
    while shared[3] < lines // 2:
        time.sleep(0.01)
    os.kill(children[3].pid or 0, signal.SIGKILL)
    for process in children:
        process.join()
    elapsed = time.monotonic() - start
    found, torn, files = census(folder)
    wanted = {(number, i) for number in range(8) for i in range(shared[number])}
    # The record that was being written when the process was killed may be there, and counts as nothing.
    doubled = sum(count - 1 for count in found.values())
    return len(wanted - found.keys()), torn, doubled, files, sum(shared) / elapsed


@bench.check
def stress(args: argparse.Namespace) -> list[Measured]:
    if "torngas" not in args.peers:
        return []
    lines = 10_000 if args.quick else 100_000
    with tempfile.TemporaryDirectory() as folder:
        lost, torn, doubled, files, rate = _stress(folder, lines)
    name = f"stress, 8 x {lines:,}, one kill -9"
    print(f"\n{name}: {files} files, {rate:,.0f} lines/s, size and time, gzip")
    return [Measured(name, "0 lost, 0 torn, 0 doubled", f"{lost}, {torn}, {doubled}", not (lost or torn or doubled))]


if __name__ == "__main__":
    raise SystemExit(bench.run())
