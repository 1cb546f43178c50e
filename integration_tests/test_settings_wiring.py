"""Every setting does something: for each key a project that sets it behaves otherwise than one that does not."""

from __future__ import annotations

import http.client
import importlib
import json
import signal
import socket
import sys
import textwrap
import threading
import time
import urllib.request
from contextlib import contextmanager

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy.orm import Mapped, mapped_column

from torngas import global_settings
from torngas.db.dbalchemy import Model
from torngas.decorators.async_execute import async_execute
from torngas.decorators.whitelist import whitelisted
from torngas.handler import WebHandler
from torngas.httpmodule import BaseHttpModule
from torngas.testing import Client, project_application
from torngas.webserver import Server

CHECKS = {}


def shows(*keys):
    """Registers a test as the one that shows what these keys do."""

    def register(test):
        CHECKS.update(dict.fromkeys(keys, test.__name__))
        return test

    return register


def test_every_key_is_shown_by_a_test_here():
    assert set(CHECKS) == {key for key in vars(global_settings) if key.isupper()}


class Failing(WebHandler):
    def get(self):
        raise RuntimeError("in the handler")


class Report(WebHandler):
    def get(self):
        self.write("report")


class Listed(WebHandler):
    @whitelisted
    def get(self):
        self.write("listed")


class Stamp(BaseHttpModule):
    def begin_request(self, handler, clear):
        handler.set_header("X-Stamp", "yes")


class Page(WebHandler):
    def get(self):
        self.render("page.html", value="<b>")


class Visits(WebHandler):
    def get(self):
        self.session["visits"] = self.session.get("visits", 0) + 1


class Wired(Model):
    __tablename__ = "wired_by_settings"

    id: Mapped[int] = mapped_column(primary_key=True)


class Offloaded(WebHandler):
    async def get(self):
        self.write(await self.name())

    @async_execute
    def name(self):
        return threading.current_thread().name


URLS = [
    (r"/failing", Failing),
    (r"/report", Report),
    (r"/listed", Listed),
    (r"/page", Page),
    (r"/visits", Visits),
    (r"/offloaded", Offloaded),
]


