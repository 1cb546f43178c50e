"""Requests over HTTP: the same hello of 12 bytes from Tornado, torngas, Django, Starlette, Flask, aiohttp.

Every server is one process on 127.0.0.1 (gunicorn: a master and one worker), on asyncio's own loop where it has one,
without an access log unless its row says so; the load is 64 keep-alive connections from a second process. With N
routes, the last one is asked for.

The full stack of torngas is built from settings, as an application is: access log, session on the local cache (read in
every request), five middlewares with process_request and process_response, two HTTP modules, on Tornado's server. Its
yardstick is plain Tornado with its own access log. Both write their access log to /dev/null.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable
from typing import Any

import tornado.web
from harness import Bench, Measured
from load import Samples, Serve, Servers, serve_tornado

bench = Bench("torngas (HTTP)", __doc__, rounds=15)
servers = Servers(__file__)

BODY = b"Hello, world"
PLAIN = "tornado"
LOGGED = "tornado with access log"
FIVE = "torngas 5 middlewares"
FULL = "torngas full stack"
SECRET = "x" * 50


def server(name: str, package: str, differs: str, path: str = "/", **headers: str) -> Callable[[Serve], Serve]:
    """Registers a server as a peer; `differs` tells on what it runs."""
    bench.peer(name, package, differs)(dict)
    return servers.add(name, path, **headers)


def _log_to_null(name: str) -> None:
    handler = logging.FileHandler("/dev/null")
    handler.setFormatter(logging.Formatter("%(levelname)s %(asctime)s %(message)s"))
    logger = logging.getLogger(name)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _routes(count: int, handler: Any, other: Any) -> list[tuple[str, Any]]:
    return [*((rf"/api/v1/res{number}/([^/]+)", other) for number in range(count - 1)), ("/", handler)]


class PlainHello(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_header("Content-Type", "text/plain")
        self.write(BODY)


class PlainOther(tornado.web.RequestHandler):
    def get(self, name: str) -> None:
        self.write(name)


def _tornado(count: int) -> Serve:
    return lambda port: serve_tornado(tornado.web.Application(_routes(count, PlainHello, PlainOther)), port)


server(PLAIN, "tornado", "1 route")(_tornado(1))
server("tornado 10 routes", "tornado", "")(_tornado(10))
server("tornado 1000 routes", "tornado", "")(_tornado(1000))


@server(LOGGED, "tornado", "log line per request")
def logged(port: int) -> None:
    _log_to_null("tornado.access")
    _tornado(1)(port)


class NoOp:
    def process_request(self, handler: object, clear: object) -> None: ...

    def process_response(self, handler: object, clear: object, chunk: object) -> None: ...


def _torngas(port: int, *, routes: int = 1, session: bool = False, **settings: object) -> None:
    from torngas.application import Application
    from torngas.handler import WebHandler
    from torngas.settings_manager import Settings
    from torngas.wiring.application import build_application
    from torngas_middleware import HTTPServer  # the one that torngas.webserver starts

    class Hello(WebHandler):
        def get(self) -> None:
            if session:
                self.session["user"]
            self.set_header("Content-Type", "text/plain")
            self.write(BODY)

    class Other(WebHandler):
        def get(self, name: str) -> None:
            self.write(name)

    chosen = Settings({"DEBUG": False, "TORNADO_CONF": {"cookie_secret": "of the benchmark"}, **settings})
    serve_tornado(build_application(Application, chosen, _routes(routes, Hello, Other)), port, HTTPServer)


def _with_middlewares(count: int) -> Serve:
    return lambda port: _torngas(port, MIDDLEWARE_CLASSES=[NoOp() for _ in range(count)])


ON_TORNADO = "its subclass of Tornado's server"
server("torngas 0 middlewares", "torngas tornado", ON_TORNADO)(_with_middlewares(0))
server(FIVE, "torngas tornado", ON_TORNADO)(_with_middlewares(5))
server("torngas 10 middlewares", "torngas tornado", ON_TORNADO)(_with_middlewares(10))
server("torngas 1000 routes", "torngas tornado", ON_TORNADO)(
    lambda port: _torngas(port, routes=1000, MIDDLEWARE_CLASSES=[])
)


@server(FULL, "torngas tornado", f"{ON_TORNADO}; log line, session read from memory")
def full(port: int) -> None:
    from torngas.httpmodule import BaseHttpModule

    class First(BaseHttpModule):
        def begin_request(self, handler: object, clear: object) -> None: ...

    class Second(BaseHttpModule):
        def begin_response(self, handler: object, clear: object, chunk: object) -> None: ...

    _log_to_null("torngas.accesslog")
    _torngas(
        port,
        session=True,
        MIDDLEWARE_CLASSES=[
            "torngas.middleware.accesslog.AccessLogMiddleware",
            "torngas.middleware.session.SessionMiddleware",
            *(NoOp() for _ in range(5)),
            "torngas.httpmodule.httpmodule.HttpModuleMiddleware",
        ],
        COMMON_MODULES=[First, Second],
    )


def _uvicorn(app: Any, port: int) -> None:
    import uvicorn

    options = {"log_level": "warning", "access_log": False, "lifespan": "off"}
    uvicorn.run(app, host="127.0.0.1", port=port, loop="asyncio", http="httptools", **options)


def _gunicorn(app: Any, port: int) -> None:
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):
        def load_config(self) -> None:
            chosen = {"worker_class": "gthread", "threads": 4, "keepalive": 30, "loglevel": "error"}
            for name, value in {"bind": f"127.0.0.1:{port}", "worker_connections": 1000, **chosen}.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            return app

    Server().run()


SESSION_KEY = "b" * 32
DJANGO_DEFAULT = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]


def _django(view: Any, middlewares: list[str]) -> None:
    import types

    import django
    from django.conf import settings
    from django.urls import path

    urls = types.ModuleType("bench_urls")
    urls.urlpatterns = [path("", view)]  # type: ignore[attr-defined]
    sys.modules["bench_urls"] = urls
    settings.configure(
        SECRET_KEY=SECRET,
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="bench_urls",
        MIDDLEWARE=middlewares,
        INSTALLED_APPS=[f"django.contrib.{app}" for app in ("auth", "contenttypes", "sessions", "messages")],
        SESSION_ENGINE="django.contrib.sessions.backends.cache",
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    )
    django.setup()


def _django_session() -> None:
    from django.contrib.sessions.backends.cache import SessionStore

    store = SessionStore()
    store["n"] = 1
    store._session_key = SESSION_KEY  # an unknown key would not be accepted
    store.save(must_create=True)


@server("django ASGI", "django uvicorn", "uvicorn, httptools; async view, no middleware")
def django_asgi(port: int) -> None:
    from django.http import HttpResponse

    async def view(request: object) -> HttpResponse:
        return HttpResponse(BODY, content_type="text/plain")

    _django(view, [])
    from django.core.asgi import get_asgi_application

    _uvicorn(get_asgi_application(), port)


@server("django WSGI", "django gunicorn", "gunicorn, 4 threads; no middleware")
def django_wsgi(port: int) -> None:
    from django.http import HttpResponse

    _django(lambda request: HttpResponse(BODY, content_type="text/plain"), [])
    from django.core.wsgi import get_wsgi_application

    _gunicorn(get_wsgi_application(), port)


@server(
    "django WSGI stack",
    "django gunicorn",
    "gunicorn, 4 threads; default middlewares, session read from memory, no log line",
    Cookie=f"sessionid={SESSION_KEY}",
)
def django_stack(port: int) -> None:
    from django.http import HttpResponse

    def view(request: Any) -> HttpResponse:
        if request.session["n"] != 1:
            raise RuntimeError("the session was not found")
        return HttpResponse(BODY, content_type="text/plain")

    _django(view, DJANGO_DEFAULT)
    _django_session()
    from django.core.wsgi import get_wsgi_application

    _gunicorn(get_wsgi_application(), port)


@server("starlette", "starlette uvicorn httptools", "uvicorn, httptools; no middleware of its own")
def starlette(port: int) -> None:
    _uvicorn(_starlette([], None), port)


def _starlette(middlewares: list[Any], read: str | None) -> Any:
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def hello(request: Any) -> PlainTextResponse:
        if read:
            request.session.get(read)
        return PlainTextResponse(BODY)

    return Starlette(routes=[Route("/", hello)], middleware=middlewares)


@server("starlette stack", "starlette uvicorn httptools", "uvicorn, httptools; session in a cookie, 5 pure middlewares")
def starlette_stack(port: int) -> None:
    from starlette.middleware import Middleware
    from starlette.middleware.sessions import SessionMiddleware

    class Pure:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await self.app(scope, receive, send)

    _uvicorn(_starlette([Middleware(SessionMiddleware, secret_key=SECRET), *[Middleware(Pure)] * 5], "user"), port)


@server("flask", "flask gunicorn", "gunicorn, 4 threads")
def flask(port: int) -> None:
    from flask import Flask, Response

    app = Flask(__name__)
    app.get("/")(lambda: Response(BODY, content_type="text/plain"))
    _gunicorn(app, port)


@server("aiohttp", "aiohttp", "its own server, parser in C")
def aiohttp(port: int) -> None:
    from aiohttp import web

    async def hello(request: object) -> web.Response:
        return web.Response(body=BODY, content_type="text/plain")

    app = web.Application()
    app.router.add_get("/", hello)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


@server("floor", "", "asyncio.Protocol that always sends the same bytes")
def floor(port: int) -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\n" + BODY

    class Canned(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(reply)

    async def main() -> None:
        listening = await asyncio.get_running_loop().create_server(Canned, "127.0.0.1", port)
        await listening.serve_forever()

    asyncio.run(main())


def _rows(samples: Samples) -> list[Measured]:
    rows = []
    if {PLAIN, FIVE} <= samples.by_server.keys():
        cost = samples.ratio(FIVE, PLAIN, "cpu")
        rows += [Measured(f"CPU per request, {FIVE}", f"<= 1.10 x {PLAIN}", f"{cost:.3f} x", cost <= 1.10)]
    if {LOGGED, FULL} <= samples.by_server.keys():
        rate = samples.ratio(FULL, LOGGED)
        rows += [Measured(f"req/s, {FULL}", f">= 0.70 x {LOGGED}", f"{rate:.3f} x", rate >= 0.70)]
    return rows


@bench.check
def requests(args: argparse.Namespace) -> list[Measured]:
    with servers.running(args.peers) as load:
        samples = load.measure(rounds=args.rounds, seconds=1)
    samples.print_table(PLAIN if PLAIN in args.peers else args.peers[0], differs=bench.differs)
    return _rows(samples)


if __name__ == "__main__":
    servers.serve_if_asked(sys.argv)
    raise SystemExit(bench.run())
