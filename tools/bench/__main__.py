"""Side by side with the peers: `python tools/bench [PACKAGE] [--quick] [--strict] …`; without a package, all of them.

Every script is a process of its own, so that no peer's import disturbs another package's numbers, and one that fails
or hangs does not end the others. The table of all targets closes the run. `--report FILE` writes the performance page
from what `--json FILE` kept, and measures nothing.

Exit status: 0; 1 something failed, or, with --strict, missed its target; 2 wrong use.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import machine
import report
import startup
import tables
from harness import QUICK_SECONDS, add_options
from tables import Measured

HERE = Path(__file__).parent
PACKAGES = sorted(path.parent.name for path in (HERE.parents[1] / "packages").glob("*/pyproject.toml"))
FULL_SECONDS = 1400
LONGEST_SHARE = 2.5


@dataclass(frozen=True)
class Script:
    """One process to start: its name, whose it is, and its command."""

    name: str
    package: str
    command: tuple[str, ...]


@dataclass
class Run:
    """What the scripts answered so far."""

    options: list[str]
    seconds: float
    timeout: float
    results: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.seconds

    def share(self, remaining: int) -> float:
        """Seconds for the next of the remaining scripts: what a quick one leaves over is the others'."""
        left = max(0.0, self.deadline - time.monotonic())
        return max(3.0, min(left, left / remaining * LONGEST_SHARE))

    def add(self, script: Script, remaining: int) -> None:
        """Runs one script; its figures are kept, its failures noted."""
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            file = Path(folder) / "result.json"
            part = ["--part", f"--json={file}", f"--seconds={self.share(remaining):.1f}"]
            ended = _finished([*script.command, *self.options, *part], self.timeout)
            found = json.loads(file.read_text()) if file.exists() else {"failures": []}
        if ended or not found.get("name"):
            found["failures"] = found["failures"] or [ended or "gave no result"]
        failures = [f"{script.name}: {what}" for what in found["failures"]]
        print("".join(f"# FAILED {failure}\n" for failure in failures), end="", flush=True)
        self.failures += failures
        self.results.append({"package": script.package, "script": script.name, **found})


def scripts() -> list[Script]:
    """All of them: those of each package ("torngas-cache" and "torngas-cache-remote"), then its start-up."""
    found = []
    for path in sorted(HERE.glob("bench_*.py")):
        name = path.stem.removeprefix("bench_").replace("_", "-")
        package = max((one for one in PACKAGES if name == one or name.startswith(f"{one}-")), key=len, default=name)
        found.append(Script(name, package, (sys.executable, str(path))))
    for package in sorted(startup.STARTS.keys() & set(PACKAGES)):
        found.append(Script(f"{package}-start-up", package, (sys.executable, str(HERE / "startup.py"), package)))
    return sorted(found, key=lambda script: script.package)


def _finished(command: list[str], timeout: float) -> str:
    """Runs a command in a process group of its own; answers what went wrong, if anything."""
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return f"not done after {timeout:.0f} s, ended"
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return f"exit status {status}" if status else ""


def _rows(results: list[dict[str, Any]]) -> list[Measured]:
    rows = []
    for result in results:
        for row in result.get("targets", ()):
            name = f"{result['package']}: {row['target']}"
            rows.append(Measured(name, row["limit"], row["measured"], row["met"], row.get("note", "")))
    return rows


def _unknown_peers(args: argparse.Namespace, runs: list[Run]) -> str:
    """What is wrong with --peers: a script knows only its own, so that the runner has to ask them all."""
    results = [result for run in runs for result in run.results]
    known = {peer for result in results for peer in result.get("peers", ())}
    unknown = [peer for peer in args.peers.split(",") if peer not in known] if args.peers else []
    return f"unknown peers {unknown}; known: {sorted(known)}" if unknown else ""


def _options(args: argparse.Namespace) -> list[str]:
    """What each script is told."""
    found = ["--quick"] * args.quick + ["--no-checks"] * (not args.checks)
    return found + [f"--{name}={value}" for name in ("peers", "only", "rounds") if (value := getattr(args, name))]


def _run(chosen: list[Script], args: argparse.Namespace) -> list[Run]:
    """One run, or, if it is to be quick, one for each package."""
    print(f"# {machine.line()}", flush=True)
    packages = dict.fromkeys(script.package for script in chosen)
    groups = [[s for s in chosen if s.package == package] for package in packages] if args.quick else [chosen]
    runs = []
    for group in groups:
        seconds = args.seconds or (QUICK_SECONDS if args.quick else FULL_SECONDS)
        run = Run(_options(args), seconds, timeout=150 if args.quick else 900)
        for done, script in enumerate(group):
            run.add(script, len(group) - done)
        runs.append(run)
    return runs


def _write(file: Path, runs: list[Run], argv: list[str], start: datetime) -> None:
    data = {
        "machine": machine.described(),
        "date": start.isoformat(timespec="seconds"),
        "arguments": argv,
        "seconds": round((datetime.now(UTC) - start).total_seconds()),
        "scripts": [result for run in runs for result in run.results],
    }
    file.write_text(json.dumps(data, indent=1))


def _chosen(wanted: str | None) -> list[Script]:
    every = scripts()
    return [s for s in every if wanted in (None, s.package)] or [s for s in every if s.name == wanted]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("package", nargs="?", help=f"one of {', '.join(PACKAGES)}, or one script; default: all")
    add_options(parser)
    parser.add_argument("--list", action="store_true", help="name the scripts and end")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the performance page from this file and end")
    parser.add_argument("--to", type=Path, default=report.PAGE, metavar="PAGE", help="where --report writes")
    return parser


def main(argv: list[str]) -> int:
    """Answers the exit status."""
    parser = _parser()
    args = parser.parse_args(argv)
    if args.report:
        return report.write(args.report, args.to)
    chosen = _chosen(args.package)
    if not chosen:
        parser.error(f"no benchmark for {args.package!r}; there are {', '.join(s.name for s in scripts())}")
    if args.list:
        print("\n".join(f"{script.package:20} {script.name}" for script in chosen))
        return 0
    start = datetime.now(UTC)
    runs = _run(chosen, args)
    rows, failures = _rows([r for run in runs for r in run.results]), [what for run in runs for what in run.failures]
    print("\n".join(tables.closing(rows)))
    print("".join(f"FAILED {failure}\n" for failure in failures), end="")
    if args.json:
        _write(args.json, runs, argv, start)
    if unknown := _unknown_peers(args, runs):
        parser.error(unknown)
    return int(bool(failures) or (args.strict and not all(row.met for row in rows)))


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # also where whoever started this ignores interrupts
        signal.signal(number, signal.default_int_handler)
    try:
        raise SystemExit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("tools/bench: interrupted")
