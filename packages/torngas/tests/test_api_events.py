"""Server-sent events, over real connections and against a parser written from the standard."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.testing import bind_unused_port

from torngas.api.events import EventStreamMixin, encoded_event
from torngas.application import Application
from torngas.exception import ArgumentError
from torngas.handler import WebHandler
from torngas_middleware import AccessLogMiddleware, CompressionMiddleware, RequestIdMiddleware
from torngas_session import MemoryStore, SessionMiddleware

TIMEOUT = 30


def parsed(stream):
    """What a browser makes of a stream: (data, event, last event id) of each event (WHATWG HTML, 9.2.6)."""
    text = stream.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    found, data, kind, last = [], [], "", ""
    for line in text.split("\n"):
        if line == "":
            if data:
                found.append(("\n".join(data), kind or "message", last))
            data, kind = [], ""
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "event":
            kind = value
        elif name == "id" and "\0" not in value:
            last = value
    return found


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"data": "hello"}, b"data: hello\n\n"),
        ({"data": ""}, b"data: \n\n"),
        ({"data": "a\nb\r\nc\rd"}, b"data: a\ndata: b\ndata: c\ndata: d\n\n"),
        ({"data": {"price": 1, "name": "\u00e9"}}, '{"price": 1, "name": "\u00e9"}'),
        ({"data": [1, None]}, "[1, null]"),
        ({"data": 0}, "0"),
        ({"data": "x", "event": "price", "id": 7, "retry": 0}, b"event: price\nid: 7\nretry: 0\ndata: x\n\n"),
        ({"id": ""}, b"id: \n\n"),
        ({"retry": 5000}, b"retry: 5000\n\n"),
        ({"data": " leading"}, b"data:  leading\n\n"),
        ({"data": "data: x"}, b"data: data: x\n\n"),
    ],
)
def test_an_event_stands_in_the_stream_as_the_standard_has_it(arguments, expected):
    expected = f"data: {expected}\n\n".encode() if isinstance(expected, str) else expected
    assert encoded_event(**arguments) == expected


@pytest.mark.parametrize("field", ["event", "id"])
@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\r\ndata: injected", "a\x00"])
def test_a_line_end_in_a_field_is_refused(field, value):
    with pytest.raises(ArgumentError, match=f"{field}=.*line end"):
        encoded_event("x", **{field: value})


@pytest.mark.parametrize("retry", [-1, 1.5, "5", True])
def test_a_retry_that_is_no_number_of_milliseconds_is_refused(retry):
    with pytest.raises(ArgumentError, match="milliseconds"):
        encoded_event(retry=retry)


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
names = text.filter(lambda value: not set(value) & set("\r\n\0"))


@settings(deadline=None)
@given(data=text, event=names, id=names)
def test_no_data_ever_becomes_another_field_or_event(data, event, id):
    lines = data.replace("\r\n", "\n").replace("\r", "\n")
    assert parsed(b"\n\n" + encoded_event(data, event or None, id)) == [(lines, event or "message", id)]


class Server:
    """Applications on free ports, and raw connections to them."""

    def __init__(self):
        self.servers, self.writers = [], []

    def serve(self, kind, **options):
        listening, port = bind_unused_port()
        server = HTTPServer(Application([("/", kind)], **options))
        server.add_socket(listening)
        self.servers.append(server)
        return port

    async def connect(self, port, *headers):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        self.writers.append(writer)
        # HTTP/1.0 knows no chunks: what arrives is the stream itself.
        writer.write("\r\n".join(["GET / HTTP/1.0", "Host: localhost", *headers, "", ""]).encode("utf-8"))
        head = await within(reader.readuntil(b"\r\n\r\n"))
        status, *lines = head.decode("latin-1").strip().split("\r\n")
        pairs = [line.split(": ", 1) for line in lines]
        return reader, int(status.split()[1]), dict(pairs)

    async def aclose(self):
        for writer in self.writers:
            writer.close()
        for server in self.servers:
            server.stop()
            await server.close_all_connections()


async def within(waiting):
    return await asyncio.wait_for(waiting, TIMEOUT)


@pytest.fixture
async def server():
    made = Server()
    yield made
    await made.aclose()


async def event_of(reader):
    return await within(reader.readuntil(b"\n\n"))


async def test_events_arrive_one_by_one_with_the_headers_that_streams_need(server):
    release = asyncio.Event()

    class Events(EventStreamMixin, WebHandler):
        async def get(self):
            await self.send_event("first", event="step", id=1, retry=1000)
            await release.wait()
            await self.send_event({"n": 2})

    reader, status, headers = await server.connect(server.serve(Events))
    assert status == 200
    assert headers["Content-Type"] == "text/event-stream"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"
    assert "Content-Length" not in headers
    assert "Etag" not in headers
    assert await event_of(reader) == b"event: step\nid: 1\nretry: 1000\ndata: first\n\n"
    release.set()
    assert await within(reader.read()) == b'data: {"n": 2}\n\n'


@pytest.mark.parametrize(
    ("header", "expected"), [("Last-Event-ID: 7", "7"), ("Last-Event-ID: \u00e9\u4f60", "\u00e9\u4f60")]
)
async def test_the_last_event_id_is_read_as_browsers_write_it(server, header, expected):
    class Events(EventStreamMixin, WebHandler):
        async def get(self):
            await self.send_event(self.last_event_id)

    reader, _, _ = await server.connect(server.serve(Events), header)
    assert await event_of(reader) == f"data: {expected}\n\n".encode()


async def test_without_the_header_there_is_no_last_event_id(server):
    class Events(EventStreamMixin, WebHandler):
        async def get(self):
            self.write(json.dumps(self.last_event_id))

    reader, _, _ = await server.connect(server.serve(Events))
    assert await within(reader.read()) == b"null"


class Sleep:
    """A sleep that ends when the test says so; counts who waits."""

    def __init__(self):
        self.waiting = asyncio.Queue()
        self.seconds = []

    async def __call__(self, seconds):
        self.seconds.append(seconds)
        wake = asyncio.get_running_loop().create_future()
        await self.waiting.put(wake)
        await wake

    async def over(self):
        (await within(self.waiting.get())).set_result(None)


async def test_a_quiet_stream_gets_a_comment_and_a_busy_one_none(server):
    sleep, send = Sleep(), asyncio.Queue()

    class Events(EventStreamMixin, WebHandler):
        heartbeat = 7
        heartbeat_sleep = sleep

        async def get(self):
            await self.open_stream()
            while True:
                await self.send_event(await send.get())
                sent.set()

    sent = asyncio.Event()
    reader, _, _ = await server.connect(server.serve(Events))
    await sleep.over()
    assert await event_of(reader) == b":\n\n"
    wake = await within(sleep.waiting.get())
    await send.put("event")
    await within(sent.wait())
    wake.set_result(None)
    await sleep.over()
    assert await event_of(reader) == b"data: event\n\n"
    assert await event_of(reader) == b":\n\n"
    await send.put("last")
    assert await event_of(reader) == b"data: last\n\n"
    assert set(sleep.seconds) == {7}


@pytest.mark.parametrize("seconds", [0, None])
async def test_heartbeats_can_be_switched_off(server, seconds):
    sleep = Sleep()

    class Events(EventStreamMixin, WebHandler):
        heartbeat = seconds
        heartbeat_sleep = sleep

        async def get(self):
            await self.send_event("x")

    reader, _, _ = await server.connect(server.serve(Events))
    assert await within(reader.read()) == b"data: x\n\n"
    assert sleep.seconds == []


class Watch:
    """A middleware that sees how requests end."""

    def __init__(self):
        self.ended = asyncio.Event()

    def process_endcall(self, handler, clear):
        self.ended.set()


async def test_a_client_that_leaves_cancels_the_method_and_ends_the_heartbeats(server, caplog):
    watch, sleep, cleaned, tasks = Watch(), Sleep(), asyncio.Event(), []

    class Events(EventStreamMixin, WebHandler):
        heartbeat_sleep = sleep

        async def get(self):
            try:
                await self.send_event("x")
                tasks.append(self._event_stream._heartbeats)
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                tasks.append(self.stream_closed)
                raise
            finally:
                cleaned.set()

    reader, _, _ = await server.connect(server.serve(Events, middlewares=[watch]))
    await event_of(reader)
    with caplog.at_level(logging.INFO):
        server.writers[0].close()
        await within(cleaned.wait())
        await within(watch.ended.wait())
        await asyncio.wait([tasks[0]], timeout=TIMEOUT)
    assert tasks[0].cancelled()
    assert tasks[1] is True
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


async def test_sending_to_a_client_that_has_gone_raises_and_is_no_error_of_the_program(server, caplog):
    done, outcome = asyncio.Event(), []

    class Events(EventStreamMixin, WebHandler):
        async def get(self):
            await self.send_event("x")
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                asyncio.current_task().uncancel()
            try:
                await self.send_event("y")
            except StreamClosedError as error:
                outcome.append(error)
                raise
            finally:
                done.set()

    reader, _, _ = await server.connect(server.serve(Events))
    await event_of(reader)
    with caplog.at_level(logging.INFO):
        server.writers[0].close()
        await within(done.wait())
        await asyncio.sleep(0)
    assert len(outcome) == 1
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


async def test_a_slow_client_slows_the_method(server):
    """What a flush waits for, the method waits for: nothing piles up meanwhile."""
    sent, taken = [], asyncio.Queue()

    class Events(EventStreamMixin, WebHandler):
        heartbeat = None

        def flush(self, include_footers=False):
            inner = super().flush(include_footers)
            return asyncio.ensure_future(self._slowly(inner))

        async def _slowly(self, inner):
            await inner
            await taken.get()

        async def get(self):
            for number in range(3):
                await self.send_event(number)
                sent.append(number)

    port = server.serve(Events)
    reader, _, _ = await server.connect(port)
    for number in range(3):
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(sent) <= max(number - 1, 0)
        await taken.put(None)
    await taken.put(None)
    await taken.put(None)
    assert parsed(await within(reader.read())) == [("0", "message", ""), ("1", "message", ""), ("2", "message", "")]
    assert sent == [0, 1, 2]


async def test_events_of_several_tasks_wait_for_each_other(server):
    """More than sockets buffer, so that writes are pending when the next task comes."""
    several = [str(number) * 2_000_000 for number in range(10)]

    class Events(EventStreamMixin, WebHandler):
        async def get(self):
            await self.open_stream()
            await asyncio.gather(*(self.send_event(one) for one in several))

    reader, _, _ = await server.connect(server.serve(Events))
    events = parsed(await within(reader.read()))
    assert [data for data, _, _ in events] == several


async def test_streams_pass_all_middlewares_at_once(server):
    release = asyncio.Event()

    class Events(EventStreamMixin, WebHandler):
        async def get(self):
            self.session["seen"] = True
            await self.send_event("x" * 5000)
            await release.wait()

    middlewares = [
        AccessLogMiddleware(),
        RequestIdMiddleware(),
        CompressionMiddleware(),
        SessionMiddleware(MemoryStore(), {"secret_key": "of the tests"}),
    ]
    port = server.serve(Events, middlewares=middlewares)
    reader, status, headers = await server.connect(port, "Accept-Encoding: gzip")
    assert (status, headers["Content-Type"]) == (200, "text/event-stream")
    assert "Content-Encoding" not in headers
    assert "Set-Cookie" in headers
    assert await event_of(reader) == b"data: " + b"x" * 5000 + b"\n\n"
    release.set()
    assert await within(reader.read()) == b""


async def test_an_error_before_the_first_event_is_answered_as_ever(server):
    class Events(EventStreamMixin, WebHandler):
        async def get(self):
            raise ValueError("broken")

    _, status, headers = await server.connect(server.serve(Events))
    assert (status, headers["Content-Type"]) == (500, "text/html; charset=UTF-8")


async def test_an_error_in_the_stream_ends_it_and_is_logged(server, caplog):
    class Events(EventStreamMixin, WebHandler):
        async def get(self):
            await self.send_event("x")
            raise ValueError("broken")

    reader, _, _ = await server.connect(server.serve(Events))
    assert await within(reader.read()) == b"data: x\n\n"
    assert "ValueError: broken" in caplog.text


async def test_a_wrong_argument_does_not_open_the_stream(server):
    class Events(EventStreamMixin, WebHandler):
        async def get(self):
            await self.send_event("x", event="a\nb")

    _, status, _ = await server.connect(server.serve(Events))
    assert status == 500
