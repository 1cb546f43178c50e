"""ASGI servers under Tornado's handlers: requests/s, CPU time and memory beside plain Tornado and beside Starlette.

Every server is one process on asyncio's own loop; uvicorn parses with httptools and writes no access log of its own.
Ours run, but for the row that says so, on the protocol that `torngas runserver --server uvicorn` takes, which sends a
response by one system call in place of two.
The full stack is built from settings: access log (to /dev/null), session on the local cache, read in every request,
five middlewares with process_request and process_response, two HTTP modules. Its yardsticks are plain Tornado with its
access log, and Starlette with its session and five pure middlewares. Memory is what a server's process grows by for
each of 1,000 connections that were used once, after 1,000 others, and stay open.
"""

from __future__ import annotations

import argparse
import logging
import re
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tornado.web
import tornado.websocket
from harness import Bench, Measured
from load import Load, Samples, Serve, Servers, serve_tornado

bench = Bench("torngas-asgi", __doc__, rounds=15)
servers = Servers(__file__)

BODY = b"Hello, world"
PLAIN = "tornado"
LOGGED = "tornado with access log"
UNCHANGED = "tornado handlers on uvicorn"
HELLO = "torngas on uvicorn"
STOCK = "torngas on uvicorn with stock protocol"
NO_ETAG = "torngas on uvicorn without ETag"
STACK = "torngas full stack on uvicorn"
STARLETTE = "starlette on uvicorn"
STARLETTE_STACK = "starlette stack on uvicorn"
HYPERCORN = "torngas on hypercorn"
GRANIAN = "torngas on granian"
ONE_WRITE = "torngas.asgi.onewrite:OneWriteProtocol"
_CONNECTIONS = 1000
_TOLERANCE = 1.02


