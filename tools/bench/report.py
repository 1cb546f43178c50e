"""Writes the figures of a full run into the performance page: `python tools/bench --report FILE`.

FILE is what `--json FILE` kept. The text between the two marks of the page is replaced; what stands around it is
written by hand, and holds no figures.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tables import Measured, verdict

__all__ = ["PAGE", "page", "write"]

PAGE = Path(__file__).resolve().parents[2] / "packages" / "torngas" / "docs" / "performance.md"
BEGIN, END = "<!-- figures, written by tools/bench -->", "<!-- end of the figures -->"
SCALES = {"ns": 1e9, "us": 1e6, "ms": 1e3}
Result = dict[str, Any]


def write(source: Path, target: Path) -> int:
    """Replaces the figures of the page; answers 2, and changes nothing, if either file is not as it should be."""
    try:
        data, text = json.loads(source.read_text(encoding="utf-8")), target.read_text(encoding="utf-8")
        written = page(text, data)
    except (OSError, ValueError, LookupError, TypeError) as error:
        print(f"tools/bench --report: {error!r}; expected the JSON of a run and a page with its marks", file=sys.stderr)
        return 2
    target.write_text(written, encoding="utf-8")
    return 0


def page(text: str, data: dict[str, Any]) -> str:
    """The page with the figures of this run."""
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    if END not in text or not rest:
        raise ValueError(f"the page has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n" + "\n".join(_figures(data)).strip() + f"\n\n{END}{after}"


def _figures(data: dict[str, Any]) -> Iterator[str]:
    machine = data["machine"]
    yield f"Measured on {data['date'][:10]} in {data['seconds'] / 60:.0f} minutes by `{_command(data['arguments'])}`.\n"
    yield from _table(("", ""), [(name, text) for name, text in machine.items()])
    failed = [f"{one['script']}: {what.splitlines()[0]}" for one in data["scripts"] for what in one["failures"]]
    if failed:
        yield f"Not measured: {_escaped('; '.join(failed))}.\n"
    yield from _targets(data)
    packages = dict.fromkeys(result["package"] for result in data["scripts"])
    for package in packages:
        yield f"## {package}\n"
        for result in data["scripts"]:
            if result["package"] == package:
                yield from _script(result)


def _command(arguments: Sequence[str]) -> str:
    options = re.sub(r"--json[ =]\S+ ?", "", " ".join(arguments)).strip()  # where it was written is nobody's concern
    return f'make bench BENCH_ARGS="{options}"' if options else "make bench"


def _targets(data: dict[str, Any]) -> Iterator[str]:
    yield "## Targets\n\n`make bench`; one package: `make bench PKG=torngas-cache`\n"
    rows, notes = [], []
    for result in data["scripts"]:
        for row in result.get("targets", ()):
            one = Measured(row["target"], row["limit"], row["measured"], row["met"], row.get("note", ""))
            rows.append((result["package"], one.name, one.limit, one.value, verdict(one)))
            if one.note and not one.met:
                notes.append(f"- {result['package']}, {one.name}: {one.note}")
    yield from _table(("package", "target", "limit", "measured", "verdict"), rows)
    yield "\n".join([*notes, ""])


def _script(result: Result) -> Iterator[str]:
    if not (result.get("samples") or result.get("tables")):
        return
    command = f"`make bench PKG={result['script']}`"
    yield f"### {result['name']}\n\n{_summary(result['doc'])}\n"
    versions = ", ".join(f"{package} {found}" for package, found in result["versions"].items())
    yield f"Python {result['python']}" + (f"; {versions}" if versions else "") + ".\n"
    for scenarios, peers in _groups(result):
        yield f"{command}, {result['unit']} per operation (ratio to {peers[0]}): medians of {_rounds(result)} rounds\n"
        yield from _pivot(result, scenarios, peers)
    yield from _differences(result, {peer for _, peer, _ in _rows_of_samples(result)})
    for table in result["tables"]:
        if table["title"]:
            yield f"{command}: {table['title']}\n"
            yield from _table(table["columns"], table["rows"])


def _summary(doc: str) -> str:
    return _escaped(" ".join(doc.split()))


def _rows_of_samples(result: Result) -> list[tuple[str, str, list[float]]]:
    return [(scenario, peer, values) for scenario, peer, values in result["samples"] if values]


def _groups(result: Result) -> list[tuple[list[str], list[str]]]:
    """Scenarios that the same peers have, with these peers: one table each."""
    peers_of: dict[str, list[str]] = {}
    for scenario, peer, _ in _rows_of_samples(result):
        peers_of.setdefault(scenario, []).append(peer)
    found: dict[tuple[str, ...], list[str]] = {}
    for scenario, peers in peers_of.items():
        found.setdefault(tuple(peers), []).append(scenario)
    return [(scenarios, list(peers)) for peers, scenarios in found.items()]


def _rounds(result: Result) -> int:
    return max(len(values) for _, _, values in result["samples"])


def _pivot(result: Result, scenarios: Sequence[str], peers: Sequence[str]) -> Iterator[str]:
    """Scenarios down, peers across; the other way round where that is narrower."""
    medians = {(s, p): statistics.median(values) for s, p, values in _rows_of_samples(result)}
    cells = {}
    for scenario, peer, values in _rows_of_samples(result):
        cells[scenario, peer] = _cell(values, SCALES[result["unit"]])
        if scenario in scenarios and peer != peers[0]:
            cells[scenario, peer] += f" ({medians[scenario, peer] / medians[scenario, peers[0]]:.2f} x)"
    if len(peers) <= max(len(scenarios), 5):
        yield from _table(("", *peers), [(s, *(cells[s, p] for p in peers)) for s in scenarios])
    else:
        yield from _table(("", *scenarios), [(p, *(cells[s, p] for s in scenarios)) for p in peers])


def _cell(values: Sequence[float], scale: float) -> str:
    middle = statistics.median(values)
    shown = middle * scale
    digits = 1 if shown < 100 else 0
    return f"{shown:,.{digits}f} ± {(max(values) - min(values)) / 2 / middle:.0%}"


def _differences(result: Result, peers: set[str]) -> Iterator[str]:
    said = [f"- {peer}: {what}" for peer, what in result.get("differs", {}).items() if peer in peers]
    if said:
        yield "\n".join(["What differs:\n", *said, ""])


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    lines = [columns, ["---"] * len(columns), *rows]
    yield "\n".join("| " + " | ".join(_escaped(str(cell)) for cell in line) + " |" for line in lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