@pytest.fixture
def client(tmp_path, monkeypatch):
    """client(**settings): a client of a project that has these settings, and the defaults but for a secret."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/__init__.py").touch()
    (tmp_path / "pages/urls.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    urls = importlib.import_module("pages.urls")
    urls.urls = URLS

    @contextmanager
    def serve(**values):
        conf = {"cookie_secret": "x" * 20, **values.pop("TORNADO_CONF", {})}
        chosen = {"DEBUG": False, "LOGGING": (), "INSTALLED_APPS": ("pages",), "TORNADO_CONF": conf, **values}
        with project_application(chosen) as application, Client(application) as one:
            yield one

    yield serve
    for name in ("pages", "pages.urls"):
        del sys.modules[name]


@shows("DEBUG", "DEBUG_HOSTS")
def test_debug_shows_errors_to_its_hosts(client):
    for debug, hosts, shown in (
        (True, ("localhost",), True),
        (True, ("example.org",), False),
        (False, ("localhost",), False),
    ):
        with client(DEBUG=debug, DEBUG_HOSTS=hosts) as one:
            assert ("in the handler" in one.get("/failing").text) is shown, (debug, hosts)


@shows("TORNADO_CONF")
def test_tornados_settings_reach_the_application(client):
    with client(TORNADO_CONF={"xsrf_cookies": True, "anything": 7}) as one:
        assert one.application.settings["anything"] == 7
        assert one.application.settings["xsrf_cookies"] is True


@shows("MIDDLEWARE_CLASSES")
def test_middlewares_are_installed_in_their_order(client):
    with client(MIDDLEWARE_CLASSES=("torngas.middleware.session.SessionMiddleware",)) as one:
        assert "Set-Cookie" in one.get("/visits").headers
    with client(MIDDLEWARE_CLASSES=()) as one:
        assert one.get("/visits").status_code == 500


@shows("COMMON_MODULES", "ROUTE_MODULES")
def test_http_modules_run_where_the_settings_say(client, monkeypatch):
    monkeypatch.setitem(sys.modules, "stamps", sys.modules[__name__])
    for values, stamped in (
        ({}, set()),
        ({"COMMON_MODULES": ("stamps.Stamp",)}, {"/report", "/visits"}),
        ({"ROUTE_MODULES": {"^/report": ["stamps.Stamp"]}}, {"/report"}),
    ):
        installed = (*global_settings.MIDDLEWARE_CLASSES, "torngas.middleware.session.SessionMiddleware")
        with client(MIDDLEWARE_CLASSES=installed, **values) as one:
            assert {path for path in ("/report", "/visits") if "X-Stamp" in one.get(path).headers} == stamped


@shows("CACHES")
def test_caches_are_those_of_the_settings(client, tmp_path):
    from torngas.cache import caches

    with client(CACHES={"default": {"BACKEND": "file", "LOCATION": str(tmp_path / "kept")}}):
        caches["default"].set("a", 1)
        assert list(caches) == ["default"]
    assert list((tmp_path / "kept").iterdir())


@shows("SESSION")
def test_session_options_reach_the_cookie(client):
    installed = ("torngas.middleware.session.SessionMiddleware",)
    with client(MIDDLEWARE_CLASSES=installed, SESSION={"session_name": "visit", "cookie_path": "/visits"}) as one:
        cookie = one.get("/visits").headers["Set-Cookie"]
    assert cookie.startswith("visit=")
    assert "Path=/visits" in cookie


@shows("TEMPLATE_CONFIG")
def test_the_template_engine_is_the_one_that_was_chosen(client, tmp_path):
    (tmp_path / "page.html").write_text("{{ value }} {% if 1 %}{{ 1 + 1 }}{% endif %}")
    jinja2 = {"template_engine": "torngas.template.jinja2_loader.Jinja2TemplateLoader"}
    for options, text in ((jinja2, "&lt;b&gt; 2"), ({**jinja2, "autoescape": False}, "<b> 2")):
        with client(TEMPLATE_CONFIG=options, TORNADO_CONF={"template_path": str(tmp_path)}) as one:
            assert one.get("/page").text == text


@shows("WHITELIST")
def test_the_whitelist_is_that_of_the_settings(client):
    for whitelist, status in ((False, 403), (["10.0.0.0/8"], 403), (["127.0.0.0/8"], 200)):
        with client(WHITELIST=whitelist) as one:
            assert one.get("/listed").status_code == status


@shows("DATABASE_CONNECTION", "SQLALCHEMY_CONFIGURATION", "DATABASE_ROUTERS", "PING_DB", "PING_CONN_COUNT")
def test_databases_pools_routers_and_pings_are_those_of_the_settings(client, tmp_path):
    class Router:
        def db_for_read(self, model, **hints):
            return "archive"

    databases = {
        alias: {"connections": [{"ROLE": "master", "URL": f"sqlite:///{tmp_path / alias}.db"}]}
        for alias in ("default", "archive")
    }
    with client(
        DATABASE_CONNECTION=databases,
        SQLALCHEMY_CONFIGURATION={"sqlalchemy.pool_size": 2, "sqlalchemy.poolclass": "QueuePool"},
        DATABASE_ROUTERS=(Router(),),
        PING_DB=7,
        PING_CONN_COUNT=3,
        MIDDLEWARE_CLASSES=("torngas.middleware.dbalchemy.DBAlchemyMiddleware",),
    ) as one:
        connector = one.application.resources.connector
        assert connector.get_conn("archive").engine.pool.size() == 2
        with connector.get_conn("archive").engine.begin() as archive:
            Wired.__table__.create(archive)
            archive.execute(Wired.__table__.insert(), {"id": 7})
        with connector.scope():
            assert [row.id for row in Wired.Q] == [7]
        [middleware] = [each for each in one.application.middlewares.middlewares if "DBAlchemy" in type(each).__name__]
        assert (middleware._interval, middleware._count) == (7, 3)


@shows("OPENAPI")
def test_the_document_of_the_api_says_what_the_settings_say(client):
    with client(INSTALLED_APPS=("pages", "torngas.api"), OPENAPI={"title": "Orders", "version": "7"}) as one:
        assert one.get("/openapi.json").json()["info"] == {"title": "Orders", "version": "7"}


@shows("HEALTH_CONFIG")
def test_readiness_asks_what_the_settings_name(client):
    config = {"caches": ["default"], "databases": [], "checks": {"disk": lambda: False}}
    with client(INSTALLED_APPS=("pages", "torngas.observe"), HEALTH_CONFIG=config) as one:
        answer = one.get("/readyz")
        assert answer.status_code == 503
        assert set(answer.json()["checks"]) == {"cache:default", "disk"}


@shows("METRICS_CONFIG")
def test_metrics_are_named_as_the_settings_say(client):
    installed = ("torngas.observe.metrics.MetricsMiddleware",)
    apps = ("pages", "torngas.observe")
    with client(INSTALLED_APPS=apps, MIDDLEWARE_CLASSES=installed, METRICS_CONFIG={"namespace": "shop"}) as one:
        one.get("/report")
        assert 'shop_http_requests_total{method="GET",route="/report",status="200"} 1.0' in one.get("/metrics").text


@shows("TRACING_CONFIG")
@pytest.mark.parametrize("enabled", [True, False])
def test_traces_are_made_where_the_settings_want_them(client, enabled):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    installed = ("torngas.observe.tracing.TracingMiddleware",)
    config = {"enabled": enabled, "provider": provider}
    with client(MIDDLEWARE_CLASSES=installed, TRACING_CONFIG=config) as one:
        one.get("/report")
    assert [span.name for span in exporter.get_finished_spans()] == ["GET /report"] * enabled


@shows("SLOW_REQUEST_SECONDS")
@pytest.mark.parametrize(("seconds", "lines"), [(0, 1), (1000, 0), (None, 0)])
def test_slow_is_what_the_settings_call_so(client, caplog, seconds, lines):
    installed = ("torngas.observe.profiling.ProfilingMiddleware",)
    with client(MIDDLEWARE_CLASSES=installed, SLOW_REQUEST_SECONDS=seconds) as one:
        one.get("/report")
    assert sum("/report" in record.getMessage() for record in caplog.records if record.name == "torngas") == lines


@shows("THREADS_NUM")
def test_the_pool_has_so_many_threads(client):
    with client(THREADS_NUM=1) as one:
        assert len({one.get("/offloaded").text for _ in range(5)}) == 1


SHOP = """
    import asyncio
    from pathlib import Path
    from torngas import Url, route
    from torngas.handler import WebHandler

    class Report(WebHandler):
        def get(self):
            locale = self.locale.code
            self.write({"ip": self.request.remote_ip, "ready": self.application.ready, "locale": locale})

    class Slow(WebHandler):
        async def get(self):
            Path("asked").touch()
            while not Path("answer").exists():
                await asyncio.sleep(0.01)
            self.write("answered")

    u = Url()
    urls = route(u(r"/", Report), u(r"/slow", Slow))
