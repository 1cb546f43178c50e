"""One line per request, with what the client got."""

import asyncio
import json
import logging
import re

import pytest
import tornado.web
from tornado.web import HTTPError, RequestHandler, StaticFileHandler
from tornado.websocket import WebSocketHandler, websocket_connect

from torngas_middleware import AccessLogMiddleware, Application, CompressionMiddleware, RequestIdMiddleware

LINE = re.compile(
    r"(?P<ip>\S+) - - \[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "
    r'"(?P<request>[^"]*(?:\\"[^"]*)*)" (?P<status>\d{3}) (?P<length>\d+|-) '
    r'"(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)" (?P<ms>\d+)ms'
)


class Hello(RequestHandler):
    def get(self):
        self.write("hello")

    def head(self):
        self.write("hello")


class Forbidden(RequestHandler):
    def get(self):
        raise HTTPError(403)


class Stream(RequestHandler):
    async def get(self):
        for _ in range(3):
            self.write("12345")
            await self.flush()


class Fails(RequestHandler):
    def get(self):
        raise ZeroDivisionError


class Empty(RequestHandler):
    def get(self):
        self.set_status(204)


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, "torngas.accesslog")
    return lambda: [r.getMessage() for r in caplog.records if r.name == "torngas.accesslog"]


def build(*others, json=False, **settings):
    handlers = [
        ("/", Hello),
        ("/forbidden", Forbidden),
        ("/stream", Stream),
        ("/fails", Fails),
        ("/empty", Empty),
        ("/static/(.*)", StaticFileHandler, {"path": settings.pop("static", ".")}),
    ]
    return Application(handlers, middlewares=[AccessLogMiddleware(json=json), *others], **settings)


async def test_the_line(serve, until, lines):
    server = serve(build())
    await server.fetch("/?a=1", headers={"Referer": "http://x/", "User-Agent": "agent/1"})
    await until(lines)
    found = LINE.fullmatch(lines()[0])
    assert found["ip"] == "127.0.0.1"
    assert found["request"] == "GET /?a=1 HTTP/1.1"
    assert (found["status"], found["length"]) == ("200", "5")
    assert (found["referer"], found["agent"]) == ("http://x/", "agent/1")


@pytest.mark.parametrize(
    ("path", "method", "status", "length"),
    [
        ("/", "GET", "200", "5"),
        ("/", "HEAD", "200", "-"),
        ("/forbidden", "GET", "403", "69"),
        ("/nowhere", "GET", "404", "69"),
        ("/stream", "GET", "200", "15"),
        ("/fails", "GET", "500", "93"),
        ("/empty", "GET", "204", "-"),
        ("/empty", "DELETE", "405", "87"),
    ],
)
async def test_status_and_length_are_those_of_the_response(serve, until, lines, path, method, status, length):
    server = serve(build())
    response = await server.fetch(path, method=method)
    await until(lines)
    found = LINE.fullmatch(lines()[0])
    assert found["status"] == status == str(response.code)
    assert found["length"] == (str(len(response.body)) if response.body else "-")
    if method == "GET" and path in ("/", "/stream", "/empty"):
        assert found["length"] == length


async def test_a_static_file_and_its_304(serve, until, lines, tmp_path):
    (tmp_path / "f.txt").write_text("x" * 200_000)
    server = serve(build(static=str(tmp_path)))
    response = await server.fetch("/static/f.txt")
    await server.fetch("/static/f.txt", headers={"If-None-Match": response.headers["Etag"]})
    await until(lambda: len(lines()) == 2)
    assert [LINE.fullmatch(line).group("status", "length") for line in lines()] == [("200", "200000"), ("304", "-")]


@pytest.mark.parametrize("settings", [{}, {"compress_response": True}])
async def test_the_length_is_that_of_the_compressed_body(serve, until, lines, tmp_path, settings):
    (tmp_path / "f.txt").write_text("x" * 200_000)
    others = [] if settings else [CompressionMiddleware(encodings=["gzip"])]
    server = serve(build(*others, static=str(tmp_path), **settings))
    response = await server.fetch("/static/f.txt", headers={"Accept-Encoding": "gzip"}, decompress_response=False)
    await until(lines)
    assert LINE.fullmatch(lines()[0])["length"] == str(len(response.body))
    assert len(response.body) < 10_000


async def test_a_client_that_left_before_the_response_is_a_499(serve, until, lines):
    started, gone = asyncio.Event(), asyncio.Event()

    class Slow(RequestHandler):
        async def get(self):
            started.set()
            await gone.wait()
            self.write("nobody reads this")

        def on_connection_close(self):
            gone.set()

    server = serve(Application([("/", Slow)], middlewares=[AccessLogMiddleware()]))
    _, writer = await server.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await started.wait()
    writer.close()
    await until(lines)
    assert LINE.fullmatch(lines()[0]).group("status", "length") == ("499", "-")
    assert len(lines()) == 1


