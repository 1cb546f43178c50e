"""process_endcall runs exactly once on every exit."""

import asyncio
import contextlib
import random
import socket

import pytest
import tornado.web
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler, stream_request_body
from tornado.websocket import WebSocketHandler, websocket_connect

from torngas_middleware import Application, MiddlewareHandlerMixin

modes = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


class Base(RequestHandler):
    def initialize(self, action=None, log=None):
        self.action, self.log = action, log

    def get(self):
        self.write("ok")

    def post(self):
        self.write("posted")


def method(action):
    return type("Page", (Base,), {"get": action})


def boom(self):
    raise ZeroDivisionError


def forbid(self):
    raise HTTPError(403)


def argument(self):
    self.get_argument("missing")


def finish_then_fail(self):
    self.finish("sent")
    raise ZeroDivisionError


def twice(self):
    self.finish("sent")
    self.finish("again")


def not_modified(self):
    self.set_status(304)


def no_content(self):
    self.set_status(204)


def write_to_204(self):
    self.set_status(204)
    self.write("no place for this")


def finish_exception(self):
    raise tornado.web.Finish("early")


async def streamed(self):
    for part in ("a", "b", "c"):
        self.write(part)
        await self.flush()


async def streamed_then_fails(self):
    self.write("a")
    await self.flush()
    raise ZeroDivisionError


async def cancelled_future(self):
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


async def cancels_itself(self):
    asyncio.current_task().cancel()
    await asyncio.sleep(0)


def bad_write_error(self):
    self.write_error = lambda *args, **kwargs: 1 / 0
    raise HTTPError(400)


class EarlyPrepare(Base):
    def prepare(self):
        self.finish("from prepare")


class FailingPrepare(Base):
    async def prepare(self):
        raise ZeroDivisionError


class FailingOnPrepare(MiddlewareHandlerMixin, Base):
    async def on_prepare(self):
        raise ZeroDivisionError


class NoSuper(RequestHandler):
    """Overrides everything without a call to the base class."""

    def prepare(self):
        pass

    def on_finish(self):
        pass

    def log_exception(self, typ, value, tb):
        pass

    def get(self):
        raise ZeroDivisionError


EXITS = {
    "200": (Base, {}, 200),
    "http error": (method(forbid), {}, 403),
    "uncaught": (method(boom), {}, 500),
    "bad argument": (method(argument), {}, 400),
    "405 unimplemented": (Base, {"method": "DELETE"}, 405),
    "405 unknown method": (Base, {"method": "BREW", "allow_nonstandard_methods": True}, 405),
    "head": (Base, {"method": "HEAD"}, 405),
    "finish, then an exception": (method(finish_then_fail), {}, 200),
    "finish twice": (method(twice), {}, 200),
    "304": (method(not_modified), {}, 304),
    "204": (method(no_content), {}, 204),
    "204 with a body": (method(write_to_204), {}, 500),
    "redirect": (method(lambda self: self.redirect("/x")), {}, 302),
    "Finish": (method(finish_exception), {}, 200),
    "send_error": (method(lambda self: self.send_error(418)), {}, 418),
    "stream": (method(streamed), {}, 200),
    "stream, then an exception": (method(streamed_then_fails), {}, 200),
    "cancelled future": (method(cancelled_future), {}, 500),
    "cancelled task": (method(cancels_itself), {}, 500),
    "failing write_error": (method(bad_write_error), {}, 400),
    "finish in prepare": (EarlyPrepare, {}, 200),
    "exception in prepare": (FailingPrepare, {}, 500),
    "exception in on_prepare": (FailingOnPrepare, {}, 500),
    "no call of super": (NoSuper, {}, 500),
}


def counters(recorder, events, is_async):
    hooks = ("request", "exception", "response", "endcall")
    return [recorder(name, events, None, is_async, hooks) for name in "ABC"]


async def settle(application):
    for _ in range(20):
        await asyncio.sleep(0)
    await application.drain()


