"""WebSockets through the adapter, with the server's side played by the test."""

from __future__ import annotations

import asyncio
import inspect

import pytest
import tornado.web
from tornado.websocket import WebSocketClosedError, WebSocketHandler, WebSocketProtocol13

from torngas.application import Application
from torngas.asgi import ASGIAdapter, ASGIError, UnsupportedError

DENIAL = {"websocket.http.response": {}}


class Client:
    """The server's side of one WebSocket."""

    def __init__(self, app, path="/", headers=(), extensions=None):
        self.scope = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"example.com"), *headers],
            "client": ("127.0.0.1", 1),
            "subprotocols": [],
            "extensions": extensions or {},
        }
        self.sent = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.incoming = asyncio.Queue()
        self.incoming.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.ensure_future(app(self.scope, self.incoming.get, self.send))

    async def send(self, message):
        self.sent.append(message)
        await self.gate.wait()

    def say(self, **content):
        self.incoming.put_nowait({"type": "websocket.receive", **content})

    def leave(self, code=1005, reason=None):
        self.incoming.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})

    async def next(self):
        await until(lambda: self.sent)
        return self.sent.pop(0)

    async def done(self):
        async with asyncio.timeout(20):
            await self.task


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0)


class Chat(WebSocketHandler):
    """Echoes, and notes how it ends."""

    def initialize(self, ended=None):
        self.ended = ended if ended is not None else []

    def on_message(self, message):
        self.write_message(message, binary=isinstance(message, bytes))

    def on_close(self):
        self.ended.append((self.close_code, self.close_reason))


def serve(handler, **settings):
    ended = []
    application = tornado.web.Application([("/.*", handler, {"ended": ended})], log_function=lambda _: None, **settings)
    return ASGIAdapter(application), ended


async def test_text_and_binary_are_echoed_and_the_close_is_told_once():
    app, ended = serve(Chat)
    client = Client(app)
    accept = await client.next()
    assert (accept["type"], accept["subprotocol"]) == ("websocket.accept", None)
    names = {name for name, _ in accept["headers"]}
    assert not names & {b"upgrade", b"connection", b"sec-websocket-accept", b"content-type", b"date"}
    client.say(text="h\xe9")
    client.say(bytes=b"\xff", text=None)
    assert await client.next() == {"type": "websocket.send", "text": "h\xe9"}
    assert await client.next() == {"type": "websocket.send", "bytes": b"\xff"}
    client.leave(4000, "bye")
    await client.done()
    assert (ended, client.sent) == ([(4000, "bye")], [])


@pytest.mark.parametrize("code", [1005, 1006, None])
async def test_a_close_without_a_code_has_none(code):
    app, ended = serve(Chat)
    client = Client(app)
    await client.next()
    client.leave(code)
    await client.done()
    assert ended == [(None, None)]


async def test_messages_are_handled_one_after_the_other():
    running, go = [], asyncio.Event()

    class Slow(Chat):
        async def open(self):
            running.append("open")
            await go.wait()

        async def on_message(self, message):
            running.append(message)
            await asyncio.sleep(0)
            running.append(message)

    app, _ = serve(Slow)
    client = Client(app)
    for text in ("a", "b"):
        client.say(text=text)
    await until(lambda: running)
    assert running == ["open"]
    go.set()
    await until(lambda: len(running) == 5)
    assert running == ["open", "a", "a", "b", "b"]
    client.leave()
    await client.done()


async def test_write_message_waits_for_the_server_and_fails_when_closed():
    seen = []

    class Writer(Chat):
        async def open(self):
            future = self.write_message({"a": 1})
            seen.append(future.done())
            await future
            seen.append("sent")

        def on_close(self):
            with pytest.raises(WebSocketClosedError):
                self.write_message("late")
            seen.append("closed")

    app, _ = serve(Writer)
    client = Client(app)
    client.gate.clear()
    assert (await client.next())["type"] == "websocket.accept"
    client.gate.set()
    assert (await client.next())["text"] == '{"a": 1}'
    await until(lambda: len(seen) == 2)
    client.leave()
    await client.done()
    assert seen == [False, "sent", "closed"]


