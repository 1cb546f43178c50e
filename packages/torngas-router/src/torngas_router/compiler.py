"""From what the user wrote to the entries of a table; every mistake is found here, with its place.

entries = Compiler(converters, nest=RouteTable).compile(declared, origin)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tornado.routing import AnyMatches, HostMatches, Matcher, Rule
from tornado.web import RequestHandler

from .converters import Converter
from .declaration import Route, TornadoRoute
from .entries import Entry
from .errors import UrlError
from .handler_entry import HandlerEntry
from .literal import Head
from .matching import RouteMatches
from .normalize import normalized, opened
from .origin import Origin
from .pattern import UNUSABLE, PathPattern
from .rule_entry import RuleEntry

__all__ = ["Compiler"]


class Compiler:
    """Makes the entries of one table.

    Args:
        converters: By name, for the typed parts.
        nest: Makes the router of a rule whose target is a list of rules.
    """

    def __init__(self, converters: Mapping[str, Converter], nest: Callable[[list[Any]], Any]) -> None:
        self._converters = converters
        self._nest = nest
        self._rests: dict[str, re.Pattern[str]] = {}

    def compile(self, declared: Iterable[Any], origin: Origin) -> list[Entry]:
        """One entry per route or rule, in their order; UrlError names the first that is wrong."""
        return [self._entry(order, normalized(item, origin), origin) for order, item in enumerate(opened(declared))]

    def _entry(self, order: int, rule: Route | Rule, origin: Origin) -> Entry:
        if isinstance(rule, Route):
            return self._of_route(order, rule)
        path = PathPattern.of_text(_described(rule.matcher))
        shown = TornadoRoute(path, rule.target, name=rule.name, initialize=rule.target_kwargs, origin=origin)
        return RuleEntry(order, shown, rule.matcher, self._target(rule.target))

    def _of_route(self, order: int, route: Route) -> Entry:
        head, regex = self._expression(route)
        _check_groups(route, regex)
        _check_conditions(route)
        target = route.target
        if isinstance(target, type) and issubclass(target, RequestHandler):
            converters = {name: self._converters[key] for name, key in route.path.placeholders()}
            return HandlerEntry(order, route, head, regex, converters)
        whole = route.path.compile(route.where, self._converters)
        matcher = RouteMatches(route, whole, self._converters)
        return RuleEntry(order, route, matcher, self._target(target), head.prefix, whole.match)

    def _expression(self, route: Route) -> tuple[Head, re.Pattern[str]]:
        """The literal head, and the expression for the path behind it (a compiled one: for the whole path)."""
        if compiled := route.path.compiled:
            return Head.of(compiled.pattern, compiled.flags), compiled
        try:
            head = Head.of(route.path.source(self._converters))
            regex = self._rests.get(head.rest)
            if regex is None:
                regex = self._rests[head.rest] = re.compile(head.rest)
        except UNUSABLE as error:
            raise route.path.refusal(route.where, self._converters, error) from error
        return head, regex

    def _target(self, target: Any) -> Any:
        return self._nest(list(target)) if isinstance(target, list | tuple) else target


def _described(matcher: Matcher) -> str:
    if isinstance(matcher, AnyMatches):
        return ".*"
    if isinstance(matcher, HostMatches):
        return f"//{matcher.host_pattern.pattern}"
    return repr(matcher)


def _check_groups(route: Route, regex: re.Pattern[str]) -> None:
    named = regex.groupindex
    if len(named) not in (0, regex.groups):
        raise UrlError.at(
            route.where,
            got="a pattern with named and unnamed groups",
            expected="groups that are all named or all unnamed",
            remedy="Write (?:...) for groups that are no arguments.",
        )
    if taken := sorted(route.kwargs.keys() & named.keys()):
        raise UrlError.at(
            route.where,
            got=f"kwargs {taken} that are groups of the pattern too",
            expected="other names",
            remedy="Rename the groups, or the kwargs of the route, its Url() or its include().",
        )


def _check_conditions(route: Route) -> None:
    if route.methods is not None and (not route.methods or not all(map(str.isalpha, route.methods))):
        raise UrlError.at(
            route.where,
            got=f"methods {sorted(route.methods)}",
            expected="names of HTTP methods, e.g. ('GET', 'POST')",
            remedy="Leave methods out to take all.",
        )
    try:
        re.compile(route.host or "")
    except UNUSABLE as error:
        raise UrlError.at(
            route.where,
            got=f"host {route.host!r} ({error})",
            expected="a regular expression",
            remedy=r"Escape what is meant literally, e.g. r'www\.example\.com'.",
        ) from error
