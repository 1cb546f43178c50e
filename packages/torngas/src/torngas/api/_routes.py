"""What an application serves by typed methods: one `Served` per route, in the order in which routes are tried."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tornado.routing import Rule
from tornado.web import Application, RequestHandler

from torngas.api.endpoints import Endpoint
from torngas.cli._samples import sample_path

__all__ = ["Served", "served"]

_METHODS = tuple(name for name in RequestHandler.SUPPORTED_METHODS if name != "CONNECT")


@dataclass(frozen=True, slots=True)
class Served:
    """A route that leads to a handler class with typed methods."""

    pattern: str
    name: str | None
    handler: type[RequestHandler]
    methods: frozenset[str] | None

    def endpoints(self) -> Iterator[tuple[str, Any, Endpoint]]:
        """(HTTP method, the handler's method, what is typed of it), of those that may be shown."""
        for name in _METHODS:
            method = getattr(self.handler, name.lower(), None)
            found = getattr(method, "__endpoint__", None)
            if not isinstance(found, Endpoint) or found.declaration.hidden:
                continue
            if self.methods is None or name in self.methods:
                yield name, method, found


def served(application: Application) -> list[Served]:
    """The routes of an application: torngas', Tornado's own, or a mixture."""
    table = getattr(application, "table", None)
    routers = [application.default_router, application.wildcard_router]
    found = list(_of_table(table)) if table is not None else []
    found += [one for router in routers for one in _of_rules(router.rules)]
    seen: set[tuple[Any, ...]] = set()
    return [one for one in found if not (_key(one) in seen or seen.add(_key(one)))]  # type: ignore[func-returns-value]


def _key(one: Served) -> tuple[Any, ...]:
    return one.pattern, one.handler, one.methods


def _of_table(table: Any) -> Iterator[Served]:
    for info in table.describe():
        handler = None if info.shadowed else _imported(info.handler) or _matched(table, info)
        if handler is not None:
            yield Served(info.pattern, info.name, handler, None if info.methods is None else frozenset(info.methods))


def _imported(dotted: str) -> type[RequestHandler] | None:
    """The class of a dotted path; classes within classes too."""
    module, names = dotted, list[str]()
    while "." in module:
        module, _, name = module.rpartition(".")
        names.insert(0, name)
        try:
            found: Any = importlib.import_module(module)
        except (ImportError, ValueError):
            continue
        for one in names:
            found = getattr(found, one, None)
        return found if isinstance(found, type) and issubclass(found, RequestHandler) else None
    return None


def _matched(table: Any, info: Any) -> type[RequestHandler] | None:
    """The class that answers a path of the route: of classes that no dotted path leads to."""
    match = table.match(sample_path(info), (info.methods or ("GET",))[0])
    if match is None or match.route.pattern != info.pattern:
        return None
    found = match.route.handler_class
    return found if isinstance(found, type) and issubclass(found, RequestHandler) else None


def _of_rules(rules: Iterable[Rule]) -> Iterator[Served]:
    for rule in rules:
        target = rule.target
        expression = getattr(rule.matcher, "regex", None)
        if expression is not None and isinstance(target, type) and issubclass(target, RequestHandler):
            pattern = getattr(rule, "pattern", expression.pattern)
            yield Served(pattern, rule.name, target, getattr(rule, "methods", None))
        elif hasattr(target, "rules"):
            yield from _of_rules(target.rules)
