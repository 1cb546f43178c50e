"""The index of a table: which entries can match a path at all, in declared order.

Two structures, both made once. `exact` maps a path to the one entry that answers it whatever else the request
says. Everything else is found by the longest literal prefix that the path has: the prefixes stand sorted, each
with the entries of its own and of all shorter prefixes of it merged, so that one binary search finds them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence

from .entries import Entry
from .handler_entry import HandlerEntry
from .segments import Segmented

__all__ = ["Index"]

_FEW = 16  # of more entries, those of shorter prefixes are not copied, and those of one are told apart by segments
_PROBES = 100_000  # entries tried on exact paths while building; beyond, they are searched like the others


class Index:
    """Immutable: a table that changes makes a new one."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = tuple(entries)
        countable = [entry for entry in entries if isinstance(entry, HandlerEntry) and entry.paths]
        searched = set(entries).difference(countable)
        self._build(sorted(searched, key=_order))
        self.exact, left = self._decide(countable)
        if left:
            self._build(sorted((*searched, *left), key=_order))

    def candidates(self, path: str) -> Sequence[Entry]:
        """The entries that may match `path`, in declared order, except where `exact` has it."""
        if path.endswith("\n"):  # `$` also matches before a final line end, which no exact path has
            return [entry for entry in self.entries if path.startswith(entry.prefix)]
        prefixes = self._prefixes
        at = bisect_right(prefixes, path) - 1  # _found, without the call
        while not path.startswith(prefixes[at]):
            at = self._parents[at]
        merged = self._merged[at]
        return self._gathered(at, path) if merged is None else merged

    def _build(self, entries: Sequence[Entry]) -> None:
        own: defaultdict[str, list[Entry]] = defaultdict(list)
        own[""] = []
        for entry in entries:
            own[entry.prefix].append(entry)
        self._prefixes = sorted(own)
        self._parents = _parents(self._prefixes)
        self._own = [_own(own[prefix]) for prefix in self._prefixes]
        self._merged: list[tuple[Entry, ...] | None] = []
        for at, mine in enumerate(self._own):
            above = self._merged[self._parents[at]] if at else ()
            if above is None or len(above) > _FEW or isinstance(mine, Segmented):
                self._merged.append(None)
            else:
                self._merged.append(tuple(sorted((*above, *mine), key=_order)))

    def rivals(self, entry: HandlerEntry) -> Iterator[Entry]:
        """The searched entries that share a path with `entry`, and perhaps some that do not."""
        for mine in self._chain(self._found(entry.prefix)):
            yield from mine.like(entry) if isinstance(mine, Segmented) else mine

    def _found(self, path: str) -> int:
        """The place of the longest prefix of `path`."""
        at = bisect_right(self._prefixes, path) - 1
        while not path.startswith(self._prefixes[at]):
            at = self._parents[at]
        return at

    def _chain(self, at: int) -> Iterator[tuple[Entry, ...] | Segmented]:
        """The entries of one prefix, and of each shorter prefix of it."""
        yield self._own[at]
        while at:
            at = self._parents[at]
            yield self._own[at]

    def _gathered(self, at: int, path: str) -> Sequence[Entry]:
        found: list[Entry] = []
        for mine in self._chain(at):
            found += mine.of(path) if isinstance(mine, Segmented) else mine
        found.sort(key=_order)
        return found

    def _decide(self, countable: Sequence[HandlerEntry]) -> tuple[dict[str, HandlerEntry], list[HandlerEntry]]:
        """The paths that nothing declared earlier can take, and the entries that lost one of theirs."""
        exact: dict[str, HandlerEntry] = {}
        left: list[HandlerEntry] = []
        contested: set[str] = set()
        self._probes = _PROBES
        for entry in countable:
            for path in entry.paths:
                if path in exact:
                    continue
                if path in contested or self._is_contested(path, entry.order):
                    contested.update(entry.paths)
                    left.append(entry)
                    break
                exact[path] = entry
        return exact, left

    def _is_contested(self, path: str, order: int) -> bool:
        rivals = [rival for rival in self.candidates(path) if rival.order < order]
        self._probes -= len(rivals)
        return path.endswith("\n") or self._probes < 0 or any(rival.match(path, rival.start) for rival in rivals)


def _own(entries: list[Entry]) -> tuple[Entry, ...] | Segmented:
    if len(entries) > _FEW:
        segmented = Segmented(entries)
        if len(segmented.without_key) < len(entries) / 2:
            return segmented
    return tuple(entries)


def _order(entry: Entry) -> int:
    return entry.order


def _parents(prefixes: Sequence[str]) -> list[int]:
    """For each of the sorted prefixes the place of the longest other one that it starts with; 0 for ''."""
    parents: list[int] = []
    chain: list[int] = []
    for at, prefix in enumerate(prefixes):
        while chain and not prefix.startswith(prefixes[chain[-1]]):
            chain.pop()
        parents.append(chain[-1] if chain else 0)
        chain.append(at)
    return parents
