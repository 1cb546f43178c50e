"""What MetricsMiddleware counts, and how `/metrics` shows it; read by prometheus-client's own parsers."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from torngas.application import Application
from torngas.exception import ConfigError
from torngas.handler import WebHandler, WebSocketHandler
from torngas.observe._registry import Exposition
from torngas.observe.metrics import MetricsConfig, MetricsMiddleware
from torngas.observe.urls import routes
from torngas.settings_manager import Settings
from torngas.testing import Client
from torngas.wiring.application import build_application
from torngas.wiring.check import problems_of

METRICS = "torngas.observe.metrics.MetricsMiddleware"
SESSIONS = "torngas.middleware.session.SessionMiddleware"


class Item(WebHandler):
    def get(self, number):
        self.write("hello")

    post = put = delete = get


class Fails(WebHandler):
    def get(self):
        raise ZeroDivisionError


class Stream(WebHandler):
    async def get(self):
        for _ in range(3):
            self.write("12345")
            await self.flush()


class Cached(WebHandler):
    def get(self):
        self.write("hello")


class Echo(WebSocketHandler):
    def on_message(self, message):
        self.write_message(message)


class Slow(WebHandler):
    started: asyncio.Event
    go: asyncio.Event

    async def get(self):
        type(self).started.set()
        await type(self).go.wait()
        self.write("late")

    def on_connection_close(self):
        type(self).go.set()


class Endless(WebHandler):
    async def get(self):
        while True:
            self.write("x" * 100_000)
            await self.flush()


class Visits(WebHandler):
    def get(self):
        self.session["n"] = (self.session["n"] or 0) + 1
        self.write(str(self.session["n"]))


HANDLERS = [
    (r"/item/(\d+)", Item),
    ("/fails", Fails),
    ("/stream", Stream),
    ("/cached", Cached),
    ("/echo", Echo),
    ("/slow", Slow),
    ("/endless", Endless),
    ("/visits", Visits),
    *routes(),
]


def application(*middlewares, kind=Application, **settings):
    chosen = Settings(
        {
            "DEBUG": False,
            "TORNADO_CONF": {"cookie_secret": "of the tests"},
            "MIDDLEWARE_CLASSES": [METRICS, *middlewares],
            "CACHES": {"default": {"BACKEND": "locmem", "LOCATION": "metrics"}},
            **settings,
        }
    )
    return build_application(kind, chosen, HANDLERS)


@pytest.fixture
async def serve():
    """A client of an application; both are closed at the end."""
    clients = []

    def start(made):
        client = Client(made, close_application=True, timeout=30, follow_redirects=False)
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.aclose()


def numbers(made, parse=parse_text, accept=""):
    """(name, labels) -> value of every sample."""
    exposition = made.settings["metrics"]
    exposition.refresh()
    text = exposition.render(accept)[0].decode()
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in parse(text)
        for sample in family.samples
    }


def requests_of(made):
    """(method, route, status) -> count."""
    return {
        tuple(dict(key[1:])[label] for label in ("method", "route", "status")): int(value)
        for key, value in numbers(made).items()
        if key[0] == "http_requests_total"
    }


async def until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met"
        await asyncio.sleep(0.001)


async def test_each_request_is_counted_once_by_its_route(serve):
    """The pattern is the label, never the path: ten thousand items are one series."""
    made = application()
    client = serve(made)
    for number in range(5):
        await client.aget(f"/item/{number}")
    await client.apost("/item/9", headers={"X-Xsrftoken": "x"})
    await client.aget("/fails")
    await client.aget("/stream")
    etag = (await client.aget("/cached")).headers["Etag"]
    await client.aget("/cached", headers={"If-None-Match": etag})
    for path in ("/nowhere", "/nowhere/else", "/item/x"):
        await client.aget(path)
    await client.arequest("HEAD", "/item/1")
    assert requests_of(made) == {
        ("GET", r"/item/(\d+)", "200"): 5,
        ("POST", r"/item/(\d+)", "200"): 1,
        ("GET", "/fails", "500"): 1,
        ("GET", "/stream", "200"): 1,
        ("GET", "/cached", "200"): 1,
        ("GET", "/cached", "304"): 1,
        ("GET", "unmatched", "404"): 3,
        ("HEAD", r"/item/(\d+)", "405"): 1,
    }


async def test_methods_that_http_does_not_know_share_one_label(serve):
    """A client cannot make series without end."""
    made = application()
    client = serve(made)
    for number in range(20):
        await client.arequest(f"X{number}", "/item/1")
    assert requests_of(made) == {("OTHER", r"/item/(\d+)", "405"): 20}
    middleware = next(one for one in made.middlewares.middlewares if isinstance(one, MetricsMiddleware))
    assert len(middleware._series) == 1


async def test_the_duration_is_a_histogram_in_seconds(serve):
    made = application(METRICS_CONFIG={"buckets": [0.5, 25]})
    await serve(made).aget("/item/1")
    found = numbers(made)
    route = (("method", "GET"), ("route", r"/item/(\d+)"))
    name = "http_request_duration_seconds"
    assert found[f"{name}_count", *route] == 1
    assert 0 < found[f"{name}_sum", *route] < 25
    buckets = {dict(key[1:])["le"]: value for key, value in found.items() if key[0] == f"{name}_bucket"}
    assert set(buckets) == {"0.5", "25.0", "+Inf"}
    assert buckets["25.0"] == buckets["+Inf"] == 1


def test_a_bucket_holds_its_upper_bound_and_what_is_below():
    made = MetricsMiddleware({"buckets": [0.1, 1.0]})
    add, _ = made._instruments.request_series("GET", "/", 200, timed=True)
    for seconds in (0.05, 0.1, 0.100001, 1.0, 7.0):
        add(seconds)
    text = Exposition(made._instruments).render()[0].decode()
    found = {s.labels["le"]: s.value for f in parse_text(text) for s in f.samples if s.name.endswith("seconds_bucket")}
    assert found == {"0.1": 2, "1.0": 4, "+Inf": 5}


async def test_a_websocket_is_one_request_without_a_duration(serve):
    """It may live for days, which says nothing of how quickly the server answers."""
    made = application()
    client = serve(made)
    async with client.websocket("/echo") as socket:
        await socket.asend("hello")
        assert await socket.areceive() == "hello"
        assert numbers(made)["http_requests_in_progress",] == 1
    await until(lambda: requests_of(made))
    assert requests_of(made) == {("GET", "/echo", "101"): 1}
    assert not [key for key in numbers(made) if key[0] == "http_request_duration_seconds_count"]
    assert numbers(made)["http_requests_in_progress",] == 0


async def raw_connection(client, path):
    transport = client._transport()
    reader, writer = await asyncio.open_connection("127.0.0.1", transport._port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return reader, writer


async def test_a_client_that_left_before_the_answer_is_a_499(serve):
    Slow.started, Slow.go = asyncio.Event(), asyncio.Event()
    made = application()
    _, writer = await raw_connection(serve(made), "/slow")
    await asyncio.wait_for(Slow.started.wait(), 20)
    assert numbers(made)["http_requests_in_progress",] == 1
    writer.close()
    await writer.wait_closed()
    await until(lambda: requests_of(made))
    assert requests_of(made) == {("GET", "/slow", "499"): 1}
    assert numbers(made)["http_requests_in_progress",] == 0


async def test_a_client_that_left_during_a_stream_keeps_its_status(serve):
    made = application()
    reader, writer = await raw_connection(serve(made), "/endless")
    await asyncio.wait_for(reader.read(100), 20)
    writer.transport.abort()
    await until(lambda: requests_of(made))
    assert requests_of(made) == {("GET", "/endless", "200"): 1}


async def test_an_exception_before_any_handler_is_counted(serve):
    class Broken:
        def process_call(self, request, clear):
            raise ValueError

    made = application(Broken())
    await serve(made).aget("/item/1")
    assert requests_of(made) == {("GET", "unmatched", "500"): 1}


async def test_who_ends_all_hooks_leaves_nothing_in_progress(serve):
    """The request is missing in the counter, as in the access log; the gauge does not grow for ever."""

    class Clears:
        def process_request(self, handler, clear):
            clear()

    made = application(Clears())
    await serve(made).aget("/item/1")
    assert requests_of(made) == {}
    assert numbers(made)["http_requests_in_progress",] == 0


async def test_both_formats_are_spoken(serve):
    """RFC 9110 content negotiation; the parsers of both formats read the same counts."""
    made = application()
    client = serve(made)
    await client.aget("/item/1")
    text = await client.aget("/metrics")
    assert text.headers["Content-Type"].startswith("text/plain")
    assert text.headers["Cache-Control"] == "no-store"
    assert "Accept" in text.headers["Vary"]
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    openmetrics = await client.aget("/metrics", headers={"Accept": accept})
    assert openmetrics.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert openmetrics.text.endswith("# EOF\n")
    for parsed in (parse_text(text.text), parse_openmetrics(openmetrics.text)):
        samples = [s for family in parsed for s in family.samples if s.name == "http_requests_total"]
        assert [s.value for s in samples if s.labels["route"] == r"/item/(\d+)"] == [1]
    head = await client.arequest("HEAD", "/metrics")
    assert (head.status_code, head.text) == (200, "")


async def test_names_and_kinds_follow_openmetrics(serve):
    made = application(METRICS_CONFIG={"namespace": "shop", "response_size": True})
    await serve(made).aget("/item/1")
    text = made.settings["metrics"].render("application/openmetrics-text; version=1.0.0")[0].decode()
    kinds = {family.name: family.type for family in parse_openmetrics(text) if family.name.startswith("shop_")}
    assert kinds == {
        "shop_http_requests": "counter",
        "shop_http_request_duration_seconds": "histogram",
        "shop_http_response_size_bytes": "histogram",
        "shop_http_requests_in_progress": "gauge",
        "shop_cache_requests": "counter",
        "shop_session_writes": "counter",
    }


async def test_the_size_of_bodies_is_measured_on_demand(serve):
    made = application(METRICS_CONFIG={"response_size": True})
    client = serve(made)
    await client.aget("/stream")
    await client.aget("/item/1")
    found = {
        dict(key[1:])["route"]: value
        for key, value in numbers(made).items()
        if key[0] == "http_response_size_bytes_sum"
    }
    assert found == {"/stream": 15, r"/item/(\d+)": 5}


async def test_hits_and_misses_of_caches_by_alias(serve):
    """Each call of the application once, whatever the backend makes of it; a stored None is a hit."""
    made = application(CACHES={"default": {"BACKEND": "locmem", "LOCATION": "hits"}, "pages": {"BACKEND": "dummy"}})
    caches = made.resources.caches
    cache = caches["default"]
    cache.clear()
    assert cache.get("a", "other") == "other"
    cache.set("a", None)
    assert cache.get("a", "other") is None
    assert await cache.aget("a", default=1) is None
    assert cache.get_many(["a", "b", "b"]) == {"a": None}
    assert await cache.aget_many(iter(["a"])) == {"a": None}
    assert cache.gets("b") == (None, None)
    assert (await cache.agets("a"))[1] is not None
    assert cache.get_or_set("c", lambda: 7) == 7
    assert caches["pages"].get("a") is None
    found = {
        tuple(value for _, value in key[1:]): value
        for key, value in numbers(made).items()
        if key[0] == "cache_requests_total"
    }
    assert found == {("default", "hit"): 5, ("default", "miss"): 4, ("pages", "hit"): 0, ("pages", "miss"): 1}
    await made.aclose()


async def test_session_writes_are_counted_and_reads_are_not(serve):
    made = application(SESSIONS)
    client = serve(made)
    for expected in ("1", "2", "3"):
        assert (await client.aget("/visits")).text == expected
    await client.aget("/item/1")
    assert numbers(made)["session_writes_total", ("operation", "save")] == 3
    await client.alogout()
    assert numbers(made)["session_writes_total", ("operation", "delete")] == 1


async def test_connections_of_the_pools(serve, tmp_path):
    """In use, of how many, and beyond; those of a blocking and an asynchronous engine together."""
    url = f"sqlite:///{tmp_path / 'pool.db'}"
    made = application(
        DATABASE_CONNECTION={"default": {"connections": [{"ROLE": "master", "URL": url}]}},
        SQLALCHEMY_CONFIGURATION={"sqlalchemy.pool_size": 2, "sqlalchemy.max_overflow": 3},
    )

    def pool(name):
        return numbers(made)[f"db_pool_{name}", ("database", "default"), ("server", "primary")]

    engine = made.resources.connector.get_conn().primary.engine
    assert (pool("connections_in_use"), pool("size"), pool("overflow")) == (0, 2, 0)
    held = [engine.connect() for _ in range(3)]
    assert (pool("connections_in_use"), pool("size"), pool("overflow")) == (3, 2, 1)
    for one in held:
        one.close()
    assert pool("connections_in_use") == 0
    await made.aclose()


async def test_two_applications_do_not_share_numbers(serve):
    """Unless they are given one registry, and a namespace each."""
    one, other = application(), application()
    await serve(one).aget("/item/1")
    assert requests_of(one)
    assert requests_of(other) == {}
    registry = CollectorRegistry()
    first = application(METRICS_CONFIG={"registry": registry, "namespace": "first"})
    application(METRICS_CONFIG={"registry": registry, "namespace": "second"})
    await serve(first).aget("/item/1")
    shown = {key[0] for key in numbers(first)}
    assert {"first_http_requests_total", "second_http_requests_in_progress"} <= shown
    with pytest.raises(ConfigError, match="namespace"):
        application(METRICS_CONFIG={"registry": registry, "namespace": "first"})


async def test_without_the_middleware_there_are_no_metrics(serve):
    """And nothing of them: no subclassed cache, no listener, no loader in front of the loader."""
    chosen = Settings({"DEBUG": False, "TORNADO_CONF": {"cookie_secret": "x"}, "MIDDLEWARE_CLASSES": []})
    made = build_application(Application, chosen, HANDLERS)
    assert (await serve(made).aget("/metrics")).status_code == 404
    assert made.resources.watch is None


def test_a_plain_application_counts_its_requests():
    """The middleware needs no settings: only caches and pools are the wiring's."""
    made = Application([(r"/item/(\d+)", Item)], middlewares=[MetricsMiddleware(MetricsConfig(namespace="plain"))])
    with Client(made) as client:
        client.get("/item/1")
    assert [key[0] for key in numbers(made) if key[0].endswith("requests_total") and "route" in dict(key[1:])] == [
        "plain_http_requests_total"
    ]


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ConfigError, match=r"pip install 'torngas\[metrics\]'"):
        MetricsMiddleware()


@pytest.mark.parametrize(
    "config", [{"buckets": [1, 1]}, {"buckets": []}, {"refresh": 0}, {"bucket": [1]}, {"registry": "no.such.Registry"}]
)
def test_a_wrong_option_is_refused(config):
    with pytest.raises(ConfigError):
        MetricsMiddleware(config)
    if "registry" not in config:
        assert list(problems_of(Settings({"METRICS_CONFIG": config, "INSTALLED_APPS": ("torngas.observe",)})))
