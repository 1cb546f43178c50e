"""The forms in which an entry may be written, brought to one.

A Route, a `tornado.routing.Rule` (URLSpec too), a tuple or list `(pattern, handler[, kwargs[, name]])` whose first
item is a text, a compiled expression or a Matcher, and lists of all these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from tornado.routing import Matcher, PathMatches, Rule

from .declaration import Route, TornadoRoute
from .errors import UrlError
from .origin import Origin
from .pattern import PathPattern

__all__ = ["normalized", "opened"]


def opened(declared: Iterable[Any]) -> Iterator[Any]:
    """The entries, with lists of entries among them opened to any depth."""
    for item in declared:
        if isinstance(item, list | tuple) and item and isinstance(item[0], Rule | list | tuple):
            yield from opened(item)
        else:
            yield item


def normalized(item: Any, origin: Origin) -> Route | Rule:
    """The entry as a Route where only its path decides, else as Tornado's Rule; UrlError for anything else."""
    if isinstance(item, list | tuple):
        item = _of_items(item, origin)
    if isinstance(item, Route):
        return item
    if isinstance(item, Rule):
        return _of_rule(item, origin)
    raise _no_entry(item, origin)


def _of_items(items: list[Any] | tuple[Any, ...], origin: Origin) -> Route | Rule:
    if not 2 <= len(items) <= 4:
        raise _no_entry(items, origin)
    pattern, handler, kwargs, name = (*items, None, None)[:4]
    if isinstance(pattern, Matcher):
        try:
            return Rule(*items)
        except ImportError as error:
            raise _no_entry(items, origin) from error
    if isinstance(pattern, str):
        path = PathPattern.of_text(pattern)
    elif isinstance(pattern, re.Pattern) and isinstance(pattern.pattern, str):
        path = PathPattern(compiled=pattern)
    else:
        raise _no_entry(items, origin)
    return TornadoRoute(path, handler, name=name, initialize=kwargs, origin=origin)


def _of_rule(rule: Rule, origin: Origin) -> Route | Rule:
    matcher = rule.matcher
    if type(matcher) is not PathMatches or not isinstance(matcher.regex, re.Pattern):
        return rule
    path = PathPattern(compiled=matcher.regex)
    return TornadoRoute(path, rule.target, name=rule.name, initialize=rule.target_kwargs, origin=origin)


def _no_entry(item: Any, origin: Origin) -> UrlError:
    return UrlError.at(
        f"{origin}: table entry",
        got=repr(item),
        expected="u(...), path(...), include(...), a tuple (pattern, handler[, kwargs[, name]]), a tornado Rule",
        remedy="Remove it or write it in one of these forms.",
    )
