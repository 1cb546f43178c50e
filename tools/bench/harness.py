"""What every benchmark script here shares: interleaved timing and the table of targets.

A script makes a `Bench`, registers peers and targets, and calls `bench.run()`. A *peer* is a function that
returns `{scenario: operation}`; an operation is a plain or an async function of a count `n` that performs
its work `n` times. All (peer, scenario) pairs are measured in turn, in a new random order every round, with
the garbage collector out of the way; medians and spread are printed, ratios always to a named peer of the
same run. What a peer does otherwise than the rest is said with `differs`, in its rows.

    bench = Bench("torngas-signal", __doc__)

    @bench.peer("blinker", package="blinker", differs="no receiver gets the signal")
    def blinker():
        return {"send 1": lambda n: ...}

    bench.target("send 1", peer="torngas", at_most=0.25, of="blinker")
    raise SystemExit(bench.run())

A peer that is not installed is left out, and says so; one that fails is reported, and the rest goes on.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import inspect
import json
import platform
import random
import statistics
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import budget
import tables
from tables import Measured, Table

__all__ = ["Bench", "Measured", "Operation", "Peer", "Table", "Target", "add_options"]

Operation = Callable[[int], Any]
Peer = Callable[[], Mapping[str, Operation]]
Key = tuple[str, str]
Check = Callable[[argparse.Namespace], list[Measured]]
SCALES = {"ns": 1e9, "us": 1e6, "ms": 1e3}
QUICK_SECONDS = 40
SHORTEST_SLICE = 0.004


@dataclass(frozen=True)
class Target:
    """A promise on one scenario: `peer` takes at most `at_most` times the time of `of` (in `of_scenario`)."""

    scenario: str
    peer: str
    at_most: float
    of: str
    of_scenario: str
    note: str = ""

    @property
    def limit(self) -> str:
        """As it is printed."""
        base = self.of if self.scenario == self.of_scenario else f"{self.of}, {self.of_scenario}"
        return f"<= {self.at_most:.{2 if self.at_most >= 0.1 else 3}f} x {base}"

    @property
    def name(self) -> str:
        """As it is printed: the scenario, and whose."""
        return f"{self.scenario}, {self.peer}"


@dataclass
class Bench:
    """One benchmark script: its peers, its targets, and the run."""

    name: str
    doc: str | None = None
    rounds: int = 9
    slice_seconds: float = 0.03
    unit: str = "ns"
    clock: Callable[[], float] = time.process_time
    peers: dict[str, Peer] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    differs: dict[str, str] = field(default_factory=dict)
    targets: list[Target] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def peer(self, name: str, package: str | None = None, differs: str = "") -> Callable[[Peer], Peer]:
        """Registers a peer.

        `package` names the distributions (with a space between them) whose versions are printed, `differs` what the
        peer does otherwise than the rest.
        """

        def register(function: Peer) -> Peer:
            self.peers[name] = function
            if package:
                self.packages[name] = package
            if differs:
                self.differs[name] = differs
            return function

        return register

    def target(
        self, scenario: str, *, peer: str, at_most: float, of: str, of_scenario: str | None = None, note: str = ""
    ) -> None:
        """Promises that `peer` needs at most `at_most` times what `of` needs; `note` is printed when it is missed."""
        self.targets.append(Target(scenario, peer, at_most, of, of_scenario or scenario, note))

    def check(self, function: Check) -> Any:
        """Registers a measurement that is no timing of operations; it returns rows of the table of targets."""
        self.checks.append(function)
        return function

    def run(self, argv: list[str] | None = None) -> int:
        """Measures, prints, and answers the exit status: 1 if something failed or, if --strict, a target missed."""
        start = time.monotonic()
        args = self._arguments(argv)
        if args.others:
            return self._finish(args, {}, [], start)
        budget.limit(args.seconds or (QUICK_SECONDS if args.quick else None))
        asyncio.set_event_loop(self.loop)
        self._print_head(args)
        samples = self._timings(args)
        medians = {key: statistics.median(values) for key, values in samples.items()}
        if samples:
            self._table(samples, medians).show()
        rows = self._verdicts(medians, args) + self._checked(args)
        return self._finish(args, samples, rows, start)

    def _arguments(self, argv: list[str] | None) -> argparse.Namespace:
        parser = argparse.ArgumentParser(prog=self.name, description=self.doc)
        add_options(parser)
        parser.add_argument(
            "--part", action="store_true", help=argparse.SUPPRESS
        )  # the runner prints the closing table
        args = parser.parse_args(argv)
        wanted = args.peers.split(",") if args.peers else list(self.peers)
        unknown = [name for name in wanted if name not in self.peers]
        if unknown and not args.part:
            parser.error(f"unknown peers {unknown}; known: {list(self.peers)}")
        args.others = bool(wanted) and len(unknown) == len(wanted)  # those of other scripts were asked for
        args.peers = [name for name in wanted if name in self.peers]
        args.rounds = args.rounds or (3 if args.quick else self.rounds)
        return args

    def _print_head(self, args: argparse.Namespace) -> None:
        named = dict.fromkeys(name for peer in args.peers for name in self.packages.get(peer, "").split())
        versions = ", ".join(f"{package} {_version(package)}" for package in named)
        print(f"# {self.name}: Python {platform.python_version()}, {platform.machine()}; {versions}", flush=True)

    def _distributions(self) -> list[str]:
        return sorted({name for names in self.packages.values() for name in names.split()})

    def _timings(self, args: argparse.Namespace) -> dict[Key, list[float]]:
        asked = _asked_checks(self.checks, args)
        with budget.part(1 / 2 if asked else 9 / 10):
            cases = self._cases(args)
            return _measure(cases, args.rounds, self.slice_seconds, self.clock, self.loop, self._failed)

    def _cases(self, args: argparse.Namespace) -> dict[Key, Operation]:
        cases: dict[Key, Operation] = {}
        for name in args.peers:
            try:
                scenarios = self.peers[name]()
            except ImportError as error:
                print(f"# {name}: left out ({error})")
                continue
            except Exception as error:  # noqa: BLE001  # whatever a peer raises must not end the others' run
                self._failed(name, error)
                continue
            for scenario, operation in scenarios.items():
                if _matches(scenario, args):
                    cases[scenario, name] = operation
        return cases

    def _checked(self, args: argparse.Namespace) -> list[Measured]:
        rows: list[Measured] = []
        asked = _asked_checks(self.checks, args)
        for done, check in enumerate(asked):
            try:
                with budget.part(1 / (len(asked) - done)):
                    rows += check(args)
            except Exception as error:  # noqa: BLE001  # as above
                self._failed(_name(check), error)
                rows.append(Measured(_name(check), "measured", type(error).__name__, False))
        return rows

    def _failed(self, what: object, error: Exception) -> None:
        what = ", ".join(map(str, what)) if isinstance(what, tuple) else str(what)
        self.failures.append(f"{what}: {type(error).__name__}: {error}")
        print(f"# {what}: FAILED")
        traceback.print_exception(error)

    def _table(self, samples: Mapping[Key, list[float]], medians: Mapping[Key, float]) -> Table:
        table = Table("", ["scenario", "peer", f"{self.unit}/op", "spread", "x first", "differs"])
        for scenario in dict.fromkeys(scenario for scenario, _ in medians):
            measured = [(peer, value) for (s, peer), value in medians.items() if s == scenario]
            for peer, value in measured:
                spread = (max(samples[scenario, peer]) - min(samples[scenario, peer])) / value
                figures = f"{value * SCALES[self.unit]:,.1f}", f"{spread:.0%}", f"{value / measured[0][1]:.2f}"
                table.rows.append([scenario, peer, *figures, self.differs.get(peer, "")])
        return table

    def _verdicts(self, medians: Mapping[Key, float], args: argparse.Namespace) -> list[Measured]:
        rows = []
        for target in self.targets:
            ours, theirs = (target.scenario, target.peer), (target.of_scenario, target.of)
            if ours in medians and theirs in medians:
                ratio = medians[ours] / medians[theirs]
                rows.append(Measured(target.name, target.limit, f"{ratio:.3f} x", ratio <= target.at_most, target.note))
            elif not args.only and {target.peer, target.of} <= set(args.peers):
                rows.append(Measured(target.name, target.limit, "not measured", False))
        return rows

    def _finish(
        self, args: argparse.Namespace, samples: Mapping[Key, list[float]], rows: list[Measured], start: float
    ) -> int:
        if not args.part:
            print("\n".join(tables.closing(rows)))
        if args.json:
            data = {
                "name": self.name,
                "doc": inspect.cleandoc(self.doc or ""),
                "python": platform.python_version(),
                "unit": self.unit,
                "peers": list(self.peers),
                "differs": self.differs,
                "versions": {package: _version(package) for package in self._distributions()},
                "samples": [[scenario, peer, values] for (scenario, peer), values in samples.items()],
                "tables": [table.as_json() for table in tables.shown],
                "targets": [row.as_json() for row in rows],
                "failures": self.failures,
                "seconds": round(time.monotonic() - start, 1),
            }
            args.json.write_text(json.dumps(data, indent=1))
        return int(bool(self.failures) or (args.strict and not all(row.met for row in rows)))


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of every script, and of the runner of them all."""
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds; under 50 seconds a package")
    parser.add_argument("--strict", action="store_true", help="exit status 1 if a target is missed")
    parser.add_argument("--peers", metavar="NAME,…", help="only these peers; default: all")
    parser.add_argument("--only", metavar="PART,…", help="only scenarios and checks with one of these in their names")
    parser.add_argument("--rounds", type=int, default=None, help="default: what each script finds right")
    parser.add_argument("--seconds", type=float, default=None, help="spend about so many seconds at most")
    parser.add_argument("--no-checks", dest="checks", action="store_false", help="timings only")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write every sample, table and target to this file"
    )