async def test_a_message_that_was_not_sent_fails():
    futures = []

    class Writer(Chat):
        def open(self):
            futures.append(self.write_message("x"))

    app, _ = serve(Writer)
    client = Client(app)
    client.gate.clear()
    await client.next()
    client.leave()
    await until(lambda: futures and futures[0].done())
    assert isinstance(futures[0].exception(), WebSocketClosedError)
    client.gate.set()
    await client.done()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [((), (1000, "")), ((4001,), (4001, "")), ((4001, "why \xe9"), (4001, "why \xe9")), ((None, "x"), (1000, "x"))],
)
async def test_the_handler_closes_with_code_and_reason(arguments, expected):
    class Closer(Chat):
        def on_message(self, message):
            self.close(*arguments)
            with pytest.raises(WebSocketClosedError):
                self.write_message("late")

    app, ended = serve(Closer)
    client = Client(app)
    await client.next()
    client.say(text="close")
    message = await client.next()
    assert (message["type"], message["code"], message["reason"]) == ("websocket.close", *expected)
    client.leave(expected[0])
    await client.done()
    assert (ended, client.sent) == ([(expected[0], None)], [])


async def test_an_exception_in_a_handler_closes_with_an_internal_error(caplog):
    class Broken(Chat):
        def on_message(self, message):
            raise ZeroDivisionError

    app, ended = serve(Broken)
    client = Client(app)
    await client.next()
    client.say(text="x")
    assert await client.next() == {"type": "websocket.close", "code": 1011}
    await client.done()
    assert ended == [(None, None)]
    assert "ZeroDivisionError" in caplog.text


async def test_a_message_that_is_too_long_closes_the_connection():
    app, _ = serve(Chat, websocket_max_message_size=3)
    client = Client(app)
    await client.next()
    client.say(text="four")
    message = await client.next()
    assert (message["code"], message["reason"]) == (1009, "message too big")
    await client.done()


async def test_the_subprotocol_is_the_handlers_choice():
    offered = []

    class Choosing(Chat):
        def select_subprotocol(self, subprotocols):
            offered.extend(subprotocols)
            return "two"

    app, _ = serve(Choosing)
    client = Client(app, headers=[(b"sec-websocket-protocol", b"one, two")])
    accept = await client.next()
    assert (offered, accept["subprotocol"]) == (["one", "two"], "two")
    assert b"sec-websocket-protocol" not in {name for name, _ in accept["headers"]}
    client.leave()
    await client.done()


async def test_the_server_compresses():
    """The handler's wish for compression is the server's setting; it does not answer the client's offer."""

    class Compressing(Chat):
        def get_compression_options(self):
            return {}

    app, _ = serve(Compressing)
    client = Client(app, headers=[(b"sec-websocket-extensions", b"permessage-deflate")])
    accept = await client.next()
    assert b"sec-websocket-extensions" not in {name for name, _ in accept["headers"]}
    client.say(text="plain")
    assert (await client.next())["text"] == "plain"
    client.leave()
    await client.done()


@pytest.mark.parametrize("extensions", [DENIAL, None])
async def test_a_foreign_origin_is_denied(extensions):
    """With the handler's own response where the server can send one, else by a close, which it answers 403."""
    app, ended = serve(Chat)
    client = Client(app, headers=[(b"origin", b"https://evil.example")], extensions=extensions)
    await client.done()
    kinds = [message["type"] for message in client.sent]
    if extensions:
        assert kinds == ["websocket.http.response.start", "websocket.http.response.body"]
        assert (client.sent[0]["status"], client.sent[1]["body"]) == (403, b"Cross origin websockets not allowed")
    else:
        assert kinds == ["websocket.close"]
    assert ended == []


