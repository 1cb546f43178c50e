"""Memory of routes, half of them with one parameter: what is declared, with the table that finds them."""

from __future__ import annotations

from typing import Any

from bench_torngas_router import patterns, table_of
from harness import Bench
from sizes import Fill, Sizes

bench = Bench("torngas-router (memory)", __doc__)
sizes = Sizes(bench, "routes", count=5_000)


@sizes.peer("torngas", package="torngas-router")
def torngas(count: int) -> Fill:
    return lambda: table_of(count)


@sizes.peer("tornado", package="tornado")
def tornado(count: int) -> Fill:
    from tornado.web import Application, RequestHandler

    return lambda: Application([(pattern, RequestHandler) for pattern in patterns(count, "([^/]+)")])


@sizes.peer("werkzeug", package="werkzeug")
def werkzeug(count: int) -> Fill:
    from werkzeug.routing import Map, Rule

    def fill() -> Any:
        found = Map([Rule(pattern, endpoint="view") for pattern in patterns(count, "<id>")])
        found.update()
        return found

    return fill


@sizes.peer("starlette", package="starlette")
def starlette(count: int) -> Fill:
    from starlette.routing import Route, Router

    async def endpoint(request: object) -> None: ...

    return lambda: Router([Route(pattern, endpoint) for pattern in patterns(count, "{id}")])


@sizes.peer("django", package="django")
def django(count: int) -> Fill:
    from django.conf import settings
    from django.urls import Resolver404, URLResolver, path
    from django.urls.resolvers import RegexPattern

    if not settings.configured:
        settings.configure()

    def view(request: object, id: str | None = None) -> None: ...  # noqa: A002

    def fill() -> Any:
        resolver = URLResolver(RegexPattern(r"^/"), [path(p[1:], view) for p in patterns(count, "<str:id>")])
        try:
            resolver.resolve("/no-such-path")  # compiles them all
        except Resolver404:
            return resolver
        raise RuntimeError("found what was not declared")

    return fill


if __name__ == "__main__":
    raise SystemExit(bench.run())
