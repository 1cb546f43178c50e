"""WSGI applications beside the handlers: environment, streaming both ways, middlewares, errors."""

from __future__ import annotations

import asyncio
import io
import socket
import threading
from wsgiref.validate import validator

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.netutil import bind_sockets

from torngas.application import Application
from torngas.decorators.async_execute import threads
from torngas.exception import ArgumentError
from torngas.wsgi import mount


@pytest.fixture
async def serve():
    servers = []

    def start(wsgi, **kwargs):
        server = HTTPServer(Application([mount("/legacy", wsgi, name="Legacy")], **kwargs))
        (one,) = bind_sockets(0, "127.0.0.1")
        server.add_socket(one)
        servers.append(server)
        return one.getsockname()[1]

    yield start
    for server in servers:
        server.stop()
        await server.close_all_connections()
    await asyncio.to_thread(threads.shutdown)


async def fetch(port, path="/legacy/", **kwargs):
    return await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}{path}", raise_error=False, **kwargs)


def echo(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("201 Made", [("Content-Type", "text/plain"), ("X-Length", str(len(body)))])
    place = f"{environ['REQUEST_METHOD']} {environ['SCRIPT_NAME']} {environ['PATH_INFO']} {environ['QUERY_STRING']}"
    return [place.encode(), b" ", body]


async def test_method_paths_query_and_body_arrive_and_status_headers_and_body_come_back(serve):
    port = serve(echo, cookie_secret="x", xsrf_cookies=True)
    response = await fetch(port, "/legacy/a%20b?q=1", method="POST", body="hello")
    assert (response.code, response.reason) == (201, "Made")
    assert response.headers["X-Length"] == "5"
    assert response.body == b"POST /legacy /a b q=1 hello"


async def test_the_prefix_itself_is_an_empty_path_and_a_longer_word_is_not_below_it(serve):
    port = serve(echo)
    assert (await fetch(port, "/legacy")).body == b"GET /legacy   "
    assert (await fetch(port, "/legacyx")).code == 404


async def test_it_keeps_to_pep_3333(serve):
    """wsgiref's validator raises at every breach of the specification."""

    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return iter([b"ok"])

    def without_extension(environ, start_response):
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read())
        return validator(application)(environ, start_response)

    assert (await fetch(serve(without_extension))).body == b"ok"


async def test_the_answer_streams_while_the_application_still_makes_it(serve):
    release = threading.Event()

    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield b"first"
        assert release.wait(10)
        yield b"second"

    got = []

    def streaming(chunk):
        got.append(chunk)
        release.set()

    await fetch(serve(application), streaming_callback=streaming)
    assert b"".join(got) == b"firstsecond"
    assert got[0] == b"first"


async def test_the_body_is_read_while_the_client_still_sends_it(serve):
    first_read = threading.Event()

    def application(environ, start_response):
        first = environ["wsgi.input"].read1(5)
        first_read.set()
        rest = environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Length", str(len(first + rest)))])
        return [first + rest]

    async def body(write):
        await write(b"first")
        await asyncio.to_thread(first_read.wait, 10)
        assert first_read.is_set()
        await write(b"second")

    assert (await fetch(serve(application), method="POST", body_producer=body)).body == b"firstsecond"


async def test_a_body_that_nobody_reads_does_not_hold_the_answer(serve):
    def application(environ, start_response):
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    assert (await fetch(serve(application), method="POST", body=b"x" * 3_000_000)).body == b"ok"


async def test_a_failing_application_is_a_500_and_close_is_called(serve, caplog):
    closed = threading.Event()

    class Result:
        def __iter__(self):
            raise ValueError("no")

        def close(self):
            closed.set()

    def application(environ, start_response):
        start_response("200 OK", [])
        return Result()

    assert (await fetch(serve(application))).code == 500
    assert closed.is_set()


async def test_middlewares_run_round_it(serve):
    class Marking:
        def process_request(self, handler, clear):
            handler.request.headers["X-User"] = "ada"

        def process_response(self, handler, clear, chunk):
            handler.set_header("X-Marked", "yes")

    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["HTTP_X_USER"].encode()]

    response = await fetch(serve(application, middlewares=[Marking()]))
    assert (response.body, response.headers["X-Marked"]) == (b"ada", "yes")


async def test_a_client_that_leaves_ends_the_application(serve):
    closed = threading.Event()

    def application(environ, start_response):
        start_response("200 OK", [])
        try:
            while True:
                yield b"x" * 65536
        finally:
            closed.set()

    port = serve(application)
    stream = IOStream(socket.socket())
    await stream.connect(("127.0.0.1", port))
    await stream.write(b"GET /legacy/ HTTP/1.1\r\nHost: x\r\n\r\n")
    await stream.read_bytes(10)
    stream.close()
    assert await asyncio.to_thread(closed.wait, 10)


def test_what_cannot_be_mounted_is_refused():
    with pytest.raises(ArgumentError, match="expected a WSGI application"):
        mount("/x", "app")
    with pytest.raises(ArgumentError, match="begins with a slash"):
        mount("x", echo)