async def test_no_route_and_a_plain_handler_deny():
    application = tornado.web.Application([("/plain", tornado.web.RequestHandler)], log_function=lambda _: None)
    for path, status in (("/none", 404), ("/plain", 405)):
        client = Client(ASGIAdapter(application), path, extensions=DENIAL)
        await client.done()
        assert client.sent[0]["status"] == status


async def test_leaving_before_the_answer_is_told():
    closed = asyncio.Event()

    class Thinking(Chat):
        async def prepare(self):
            await asyncio.Event().wait()

        def on_connection_close(self):
            closed.set()

    app, _ = serve(Thinking)
    client = Client(app)
    client.leave(1006)
    await client.done()
    assert closed.is_set()


async def test_a_message_that_comes_while_the_handler_thinks_is_kept():
    go = asyncio.Event()

    class Thinking(Chat):
        async def prepare(self):
            await go.wait()

    app, _ = serve(Thinking)
    client = Client(app)
    await until(lambda: client.incoming._getters)
    client.say(text="early")
    await asyncio.sleep(0)
    go.set()
    assert (await client.next())["type"] == "websocket.accept"
    assert (await client.next())["text"] == "early"
    client.leave()
    await client.done()


async def test_pings_are_the_servers():
    refused = []

    class Pinging(Chat):
        def open(self):
            try:
                self.ping()
            except UnsupportedError as error:
                refused.append(str(error))

    app, _ = serve(Pinging, websocket_ping_interval=0.001)
    client = Client(app)
    await client.next()
    client.leave()
    await client.done()
    assert "uvicorn --ws-ping-interval" in refused[0]
    assert client.sent == []


async def test_another_protocol_object_is_refused(caplog):
    class Own(WebSocketProtocol13):
        def __init__(self, handler): ...

    class Choosing(Chat):
        def get_websocket_protocol(self):
            return Own(self)

    app, _ = serve(Choosing)
    client = Client(app, extensions=DENIAL)
    await client.done()
    assert client.sent[0]["status"] == 500
    assert ASGIError.__name__ in caplog.text


async def test_middlewares_run_round_a_websocket():
    """process_request and process_response before it is accepted, process_endcall when it is closed."""
    ran = []

    class Hooks:
        async def process_request(self, handler, clear):
            ran.append("request")

        async def process_response(self, handler, clear, chunk):
            ran.append("response")
            handler.set_header("X-Hook", "1")

        def process_endcall(self, handler, clear):
            ran.append("endcall")

    application = Application([("/", Chat)], middlewares=[Hooks()], log_function=lambda _: None)
    client = Client(application.asgi)
    accept = await client.next()
    assert (b"x-hook", b"1") in accept["headers"]
    assert ran == ["request", "response"]
    client.say(text="x")
    assert (await client.next())["text"] == "x"
    client.leave()
    await client.done()
    await application.aclose()
    assert ran == ["request", "response", "endcall"]


async def test_a_malformed_handshake_is_closed():
    app, _ = serve(Chat)
    client = Client(app, headers=[(b"host", b"twice")])
    await client.done()
    assert client.sent == [{"type": "websocket.close"}]


async def test_cancelling_the_server_closes():
    app, ended = serve(Chat)
    client = Client(app)
    await client.next()
    client.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await client.task
    client.leave()
    await until(lambda: ended)
    assert ended == [(None, None)]


def test_tornado_has_the_private_names_of_the_protocol():
    """Fails when Tornado changes what torngas.asgi.websocket relies upon."""
    write = inspect.signature(WebSocketProtocol13._write_frame)
    assert list(write.parameters) == ["self", "fin", "opcode", "data", "flags"]
    assert inspect.iscoroutinefunction(WebSocketProtocol13._receive_frame)
    source = inspect.getsource(WebSocketProtocol13)
    for name in ("self._receive_frame()", "self._compression_options is not None", "handler._detach_stream()"):
        assert name in source
    assert "_run_callback" in vars(WebSocketProtocol13.__mro__[1])
