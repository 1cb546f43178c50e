"""Finding the route of a path: tables of 10, 100 and 1,000 routes, half static, half with one parameter.

`first` is a static path, `last` has a parameter, `miss` matches nothing, `all` walks over every route in random
order; parameters vary. The time is per path, arguments extracted. `find_handler` makes Tornado's delegate too,
`match` does not. Then: building a table of 10,000 routes, and requests over HTTP.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable
from typing import Any

import budget
from harness import Bench, Measured, Table
from load import Load, Servers, serve_tornado
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import Application, ErrorHandler, RequestHandler

import torngas_router
from torngas_router import RouteTable, Url, route

bench = Bench("torngas-router", __doc__, slice_seconds=0.02)
servers = Servers(__file__)
SIZES = (10, 100, 1000)
Find = Callable[[str], Any]


def routes(size: int) -> list[tuple[str, bool]]:
    """(path or prefix, whether a parameter follows) in declared order."""
    return [(f"/api/v1/res{i}/list", False) if i % 2 == 0 else (f"/api/v1/res{i}/", True) for i in range(size)]


def patterns(size: int, parameter: str) -> Iterable[str]:
    return (text + parameter if has_parameter else text for text, has_parameter in routes(size))


def paths(size: int) -> dict[str, list[str]]:
    """By kind of scenario; every route with several values of its parameter."""
    ids = random.Random(size)
    every = [
        [text + str(ids.randrange(10**6)) if has_parameter else text for text, has_parameter in routes(size)]
        for _ in range(max(4, 4000 // size))
    ]
    return {
        "first": [walk[0] for walk in every],
        "last": [walk[-1] for walk in every],
        "miss": [f"/api/v1/nothing/{ids.randrange(10**6)}" for _ in every],
        "all": ids.sample(list(itertools.chain(*every)), len(every) * size),
    }


def scenarios(build: Callable[[int], Find], verb: str = "match") -> dict[str, Callable[[int], None]]:
    cases = {}
    for size in SIZES:
        find, wanted = build(size), paths(size)
        assert find(wanted["last"][0]) is not None
        assert find(wanted["first"][0]) is not None
        assert find(wanted["miss"][0]) is None
        for kind, targets in wanted.items():

            def run(n: int, find: Find = find, walk: Any = itertools.cycle(targets)) -> None:  # noqa: B008  # one per case
                for path in itertools.islice(walk, n):
                    find(path)

            cases[f"{verb} {size} {kind}"] = run
    return cases


class Connection:
    context = None


def find_handler_of(application: Application) -> Find:
    headers = HTTPHeaders({"Host": "localhost"})
    line = RequestStartLine("GET", "/", "HTTP/1.1")
    request = HTTPServerRequest(start_line=line, headers=headers, connection=Connection())  # type: ignore[arg-type]
    find = application.find_handler

    def found(path: str) -> Any:
        request.path = path
        delegate = find(request)
        return None if delegate.handler_class is ErrorHandler else delegate

    return found


def table_of(size: int) -> RouteTable:
    u = Url()
    return RouteTable(route(*(u(pattern, RequestHandler) for pattern in patterns(size, "([^/]+)"))))


@bench.peer("torngas", package="torngas-router")
def torngas() -> dict[str, Callable[[int], None]]:
    with_delegate = scenarios(lambda size: find_handler_of(torngas_router.Application(table_of(size))), "find_handler")
    return scenarios(lambda size: table_of(size).match) | with_delegate | floor_of_exact_paths(table_of(1000).match)


@bench.peer("tornado", package="tornado", differs="makes its delegate")
def tornado() -> dict[str, Callable[[int], None]]:
    def build(size: int) -> Find:
        return find_handler_of(Application([(pattern, RequestHandler) for pattern in patterns(size, "([^/]+)")]))

    return scenarios(build, "find_handler")


def floor_of_exact_paths(find: Find) -> dict[str, Callable[[int], None]]:
    """The static paths of 1,000 routes."""
    walk = itertools.cycle([path for path in paths(1000)["all"] if path.endswith("list")])

    def run(n: int) -> None:
        for path in itertools.islice(walk, n):
            find(path)

    return {"exact path": run}


@bench.peer("dict lookup in a function")
def dictionary() -> dict[str, Callable[[int], None]]:
    known = {pattern: pattern for pattern in patterns(1000, "")}

    def find(path: str) -> str | None:
        return known.get(path)

    return floor_of_exact_paths(find)


@bench.peer("falcon compiled", package="falcon")
def falcon() -> dict[str, Callable[[int], None]]:
    from falcon.routing import CompiledRouter

    class Resource:
        def on_get(self, req: object, resp: object, id: str | None = None) -> None: ...  # noqa: A002

    def build(size: int) -> Find:
        router = CompiledRouter()
        for pattern in patterns(size, "{id}"):
            router.add_route(pattern, Resource())
        router.find("/")  # compiles
        return router.find

    return scenarios(build)


@bench.peer("litestar trie", package="litestar", differs="without its cache, which varying parameters miss")
def litestar() -> dict[str, Callable[[int], None]]:
    from litestar import Litestar, get
    from litestar.exceptions import NotFoundException

    def handler(pattern: str) -> Any:
        if "{" not in pattern:

            @get(pattern)
            async def static() -> None: ...

            return static

        @get(pattern)
        async def typed(id: str) -> None: ...  # noqa: A002

        return typed

    def build(size: int) -> Find:
        application = Litestar([handler(pattern) for pattern in patterns(size, "{id:str}")], openapi_config=None)
        find = application.asgi_router._handle_routing  # without the cache, which knows no varying parameters

        def found(path: str) -> Any:
            try:
                return find(path, "GET")
            except NotFoundException:
                return None

        return found

    return scenarios(build)


@bench.peer("werkzeug", package="werkzeug")
def werkzeug() -> dict[str, Callable[[int], None]]:
    from werkzeug.exceptions import NotFound
    from werkzeug.routing import Map, Rule

    def build(size: int) -> Find:
        rules = [Rule(pattern, endpoint=pattern) for pattern in patterns(size, "<id>")]
        adapter = Map(rules).bind("localhost")

        def found(path: str) -> Any:
            try:
                return adapter.match(path, "GET")
            except NotFound:
                return None

        return found

    return scenarios(build)


@bench.peer("starlette", package="starlette", differs="scans in order, as Tornado does")
def starlette() -> dict[str, Callable[[int], None]]:
    from starlette.routing import Match, Route, Router

    async def endpoint(request: object) -> None: ...

    def build(size: int) -> Find:
        router = Router([Route(pattern, endpoint) for pattern in patterns(size, "{id}")])

        def found(path: str) -> Any:  # the loop of Router.app, without the endpoint
            scope = {"type": "http", "method": "GET", "path": path, "root_path": ""}
            for each in router.routes:
                kind, child = each.matches(scope)
                if kind is Match.FULL:
                    return child
            return None

        return found

    return scenarios(build)


@bench.peer("django", package="django")
def django() -> dict[str, Callable[[int], None]]:
    from django.conf import settings
    from django.urls import Resolver404, URLResolver, path
    from django.urls.resolvers import RegexPattern

    if not settings.configured:
        settings.configure()

    def view(request: object, id: str | None = None) -> None: ...  # noqa: A002

    def build(size: int) -> Find:
        declared = [path(pattern[1:], view) for pattern in patterns(size, "<str:id>")]
        resolver = URLResolver(RegexPattern(r"^/"), declared)

        def found(wanted: str) -> Any:
            try:
                return resolver.resolve(wanted)
            except Resolver404:
                return None

        return found

    return scenarios(build)


for kind in ("last", "miss"):
    bench.target(f"match 1000 {kind}", peer="torngas", at_most=2, of="torngas", of_scenario=f"match 10 {kind}")
bench.target("find_handler 1000 all", peer="torngas", at_most=1 / 30, of="tornado")
bench.target("match 1000 all", peer="torngas", at_most=0.3, of="falcon compiled")
bench.target("match 1000 all", peer="torngas", at_most=0.5, of="litestar trie")
bench.target("find_handler 10 all", peer="torngas", at_most=0.6, of="tornado")
bench.target("exact path", peer="torngas", at_most=5, of="dict lookup in a function")


@bench.check
def building(args: argparse.Namespace) -> list[Measured]:
    """10,000 routes: seconds, and the memory of the routes with their table."""
    if "torngas" not in args.peers:
        return []
    table_of(100)
    took = []
    for _ in range(3):
        start = time.perf_counter()
        table_of(10_000)
        took.append(time.perf_counter() - start)
    tracemalloc.start()
    table = table_of(10_000)
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert table.match("/api/v1/res9999/1") is not None
    seconds = sorted(took)[1]
    shown = f"{seconds:.2f} s, {size / 2**20:.1f} MiB"
    return [Measured("building 10,000 routes", "< 1 s", shown, seconds < 1)]


class Hello(RequestHandler):
    def get(self, number: str) -> None:
        self.write(b"Hello, world")


def _serve(size: int, application: Any, port: int) -> None:
    every = list(patterns(1000, "([^/]+)"))[-size:]
    serve_tornado(application([(pattern, Hello) for pattern in every]), port)


LAST = "/api/v1/res999/12345"
ONE, THOUSAND, TORNADO = "torngas, 1 route", "torngas, last of 1,000", "tornado, last of 1,000"
servers.add(ONE, LAST)(lambda port: _serve(1, torngas_router.Application, port))
servers.add(THOUSAND, LAST)(lambda port: _serve(1000, torngas_router.Application, port))
servers.add(TORNADO, LAST)(lambda port: _serve(1000, Application, port))


@bench.check
def http(args: argparse.Namespace) -> list[Measured]:
    """The same application with one route and with 1,000, by the best rounds: other work only ever slows one."""
    if "torngas" not in args.peers:
        return []
    with servers.running() as load:
        with budget.part(3 / 4):
            pair = Load({name: load.servers[name] for name in (ONE, THOUSAND)})
            samples = pair.measure(rounds=9 if args.quick else 21, seconds=1)
        samples.by_server |= Load({TORNADO: load.servers[TORNADO]}).measure(rounds=3, seconds=1).by_server
    rate = {name: max(sample.rate for sample in rows) for name, rows in samples.by_server.items()}
    cpu = {name: min(sample.cpu for sample in rows) for name, rows in samples.by_server.items()}
    table = Table("Requests over HTTP, best of the rounds", ["server", "req/s", "cpu us/req"])
    table.rows += [[name, f"{rate[name]:,.0f}", f"{cpu[name]:,.1f}"] for name in rate]
    table.show()
    faster, dearer = rate[THOUSAND] / rate[ONE], cpu[THOUSAND] / cpu[ONE]
    met = faster >= 0.97 or dearer <= 1.03
    limit = f">= 0.97 x req/s or <= 1.03 x CPU, {ONE}"
    return [Measured("HTTP, last of 1,000", limit, f"{faster:.3f}, {dearer:.3f}", met)]


if __name__ == "__main__":
    servers.serve_if_asked(sys.argv)
    raise SystemExit(bench.run())
