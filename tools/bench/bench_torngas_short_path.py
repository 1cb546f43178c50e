"""What the short path saves: requests/s and CPU time of the same handlers behind Tornado's application and ours.

Every server is Tornado's own HTTP server, or this package's subclass of it, in one process on one loop. The rows say
what differs. Memory is that of a server's process for each of 2,000 connections that were used once and stay open.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tornado
import tornado.web
from harness import Bench, Measured
from load import Load, Samples, Serve, Servers, serve_tornado

from torngas.application import Application
from torngas.handler import WebHandler
from torngas_middleware import HTTPServer

bench = Bench("torngas-short-path", __doc__, rounds=15)
servers = Servers(__file__)

PLAIN = "tornado"
PLAIN_JSON = "tornado, JSON"
SHORT = "short path"
STOCK = "short path, tornado.HTTPServer"
NO_ETAG = "short path, no ETag"
FIVE = "short path, 5 middlewares"
JSON = "short path, JSON"
ORJSON = "short path, JSON by orjson"
ONE = "short path, /last/42, 1 route"
THOUSAND = "short path, /last/42, 1,000 routes"

_CONNECTIONS = 2000


def _hello(base: Any) -> Any:
    class Hello(base):
        def get(self) -> None:
            self.set_header("Content-Type", "text/plain")
            self.write(b"Hello, world")

    return Hello


def _json(base: Any) -> Any:
    class Json(base):
        def get(self) -> None:
            self.write({"message": "Hello, world", "items": [1, 2, 3]})

    return Json


class Last(WebHandler):
    def get(self, number: str) -> None:
        self.write("other")


class RequestAndResponse:
    def process_request(self, handler: object, clear: object) -> None: ...

    def process_response(self, handler: object, clear: object, chunk: object) -> None: ...


def server(name: str, path: str = "/") -> Callable[[Serve], Serve]:
    """Registers a server as a peer."""
    bench.peer(name, "tornado")(dict)
    return servers.add(name, path)


def serve(application: Any, port: int) -> None:
    async def main() -> None:
        HTTPServer(application).listen(port, "127.0.0.1")
        await asyncio.Event().wait()

    asyncio.run(main())


def _add(name: str, handler: Any, *middlewares: object, **settings: Any) -> None:
    @server(name)
    def run(port: int) -> None:
        serve(Application([("/", handler)], middlewares=middlewares, **settings), port)


@server(PLAIN)
def plain(port: int) -> None:
    serve_tornado(tornado.web.Application([("/", _hello(tornado.web.RequestHandler))]), port)


@server(PLAIN_JSON)
def plain_json(port: int) -> None:
    serve_tornado(tornado.web.Application([("/", _json(tornado.web.RequestHandler))]), port)


@server(STOCK)
def stock(port: int) -> None:
    serve_tornado(Application([("/", _hello(WebHandler))]), port)


def _add_routes(name: str, count: int) -> None:
    @server(name, path="/last/42")
    def run(port: int) -> None:
        others = [(rf"/api/v1/res{number}/([^/]+)", Last) for number in range(count - 1)]
        serve(Application([*others, (r"/last/([0-9]+)", Last)]), port)


_add(SHORT, _hello(WebHandler))
_add(NO_ETAG, _hello(WebHandler), etag=False)
_add(FIVE, _hello(WebHandler), *(RequestAndResponse() for _ in range(5)))
_add(JSON, _json(WebHandler))
_add(ORJSON, _json(WebHandler), json="orjson")
_add_routes(ONE, 1)
_add_routes(THOUSAND, 1000)


def _row(samples: Samples, name: str, base: str, limit: float) -> Measured:
    ratio = samples.ratio(name, base)
    return Measured(f"req/s, {name}", f">= {limit:.2f} x {base}", f"{ratio:.3f} x", ratio >= limit)


@bench.check
def requests(args: argparse.Namespace) -> list[Measured]:
    with servers.running(args.peers) as load:
        samples = load.measure(rounds=args.rounds, seconds=1)
    samples.print_table(PLAIN if PLAIN in args.peers else args.peers[0])
    limits = [(SHORT, PLAIN, 1.7), (THOUSAND, ONE, 0.95), (JSON, PLAIN_JSON, 1.5)]
    return [_row(samples, *limit) for limit in limits if {*limit[:2]} <= samples.by_server.keys()]


@bench.check
def memory(args: argparse.Namespace) -> list[Measured]:
    if not {PLAIN, SHORT} <= set(args.peers):
        return []
    with servers.running([PLAIN, SHORT]) as load:
        plain_kib, short_kib = (_per_connection(load, name) for name in (PLAIN, SHORT))
    return [
        Measured(
            "memory, idle connection",
            f"<= {PLAIN} ({plain_kib:.2f} KiB)",
            f"{short_kib:.2f} KiB",
            short_kib <= plain_kib * 1.02,
        )
    ]


def _per_connection(load: Load, name: str) -> float:
    """KiB of resident memory; the connections after the first half are counted."""
    server = load.servers[name]
    status = Path(f"/proc/{server.process.pid}/status")

    def resident() -> int:
        found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text())
        return int(found[1]) if found else 0

    opened: list[socket.socket] = []
    try:
        for _ in range(_CONNECTIONS):
            opened.append(_used_once(server.port))
        before = resident()
        for _ in range(_CONNECTIONS):
            opened.append(_used_once(server.port))
        return (resident() - before) / _CONNECTIONS
    finally:
        for one in opened:
            one.close()


def _used_once(port: int) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", port))
    one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    while b"Hello, world" not in one.recv(65536):
        pass
    return one


if __name__ == "__main__":
    servers.serve_if_asked(sys.argv)
    raise SystemExit(bench.run())