"""


@pytest.fixture
def shop(project):
    """Served with the settings that `shop(text)` is given."""
    project.write("shop/__init__.py", "")
    project.write("shop/urls.py", SHOP)

    def start(text, *arguments):
        project.write("words/de_DE.csv", '"yes","ja"')
        project.settings(f"INSTALLED_APPS = ('shop',)\nLOGGING = ()\n{textwrap.dedent(text)}")
        program = project.start(*arguments)
        return project, program

    return start


def _until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@shows("INSTALLED_APPS")
def test_the_urls_of_installed_apps_are_served(shop):
    served, _ = shop("")
    assert json.loads(served.get("/"))["ready"] is True
    served.stop()
    served.settings("INSTALLED_APPS = ()")
    with pytest.raises(AssertionError, match="INSTALLED_APPS: got no app"):
        served.start()
    served.programs.pop()


@shows("TRANSLATIONS", "TRANSLATIONS_CONF")
def test_the_locale_is_that_of_the_translations(shop):
    conf = "{'translations_dir': 'words', 'locale_default': 'de_DE', 'use_accept_language': False}"
    for translated, locale in ((True, "de_DE"), (False, "en_US")):
        served, _ = shop(f"TRANSLATIONS = {translated}\nTRANSLATIONS_CONF = {conf}")
        assert json.loads(served.get("/"))["locale"] == locale
        served.stop()


@shows("XHEADERS", "TRUSTED_DOWNSTREAM")
def test_the_clients_address_is_taken_from_trusted_proxies(shop):
    for values, seen in (
        ("", "127.0.0.1"),
        ("XHEADERS = True", "127.0.0.1"),
        ("XHEADERS = True; TRUSTED_DOWNSTREAM = ('203.0.113.9',)", "127.0.0.1"),
        ("XHEADERS = True; TRUSTED_DOWNSTREAM = ('127.0.0.1',)", "203.0.113.7"),
        ("XHEADERS = True; TRUSTED_DOWNSTREAM = ('127.0.0.1', '203.0.113.7')", "203.0.113.6"),
    ):
        served, _ = shop(values)
        request = urllib.request.Request(
            f"http://127.0.0.1:{served.port}/", headers={"X-Forwarded-For": "203.0.113.6, 203.0.113.7"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert json.load(answer)["ip"] == seen, values
        served.stop()


@shows("IPV4_ONLY")
@pytest.mark.parametrize(("only", "family"), [(True, socket.AF_INET), (False, socket.AF_UNSPEC)])
def test_a_name_stands_for_ipv4_unless_ipv6_is_wanted_too(client, monkeypatch, only, family):
    asked = []
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args: asked.append(args[2]) or resolve(*args))
    with client(IPV4_ONLY=only) as one:
        server = Server(settings=one.application.project_settings)
        server.parse_command(["program", "--address=localhost", "--port=0"])
        server.load_application(one.application)
        server.load_httpserver()
        for listening in server._sockets:
            listening.close()
    assert asked == [family]


@shows("LOGGING", "LOGGING_DIR")
def test_logs_are_written_where_and_as_the_settings_say(shop):
    served, _ = shop(
        """
        LOGGING_DIR = 'kept'
        LOGGING = ({"name": "torngas.accesslog", "level": "INFO", "filename": "visits.log"},)
        """
    )
    served.get("/")
    _until(lambda: "GET /" in (served.folder / "kept/visits.log").read_text())


@shows("SHUTDOWN_TIMEOUT")
@pytest.mark.parametrize(("timeout", "answered"), [(0, False), (1000, True)])
def test_requests_in_flight_get_the_time_of_the_settings(shop, timeout, answered):
    served, program = shop(f"SHUTDOWN_TIMEOUT = {timeout}")
    client = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    client.request("GET", "/slow")
    _until((served.folder / "asked").exists)
    program.send_signal(signal.SIGTERM)
    if answered:
        _until(lambda: _refuses(served.port))
        (served.folder / "answer").touch()
        assert client.getresponse().read() == b"answered"
    else:
        with pytest.raises((http.client.HTTPException, OSError)):
            client.getresponse()
    client.close()
    assert program.wait(30) == 0


@shows("SHUTDOWN_DELAY")
@pytest.mark.parametrize("delay", [0, 1000])
def test_it_goes_on_accepting_as_long_as_the_settings_say(shop, delay):
    served, program = shop(f"SHUTDOWN_DELAY = {delay}")
    served.get("/")  # its loop runs, which is what heeds the signal
    program.send_signal(signal.SIGTERM)
    if delay:
        _until(lambda: json.loads(served.get("/"))["ready"] is False)
        program.kill()
    else:
        assert program.wait(30) == 0


def _refuses(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) != 0
