"""Tornado's guarantees of a connection, with one timer for all: deadlines, large responses, framing, clean ends."""

import asyncio
import contextlib
import gc
import socket
import weakref

import pytest
from tornado.httputil import HTTPHeaders, HTTPInputError
from tornado.testing import bind_unused_port
from tornado.web import Application as TornadoApplication
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler, websocket_connect

from torngas_middleware import Application, HTTPServer, ShortPathMixin
from torngas_middleware._tornado.connection import parse_headers

HELLO = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
WAIT = 30


class Page(ShortPathMixin, RequestHandler):
    def get(self):
        self.write(b"x" * int(self.get_argument("size", "5")))

    async def post(self):
        self.application.entered.set()
        await self.application.release.wait()
        self.write("later")


@pytest.fixture
async def start():
    """Starts a server and answers it with its port."""
    started = []

    def start(application=None, **options):
        server = HTTPServer(application or Application([("/", Page)]), **options)
        sock, port = bind_unused_port()
        server.add_socket(sock)
        started.append(server)
        return server, port

    yield start
    for server in started:
        server.stop()
        await server.close_all_connections()
        assert (server.idle, server.in_flight, server._timer) == (0, 0, None)


@contextlib.asynccontextmanager
async def connected(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def response(reader):
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WAIT)
    length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
    return head, await reader.readexactly(length)


@pytest.fixture
async def clock(monkeypatch):
    """Moves the loop's clock on, so that nobody waits."""
    loop, late = asyncio.get_running_loop(), [0.0]
    monkeypatch.setattr(loop, "time", lambda real=loop.time: real() + late[0])

    def move(seconds):
        late[0] += seconds

    return move


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost:", HELLO], ids=["nothing", "half", "one request"])
async def test_who_sends_no_whole_head_in_time_is_closed(start, until, clock, sent):
    server, port = start(idle_connection_timeout=1000)
    async with connected(port) as (reader, writer):
        writer.write(sent)
        if sent == HELLO:
            await response(reader)
        await until(lambda: server.idle == 1, WAIT)
        clock(900)
        await asyncio.sleep(0)
        assert server.idle == 1
        clock(101)
        assert await asyncio.wait_for(reader.read(), WAIT) == b""


async def test_each_request_has_the_whole_time_anew(start, until, clock):
    server, port = start(idle_connection_timeout=1000)
    async with connected(port) as (old_reader, old_writer), connected(port) as (reader, writer):
        for stream, sink in ((old_reader, old_writer), (reader, writer)):
            sink.write(HELLO)
            await response(stream)
        await until(lambda: server.idle == 2, WAIT)
        clock(600)
        writer.write(HELLO)
        await response(reader)
        await until(lambda: server.idle == 2, WAIT)
        clock(500)  # the first one's time is over, the second one's is not
        assert await asyncio.wait_for(old_reader.read(), WAIT) == b""
        writer.write(HELLO)
        assert (await response(reader))[1] == b"xxxxx"


async def test_a_request_in_work_is_not_closed(start, until, clock):
    application = Application([("/", Page)])
    application.entered, application.release = asyncio.Event(), asyncio.Event()
    server, port = start(application, idle_connection_timeout=1000)
    async with connected(port) as (reader, writer), connected(port) as (idle, _):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        await application.entered.wait()
        await until(lambda: (server.in_flight, server.idle) == (1, 1), WAIT)
        clock(1001)
        assert await asyncio.wait_for(idle.read(), WAIT) == b""
        application.release.set()
        assert (await response(reader))[1] == b"later"


async def test_there_is_one_timer_and_none_without_connections(start, until):
    server, port = start()
    timers = []
    loop = asyncio.get_running_loop()
    call_at = loop.call_at

    def counted(when, callback, *args, **kwargs):
        if getattr(callback, "__self__", None) is server:
            timers.append(when)
        return call_at(when, callback, *args, **kwargs)

    loop.call_at = counted
    try:
        async with connected(port) as (reader, writer), connected(port) as (other, sink):
            for _ in range(20):
                for stream, target in ((reader, writer), (other, sink)):
                    target.write(HELLO)
                    await response(stream)
            assert len(timers) == 1
    finally:
        del loop.call_at
    await until(lambda: server._timer is None)


async def test_a_large_response_arrives_whole_at_a_slow_reader(start):
    _server, port = start()
    size = 20_000_000
    async with connected(port) as (reader, writer):
        writer.write(b"GET /?size=%d HTTP/1.1\r\nHost: x\r\n\r\n" % size + HELLO)
        head = await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0)
        assert b"Content-Length: %d" % size in head
        assert await asyncio.wait_for(reader.readexactly(size), WAIT) == b"x" * size
        assert (await response(reader))[1] == b"xxxxx"


