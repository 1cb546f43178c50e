"""Server-Timing in DEBUG, and the line of a slow request."""

from __future__ import annotations

import logging
import re

import pytest

from torngas.application import Application
from torngas.cache import cache
from torngas.exception import ConfigError
from torngas.handler import WebHandler
from torngas.observe.profiling import ProfilingMiddleware
from torngas.settings_manager import Settings
from torngas.testing import Client
from torngas.wiring.application import build_application

PROFILING = "torngas.observe.profiling.ProfilingMiddleware"
# RFC 9110 §5.6.2 token, then parameters, as W3C Server Timing §2 has them
ENTRY = re.compile(r'([!#$%&\'*+\-.^_`|~0-9A-Za-z]+);dur=(\d+\.\d{3})(?:;desc="(\d+)")?')


class Works(WebHandler):
    def get(self):
        cache.set("a", 1)
        cache.get("a")
        with self.application.resources.connector.get_conn().engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1 WHERE 'hunter2' <> '' AND 4711 > 1")
            connection.exec_driver_sql("SELECT 2")
        self.write(self.render_string("page.html", name="ada"))


class Fails(WebHandler):
    def get(self):
        raise ZeroDivisionError


class Stream(WebHandler):
    async def get(self):
        self.write("1")
        await self.flush()
        self.write("2")


class Plain(WebHandler):
    def get(self):
        self.write("plain")


HANDLERS = [("/", Works), ("/fails", Fails), ("/stream", Stream), ("/plain", Plain)]


@pytest.fixture
async def serve(tmp_path):
    """Makes an application and its client; both are closed at the end."""
    (tmp_path / "page.html").write_text("hello {{ name }}")
    clients = []

    def start(*middlewares, **settings):
        chosen = Settings(
            {
                "DEBUG": True,
                "TORNADO_CONF": {"cookie_secret": "x", "template_path": str(tmp_path), "autoreload": False},
                "MIDDLEWARE_CLASSES": [PROFILING, *middlewares],
                "CACHES": {"default": {"BACKEND": "locmem", "LOCATION": "profiling"}},
                "DATABASE_CONNECTION": {"default": {"connections": [{"ROLE": "master", "URL": "sqlite://"}]}},
                **settings,
            }
        )
        client = Client(build_application(Application, chosen, HANDLERS), close_application=True, timeout=30)
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.aclose()


def entries(response):
    header = response.headers["Server-Timing"]
    found = [ENTRY.fullmatch(part) for part in header.split(", ")]
    assert all(found), header
    return {one[1]: (float(one[2]), one[3]) for one in found}


async def test_the_header_tells_the_shares_of_a_request(serve):
    """Five shares and the total, in milliseconds; what happened within them is counted."""
    response = await serve().aget("/")
    shown = entries(response)
    assert response.text == "hello ada"
    assert list(shown) == ["middleware", "handler", "query", "cache", "template", "total"]
    assert (shown["query"][1], shown["cache"][1], shown["template"][1]) == ("2", "2", "1")
    assert shown["handler"][0] >= shown["query"][0] > 0
    assert shown["total"][0] == pytest.approx(shown["middleware"][0] + shown["handler"][0], abs=0.002)


async def test_middlewares_and_handler_are_told_apart():
    """By a clock that goes on by one second whenever somebody works."""
    now = [0.0]

    class Middle:
        def process_request(self, handler, clear):
            now[0] += 1

        def process_response(self, handler, clear, chunk):
            now[0] += 2

    class Handler(WebHandler):
        def get(self):
            now[0] += 4

    profiling = ProfilingMiddleware(clock=lambda: now[0])
    made = Application([("/", Handler)], middlewares=[profiling, Middle(), profiling.innermost])
    async with Client(made) as client:
        shown = entries(await client.aget("/"))
    assert (shown["middleware"][0], shown["handler"][0], shown["total"][0]) == (3000, 4000, 7000)


async def test_errors_have_the_header_too_and_streams_cannot(serve):
    client = serve()
    assert entries(await client.aget("/fails"))["total"][0] > 0
    assert entries(await client.aget("/nowhere"))["total"][0] > 0
    assert "Server-Timing" not in (await client.aget("/stream")).headers


async def test_without_debug_nobody_is_told(serve, caplog):
    """How long things take is nothing for strangers; slow requests are logged all the same."""
    response = await serve(DEBUG=False, SLOW_REQUEST_SECONDS=0).aget("/plain")
    assert "Server-Timing" not in response.headers
    assert "slow request: GET /plain 200" in caplog.text


async def test_without_debug_and_threshold_nothing_is_installed(serve):
    client = serve(DEBUG=False, SLOW_REQUEST_SECONDS=None)
    assert [type(one).__name__ for one in client.application.middlewares.middlewares] == ["RequestScope"]
    assert client.application.resources.watch is None
    assert (await client.aget("/plain")).text == "plain"


async def test_a_slow_request_is_logged_with_its_queries_and_without_values(serve, caplog):
    await serve(SLOW_REQUEST_SECONDS=0).aget("/?password=swordfish")
    [line] = [record for record in caplog.records if "slow request" in record.getMessage()]
    assert line.name == "torngas"
    assert line.levelno == logging.WARNING
    text = line.getMessage()
    assert re.match(r"slow request: GET / 200 \d+\.\d ms \(.*query \d+\.\d ms in 2.*\) \| ", text)
    assert re.search(r"\d+\.\d ms SELECT \? WHERE \? <> \? AND \? > \?( \||$)", text)
    for secret in ("hunter2", "4711", "swordfish"):
        assert secret not in text


async def test_a_quick_request_is_not_logged(serve, caplog):
    await serve(SLOW_REQUEST_SECONDS=3600).aget("/")
    await serve(SLOW_REQUEST_SECONDS=None).aget("/")
    assert "slow request" not in caplog.text


async def test_requests_at_the_same_time_keep_their_own_times(serve, caplog):
    """What one does in between is not the other's."""
    import asyncio

    client = serve(SLOW_REQUEST_SECONDS=0)
    await asyncio.gather(*(client.aget(path) for path in ["/", "/plain"] * 10))
    lines = [record.getMessage() for record in caplog.records if "slow request" in record.getMessage()]
    assert len([line for line in lines if "GET / 200" in line and "query" in line and "in 2" in line]) == 10
    assert len([line for line in lines if "GET /plain 200" in line and "query" not in line]) == 10


def test_a_negative_threshold_is_refused():
    with pytest.raises(ConfigError, match="SLOW_REQUEST_SECONDS"):
        ProfilingMiddleware(slow=-1)
