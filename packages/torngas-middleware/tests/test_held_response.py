"""An async process_response holds the response: the client gets the whole answer or a clean error."""

import asyncio

import pytest
import tornado.web
from tornado.web import RequestHandler, stream_request_body
from tornado.websocket import WebSocketHandler, websocket_connect

from torngas_middleware import Application


class Gate:
    """Holds every response until it is opened, then does what it was told."""

    def __init__(self, action=lambda *args: None):
        self.action = action
        self.entered = asyncio.Event()
        self.opened = asyncio.Event()

    async def process_response(self, handler, clear, chunk):
        self.entered.set()
        await self.opened.wait()
        self.action(handler, clear, chunk)


class Page(RequestHandler):
    def get(self):
        self.write("body")


async def test_nothing_is_sent_before_the_hook_is_done(serve):
    gate = Gate(lambda handler, clear, chunk: handler.set_header("X-Late", "1"))
    server = serve(Application([("/", Page)], middlewares=[gate]))
    reader, writer = await server.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    await gate.entered.wait()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.02)
    gate.opened.set()
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"X-Late: 1" in answer
    assert answer.endswith(b"body")


async def test_a_failure_is_a_clean_500(serve, caplog):
    gate = Gate(lambda *args: 1 / 0)
    gate.opened.set()
    server = serve(Application([("/", Page)], middlewares=[gate]))
    answer = await server.raw(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 500 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"500: Internal Server Error" in body


async def test_the_handler_sees_a_finished_response(serve):
    """Held or not: writing after finish() is refused, and the handler's future is done when it is sent."""
    seen = []
    gate = Gate()

    class Handler(RequestHandler):
        async def get(self):
            sent = self.finish("body")
            seen.append(self._finished)
            for call in (lambda: self.write("more"), self.finish, lambda: self.render("x")):
                with pytest.raises(RuntimeError):
                    call()
            gate.opened.set()
            await sent
            seen.append("sent")

    server = serve(Application([("/", Handler)], middlewares=[gate]))
    assert (await server.fetch()).body == b"body"
    assert seen == [True, "sent"]


async def test_the_hook_sees_an_open_response(serve):
    seen = []

    class Hook:
        async def process_response(self, handler, clear, chunk):
            seen.append(handler._finished)
            await asyncio.sleep(0)
            seen.append(handler._finished)
            handler.write("+")

    server = serve(Application([("/", Page)], middlewares=[Hook(), Hook()]))
    assert (await server.fetch()).body == b"body++"
    assert seen == [False] * 4


async def test_the_client_that_leaves_meanwhile(serve, until, recorder):
    """The response is finished as it would have been; the handler is not told, as Tornado does not after finish()."""
    events, gate = [], Gate()

    class Handler(Page):
        def on_connection_close(self):
            events.append("told")

    server = serve(Application([("/", Handler)], middlewares=[recorder("A", events, hooks=("endcall",)), gate]))
    _, writer = await server.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await gate.entered.wait()
    writer.transport.abort()
    await asyncio.sleep(0.01)
    assert events == []
    gate.opened.set()
    await until(lambda: events == ["A.endcall"])


async def test_keep_alive_goes_on_after_a_held_response(serve):
    gate = Gate()
    gate.opened.set()
    server = serve(Application([("/", Page)], middlewares=[gate]))
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = await server.raw(request + request[:-2] + b"Connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 2


async def test_an_early_answer_while_the_body_arrives(serve):
    """It comes without the rest of the body, and nothing of the body reaches the handler."""
    got, gate = [], Gate()

    @stream_request_body
    class Upload(RequestHandler):
        def prepare(self):
            self.set_status(401)
            self.finish("no")

        def data_received(self, chunk):
            got.append(chunk)

    server = serve(Application([("/", Upload)], middlewares=[gate]))
    reader, writer = await server.connect()
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\nabc")
    await gate.entered.wait()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.02)
    gate.opened.set()
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"100 (Continue)" not in answer
    assert got == []


async def test_an_error_in_prepare_while_the_body_arrives(serve, caplog):
    class Report:
        async def process_exception(self, handler, clear, typ, value, tb):
            await asyncio.sleep(0)

    got = []

    @stream_request_body
    class Upload(RequestHandler):
        def prepare(self):
            raise tornado.web.HTTPError(403)

        def data_received(self, chunk):
            got.append(chunk)

    server = serve(Application([("/", Upload)], middlewares=[Report()]))
    answer = await server.raw(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
    assert b"HTTP/1.1 403 " in answer
    assert got == []


async def test_a_wrong_content_length_raises_at_the_caller(serve, caplog):
    errors, gate = [], Gate()
    gate.opened.set()

    class Handler(RequestHandler):
        def get(self):
            self.set_header("Content-Length", "42")
            try:
                self.finish("short")
            except Exception as error:
                errors.append(str(error))
                raise

    server = serve(Application([("/", Handler)], middlewares=[gate]))
    assert await server.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert errors == ["Tried to write 37 bytes less than Content-Length"]


async def test_what_tornado_cannot_send_is_a_500(serve, caplog):
    def edit(handler, clear, chunk):
        handler.set_status(204)

    gate = Gate(edit)
    gate.opened.set()
    server = serve(Application([("/", Page)], middlewares=[gate]))
    assert (await server.fetch()).code == 500


async def test_a_websocket_is_accepted_after_the_hook(serve):
    """The handshake carries what the hook set; its status is the one that the client will see."""
    seen = []

    def edit(handler, clear, chunk):
        seen.append((handler.get_status(), list(chunk)))
        handler.set_header("X-Late", "1")
        handler.set_cookie("session", "s")

    class Echo(WebSocketHandler):
        def on_message(self, message):
            self.write_message(message)

    gate = Gate(edit)
    gate.opened.set()
    server = serve(Application([("/", Echo)], middlewares=[gate]))
    connection = await websocket_connect(f"ws://127.0.0.1:{server.port}/")
    assert connection.headers["X-Late"] == "1"
    assert connection.headers["Set-Cookie"] == "session=s; Path=/"
    await connection.write_message("hi")
    assert await connection.read_message() == "hi"
    assert seen == [(101, [])]
    connection.close()


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_a_websocket_whose_hook_fails_is_not_accepted(serve, caplog, recorder, is_async):
    from tornado.httpclient import HTTPClientError

    events = []
    fail = recorder("A", events, {"response": lambda *args: 1 / 0}, is_async, ("response", "exception", "endcall"))
    server = serve(Application([("/", WebSocketHandler)], middlewares=[fail]))
    with pytest.raises(HTTPClientError) as failure:
        await websocket_connect(f"ws://127.0.0.1:{server.port}/")
    assert failure.value.code == 500
    assert events == ["A.response", "A.exception", "A.endcall"]


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_a_hook_may_refuse_a_websocket(serve, recorder, is_async):
    from tornado.httpclient import HTTPClientError

    refuse = recorder("A", [], {"response": lambda handler, *rest: handler.send_error(403)}, is_async, ("response",))
    server = serve(Application([("/", WebSocketHandler)], middlewares=[refuse]))
    with pytest.raises(HTTPClientError) as failure:
        await websocket_connect(f"ws://127.0.0.1:{server.port}/")
    assert failure.value.code == 403


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_a_hook_that_appends_does_not_break_websockets(serve, recorder, is_async):
    append = recorder("A", [], {"response": lambda handler, *rest: handler.write("!")}, is_async, ("response",))
    server = serve(Application([("/", WebSocketHandler)], middlewares=[append]))
    connection = await websocket_connect(f"ws://127.0.0.1:{server.port}/")
    connection.close()


async def test_responses_are_held_side_by_side(serve, until):
    entered, release = [], asyncio.Event()

    class Hook:
        async def process_response(self, handler, clear, chunk):
            entered.append(handler.get_argument("n"))
            await release.wait()
            handler.write(handler.get_argument("n"))

    server = serve(Application([("/", Page)], middlewares=[Hook()]))
    answers = [asyncio.ensure_future(server.fetch(f"/?n={n}")) for n in range(10)]
    await until(lambda: len(entered) == 10)
    release.set()
    assert [(await answer).body for answer in answers] == [f"body{n}".encode() for n in range(10)]
