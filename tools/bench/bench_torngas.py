"""What the assembled framework costs over HTTP: requests/s and CPU time against plain Tornado, and start-up time.

The full stack is built from settings, as an application is: access log, session on the local cache (read in every
request), five middlewares with process_request and process_response, two HTTP modules. Its peer is plain Tornado
with its own access log. Both write their access log to /dev/null.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import statistics
import subprocess
import sys
import time

import tornado
import tornado.web
from harness import Bench, Measured
from load import Samples, Servers, serve_tornado

bench = Bench("torngas", __doc__)
servers = Servers(__file__)

PLAIN = "tornado"
LOGGED = "tornado, access log"
FIVE = "torngas, 5 no-op middlewares"
FULL = "torngas, full stack"


def _log_to_null(name: str) -> None:
    handler = logging.FileHandler("/dev/null")
    handler.setFormatter(logging.Formatter("%(levelname)s %(asctime)s %(message)s"))
    logger = logging.getLogger(name)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


class PlainHello(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_header("Content-Type", "text/plain")
        self.write(b"Hello, world")


class NoOp:
    def process_request(self, handler: object, clear: object) -> None: ...

    def process_response(self, handler: object, clear: object, chunk: object) -> None: ...


@servers.add(PLAIN)
def plain(port: int) -> None:
    serve_tornado(tornado.web.Application([("/", PlainHello)]), port)


@servers.add(LOGGED)
def logged(port: int) -> None:
    _log_to_null("tornado.access")
    serve_tornado(tornado.web.Application([("/", PlainHello)]), port)


def _torngas(port: int, handler_of: object, **settings: object) -> None:
    from torngas.application import Application
    from torngas.settings_manager import Settings
    from torngas.wiring.application import build_application

    chosen = Settings({"DEBUG": False, "TORNADO_CONF": {"cookie_secret": "of the benchmark"}, **settings})
    serve_tornado(build_application(Application, chosen, [("/", handler_of)]), port)


@servers.add(FIVE)
def five(port: int) -> None:
    from torngas.handler import WebHandler

    class Hello(WebHandler):
        def get(self) -> None:
            self.set_header("Content-Type", "text/plain")
            self.write(b"Hello, world")

    _torngas(port, Hello, MIDDLEWARE_CLASSES=[NoOp() for _ in range(5)])


@servers.add(FULL)
def full(port: int) -> None:
    from torngas.handler import WebHandler
    from torngas.httpmodule import BaseHttpModule

    class Hello(WebHandler):
        def get(self) -> None:
            self.session["user"]
            self.set_header("Content-Type", "text/plain")
            self.write(b"Hello, world")

    class First(BaseHttpModule):
        def begin_request(self, handler: object, clear: object) -> None: ...

    class Second(BaseHttpModule):
        def begin_response(self, handler: object, clear: object, chunk: object) -> None: ...

    _log_to_null("torngas.accesslog")
    _torngas(
        port,
        Hello,
        MIDDLEWARE_CLASSES=[
            "torngas.middleware.accesslog.AccessLogMiddleware",
            "torngas.middleware.session.SessionMiddleware",
            *(NoOp() for _ in range(5)),
            "torngas.httpmodule.httpmodule.HttpModuleMiddleware",
        ],
        COMMON_MODULES=[First, Second],
    )


def _at_least(samples: Samples, name: str, base: str, limit: float) -> Measured:
    ratio = samples.ratio(name, base)
    return Measured(f"req/s, {name}", f">= {limit:.2f} x {base}", f"{ratio:.3f} x", ratio >= limit)


@bench.check
def requests(args: argparse.Namespace) -> list[Measured]:
    rounds, seconds = (6, 1.0) if args.quick else (max(args.rounds, 15), 1.0)
    print(f"# tornado {tornado.version}, {asyncio.new_event_loop().__class__.__name__}")
    with servers.running() as load:
        samples = load.measure(rounds=rounds, seconds=seconds)
    samples.print_table(PLAIN)
    cost = samples.ratio(FIVE, PLAIN, "cpu")
    return [
        Measured("cost of a request, 5 no-op middlewares", f"<= 1.10 x {PLAIN}", f"{cost:.3f} x", cost <= 1.10),
        _at_least(samples, FULL, LOGGED, 0.70),
    ]


@bench.check
def imports(args: argparse.Namespace) -> list[Measured]:
    """Import time above Tornado's, in fresh interpreters, taken in turn."""

    def took(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - start

    base, ours = "import tornado.web, tornado.httpserver, tornado.options", "import torngas, torngas.handler"
    above = [took(f"{base}; {ours}") - took(base) for _ in range(7 if args.quick else 15)]
    value = statistics.median(above) * 1e3
    return [Measured("import torngas above Tornado", "<= 250 ms", f"{value:.0f} ms", value <= 250)]


if __name__ == "__main__":
    servers.serve_if_asked(sys.argv)
    raise SystemExit(bench.run())