class PlainHello(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_header("Content-Type", "text/plain")
        self.write(BODY)


class Echo(tornado.websocket.WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        self.write_message(message)


class NoOp:
    def process_request(self, handler: object, clear: object) -> None: ...

    def process_response(self, handler: object, clear: object, chunk: object) -> None: ...


def server(name: str, package: str) -> Callable[[Serve], Serve]:
    """Registers a server as a peer."""
    bench.peer(name, package)(dict)
    return servers.add(name)


def _plain() -> tornado.web.Application:
    return tornado.web.Application([("/", PlainHello), ("/ws", Echo)])


def _log_to_null(name: str) -> None:
    handler = logging.FileHandler("/dev/null")
    handler.setFormatter(logging.Formatter("%(levelname)s %(asctime)s %(message)s"))
    logger = logging.getLogger(name)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _torngas(*, session: bool = False, **settings: object) -> Any:
    from torngas.application import Application
    from torngas.handler import WebHandler, WebSocketHandler
    from torngas.settings_manager import Settings
    from torngas.wiring.application import build_application

    class Hello(WebHandler):
        def get(self) -> None:
            if session:
                self.session["user"]
            self.set_header("Content-Type", "text/plain")
            self.write(BODY)

    class Socket(WebSocketHandler):
        def on_message(self, message: str | bytes) -> None:
            self.write_message(message)

    conf = {"cookie_secret": "of the benchmark", **settings.pop("TORNADO_CONF", {})}  # type: ignore[dict-item]
    chosen = Settings({"DEBUG": False, "MIDDLEWARE_CLASSES": [], "TORNADO_CONF": conf, **settings})
    return build_application(Application, chosen, [("/", Hello), ("/ws", Socket)])


def _full_stack() -> Any:
    from torngas.httpmodule import BaseHttpModule

    class First(BaseHttpModule):
        def begin_request(self, handler: object, clear: object) -> None: ...

    class Second(BaseHttpModule):
        def begin_response(self, handler: object, clear: object, chunk: object) -> None: ...

    _log_to_null("torngas.accesslog")
    return _torngas(
        session=True,
        MIDDLEWARE_CLASSES=[
            "torngas.middleware.accesslog.AccessLogMiddleware",
            "torngas.middleware.session.SessionMiddleware",
            *(NoOp() for _ in range(5)),
            "torngas.httpmodule.httpmodule.HttpModuleMiddleware",
        ],
        COMMON_MODULES=[First, Second],
    )


def _starlette(middlewares: list[Any], read: str | None) -> Any:
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def hello(request: Any) -> PlainTextResponse:
        if read:
            request.session.get(read)
        return PlainTextResponse(BODY)

    return Starlette(routes=[Route("/", hello)], middleware=middlewares)


def _starlette_stack() -> Any:
    from starlette.middleware import Middleware
    from starlette.middleware.sessions import SessionMiddleware

    class Pure:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await self.app(scope, receive, send)

    session = Middleware(SessionMiddleware, secret_key="x" * 50)
    return _starlette([session, *[Middleware(Pure)] * 5], "user")


def _uvicorn(name: str, package: str, make: Callable[[], Any], http: str = "httptools") -> None:
    @server(name, package)
    def serve(port: int) -> None:
        import uvicorn

        quiet = {"log_level": "warning", "access_log": False, "timeout_keep_alive": 600}
        uvicorn.run(make(), host="127.0.0.1", port=port, loop="asyncio", http=http, **quiet)


@server(PLAIN, "tornado")
def plain(port: int) -> None:
    serve_tornado(_plain(), port)


@server(LOGGED, "tornado")
def logged(port: int) -> None:
    _log_to_null("tornado.access")
    serve_tornado(_plain(), port)


def _unchanged() -> Any:
    from torngas.asgi import ASGIAdapter

    return ASGIAdapter(_plain())


_uvicorn(UNCHANGED, "uvicorn", _unchanged)
_uvicorn(HELLO, "uvicorn", lambda: _torngas().asgi, ONE_WRITE)
_uvicorn(STOCK, "uvicorn", lambda: _torngas().asgi)
_uvicorn(NO_ETAG, "uvicorn", lambda: _torngas(TORNADO_CONF={"etag": False}).asgi, ONE_WRITE)
_uvicorn(STACK, "uvicorn", lambda: _full_stack().asgi, ONE_WRITE)
_uvicorn(STARLETTE, "starlette", lambda: _starlette([], None))
_uvicorn(STARLETTE_STACK, "starlette", _starlette_stack)


@server(HYPERCORN, "hypercorn")
def on_hypercorn(port: int) -> None:
    import asyncio

    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    asyncio.run(serve(_torngas().asgi, config))


@server(GRANIAN, "granian")
def on_granian(port: int) -> None:
    import asyncio

    from granian.server.embed import Server

    asyncio.run(Server(_torngas().asgi, address="127.0.0.1", port=port, interface="asgi").serve())


def _row(samples: Samples, name: str, base: str, what: str, limit: float) -> Measured:
    ratio = samples.ratio(name, base, what)
    if what == "rate":
        return Measured(f"req/s, {name}", f">= {limit:.2f} x {base}", f"{ratio:.3f} x", ratio >= limit)
    return Measured(f"CPU per request, {name}", f"<= {limit:.2f} x {base}", f"{ratio:.3f} x", ratio <= limit)


@bench.check
def requests(args: argparse.Namespace) -> list[Measured]:
    with servers.running(args.peers) as load:
        samples = load.measure(rounds=args.rounds, seconds=1)
    samples.print_table(PLAIN if PLAIN in args.peers else args.peers[0])
    limits = [
        (HELLO, PLAIN, "rate", 3.0),
        (HELLO, STARLETTE, "cpu", 1.25),
        (STACK, LOGGED, "rate", 1.5),
        (STACK, STARLETTE_STACK, "cpu", 1.5),
    ]
    return [_row(samples, *limit) for limit in limits if {*limit[:2]} <= samples.by_server.keys()]


@bench.check
def memory(args: argparse.Namespace) -> list[Measured]:
    if not {PLAIN, HELLO} <= set(args.peers):
        return []
    rows = []
    for what, use in (("idle connection", _use_http), ("idle WebSocket", _use_websocket)):
        with servers.running([PLAIN, HELLO]) as load:
            theirs, ours = (_per_connection(load, name, use) for name in (PLAIN, HELLO))
        met = ours <= theirs * _TOLERANCE
        rows.append(Measured(f"memory, {what}", f"<= {PLAIN} ({theirs:.2f} KiB)", f"{ours:.2f} KiB", met))
    return rows


def _per_connection(load: Load, name: str, use: Callable[[int], socket.socket]) -> float:
    """KiB that the server's process grows by for each further connection."""
    running = load.servers[name]

    def resident() -> int:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{running.process.pid}/status").read_text())
        return int(found[1]) if found else 0

    opened: list[socket.socket] = []
    try:
        opened.extend(use(running.port) for _ in range(_CONNECTIONS))
        before = resident()
        opened.extend(use(running.port) for _ in range(_CONNECTIONS))
        return (resident() - before) / _CONNECTIONS
    finally:
        for one in opened:
            one.close()


def _use_http(port: int) -> socket.socket:
    return _use(port, "/", "", BODY)


def _use_websocket(port: int) -> socket.socket:
    headers = (
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    one = _use(port, "/ws", headers, b"\r\n\r\n")
    one.sendall(b"\x81\x85\0\0\0\0hello")  # a masked text frame, echoed
    _read_until(one, b"hello")
    return one


def _use(port: int, path: str, headers: str, expected: bytes) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", port))
    one.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
    _read_until(one, expected)
    return one


def _read_until(one: socket.socket, expected: bytes) -> None:
    data = b""
    while expected not in data:
        more = one.recv(65536)
        if not more:
            raise RuntimeError(f"got {data!r}; expected {expected!r}")
        data += more


if __name__ == "__main__":
    servers.serve_if_asked(sys.argv)
    raise SystemExit(bench.run())
