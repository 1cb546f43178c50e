"""What observing costs a request: CPU time of the assembled framework with metrics and traces, against without.

The application is built from settings, with the access log, as most are. One operation is one request through
Tornado's own HTTP server and routing, on one kept-alive connection (a socket pair), client included. The variants run
interleaved, each in a process of its own; the difference to the first is the cost.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from typing import Any

import tornado
from harness import Bench, Measured
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream

from torngas.application import Application
from torngas.handler import WebHandler
from torngas.settings_manager import Settings
from torngas.wiring.application import build_application

bench = Bench("torngas-observe", __doc__, unit="us")

ACCESS_LOG = "torngas.middleware.accesslog.AccessLogMiddleware"
METRICS = "torngas.observe.metrics.MetricsMiddleware"
TRACING = "torngas.observe.tracing.TracingMiddleware"
BASE = "without"
SHARED = "metrics of several processes"
API = "tracing, API alone"
SDK = "tracing, SDK"
ALLOWED = 5.0
REQUEST = b"GET /item/7 HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Item(WebHandler):
    def get(self, number: str) -> None:
        self.write(b"Hello, world")


def application(*middlewares: Any, **settings: Any) -> Application:
    chosen = Settings(
        {
            "DEBUG": False,
            "TORNADO_CONF": {"cookie_secret": "of the benchmark"},
            "MIDDLEWARE_CLASSES": [ACCESS_LOG, *middlewares],
            **settings,
        }
    )
    return build_application(Application, chosen, [(r"/item/(\d+)", Item)])


def provider() -> Any:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

    class Nowhere(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            return SpanExportResult.SUCCESS

    made = TracerProvider()
    made.add_span_processor(SimpleSpanProcessor(Nowhere()))
    return made


VARIANTS: dict[str, Any] = {
    BASE: lambda: application(),
    "the same again": lambda: application(),
    "metrics": lambda: application(METRICS),
    SHARED: lambda: application(METRICS),
    "tracing, disabled": lambda: application(TRACING, TRACING_CONFIG={"enabled": False}),
    API: lambda: application(TRACING),
    SDK: lambda: application(TRACING, TRACING_CONFIG={"provider": provider()}),
}


for _name in VARIANTS:  # their timings are the check's, since each needs a process
    bench.peer(_name, package="prometheus-client" if _name == "metrics" else None)(dict)


class Connection:
    """A connection to a server of its own."""

    def __init__(self, served: Application) -> None:
        self._server = HTTPServer(served)
        self._client: IOStream | None = None

    async def ask(self, count: int) -> None:
        client = self._client = self._client or self._opened()
        for _ in range(count):
            await client.write(REQUEST)
            head = await client.read_until(b"\r\n\r\n")
            await client.read_bytes(12)
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head)

    def _opened(self) -> IOStream:
        ours, theirs = socket.socketpair()
        self._server.handle_stream(IOStream(theirs), ("127.0.0.1", 0))
        return IOStream(ours)


class Variant:
    """One variant in a process of its own: the interpreter specializes code for the classes that it meets, so that two
    applications in one process slow each other down.
    """

    def __init__(self, name: str) -> None:
        command = [sys.executable, __file__, "--serve", name]
        self._folder = tempfile.mkdtemp() if name == SHARED else None
        environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": self._folder} if self._folder else None
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ)

    def measure(self, count: int) -> float:
        """Microseconds of CPU time per request of a slice."""
        assert self._process.stdin
        assert self._process.stdout
        print(count, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate(timeout=20)
        if self._folder:
            shutil.rmtree(self._folder)


async def _serve(name: str) -> None:
    logger = logging.getLogger("torngas.accesslog")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    logger.setLevel(logging.INFO)
    connection = Connection(VARIANTS[name]())
    await connection.ask(2000)
    gc.collect()
    gc.freeze()
    gc.disable()
    for line in sys.stdin:
        start = time.process_time()
        await connection.ask(int(line))
        print((time.process_time() - start) / int(line) * 1e6, flush=True)
        gc.collect()


@bench.check
def costs(args: argparse.Namespace) -> list[Measured]:
    """Medians of the differences to the plain slice of the same round: what else the machine does is in both."""
    names = [name for name in VARIANTS if "SDK" not in name or find_spec("opentelemetry.sdk") is not None]
    variants = {name: Variant(name) for name in names}
    times: dict[str, list[float]] = {name: [] for name in names}
    try:
        for _ in range(100 if args.quick else 500):
            for name in random.sample(names, len(names)):
                times[name].append(variants[name].measure(50))
    finally:
        for variant in variants.values():
            variant.close()
    more, ratio = {}, {}
    for name, values in times.items():
        pairs = list(zip(values, times[BASE], strict=True))
        more[name] = statistics.median(mine - base for mine, base in pairs)
        ratio[name] = statistics.median(mine / base for mine, base in pairs)
        print(f"# {name:30} {statistics.median(values):8.2f} us, {more[name]:+7.2f} us, {ratio[name]:.3f} x")
    cost, disabled = more["metrics"], ratio["tracing, disabled"]
    return [
        Measured("a request with metrics", f"<= {ALLOWED:.0f} us more", f"{cost:.2f} us", cost <= ALLOWED),
        Measured("tracing disabled", "<= 1.02 x without", f"{disabled:.3f} x", disabled <= 1.02),
        *(
            Measured(f"a request with {name}", "stated", f"{more[name]:.1f} us more", True)
            for name in names
            if name in (SHARED, API, SDK)
        ),
    ]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        asyncio.run(_serve(sys.argv[2]))
    else:
        print(f"# tornado {tornado.version}")
        raise SystemExit(bench.run())
