"""Text for the terminal: aligned columns and marks. click drops the colours where no terminal reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

__all__ = ["bad", "columns", "counted", "good", "warned"]


def columns(rows: Iterable[Sequence[str]], heading: Sequence[str]) -> str:
    """The rows under a heading, each column as wide as its widest cell."""
    cells = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(heading, *cells, strict=True)]

    def line(row: Sequence[str]) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()

    return "\n".join([click.style(line(heading), bold=True), *map(line, cells)])


def counted(number: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def good(text: str) -> str:
    """Text that says that all is well."""
    return click.style(text, fg="green")


def warned(text: str) -> str:
    """Text that asks for attention."""
    return click.style(text, fg="yellow")


def bad(text: str) -> str:
    """Text that says what is wrong."""
    return click.style(text, fg="red")
