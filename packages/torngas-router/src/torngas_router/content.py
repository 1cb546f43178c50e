"""What a table holds at one moment: its index, its names, and the search in both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.routing import ReversibleRouter

from .converters import Converter
from .entries import Entry, Match
from .errors import ReverseError, UrlError
from .index import Index
from .matching import RouteMatches
from .reverse import reverse
from .rule_entry import RuleEntry

__all__ = ["Content", "unknown_name"]


class Content:
    """Immutable, and so safe in every thread; `RouteTable.replace` makes a new one."""

    __slots__ = ("_converters", "_routers", "candidates", "exact", "index", "names")

    def __init__(self, entries: Sequence[Entry], converters: Mapping[str, Converter]) -> None:
        self._converters = converters
        self.names = _names(entries)
        self._routers = [e.target for e in entries if isinstance(e, RuleEntry) and _is_reversible(e.target)]
        self.index = Index(entries)
        self.exact = self.index.exact
        self.candidates = self.index.candidates

    def match_request(self, request: HTTPServerRequest) -> Match | None:
        """The first entry that takes the request."""
        for entry, found in self._found(request.path):
            if (matched := entry.matched(request, found)) is not None:
                return matched
        return None

    def allowed_methods(self, request: HTTPServerRequest) -> frozenset[str]:
        """The methods of the routes that refused the request for its own."""
        return frozenset(
            method for entry, found in self._found(request.path) for method in entry.allowed_methods(request, found)
        )

    def reverse(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
        """The path of a named route, of a nested router's last; None for an unknown name."""
        entry = self.names.get(name)
        if entry is None:
            found = (router.reverse_url(name, *args, **kwargs) for router in self._routers)
            return next((url for url in found if url is not None), None)
        if isinstance(entry, RuleEntry) and not isinstance(entry.matcher, RouteMatches):
            return entry.matcher.reverse(*args)
        return reverse(entry.route, self._converters, args, kwargs)

    def _found(self, path: str) -> Iterator[tuple[Entry, Any]]:
        for entry in self.index.candidates(path):
            if (found := entry.match(path, entry.start)) is not None:
                yield entry, found


def unknown_name(name: str, known: Iterable[str]) -> ReverseError:
    """The error that names the nearest known ones."""
    near = get_close_matches(name, known, n=3) or sorted(known)[:10]
    return ReverseError(
        f"reverse({name!r}): got an unknown name; expected one of the table's, e.g. {near}. "
        "Give the route that name=, with the prefix_name of its includes before it."
    )


def _is_reversible(target: object) -> bool:
    return isinstance(target, ReversibleRouter)


def _names(entries: Sequence[Entry]) -> dict[str, Entry]:
    names: dict[str, Entry] = {}
    for entry in entries:
        name = entry.route.name
        if not name:
            continue
        if name in names:
            raise UrlError.at(
                entry.route.where,
                got=f"the name {name!r} a second time (first: {names[name].route.where})",
                expected="a name of its own",
                remedy="Rename one of them, or include() one group with a prefix_name.",
            )
        names[name] = entry
    return names
