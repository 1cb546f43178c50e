"""Spans as OpenTelemetry's SDK receives them, and the ids that join logs and traces."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import time

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from tornado.web import HTTPError

from torngas.application import Application
from torngas.cache import cache
from torngas.exception import ConfigError
from torngas.handler import WebHandler, WebSocketHandler
from torngas.observe.tracing import TraceFilter, TracingMiddleware
from torngas.settings_manager import Settings
from torngas.testing import Client
from torngas.wiring.application import build_application
from torngas_logger import JsonFormatter
from torngas_middleware import RequestIdFilter, RequestIdMiddleware

TRACING = "torngas.observe.tracing.TracingMiddleware"
REQUEST_ID = "torngas_middleware.requestid.RequestIdMiddleware"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Item(WebHandler):
    async def get(self, number):
        before = trace.get_current_span().get_span_context().span_id
        for _ in range(3):
            await asyncio.sleep(0)
        after = trace.get_current_span().get_span_context().span_id
        assert before == after
        trace.get_current_span().set_attribute("seen.number", number)
        self.write(f"{after:016x}")


class Works(WebHandler):
    async def get(self):
        await cache.aset("a", 1)
        cache.get("a")
        cache.get("missing")
        server = self.application.resources.connector.get_conn().primary
        async with server.async_engine.connect() as connection:
            await connection.exec_driver_sql("SELECT 'hunter2'")
        self.write(self.render_string("page.html"))


class Fails(WebHandler):
    def get(self):
        raise ZeroDivisionError


class Refuses(WebHandler):
    def get(self):
        raise HTTPError(403, "not for you")


class Breaks(WebHandler):
    def get(self):
        raise HTTPError(503, "later")


class Stream(WebHandler):
    async def get(self):
        self.write("1")
        await self.flush()
        self.write("2")


class Slow(WebHandler):
    started: asyncio.Event
    go: asyncio.Event

    async def get(self):
        type(self).started.set()
        await type(self).go.wait()

    def on_connection_close(self):
        type(self).go.set()


class Echo(WebSocketHandler):
    def on_message(self, message):
        self.write_message(message)


HANDLERS = [
    (r"/item/(\d+)", Item),
    ("/works", Works),
    ("/fails", Fails),
    ("/refuses", Refuses),
    ("/breaks", Breaks),
    ("/stream", Stream),
    ("/slow", Slow),
    ("/echo", Echo),
]


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
async def serve(exporter, tmp_path):
    """Makes an application and its client; both are closed at the end, and so is the provider."""
    (tmp_path / "page.html").write_text("hello")
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    clients = []

    def start(*middlewares, config=None, **settings):
        chosen = Settings(
            {
                "DEBUG": False,
                "TORNADO_CONF": {"cookie_secret": "x", "template_path": str(tmp_path)},
                "MIDDLEWARE_CLASSES": [REQUEST_ID, TRACING, *middlewares],
                "CACHES": {"default": {"BACKEND": "locmem", "LOCATION": "tracing"}},
                "DATABASE_CONNECTION": {"default": {"connections": [{"ROLE": "master", "URL": "sqlite://"}]}},
                "TRACING_CONFIG": {"provider": provider, **(config or {})},
                **settings,
            }
        )
        client = Client(build_application(Application, chosen, HANDLERS), close_application=True, timeout=30)
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.aclose()
    provider.shutdown()


async def until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met"
        await asyncio.sleep(0.001)


def servers(exporter):
    return [span for span in exporter.get_finished_spans() if span.kind is SpanKind.SERVER]


async def test_a_request_is_a_span_by_the_semantic_conventions(serve, exporter):
    client = serve()
    await client.aget("/item/7?secret=1", headers={"User-Agent": "tests/1", "Host": "shop.example:8080"})
    [span] = servers(exporter)
    assert span.name == r"GET /item/(\d+)"
    assert span.status.status_code is StatusCode.UNSET
    found = dict(span.attributes)
    assert len(found.pop("torngas.request_id")) == 32
    assert found == {
        "http.request.method": "GET",
        "http.route": r"/item/(\d+)",
        "http.response.status_code": 200,
        "url.path": "/item/7",
        "url.scheme": "http",
        "server.address": "shop.example",
        "server.port": 8080,
        "client.address": "127.0.0.1",
        "network.protocol.version": "1.1",
        "user_agent.original": "tests/1",
        "seen.number": "7",
    }
    assert span.parent is None
    assert span.end_time > span.start_time > 0


async def test_a_callers_trace_is_continued(serve, exporter):
    """W3C Trace Context; a damaged header begins a trace of our own."""
    client = serve()
    await client.aget("/item/1", headers={"traceparent": PARENT})
    await client.aget("/item/1", headers={"Traceparent": "00-zz-zz-zz"})
    first, second = servers(exporter)
    assert f"{first.context.trace_id:032x}" == PARENT.split("-")[1]
    assert f"{first.parent.span_id:016x}" == PARENT.split("-")[2]
    assert first.parent.is_remote
    assert second.parent is None


async def test_interleaved_requests_never_mix(serve, exporter):
    """Each handler sees its own span before and after every turn of the loop, and none afterwards."""
    client = serve()
    answers = await asyncio.gather(*(client.aget(f"/item/{number}") for number in range(50)))
    by_number = {span.attributes["seen.number"]: span for span in servers(exporter)}
    assert len(by_number) == 50
    for number, answer in enumerate(answers):
        span = by_number[str(number)]
        assert answer.text == f"{span.context.span_id:016x}"
        assert span.attributes["url.path"] == f"/item/{number}"
    assert not trace.get_current_span().get_span_context().is_valid


@pytest.mark.parametrize(
    ("path", "status", "error", "failed"),
    [
        ("/fails", 500, "ZeroDivisionError", True),
        ("/breaks", 503, "tornado.web.HTTPError", True),
        ("/refuses", 403, None, False),
        ("/nowhere", 404, None, False),
        ("/stream", 200, None, False),
    ],
)
async def test_every_exit_ends_the_span(serve, exporter, path, status, error, failed):
    await serve().aget(path)
    [span] = servers(exporter)
    assert span.attributes["http.response.status_code"] == status
    assert span.attributes.get("error.type") == error
    assert (span.status.status_code is StatusCode.ERROR) is failed
    assert bool(span.events) is failed, "an exception that failed the request is recorded"


async def test_a_request_without_a_route_is_named_by_its_method(serve, exporter):
    client = serve()
    await client.aget("/nowhere")
    await client.arequest("BREW", "/nowhere")
    first, second = servers(exporter)
    assert (first.name, second.name) == ("GET", "HTTP")
    assert "http.route" not in first.attributes
    assert second.attributes["http.request.method"] == "_OTHER"
    assert second.attributes["http.request.method_original"] == "BREW"


async def test_a_client_that_leaves_ends_the_span(serve, exporter):
    Slow.started, Slow.go = asyncio.Event(), asyncio.Event()
    client = serve()
    _, writer = await asyncio.open_connection("127.0.0.1", client._transport()._port)
    writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.wait_for(Slow.started.wait(), 20)
    writer.close()
    await writer.wait_closed()
    await until(lambda: servers(exporter))
    [span] = servers(exporter)
    assert span.attributes["error.type"] == "client_disconnected"
    assert "http.response.status_code" not in span.attributes


async def test_a_websocket_is_one_span(serve, exporter):
    async with serve().websocket("/echo") as socket:
        await socket.asend("hello")
        assert await socket.areceive() == "hello"
        assert servers(exporter) == []
    await until(lambda: servers(exporter))
    [span] = servers(exporter)
    assert span.attributes["http.response.status_code"] == 101


async def test_who_ends_all_hooks_does_not_keep_the_span_open(serve, exporter):
    class Clears:
        def process_request(self, handler, clear):
            clear()

    await serve(Clears()).aget("/item/1")
    await until(lambda: servers(exporter))
    assert len(servers(exporter)) == 1


async def test_cache_queries_and_templates_are_children(serve, exporter):
    """Of the request's span; statements are shown without values."""
    await serve().aget("/works")
    [request] = servers(exporter)
    children = [span for span in exporter.get_finished_spans() if span is not request]
    assert all(span.parent.span_id == request.context.span_id for span in children)
    assert [(span.name, span.kind) for span in children] == [
        ("cache.set default", SpanKind.CLIENT),
        ("cache.get default", SpanKind.CLIENT),
        ("cache.get default", SpanKind.CLIENT),
        ("SELECT default:primary", SpanKind.CLIENT),
        ("render page.html", SpanKind.INTERNAL),
    ]
    assert [span.attributes.get("cache.hit") for span in children[:3]] == [None, True, False]
    assert dict(children[3].attributes) == {
        "db.system.name": "sqlite",
        "db.operation.name": "SELECT",
        "db.query.text": "SELECT ?",
        "torngas.database": "default:primary",
    }
    assert children[4].attributes["template.name"] == "page.html"


