"""What typed requests cost: arguments and a JSON body by annotations, against the same handler written by hand.

Whole requests through Tornado's RequestHandler without a socket. "plain" reads the same values itself without checking
them; "json.loads" is that call alone, on the body that the typed method gets.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from harness import Bench, Measured
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import Application, RequestHandler

from torngas.api import Header, Query, endpoint

bench = Bench("torngas-typed", __doc__, unit="us")
BODY = {
    "title": "ten fields",
    "text": "as a client sends them",
    "priority": 3,
    "ratio": 0.5,
    "done": False,
    "tags": ["a", "b", "c"],
    "owner": "ada",
    "color": "#336699",
    "position": 17,
    "note": None,
}
BODY_TEXT = json.dumps(BODY).encode()


@dataclass
class Task:
    title: str
    text: str
    priority: int
    ratio: float
    done: bool
    tags: list[str]
    owner: str
    color: str
    position: int
    note: str | None = None


class Plain(RequestHandler):
    async def get(self, number: str) -> None:
        found = int(number), int(self.get_query_argument("page")), self.request.headers.get("X-Version")
        self.write(b"ok" if found else b"")

    async def post(self, number: str) -> None:
        self.write(b"ok")


class Untouched(RequestHandler):
    """Plain as `Plain.post`, in a class that has a typed method too."""

    async def post(self, number: str) -> None:
        self.write(b"ok")

    @endpoint()
    async def get(self, number: int) -> None:
        self.write(b"ok")


class Typed(RequestHandler):
    @endpoint()
    async def get(
        self, number: int, page: Annotated[int, Query(ge=1)], x_version: Annotated[str | None, Header()] = None
    ) -> None:
        self.write(b"ok")

    @endpoint()
    async def post(self, body: Task) -> None:
        self.write(b"ok")

    @endpoint()
    async def put(self) -> None:
        self.write(b"ok")


class Connection:
    """Takes what a handler sends, and forgets it."""

    context = None

    def set_close_callback(self, callback: Any) -> None: ...

    def write_headers(self, *args: Any, **kwargs: Any) -> asyncio.Future[None]:
        return _done()

    def write(self, chunk: bytes) -> asyncio.Future[None]:
        return _done()

    def finish(self) -> None: ...


def _done() -> asyncio.Future[None]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_result(None)
    return future


APPLICATION = Application([], log_function=lambda handler: None)
HEADERS = {"X-Version": "7", "Content-Type": "application/json", "Host": "localhost"}


def request(method: str, body: bytes = b"") -> HTTPServerRequest:
    line = RequestStartLine(method, "/tasks/7?page=3", "HTTP/1.1")
    connection: Any = Connection()
    return HTTPServerRequest(start_line=line, headers=HTTPHeaders(HEADERS), body=body, connection=connection)


def requests(handler: type[RequestHandler], method: str, *parts: bytes, body: bytes = b"", **named: bytes) -> Any:
    async def run(n: int) -> None:
        for _ in range(n):
            made = handler(APPLICATION, request(method, body))
            await made._execute([], *parts, **named)
            assert made.get_status() == 200

    return run


def loads(n: int) -> None:
    for _ in range(n):
        json.loads(BODY_TEXT)


@bench.peer("plain", package="tornado")
def plain() -> dict[str, Any]:
    return {
        "3 parameters": requests(Plain, "GET", b"7"),
        "no parameters": requests(Plain, "POST", b"7"),
        "plain method": requests(Plain, "POST", b"7"),
    }


@bench.peer("typed", package="torngas")
def typed() -> dict[str, Any]:
    return {
        "3 parameters": requests(Typed, "GET", number=b"7"),
        "no parameters": requests(Typed, "PUT"),
        "plain method": requests(Untouched, "POST", b"7"),
        "body of 10 fields": requests(Typed, "POST", body=BODY_TEXT),
    }


@bench.peer("json.loads")
def alone() -> dict[str, Any]:
    return {"body of 10 fields": loads}


def _seconds(operation: Callable[[int], Any], n: int, loop: asyncio.AbstractEventLoop) -> float:
    async def inside() -> float:
        start = time.process_time()
        found = operation(n)
        if found is not None:
            await found
        return time.process_time() - start

    gc.collect()
    return loop.run_until_complete(inside()) / n * 1e6


def _above(pairs: list[tuple[Callable[[int], Any], ...]], rounds: int) -> list[list[float]]:
    """Microseconds of each operation of each group, one row per round, all taken in turn."""
    rows = []
    for _ in range(rounds):
        rows.append([_seconds(operation, 300, bench.loop) for group in pairs for operation in group])
    return rows


@bench.check
def budgets(args: argparse.Namespace) -> list[Measured]:
    """The promised microseconds, as differences of neighboring samples."""
    operations = (
        requests(Typed, "GET", number=b"7"),
        requests(Plain, "GET", b"7"),
        requests(Typed, "POST", body=BODY_TEXT),
        requests(Plain, "POST", b"7"),
        loads,
        requests(Untouched, "POST", b"7"),
    )
    rows = _above([operations], 40 if args.quick else 150)
    three = statistics.median(row[0] - row[1] for row in rows)
    body = statistics.median(row[2] - row[3] - row[4] for row in rows)
    untouched = statistics.median(row[5] / row[3] for row in rows)
    return [
        Measured("3 parameters", "<= 10 us above the plain handler", f"{three:.1f} us", three <= 10),
        Measured("body of 10 fields", "<= json.loads alone + 5 us", f"{body:+.1f} us", body <= 5),
        Measured(
            "plain method beside a typed one", "<= 1.02 x the plain handler", f"{untouched:.3f} x", untouched <= 1.02
        ),
    ]


if __name__ == "__main__":
    raise SystemExit(bench.run())