async def test_a_client_that_left_during_the_response_keeps_its_status(serve, until, lines, caplog):
    class Endless(RequestHandler):
        async def get(self):
            while True:
                self.write("x" * 100_000)
                await self.flush()

    server = serve(Application([("/", Endless)], middlewares=[AccessLogMiddleware()]))
    reader, writer = await server.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.read(100)
    writer.transport.abort()
    await until(lines)
    found = LINE.fullmatch(lines()[0])
    assert found["status"] == "200"
    assert int(found["length"]) >= 100_000


async def test_json_has_the_route_and_the_request_id(serve, until, lines):
    class Route:
        pattern, name = "/items/{id:int}", "item"

    class Router:
        def process_request(self, handler, clear):
            handler.request.route = Route()

    server = serve(build(RequestIdMiddleware(), Router(), json=True))
    await server.fetch("/?q=\u00fc", headers={"X-Request-ID": "abc-1"})
    await until(lines)
    facts = json.loads(lines()[0])
    assert facts["route"] == "/items/{id:int}"
    assert facts["request_id"] == "abc-1"
    assert (facts["status"], facts["length"], facts["method"]) == (200, 5, "GET")
    assert isinstance(facts["duration_ms"], float)


async def test_json_without_route_and_id(serve, until, lines):
    server = serve(build(json=True))
    await server.fetch("/nowhere")
    await until(lines)
    facts = json.loads(lines()[0])
    assert (facts["route"], facts["request_id"], facts["status"]) == (None, None, 404)


async def test_a_websocket_is_logged_when_it_closes(serve, until, lines):
    server = serve(Application([("/", WebSocketHandler)], middlewares=[AccessLogMiddleware()]))
    connection = await websocket_connect(f"ws://127.0.0.1:{server.port}/")
    assert lines() == []
    connection.close()
    await until(lines)
    assert LINE.fullmatch(lines()[0])["status"] == "101"


async def test_logger_and_clock_are_injectable(serve, until, caplog):
    logger = logging.getLogger("other.access")
    caplog.set_level(logging.INFO, logger.name)
    middleware = AccessLogMiddleware(logger=logger, clock=lambda: 0.0)
    server = serve(Application([("/", Hello)], middlewares=[middleware]))
    await server.fetch()
    await until(lambda: [r for r in caplog.records if r.name == "other.access"])
    assert re.search(r"\[(01/Jan/1970|31/Dec/1969):", caplog.records[-1].getMessage())


async def test_nothing_is_formatted_for_a_silent_logger(serve, until, monkeypatch, recorder):
    ends = []
    logger = logging.getLogger("silent.access")
    logger.setLevel(logging.WARNING)
    middleware = AccessLogMiddleware(logger=logger, clock=lambda: 1 / 0)
    server = serve(Application([("/", Hello)], middlewares=[recorder("A", ends, hooks=("endcall",)), middleware]))
    assert (await server.fetch()).body == b"hello"
    await until(lambda: ends)


NASTY = ["\x1b[31m", "\x00", "\x7f", "\x9b", '"', "\\", "\u00ff", '" 200 5 "forged" "x" 1ms']


@pytest.mark.promise(30)
@pytest.mark.parametrize("nasty", NASTY, ids=ascii)
@pytest.mark.parametrize("as_json", [False, True], ids=["combined", "json"])
async def test_promise_30_no_log_injection(serve, until, lines, nasty, as_json):
    """Nothing that a client sends ends a line, moves a terminal's cursor or forges a field."""
    from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

    uri, agent = f"/{nasty}\r\n127.0.0.1 - - forged", f"agent{nasty}\r\nforged"
    connection = type("Connection", (), {"context": None, "set_close_callback": lambda *a: None})()
    request = HTTPServerRequest(
        connection=connection,
        start_line=RequestStartLine("GET", uri, "HTTP/1.1"),
        headers=HTTPHeaders({"Host": "x"}),
    )
    request.headers["User-Agent"] = agent  # past the server's own checks
    handler = RequestHandler(tornado.web.Application([]), request)
    AccessLogMiddleware(json=as_json).process_endcall(handler, lambda: None)
    (line,) = lines()
    assert re.fullmatch(r"[\x20-\x7e]+", line)
    if as_json:
        assert json.loads(line)["agent"] == agent
    else:
        assert LINE.fullmatch(line)["status"] == "200"


@pytest.mark.promise(30)
@pytest.mark.parametrize("as_json", [False, True], ids=["combined", "json"])
async def test_promise_30_credentials_are_never_logged(serve, until, lines, as_json):
    server = serve(build(json=as_json))
    secrets = {"Cookie": "session=s3cret", "Authorization": "Bearer s3cret"}
    await server.fetch("/", headers=secrets)
    await until(lines)
    assert "s3cret" not in lines()[0]


class Probe(RequestHandler):
    access_log = False

    def get(self, status):
        self.set_status(int(status))


async def test_a_quiet_handler_is_logged_only_when_it_fails(serve, until, lines):
    """A health check that is asked every few seconds says something when there is something to say."""
    server = serve(Application([("/probe/(.*)", Probe)], middlewares=[AccessLogMiddleware()]))
    await server.fetch("/probe/200")
    await server.fetch("/probe/503")
    await until(lines)
    assert [LINE.fullmatch(line)["status"] for line in lines()] == ["503"]
