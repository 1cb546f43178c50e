"""The routes of a Tornado application, read for the modules: their names, and which one a request matched.

Tables of other libraries are asked structurally: a matched route is `request.route` with a `name`; a table on the
application is `application.table`, whose `describe()` lists objects with `pattern` and `name`.
"""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Iterable, Iterator

from tornado.httputil import HTTPServerRequest
from tornado.routing import PathMatches, Rule, RuleRouter
from tornado.web import Application, ErrorHandler, RequestHandler

from .errors import UnmatchedKeyWarning

__all__ = ["RouteNames", "is_not_found", "warn_of_unmatched"]

# What may stand in front of the first special character of an expression, literally.
_LITERAL = re.compile(r"\^?((?:[^\\.^$*+?{}\[\]|()]|\\[^A-Za-z0-9])*)([*+?{]?)")


class RouteNames:
    """The named routes of an application, and the name of the one that a request matched."""

    def __init__(self, application: Application) -> None:
        self._router = application.default_router
        self.patterns: list[str] = []
        self.complete = True
        found: set[str] = set()
        for pattern, name in self._listed(application):
            self.patterns.append(pattern)
            if name:
                found.add(name)
        self.names = frozenset(found)

    def _listed(self, application: Application) -> Iterator[tuple[str, str | None]]:
        describe = getattr(getattr(application, "table", None), "describe", None)
        if describe is not None:
            for row in describe():
                yield str(row.pattern), row.name
        yield from self._of_rules(self._router.rules)

    def _of_rules(self, rules: Iterable[Rule]) -> Iterator[tuple[str, str | None]]:
        for rule in rules:
            if isinstance(rule.target, RuleRouter):
                yield from self._of_rules(rule.target.rules)
            elif isinstance(rule.matcher, PathMatches):
                yield rule.matcher.regex.pattern, rule.name
            else:
                self.complete = False  # a custom matcher or router may match anything

    def name_of(self, request: HTTPServerRequest) -> str | None:
        """The name of the route that this request matches first."""
        route = getattr(request, "route", None)
        if route is not None:
            return route.name  # type: ignore[no-any-return]  # structural, see the module
        rule = self._first(self._router.rules, request)
        return None if rule is None else rule.name

    def _first(self, rules: Iterable[Rule], request: HTTPServerRequest) -> Rule | None:
        for rule in rules:
            if rule.matcher.match(request) is not None:
                if not isinstance(rule.target, RuleRouter):
                    return rule
                if inner := self._first(rule.target.rules, request):
                    return inner
        return None


def is_not_found(handler: RequestHandler) -> bool:
    """Whether this is the application's answer where no route matched."""
    kinds = (ErrorHandler, handler.application.settings.get("default_handler_class", ErrorHandler))
    return isinstance(handler, kinds)


def warn_of_unmatched(expressions: Iterable[re.Pattern[str]], routes: RouteNames) -> None:
    """Warns of expressions that no route can match; where that cannot be told, nothing is said."""
    for expression in expressions:
        near = difflib.get_close_matches(expression.pattern, routes.names, n=1, cutoff=0.8)
        if near or (routes.complete and not any(_may_meet(expression, pattern) for pattern in routes.patterns)):
            hint = f"did you mean the route's name {near[0]!r}?" if near else "correct it, or take it out"
            warnings.warn(
                f"ROUTE_MODULES[{expression.pattern!r}]: no route of the application can match; {hint}",
                UnmatchedKeyWarning,
                stacklevel=2,
            )


def _may_meet(expression: re.Pattern[str], pattern: str) -> bool:
    """Whether some path of the route may match the expression; a guess only ever on the side of yes."""
    beginning, whole = _beginning(pattern)
    if whole:
        return expression.search(beginning) is not None
    if not expression.pattern.startswith("^") or "|" in expression.pattern:
        return True
    wanted, _ = _beginning(expression.pattern)
    return wanted.startswith(beginning) or beginning.startswith(wanted)


def _beginning(pattern: str) -> tuple[str, bool]:
    """The literal text that a pattern begins with, and whether that is all of it."""
    found = _LITERAL.match(pattern)
    if found is None or "|" in pattern:
        return "", False
    literal = re.sub(r"\\(.)", r"\1", found[1])
    if found[2]:  # the last character is repeated or optional
        return literal[:-1], False
    return literal, pattern[found.end() :] in ("", "$")