async def test_each_kind_of_child_can_be_left_out(serve, exporter):
    await serve(config={"caches": False, "templates": False}).aget("/works")
    assert [span.name for span in exporter.get_finished_spans()] == ["SELECT default:primary", "GET /works"]


async def test_switched_off_nothing_is_in_the_path(serve, exporter):
    """Neither the middleware nor an observer of caches, queries or templates."""
    client = serve(config={"enabled": False})
    assert (await client.aget("/item/1")).text == "0" * 16
    assert exporter.get_finished_spans() == ()
    kinds = [type(one).__name__ for one in client.application.middlewares.middlewares]
    assert kinds == ["RequestScope", "RequestIdMiddleware"]
    assert client.application.resources.watch is None


async def test_ids_join_logs_and_traces_also_on_http_errors(serve, exporter):
    """Tornado's line of an HTTPError has the trace, the span and the request's id; a line outside of a request none."""
    lines = []

    class Lines(logging.Handler):
        def emit(self, record):
            lines.append(json.loads(self.format(record)))

    handler = Lines()
    handler.setFormatter(JsonFormatter())
    handler.addFilter(TraceFilter(None))
    handler.addFilter(RequestIdFilter())
    logger = logging.getLogger("tornado.general")
    logger.addHandler(handler)
    try:
        await serve().aget("/refuses", headers={"X-Request-ID": "abc-1"})
        logger.warning("outside")
    finally:
        logger.removeHandler(handler)
    [span] = servers(exporter)
    line, outside = lines
    assert "not for you" in line["message"]
    assert line["trace_id"] == f"{span.context.trace_id:032x}"
    assert line["span_id"] == f"{span.context.span_id:016x}"
    assert line["request_id"] == span.attributes["torngas.request_id"] == "abc-1"
    assert "trace_id" not in outside


def test_the_filter_gives_formats_something_outside_of_spans():
    record = logging.makeLogRecord({})
    assert TraceFilter().filter(record)
    assert (record.trace_id, record.span_id) == ("-", "-")


def test_the_middleware_works_without_an_sdk():
    """The API alone traces nothing, and harms nothing."""
    made = Application([(r"/item/(\d+)", Item)], middlewares=[RequestIdMiddleware(), TracingMiddleware()])
    with Client(made) as client:
        assert client.get("/item/1").text == "0" * 16


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    with pytest.raises(ConfigError, match=r"pip install 'torngas\[tracing\]'"):
        TracingMiddleware()


def test_importing_loads_neither_prometheus_nor_opentelemetry():
    """Nor SQLAlchemy: what is not declared is not loaded."""
    modules = ("urls", "health", "metrics", "tracing", "profiling", "multiprocess", "watch", "queries", "caches")
    code = (
        f"import sys\nfor name in {modules}:\n    __import__('torngas.observe.' + name)\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} "
        "& {'prometheus_client', 'opentelemetry', 'sqlalchemy'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