@pytest.mark.promise(2)
@modes
@pytest.mark.parametrize("name", EXITS)
async def test_promise_02_the_end_hook_runs_exactly_once(serve, until, recorder, caplog, name, is_async):
    handler, options, status = EXITS[name]
    events = []
    server = serve(Application([("/", handler)], middlewares=counters(recorder, events, is_async)))
    assert (await server.fetch("/", **options)).code == status
    await until(lambda: "A.endcall" in events)
    await settle(server.application)
    assert [e for e in events if e.endswith(".endcall")] == ["C.endcall", "B.endcall", "A.endcall"]
    assert events[-1] == "A.endcall" or name in ("finish, then an exception", "finish twice")


@pytest.mark.promise(2)
@modes
async def test_promise_02_on_a_404(serve, until, recorder, caplog, is_async):
    events = []
    server = serve(Application([], middlewares=counters(recorder, events, is_async)))
    assert (await server.fetch("/nowhere")).code == 404
    await until(lambda: "A.endcall" in events)
    assert events == [
        f"{n}.{h}"
        for h, o in (("request", "ABC"), ("exception", "CBA"), ("response", "CBA"), ("endcall", "CBA"))
        for n in o
    ]


@pytest.mark.promise(2)
@modes
async def test_promise_02_on_an_xsrf_failure(serve, until, recorder, caplog, is_async):
    events = []
    middlewares = counters(recorder, events, is_async)
    server = serve(Application([("/", Base)], middlewares=middlewares, xsrf_cookies=True))
    assert (await server.fetch("/", method="POST", body="")).code == 403
    await until(lambda: "A.endcall" in events)
    await settle(server.application)
    assert [e for e in events if "endcall" in e] == ["C.endcall", "B.endcall", "A.endcall"]
    assert [e for e in events if "exception" in e] == ["C.exception", "B.exception", "A.exception"]


@pytest.mark.promise(2)
@modes
@pytest.mark.parametrize("kind", ["request", "response", "exception", "endcall"])
@pytest.mark.parametrize("how", ["raise", "finish"])
async def test_promise_02_on_what_a_hook_does(serve, until, recorder, caplog, kind, how, is_async):
    def act(handler, *rest):
        if how == "raise":
            raise ZeroDivisionError
        if not handler._finished:
            handler.finish("by a hook")

    events = []
    middlewares = counters(recorder, events, is_async)
    middlewares.insert(1, recorder("X", events, {kind: act}, is_async))
    server = serve(Application([("/", method(forbid))], middlewares=middlewares))
    await server.fetch("/")
    await until(lambda: "A.endcall" in events)
    await settle(server.application)
    assert [e for e in events if e.endswith(".endcall")] == ["C.endcall", "B.endcall", "X.endcall", "A.endcall"]


@pytest.mark.promise(2)
@modes
async def test_promise_02_when_the_client_leaves_before_the_response(serve, until, recorder, caplog, is_async):
    """Once, and after the handler's coroutine, which still uses what the hooks release."""
    events, started, release = [], asyncio.Event(), asyncio.Event()

    class Slow(RequestHandler):
        async def get(self):
            started.set()
            await release.wait()
            events.append("method done")
            self.write("nobody reads this")

        def on_connection_close(self):
            events.append("gone")

    server = serve(Application([("/", Slow)], middlewares=counters(recorder, events, is_async)))
    _, writer = await server.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await started.wait()
    writer.close()
    await until(lambda: "gone" in events)
    assert not [e for e in events if "endcall" in e]
    release.set()
    await until(lambda: "A.endcall" in events)
    await settle(server.application)
    assert [e for e in events if "request" not in e and "response" not in e] == [
        "gone",
        "method done",
        "C.endcall",
        "B.endcall",
        "A.endcall",
    ]