def _name(check: Check) -> str:
    return getattr(check, "__name__", "check").replace("_", " ")


def _matches(name: str, args: argparse.Namespace) -> bool:
    return not args.only or any(part in name for part in args.only.split(","))


def _asked_checks(checks: list[Check], args: argparse.Namespace) -> list[Check]:
    return [check for check in checks if args.checks and _matches(_name(check), args)]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"


def _timed(operation: Operation, n: int, clock: Callable[[], float], loop: asyncio.AbstractEventLoop) -> float:
    if inspect.iscoroutinefunction(operation):

        async def inside() -> float:
            start = clock()
            await operation(n)
            return clock() - start

        return loop.run_until_complete(inside())
    start = clock()
    operation(n)
    return clock() - start


def _per_slice(
    operation: Operation, seconds: float, clock: Callable[[], float], loop: asyncio.AbstractEventLoop
) -> int:
    """How often an operation must be repeated to take so long."""
    n = 1
    while (took := _timed(operation, n, clock, loop)) < seconds / 4 and n < 1 << 22:
        n *= 4
    return max(1, int(n * seconds / max(took, 1e-9)))


def _measure(
    cases: Mapping[Key, Operation],
    rounds: int,
    slice_seconds: float,
    clock: Callable[[], float],
    loop: asyncio.AbstractEventLoop,
    failed: Callable[[object, Exception], None] | None = None,
) -> dict[Key, list[float]]:
    """Seconds per operation of every case, one sample a round; a case that raises is left out if `failed` is given."""
    if not cases:
        return {}
    slice_seconds = min(slice_seconds, max(SHORTEST_SLICE, budget.left() / len(cases) / (rounds + 2) / 1.5))
    counts: dict[Key, int] = {}
    samples: dict[Key, list[float]] = {}

    def step(key: Key, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:
            if failed is None:
                raise
            samples.pop(key, None)
            counts.pop(key, None)
            failed(key, error)

    def calibrate(key: Key) -> None:
        counts[key] = _per_slice(cases[key], slice_seconds, clock, loop)
        samples[key] = []

    for key in cases:
        step(key, lambda key=key: calibrate(key))
    gc.collect()
    gc.freeze()  # what the peers hold themselves needs no further look
    for done in range(rounds):
        if done and not budget.left():
            break
        for key in random.sample(list(counts), len(counts)):
            step(key, lambda key=key: _sample(key, cases, counts, samples, clock, loop))
    return samples


def _sample(
    key: Key,
    cases: Mapping[Key, Operation],
    counts: Mapping[Key, int],
    samples: Mapping[Key, list[float]],
    clock: Callable[[], float],
    loop: asyncio.AbstractEventLoop,
) -> None:
    gc.collect()
    gc.disable()
    try:
        samples[key].append(_timed(cases[key], counts[key], clock, loop) / counts[key])
    finally:
        gc.enable()