async def test_the_client_of_a_large_response_may_leave(start, until):
    server, port = start()
    ends = []

    class Ends(Page):
        def on_finish(self):
            ends.append(self.request.uri)

    server.request_callback = Application([("/", Ends)])
    async with connected(port) as (reader, writer):
        writer.write(b"GET /?size=50000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()
    await until(lambda: server.in_flight == 0 and ends, 20)


async def test_the_future_of_finish_is_done_when_the_bytes_are_taken(start):
    waited = asyncio.Event()

    class Waits(ShortPathMixin, RequestHandler):
        async def get(self):
            await self.finish(b"x" * 10_000_000)
            waited.set()

    _server, port = start(Application([("/", Waits)]))
    async with connected(port) as (reader, writer):
        writer.write(HELLO)
        assert len((await response(reader))[1]) == 10_000_000
        await asyncio.wait_for(waited.wait(), WAIT)


async def test_pipelined_requests_are_answered_in_order(start):
    _server, port = start()
    async with connected(port) as (reader, writer):
        writer.write(b"".join(b"GET /?size=%d HTTP/1.1\r\nHost: x\r\n\r\n" % size for size in range(50)))
        assert [len((await response(reader))[1]) for _ in range(50)] == list(range(50))


async def test_a_plain_tornado_application_works_behind_it(start):
    class Plain(RequestHandler):
        def get(self):
            self.write("plain")

    _server, port = start(TornadoApplication([("/", Plain)]))
    async with connected(port) as (reader, writer):
        writer.write(HELLO)
        assert (await response(reader))[1] == b"plain"


async def test_a_websocket_gets_the_stream_as_it_was(start):
    """Nagle's algorithm is off while HTTP is spoken, and as Tornado leaves it afterwards."""
    options = []

    class Echo(WebSocketHandler):
        def on_message(self, message):
            raw = self.ws_connection.stream.socket
            options.append(raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            self.write_message(message)

    _server, port = start(Application([("/", Echo)]))
    client = await websocket_connect(f"ws://127.0.0.1:{port}/")
    await client.write_message("hello")
    assert await asyncio.wait_for(client.read_message(), WAIT) == "hello"
    client.close()
    assert await asyncio.wait_for(client.read_message(), WAIT) is None
    assert options == [0]


async def test_a_closed_connection_leaves_nothing_behind(start, until):
    server, port = start()
    kept = []

    class Kept(Page):
        def on_finish(self):
            kept.extend((weakref.ref(self), weakref.ref(self.request.connection)))

    server.request_callback = Application([("/", Kept)])
    async with connected(port) as (reader, writer):
        writer.write(HELLO)
        await response(reader)
        await until(lambda: server.idle == 1)
        gc.collect()
        assert kept[0]() is None  # an idle connection holds no handler
    await until(lambda: server.idle == 0)
    gc.collect()
    assert [reference() for reference in kept] == [None, None]


HEADS = [
    "\r\nHost: x\r\n\r\n",
    "\nHost: x\n\n",
    "\r\nhost: x\r\nHOST:y\r\nHost:\tz \r\n\r\n",
    "\r\nAccept: a\r\naccept: b\r\nX-A: 1\r\nX-A: 2\r\nx-a:\r\n\r\n",
    "\r\nUser-Agent: " + "x" * 500 + "\r\nCookie: a=1\r\n\r\n",
    "\r\nAccept: \xe9\r\n\r\n",
    "\r\n\r\n",
    "",
]


@pytest.mark.parametrize("text", HEADS)
def test_heads_are_parsed_as_tornado_does(text):
    for _ in range(2):  # read, and remembered
        ours, theirs = parse_headers(text), HTTPHeaders.parse(text)
        assert list(ours.get_all()) == list(theirs.get_all())
        assert dict(ours) == dict(theirs)
        ours.add("Accept", "changed")  # what is remembered is not what was handed out


@pytest.mark.parametrize("line", ["Host", " Host: x", "Host : x", "Accept: a\x01", "Accept: a\rb", "Ho st: x", ": x"])
def test_heads_that_tornado_refuses_are_refused(line):
    text = f"\r\nHost: x\r\n{line}\r\n\r\n"
    for _ in range(2):
        with pytest.raises(HTTPInputError):
            HTTPHeaders.parse(text)
        with pytest.raises(HTTPInputError):
            parse_headers(text)


def test_lines_that_may_hold_a_secret_are_not_remembered():
    from torngas_middleware._tornado import connection

    connection._remembered_line.cache_clear()
    parse_headers("\r\nCookie: session=s\r\nAuthorization: Basic x\r\nX-Api-Key: k\r\nAccept: a\r\nHost: " + "h" * 400)
    assert connection._remembered_line.cache_info().currsize == 1