@pytest.mark.promise(2)
@modes
async def test_promise_02_when_the_client_leaves_during_the_response(serve, until, recorder, caplog, is_async):
    events, started = [], asyncio.Event()

    class Endless(RequestHandler):
        async def get(self):
            try:
                while True:
                    self.write("x" * 100_000)
                    await self.flush()
                    started.set()
            except StreamClosedError:
                events.append("closed")
                raise

    server = serve(Application([("/", Endless)], middlewares=counters(recorder, events, is_async)))
    reader, writer = await server.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await started.wait()
    await reader.read(10)
    writer.transport.abort()
    await until(lambda: "A.endcall" in events)
    await settle(server.application)
    assert events.index("closed") < events.index("C.endcall")
    assert [e for e in events if "endcall" in e] == ["C.endcall", "B.endcall", "A.endcall"]


@pytest.mark.promise(2)
@modes
async def test_promise_02_when_the_client_leaves_while_its_body_is_streamed(serve, until, recorder, caplog, is_async):
    events, got = [], asyncio.Event()

    @stream_request_body
    class Upload(RequestHandler):
        def data_received(self, chunk):
            got.set()

        def post(self):
            events.append("never")

    server = serve(Application([("/", Upload)], middlewares=counters(recorder, events, is_async)))
    _, writer = await server.connect()
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
    await got.wait()
    writer.close()
    await until(lambda: "A.endcall" in events)
    await settle(server.application)
    assert [e for e in events if "request" not in e] == ["C.endcall", "B.endcall", "A.endcall"]


@pytest.mark.promise(2)
@modes
async def test_promise_02_when_a_handler_that_never_answers_is_left(serve, until, recorder, caplog, is_async):
    """Its coroutine is done, but somebody else was to finish: leaving is then the end."""
    events, waiting = [], []

    class Parked(RequestHandler):
        def get(self):
            self._auto_finish = False
            waiting.append(self)

    server = serve(Application([("/", Parked)], middlewares=counters(recorder, events, is_async)))
    _, writer = await server.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: waiting)
    writer.close()
    await until(lambda: "A.endcall" in events)
    waiting.pop().finish("too late")
    await settle(server.application)
    assert [e for e in events if "endcall" in e] == ["C.endcall", "B.endcall", "A.endcall"]


@pytest.mark.promise(2)
@modes
async def test_promise_02_when_the_task_is_cancelled_while_a_hook_waits(serve, until, recorder, caplog, is_async):
    events, tasks = [], []

    class Waits:
        async def process_request(self, handler, clear):
            tasks.append(asyncio.current_task())
            await asyncio.Event().wait()

    middlewares = [*counters(recorder, events, is_async), Waits()]
    server = serve(Application([("/", Base)], middlewares=middlewares))
    answer = asyncio.ensure_future(server.fetch("/"))
    await until(lambda: tasks)
    tasks[0].cancel()
    assert (await answer).code == 500
    await until(lambda: "A.endcall" in events)
    assert [e for e in events if "endcall" in e] == ["C.endcall", "B.endcall", "A.endcall"]


@pytest.mark.promise(2)
@modes
@pytest.mark.parametrize("how", ["client", "server", "abort", "open fails"])
async def test_promise_02_at_the_close_of_a_websocket(serve, until, recorder, caplog, how, is_async):
    """Not at the upgrade: a WebSocket's request ends when it is closed, with on_close before."""
    events, sockets = [], []

    class Echo(MiddlewareHandlerMixin, WebSocketHandler):
        def open(self):
            sockets.append(self)
            if how == "open fails":
                raise ZeroDivisionError

        def on_message(self, message):
            self.write_message(message)

        def on_close(self):
            events.append("on_close")

        def complete_finish(self):
            events.append("complete")

    server = serve(Application([("/", Echo)], middlewares=counters(recorder, events, is_async)))
    connection = await websocket_connect(f"ws://127.0.0.1:{server.port}/")
    await until(lambda: sockets)
    if how != "open fails":
        await connection.write_message("hello")
        assert await connection.read_message() == "hello"
        assert [e for e in events if "endcall" in e] == []
    if how == "server":
        sockets[0].close()
    elif how == "abort":
        connection.protocol.stream.close()
    elif how == "client":
        connection.close()
    await until(lambda: "complete" in events)
    await settle(server.application)
    ended = [e for e in events if "request" not in e and "response" not in e and "exception" not in e]
    assert ended == (["on_close"] if how != "open fails" else []) + ["C.endcall", "B.endcall", "A.endcall", "complete"]
    connection.close()


