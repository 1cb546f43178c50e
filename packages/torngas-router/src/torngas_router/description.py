"""What a table tells about itself: one RouteInfo per route, and who stands in whose way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .entries import Entry
from .index import Index
from .rule_entry import RuleEntry
from .shadow import shadow

__all__ = ["RouteInfo", "describe", "readable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteInfo:
    """One line of `RouteTable.describe()`.

    Attributes:
        pattern: As it was written, prefixes of includes before it.
        name: None if it has none.
        handler: `module.Class`, or the repr of another target.
        kwargs: What the handler finds in `_url_kwargs` (in Tornado's forms: what `initialize` gets).
        methods: Sorted; None: all.
        host: A regular expression; None: any.
        origin: `file:line` of the declaration; in Tornado's forms that of the table.
        shadowed_by: The pattern of the earlier route because of which this one is never reached; None: it is
            reached, or nobody can tell.
    """

    pattern: str
    name: str | None
    handler: str
    kwargs: Mapping[str, Any]
    methods: tuple[str, ...] | None
    host: str | None
    origin: str
    shadowed_by: str | None

    @property
    def shadowed(self) -> bool:
        """Whether it is never reached."""
        return self.shadowed_by is not None


def describe(index: Index) -> list[RouteInfo]:
    """The routes in declared order, those of a nested table behind the rule that leads there."""
    found: list[RouteInfo] = []
    for entry in index.entries:
        found.append(_info(entry, shadow(index, entry)))
        if isinstance(entry, RuleEntry) and entry.nested is not None:
            found += entry.nested.describe()
    return found


def readable(infos: Iterable[RouteInfo]) -> str:
    """The routes as aligned text, one line each."""
    rows = [_row(info) for info in infos]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _info(entry: Entry, by: Entry | None) -> RouteInfo:
    route = entry.route
    return RouteInfo(
        pattern=route.pattern,
        name=route.name,
        handler=_handler_name(route.handler_class),
        kwargs={**route.initialize, **route.kwargs},
        methods=None if route.methods is None else tuple(sorted(route.methods)),
        host=route.host,
        origin=str(route.origin),
        shadowed_by=None if by is None else by.route.pattern,
    )


def _handler_name(handler: Any) -> str:
    if isinstance(handler, list | tuple):
        return f"{len(handler)} rules"
    return f"{handler.__module__}.{handler.__qualname__}" if isinstance(handler, type) else repr(handler)


def _row(info: RouteInfo) -> tuple[str, ...]:
    return (
        ",".join(info.methods or ("*",)),
        (f"//{info.host}" if info.host else "") + info.pattern,
        info.handler,
        info.name or "-",
        f"shadowed by {info.shadowed_by}" if info.shadowed else "",
    )
