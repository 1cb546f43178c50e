"""What every benchmark script here shares: interleaved timing and the table of targets.

A script makes a `Bench`, registers peers and targets, and calls `bench.run()`. A *peer* is a function that
returns `{scenario: operation}`; an operation is a plain or an async function of a count `n` that performs
its work `n` times. All (peer, scenario) pairs are measured in turn, in a new random order every round, with
the garbage collector out of the way; medians and spread are printed, ratios always to a named peer of the
same run.

    bench = Bench("torngas-signal", __doc__)

    @bench.peer("blinker", package="blinker")
    def blinker():
        return {"send 1": lambda n: ...}

    bench.target("send 1", peer="torngas", at_most=0.25, of="blinker")
    raise SystemExit(bench.run())
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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

Operation = Callable[[int], Any]
Peer = Callable[[], Mapping[str, Operation]]
Key = tuple[str, str]


@dataclass(frozen=True)
class Target:
    """A promise on one scenario: `peer` takes at most `at_most` times the time of `of` (in `of_scenario`)."""

    scenario: str
    peer: str
    at_most: float
    of: str
    of_scenario: str


@dataclass(frozen=True)
class Measured:
    """A promise that the script measured by itself (a rate, a memory size): `value` against `limit`."""

    name: str
    limit: str
    value: str
    met: bool


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
    targets: list[Target] = field(default_factory=list)
    checks: list[Callable[[argparse.Namespace], list[Measured]]] = field(default_factory=list)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def peer(self, name: str, package: str | None = None) -> Callable[[Peer], Peer]:
        """Registers a peer; `package` is the distribution whose version is printed."""

        def register(function: Peer) -> Peer:
            self.peers[name] = function
            if package:
                self.packages[name] = package
            return function

        return register

    def target(self, scenario: str, *, peer: str, at_most: float, of: str, of_scenario: str | None = None) -> None:
        """Promises that `peer` needs at most `at_most` times what `of` needs."""
        self.targets.append(Target(scenario, peer, at_most, of, of_scenario or scenario))

    def check(self, function: Callable[[argparse.Namespace], list[Measured]]) -> Any:
        """Registers a measurement that is no timing of operations; it returns rows of the table of targets."""
        self.checks.append(function)
        return function

    def run(self, argv: list[str] | None = None) -> int:
        """Measures, prints, and answers the exit status: 1 only with --strict and a missed target."""
        args = self._arguments(argv)
        asyncio.set_event_loop(self.loop)
        self._print_versions(args)
        samples = _measure(self._cases(args), args.rounds, self.slice_seconds, self.clock, self.loop)
        medians = {key: statistics.median(values) for key, values in samples.items()}
        self._print_table(samples, medians)
        rows = self._verdicts(medians, args)
        for check in self.checks:
            if args.checks:
                rows += check(args)
        _print_rows(rows)
        if args.json:
            self._write_json(args.json, samples, rows)
        return int(args.strict and not all(row.met for row in rows))

    def _arguments(self, argv: list[str] | None) -> argparse.Namespace:
        parser = argparse.ArgumentParser(prog=self.name, description=self.doc)
        parser.add_argument("--quick", action="store_true", help="fewer rounds; under 50 seconds")
        parser.add_argument("--strict", action="store_true", help="exit status 1 if a target is missed")
        parser.add_argument("--peers", help="comma separated; default: all")
        parser.add_argument("--only", help="comma separated parts of scenario names")
        parser.add_argument("--rounds", type=int, default=None, help=f"default {self.rounds}")
        parser.add_argument("--no-checks", dest="checks", action="store_false", help="timings only")
        parser.add_argument("--json", type=Path, help="also write every sample to this file")
        args = parser.parse_args(argv)
        args.peers = args.peers.split(",") if args.peers else list(self.peers)
        if unknown := [name for name in args.peers if name not in self.peers]:
            parser.error(f"unknown peers {unknown}; known: {list(self.peers)}")
        args.rounds = args.rounds or (3 if args.quick else self.rounds)
        return args

    def _print_versions(self, args: argparse.Namespace) -> None:
        named = [f"{self.packages[p]} {_version(self.packages[p])}" for p in args.peers if p in self.packages]
        print(f"# {self.name}: Python {platform.python_version()}, {platform.machine()}; " + ", ".join(named))

    def _cases(self, args: argparse.Namespace) -> dict[Key, Operation]:
        cases: dict[Key, Operation] = {}
        for name in args.peers:
            try:
                scenarios = self.peers[name]()
            except ImportError as error:
                print(f"# {name}: left out ({error})")
                continue
            for scenario, operation in scenarios.items():
                if not args.only or any(part in scenario for part in args.only.split(",")):
                    cases[scenario, name] = operation
        return cases

    def _print_table(self, samples: Mapping[Key, list[float]], medians: Mapping[Key, float]) -> None:
        scale = {"ns": 1e9, "us": 1e6, "ms": 1e3}[self.unit]
        print(f"{'scenario':26} {'peer':30} {self.unit + '/op':>12} {'spread':>8} {'x first':>8}")
        for scenario in dict.fromkeys(scenario for scenario, _ in medians):
            first = next(value for (s, _), value in medians.items() if s == scenario)
            for (s, peer), value in medians.items():
                if s == scenario:
                    spread = (max(samples[s, peer]) - min(samples[s, peer])) / value
                    print(f"{s:26} {peer:30} {value * scale:12,.1f} {spread:8.0%} {value / first:8.2f}")

    def _verdicts(self, medians: Mapping[Key, float], args: argparse.Namespace) -> list[Measured]:
        rows = []
        for target in self.targets:
            ours, theirs = (target.scenario, target.peer), (target.of_scenario, target.of)
            if ours in medians and theirs in medians:
                ratio = medians[ours] / medians[theirs]
                of = target.of if target.scenario == target.of_scenario else f"{target.of}, {target.of_scenario}"
                rows.append(
                    Measured(
                        target.scenario, f"<= {target.at_most:.2f} x {of}", f"{ratio:.2f} x", ratio <= target.at_most
                    )
                )
            elif not args.only and {target.peer, target.of} <= set(args.peers):
                rows.append(Measured(target.scenario, f"<= {target.at_most:.2f} x {target.of}", "not measured", False))
        return rows

    def _write_json(self, path: Path, samples: Mapping[Key, list[float]], rows: list[Measured]) -> None:
        data = {
            "name": self.name,
            "python": platform.python_version(),
            "versions": {peer: _version(package) for peer, package in self.packages.items()},
            "samples": [[scenario, peer, values] for (scenario, peer), values in samples.items()],
            "targets": [[row.name, row.limit, row.value, row.met] for row in rows],
        }
        path.write_text(json.dumps(data, indent=1))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"


def _measure(
    cases: Mapping[Key, Operation],
    rounds: int,
    slice_seconds: float,
    clock: Callable[[], float],
    loop: asyncio.AbstractEventLoop,
) -> dict[Key, list[float]]:
    """Seconds per operation of every case, one sample a round."""

    def timed(operation: Operation, n: int) -> float:
        if inspect.iscoroutinefunction(operation):

            async def inside() -> float:
                start = clock()
                await operation(n)
                return clock() - start

            return loop.run_until_complete(inside())
        start = clock()
        operation(n)
        return clock() - start

    counts: dict[Key, int] = {}
    for key, operation in cases.items():
        n = 1
        while (took := timed(operation, n)) < slice_seconds / 4 and n < 1 << 22:
            n *= 4
        counts[key] = max(1, int(n * slice_seconds / max(took, 1e-9)))
    samples: dict[Key, list[float]] = {key: [] for key in cases}
    gc.collect()
    gc.freeze()  # what the peers hold themselves needs no further look
    order = list(cases)
    for _ in range(rounds):
        random.shuffle(order)
        for key in order:
            gc.collect()
            gc.disable()
            try:
                samples[key].append(timed(cases[key], counts[key]) / counts[key])
            finally:
                gc.enable()
    return samples


def _print_rows(rows: list[Measured]) -> None:
    if not rows:
        return
    print(f"\n{'target':34} {'limit':44} {'measured':>14}  verdict")
    for row in rows:
        print(f"{row.name:34} {row.limit:44} {row.value:>14}  {'met' if row.met else 'MISSED'}")
