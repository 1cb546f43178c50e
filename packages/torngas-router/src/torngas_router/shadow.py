"""Which routes can never be reached, because earlier ones take all of their paths.

What is reported is certain; of two expressions whose languages cannot be compared cheaply nothing is said. Known are
equal expressions, countable paths, catch-alls below a prefix, and paths that agree segment by segment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .entries import Entry
from .handler_entry import HandlerEntry
from .index import Index
from .literal import Head

__all__ = ["shadow"]

_CATCH_ALL = re.compile(r"(?:\((?:\?P<\w+>|\?:)?)?\.([*+])\)?\$?\Z")
_GROUP = re.compile(r"\((?:\?P<\w+>|\?:)?([^()]*)\)")
_SEGMENT = "\0+"
_ONE_SEGMENT_OR_LESS = re.compile(r"(?:\0|\\[dw]|\[[\w-]+\])\+|(?:[\w-]|\\[.-])+")


def shadow(index: Index, entry: Entry) -> Entry | None:
    """The earlier entry that takes everything which `entry` matches; None if there is none, or nobody can tell."""
    if not isinstance(entry, HandlerEntry):
        return None
    earlier = (rival for rival in _rivals(index, entry) if rival.order < entry.order)
    covering = (rival for rival in earlier if rival.answers_whenever(entry) and _covers(rival, entry))
    return min(covering, key=lambda rival: rival.order, default=None)


def _rivals(index: Index, entry: HandlerEntry) -> Iterator[HandlerEntry]:
    for path in entry.head.paths:
        if path in index.exact:
            yield index.exact[path]
    for rival in index.rivals(entry):
        if isinstance(rival, HandlerEntry):
            yield rival


def _covers(rival: HandlerEntry, entry: HandlerEntry) -> bool:
    if entry.head.paths:
        return all(path.startswith(rival.prefix) and rival.match(path, rival.start) for path in entry.head.paths)
    if (rival.head, rival.flags) == (entry.head, entry.flags):
        return True
    if rival.flags != entry.flags or rival.flags != re.UNICODE:
        return False
    if rest := _CATCH_ALL.match(rival.head.rest):
        return rest[1] == "*" or len(entry.prefix) > len(rival.prefix)
    return _segments_cover(_segments(rival.head), _segments(entry.head))


def _segments(head: Head) -> list[str]:
    source = re.escape(head.prefix) + head.rest
    return _GROUP.sub(r"\1", source).replace("[^/]", "\0").removesuffix("$").removesuffix(r"\Z").split("/")


def _segments_cover(wide: list[str], narrow: list[str]) -> bool:
    return len(wide) == len(narrow) and all(
        one == other or (one == _SEGMENT and _ONE_SEGMENT_OR_LESS.fullmatch(other))
        for one, other in zip(wide, narrow, strict=True)
    )
