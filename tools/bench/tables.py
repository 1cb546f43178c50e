"""What a run prints and keeps: tables of figures, and the closing one of targets.

A `Table` that is shown is printed and remembered, so that `--json` and the performance page have all that a reader
of the terminal had.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Measured", "Table", "closing", "shown", "verdict"]

shown: list[Table] = []
"""What this process has printed so far."""


@dataclass(frozen=True)
class Measured:
    """One row of the closing table: `value` against `limit`.

    `note` says what the floor is and what stands in the way; it is printed where the target is missed.
    """

    name: str
    limit: str
    value: str
    met: bool
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """What `--json` keeps of it."""
        row = {"target": self.name, "limit": self.limit, "measured": self.value, "met": self.met}
        return row | ({"note": self.note} if self.note else {})


@dataclass
class Table:
    """Rows of text or numbers below headings; the first column is aligned to the left."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)

    def show(self) -> None:
        """Prints it and keeps it for `--json`."""
        shown.append(self)
        print(f"\n{self.title}:" if self.title else "")
        print("\n".join(aligned(self.columns, self.rows)), flush=True)

    def as_json(self) -> dict[str, Any]:
        """What `--json` keeps of it."""
        return {"title": self.title, "columns": list(self.columns), "rows": [list(row) for row in self.rows]}


def _is_number(text: str) -> bool:
    return text[:1].isdigit() or text in {"", "-"}


def aligned(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines in columns; a column that holds only numbers is aligned to the right."""
    rows = list(rows)
    widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
    right = [bool(rows) and all(_is_number(row[i]) for row in rows) for i in range(len(columns))]

    def line(cells: Sequence[str]) -> str:
        placed = zip(cells, widths, right, strict=True)
        return "  ".join(
            text.rjust(width) if to_right else text.ljust(width) for text, width, to_right in placed
        ).rstrip()

    return [line(columns), *(line(row) for row in rows)]


FIGURE = re.compile(r"(<=|>=|<|>)? ?(\d[\d.]*) ?(x|us|ms|ns|s|MiB|B)?(?= |$)")


def verdict(row: Measured) -> str:
    """`met`, `MISSED`, or, from one and a half times on, `met, 2.3 x to spare`."""
    if not row.met:
        return "MISSED"
    limit, value = FIGURE.match(row.limit), FIGURE.fullmatch(row.value)
    if not (limit and limit[1] and value) or limit[3] != value[3] or not (float(value[2]) and float(limit[2])):
        return "met"
    ratio = float(limit[2]) / float(value[2])
    spare = ratio if limit[1].startswith("<") else 1 / ratio
    return f"met, {spare:.1f} x to spare" if spare >= 1.5 else "met"


def closing(rows: Sequence[Measured]) -> list[str]:
    """The table `target | limit | measured | verdict`, the notes of what was missed, and the sum."""
    if not rows:
        return []
    cells = [(row.name, row.limit, row.value, verdict(row)) for row in rows]
    missed = [row for row in rows if not row.met]
    notes = [f"{row.name}: {row.note}" for row in missed if row.note]
    total = f"{len(rows)} targets: {len(rows) - len(missed)} met, {len(missed)} missed"
    return ["", *aligned(("target", "limit", "measured", "verdict"), cells), *notes, total]
