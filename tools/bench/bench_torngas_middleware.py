"""What middlewares cost: requests/s and CPU time of one handler behind 0, 5 and 10 of them, against plain Tornado.

The handler is Tornado's own class in every server. The servers run side by side, each in one process on one loop.
"""

from __future__ import annotations

import argparse
import sys

import tornado.web
from harness import Bench, Measured
from load import Samples, Servers, serve_tornado

from torngas_middleware import Application

bench = Bench("torngas-middleware", __doc__, rounds=21)
bench.peer("tornado", package="tornado")(dict)
bench.peer("torngas-middleware", package="torngas-middleware")(dict)
servers = Servers(__file__)

PLAIN = "tornado"
NONE = "no middleware"
FIVE = "5 x process_request + response"
TEN = "10, one async hook each"
FIVE_CALLS = "5 x process_call"
END = "1 x process_endcall"


class Hello(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_header("Content-Type", "text/plain")
        self.write(b"Hello, world")


class RequestAndResponse:
    def process_request(self, handler: object, clear: object) -> None: ...

    def process_response(self, handler: object, clear: object, chunk: object) -> None: ...


class Call:
    def process_call(self, request: object, clear: object) -> None: ...


class End:
    def process_endcall(self, handler: object, clear: object) -> None: ...


class AsyncRequest:
    async def process_request(self, handler: object, clear: object) -> None: ...


def _add(name: str, *middlewares: object) -> None:
    @servers.add(name)
    def serve(port: int) -> None:
        serve_tornado(Application([("/", Hello)], middlewares=middlewares), port)


@servers.add(PLAIN)
def plain(port: int) -> None:
    serve_tornado(tornado.web.Application([("/", Hello)]), port)


_add(NONE)
_add(FIVE, *(RequestAndResponse() for _ in range(5)))
_add(TEN, *(AsyncRequest() for _ in range(10)))
_add(FIVE_CALLS, *(Call() for _ in range(5)))
_add(END, End())


def _at_least(samples: Samples, name: str, limit: float) -> Measured:
    ratio = samples.ratio(name, PLAIN)
    return Measured(f"req/s, {name}", f">= {limit:.2f} x {PLAIN}", f"{ratio:.3f} x", ratio >= limit)


@bench.check
def requests(args: argparse.Namespace) -> list[Measured]:
    rounds = 8 if args.quick else args.rounds
    with servers.running([PLAIN, NONE, FIVE, TEN] if args.quick else None) as load:
        samples = load.measure(rounds=rounds, seconds=1)
    samples.print_table(PLAIN)
    cost = samples.ratio(FIVE, PLAIN, "cpu")
    return [
        _at_least(samples, NONE, 0.98),
        _at_least(samples, FIVE, 0.93),
        _at_least(samples, TEN, 0.80),
        Measured("cost of a request, 5 no-op middlewares", f"<= 1.10 x {PLAIN}", f"{cost:.3f} x", cost <= 1.10),
    ]


if __name__ == "__main__":
    servers.serve_if_asked(sys.argv)
    raise SystemExit(bench.run())
