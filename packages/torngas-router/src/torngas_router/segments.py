r"""Routes that begin alike, told apart by a later segment: `/([^/]+)/orders/(\d+)` by 'orders', its third.

Only where nothing before that segment can match a slash: then the third segment of the expression is that of the
path, whatever the others hold.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain

from .entries import Entry
from .handler_entry import HandlerEntry
from .literal import Head, branches, class_end, closing, literals

__all__ = ["Segmented", "segment_key"]

_QUANTIFIER = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\}|\{,\d+\})[?+]?")
_PLAIN_GROUP = re.compile(r"\((?:\?P<\w+>|\?:|(?!\?))")
_ENDS = frozenset(("$", r"\Z", "/?$", r"/?\Z"))


class Segmented:
    """Many entries of one prefix; `of(path)` gives those whose segment the path has, and those without one."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._by: defaultdict[int, defaultdict[str, list[Entry]]] = defaultdict(lambda: defaultdict(list))
        self.without_key: list[Entry] = []
        for entry in entries:
            key = segment_key(entry.head, entry.flags) if isinstance(entry, HandlerEntry) else None
            if key is None:
                self.without_key.append(entry)
            else:
                self._by[key[0]][key[1]].append(entry)
        self._splits = max(self._by, default=0) + 1

    def of(self, path: str) -> list[Entry]:
        """In no order."""
        found = self.without_key.copy()
        segments = path.split("/", self._splits)
        for number, texts in self._by.items():
            if number < len(segments) and segments[number] in texts:
                found += texts[segments[number]]
        return found

    def like(self, entry: HandlerEntry) -> list[Entry]:
        """Those that `entry` may share a path with: all but those with another text in its segment."""
        key = segment_key(entry.head, entry.flags)
        found = self.without_key.copy()
        for number, texts in self._by.items():
            if key is not None and number == key[0]:
                found += texts.get(key[1], ())
            else:
                found += chain.from_iterable(texts.values())
        return found


def segment_key(head: Head, flags: int) -> tuple[int, str] | None:
    """(number, text) of the first whole literal segment behind the prefix, None if there is none or it may shift.

    Segments are numbered as `path.split("/")` does it; a path with a line end is no matter for this.
    """
    rest = head.rest
    if flags & ~(re.UNICODE | re.ASCII | re.DOTALL) or len(branches(rest)) > 1:
        return None
    number, at = head.prefix.count("/"), 0
    literal: str | None = "" if head.prefix.endswith("/") else None
    while rest[at:] not in _ENDS:
        end = _atom_end(rest, at)
        if end is None:
            return None
        if rest[at] == "/":
            if literal:
                return number, literal
            number, literal = number + 1, ""
        elif literal is not None:
            found = next(literals(rest, at), None)
            literal = literal + found[0] if found and found[2] == end else None
        at = end
    return (number, literal) if literal else None


def _atom_end(source: str, at: int) -> int | None:
    """Where the atom at `at` ends with its quantifier; None unless it is one slash, or can match none."""
    character = source[at : at + 1]
    found = next(literals(source, at), None)
    if found is not None:
        end = found[2]
        if found[0] == "/":
            return None if end - at > 1 or _QUANTIFIER.match(source, end) else end
    elif character == "[":
        end = class_end(source, at) + 1
        if end > len(source) or re.match(source[at:end], "/"):
            return None
    elif source[at : at + 2] in (r"\d", r"\w"):
        end = at + 2
    elif opening := _PLAIN_GROUP.match(source, at):
        end = closing(source, at)
        if not all(_without_slash(branch) for branch in branches(source[opening.end() : end - 1])):
            return None
    else:
        return None
    quantifier = _QUANTIFIER.match(source, end)
    if quantifier is None and source[end : end + 1] in ("*", "+", "?", "{"):
        return None
    return quantifier.end() if quantifier else end


def _without_slash(source: str) -> bool:
    at = 0
    while at < len(source):
        end = _atom_end(source, at)
        if end is None or source[at] == "/":
            return False
        at = end
    return True
