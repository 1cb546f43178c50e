"""`torngas routes`: what is served, by whom, and what runs around it."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import click
from tornado.web import RequestHandler

from torngas.application import Application
from torngas.cli._output import columns, warned
from torngas.cli._project import open_application, settings_option
from torngas.cli._samples import sample_path
from torngas_httpmodule import HttpModuleMiddleware
from torngas_router.description import RouteInfo

__all__ = ["Line", "lines_of", "routes"]

_EPILOG = """\b
Examples:
  torngas routes
  torngas routes --json
  torngas routes --path=/posts/7 --method=POST    which of them answers this?
"""
_METHODS = tuple(method for method in RequestHandler.SUPPORTED_METHODS if method != "CONNECT")
_HEADING = ("METHODS", "PATTERN", "NAME", "HANDLER", "MODULES", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One route, and what runs around its handler.

    Attributes:
        pattern: As declared, with the host before it where there is one.
        name: Of the route, or None.
        handler: Its dotted path.
        methods: Those that the route admits and the handler implements.
        middlewares: Dotted paths, outermost first.
        modules: Dotted paths, in the order in which they begin.
        shadowed_by: The pattern of an earlier route that takes all its requests, or None.
        origin: `file:line` of the declaration.
    """

    pattern: str
    name: str | None
    handler: str
    methods: tuple[str, ...]
    middlewares: tuple[str, ...]
    modules: tuple[str, ...]
    shadowed_by: str | None
    origin: str


def lines_of(application: Application) -> list[Line]:
    """What `torngas routes` prints, as data."""
    middlewares = tuple(_names(application.middlewares.middlewares))
    return [_line(application, info, middlewares) for info in application.table.describe()]


@click.command(epilog=_EPILOG)
@settings_option
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects, for programs.")
@click.option("--path", metavar="PATH", help="Show only the route that answers this path.")
@click.option("--method", default="GET", show_default=True, help="The method that goes with --path.")
def routes(module: str | None, as_json: bool, path: str | None, method: str) -> None:
    """Lists the routes in the order in which they are tried."""
    with open_application(module) as application:
        if path is not None:
            _show_match(application, path, method.upper())
            return
        found = lines_of(application)
        if as_json:
            click.echo(json.dumps([asdict(line) for line in found], indent=2))
            return
        click.echo(columns(map(_row, found), _HEADING))
        click.echo("\nmiddlewares of every route, outermost first:")
        for name in _names(application.middlewares.middlewares):
            click.echo(f"  {name}")


def _show_match(application: Application, path: str, method: str) -> None:
    found = application.table.match(path, method)
    if found is None:
        raise click.ClickException(f"routes: {method} {path} meets no route; `torngas routes` lists them")
    info: Any = found.route
    handler = info.handler_class
    click.echo(f"{method} {path}")
    click.echo(f"  route    {info.pattern} ({info.name or 'without a name'}), declared at {info.origin}")
    click.echo(f"  handler  {handler.__module__}.{handler.__qualname__}")
    click.echo(f"  kwargs   {dict(found.kwargs)!r}")


def _line(application: Application, info: RouteInfo, middlewares: tuple[str, ...]) -> Line:
    return Line(
        pattern=(f"//{info.host}" if info.host else "") + info.pattern,
        name=info.name,
        handler=info.handler,
        methods=_methods(info),
        middlewares=middlewares,
        modules=tuple(_modules(application, info)),
        shadowed_by=info.shadowed_by,
        origin=info.origin,
    )


def _row(line: Line) -> tuple[str, ...]:
    return (
        ",".join(line.methods) or "*",
        line.pattern,
        line.name or "-",
        line.handler,
        ", ".join(name.rpartition(".")[2] for name in line.modules) or "-",
        warned(f"shadowed by {line.shadowed_by}") if line.shadowed_by else "",
    )


def _methods(info: RouteInfo) -> tuple[str, ...]:
    """The methods that get an answer other than 405; empty where the handler cannot be looked at."""
    module, _, name = info.handler.rpartition(".")
    try:
        handler = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        return info.methods or ()
    written = [one for one in _METHODS if _implements(handler, one.lower())]
    return tuple(one for one in written if info.methods is None or one in info.methods)


def _implements(handler: Any, method: str) -> bool:
    return getattr(handler, method, None) is not getattr(RequestHandler, method)


def _modules(application: Application, info: RouteInfo) -> Iterator[str]:
    path = sample_path(info)
    for middleware in application.middlewares.middlewares:
        if isinstance(middleware, HttpModuleMiddleware):
            yield from (use.module for use in middleware.plan(application).describe(info.name, path))


def _names(middlewares: Iterable[Any]) -> Iterator[str]:
    """The middlewares' classes, but for the framework's own that opens the request's context."""
    for middleware in middlewares:
        kind = type(middleware)
        if kind.__name__ != "RequestScope":
            yield f"{kind.__module__}.{kind.__qualname__}"