@pytest.mark.promise(2)
@modes
async def test_promise_02_on_a_refused_websocket(serve, until, recorder, caplog, is_async):
    events = []
    server = serve(Application([("/", WebSocketHandler)], middlewares=counters(recorder, events, is_async)))
    assert (await server.fetch("/")).code == 400
    await until(lambda: "A.endcall" in events)
    assert [e for e in events if "endcall" in e] == ["C.endcall", "B.endcall", "A.endcall"]


@pytest.mark.promise(2)
@modes
async def test_promise_02_when_the_handler_detaches_the_connection(serve, until, recorder, is_async):
    events = []

    class Raw(RequestHandler):
        async def get(self):
            stream = self.detach()
            await stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nraw")
            stream.close()
            events.append("method done")

    server = serve(Application([("/", Raw)], middlewares=counters(recorder, events, is_async)))
    assert (await server.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")).endswith(b"raw")
    await until(lambda: "A.endcall" in events)
    assert [e for e in events if "request" not in e] == ["method done", "C.endcall", "B.endcall", "A.endcall"]


@pytest.mark.promise(2)
@modes
async def test_promise_02_on_tornados_own_handlers(serve, until, recorder, caplog, tmp_path, is_async):
    (tmp_path / "file.txt").write_text("static")
    events = []

    def fallback(request):
        request.connection.write_headers(
            tornado.httputil.ResponseStartLine("", 200, "OK"),
            tornado.httputil.HTTPHeaders({"Content-Length": "2"}),
            b"fb",
        )
        request.connection.finish()

    handlers = [
        ("/static/(.*)", tornado.web.StaticFileHandler, {"path": str(tmp_path)}),
        ("/moved", tornado.web.RedirectHandler, {"url": "/static/file.txt"}),
        ("/gone", tornado.web.ErrorHandler, {"status_code": 410}),
        ("/fallback", tornado.web.FallbackHandler, {"fallback": fallback}),
    ]
    server = serve(Application(handlers, middlewares=counters(recorder, events, is_async)))
    expected = {"/static/file.txt": 200, "/static/none": 404, "/moved": 301, "/gone": 410, "/fallback": 200}
    for path, status in expected.items():
        events.clear()
        assert (await server.fetch(path)).code == status
        await until(lambda: "A.endcall" in events)
        await settle(server.application)
        assert [e for e in events if "endcall" in e] == ["C.endcall", "B.endcall", "A.endcall"], path


@modes
async def test_work_after_finish_does_not_delay_the_endcall(serve, until, recorder, is_async):
    """The handler said that the response is done; what it does then is its own."""
    events, release = [], asyncio.Event()

    class Works(RequestHandler):
        async def get(self):
            self.finish("sent")
            await release.wait()
            events.append("work done")

    server = serve(Application([("/", Works)], middlewares=counters(recorder, events, is_async)))
    assert (await server.fetch("/")).body == b"sent"
    await until(lambda: "A.endcall" in events)
    release.set()
    await until(lambda: "work done" in events)
    assert [e for e in events if "endcall" in e] == ["C.endcall", "B.endcall", "A.endcall"]


@modes
async def test_the_endcall_waits_for_a_coroutine_that_others_finished(serve, until, recorder, is_async):
    events, release, waiting = [], asyncio.Event(), []

    class Waits(RequestHandler):
        async def get(self):
            waiting.append(self)
            await release.wait()
            events.append("method done")

    server = serve(Application([("/", Waits)], middlewares=counters(recorder, events, is_async)))
    answer = asyncio.ensure_future(server.fetch("/"))
    await until(lambda: waiting)
    waiting[0].finish("by somebody else")
    assert (await answer).body == b"by somebody else"
    await asyncio.sleep(0)
    assert not [e for e in events if "endcall" in e]
    release.set()
    await until(lambda: "A.endcall" in events)
    assert events.index("method done") < events.index("C.endcall")


async def test_drain_waits_for_async_endcalls(serve, recorder):
    events, release = [], asyncio.Event()

    class Slow:
        async def process_endcall(self, handler, clear):
            await release.wait()
            events.append("ended")

    server = serve(Application([("/", Base)], middlewares=[Slow()]))
    await server.fetch("/")
    drained = asyncio.ensure_future(server.application.drain())
    await asyncio.sleep(0)
    assert not drained.done()
    release.set()
    await drained
    assert events == ["ended"]


async def test_a_request_that_never_reached_its_handler_has_no_endcall(serve, until, recorder, caplog):
    events = []
    server = serve(Application([("/", Base)], middlewares=[recorder("A", events)]))
    with contextlib.closing(socket.create_connection(("127.0.0.1", server.port))) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        await until(lambda: events == ["A.call"])
    await settle(server.application)
    assert events == ["A.call"]


async def test_the_endcall_waits_for_an_async_process_exception(serve, until):
    """Also where no response waits for it: an exception inside of an accepted WebSocket."""
    events, release = [], asyncio.Event()

    class Report:
        async def process_exception(self, handler, clear, typ, value, tb):
            await release.wait()
            events.append("reported")
            return True

        def process_endcall(self, handler, clear):
            events.append("ended")

    class Fails(WebSocketHandler):
        def open(self):
            events.append("open")
            raise ZeroDivisionError

    server = serve(Application([("/", Fails)], middlewares=[Report()]))
    connection = await websocket_connect(f"ws://127.0.0.1:{server.port}/")
    await until(lambda: "open" in events)
    assert await connection.read_message() is None
    assert events == ["open"]
    release.set()
    await until(lambda: events == ["open", "reported", "ended"])
    connection.close()


@pytest.mark.promise(2)
@modes
async def test_promise_02_under_clients_that_behave_at_random(serve, until, caplog, is_async):
    """Half-sent bodies, aborted connections, early answers, errors, streams: every request that began ends once."""
    chance, ends = random.Random(7), {}

    class Counts:
        def process_request(self, handler, clear):
            ends[handler.request] = 0

        def process_endcall(self, handler, clear):
            ends[handler.request] += 1

    class Naps:
        async def process_request(self, handler, clear):
            await asyncio.sleep(chance.choice([0, 0, 0.001]))

        async def process_response(self, handler, clear, chunk):
            await asyncio.sleep(chance.choice([0, 0, 0.001]))

        async def process_exception(self, handler, clear, typ, value, tb):
            await asyncio.sleep(0)

    class Page(RequestHandler):
        async def get(self):
            action = chance.choice([boom, forbid, streamed, finish_then_fail, not_modified, Base.get])
            if chance.random() < 0.3:
                await asyncio.sleep(chance.random() * 0.003)
            result = action(self)
            if result is not None:
                await result

        post = get

    @stream_request_body
    class Upload(Page):
        def prepare(self):
            if chance.random() < 0.3:
                self.finish("early")

        async def data_received(self, chunk):
            await asyncio.sleep(0)

    async def client(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(TimeoutError, OSError):
            for _ in range(3):
                body = b"a" * chance.choice([0, 50, 100])
                path = chance.choice([b"/", b"/upload", b"/nowhere"])
                writer.write(b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n%b" % (path, body))
                await asyncio.wait_for(reader.read(1000), chance.choice([0.001, 0.01]))
                if chance.random() < 0.3:
                    writer.transport.abort()
        writer.close()

    middlewares = [Counts(), *([Naps()] if is_async else [])]
    server = serve(Application([("/", Page), ("/upload", Upload)], middlewares=middlewares))
    for _ in range(10):
        await asyncio.gather(*(client(server.port) for _ in range(20)))
    await until(lambda: all(ends.values()))
    await server.server.close_all_connections()
    await settle(server.application)
    assert len(ends) > 100
    assert set(ends.values()) == {1}
