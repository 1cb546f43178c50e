"""Context variables belong to one request: seen by everything that works for it, and by nothing else."""

import asyncio
import contextvars
import json
from unittest.mock import Mock

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.routing import AnyMatches, Matcher, Rule, RuleRouter
from tornado.web import RequestHandler, stream_request_body

from torngas_middleware import Application, MiddlewareHandlerMixin, ShortPathMixin

modes = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
PLACES = ("router", "initialize", "call", "request", "data", "method")
variables = {place: contextvars.ContextVar(place, default=None) for place in PLACES}


def mark(place, request):
    if request.headers.get("X-Mark"):
        variables[place].set(request.headers["X-Mark"])


def seen():
    return {place: variable.get() for place, variable in variables.items() if variable.get() is not None}


class Marking(Matcher):
    def match(self, request):
        mark("router", request)
        return {}


class Marks:
    def process_call(self, request, clear):
        mark("call", request)

    def process_request(self, handler, clear):
        mark("request", handler.request)

    def process_endcall(self, handler, clear):
        handler.application.ends.append(seen())


class AsyncMarks(Marks):
    async def process_request(self, handler, clear):
        await asyncio.sleep(0)
        mark("request", handler.request)

    async def process_response(self, handler, clear, chunk):
        await asyncio.sleep(0)


class Handler(MiddlewareHandlerMixin, RequestHandler):
    def initialize(self):
        mark("initialize", self.request)

    async def get(self):
        mark("method", self.request)
        in_thread = await asyncio.to_thread(seen)
        await asyncio.sleep(0.001)
        assert in_thread == seen()
        self.write(dict(seen()))

    def on_finish(self):
        self.application.finishes.append(seen())

    def complete_finish(self):
        self.application.completes.append(seen())


def build(is_async):
    application = Application([Rule(Marking(), Handler)], middlewares=[AsyncMarks() if is_async else Marks()])
    application.ends, application.finishes, application.completes = [], [], []
    return application


WHOLE = ("router", "initialize", "call", "request", "method")


@pytest.mark.promise(1)
@modes
async def test_promise_01_no_context_leaks_between_keep_alive_requests(serve, until, is_async):
    """Two requests on one socket: the first sets variables everywhere, the second sees none."""
    application = build(is_async)
    server = serve(application)
    first = b"GET / HTTP/1.1\r\nHost: x\r\nX-Mark: one\r\n\r\n"
    second = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    reader, writer = await server.connect()
    writer.write(first)
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"200 OK" in head
    await until(lambda: len(application.completes) == 1)
    writer.write(second)
    answer = await reader.read()
    writer.close()
    assert answer.endswith(b"{}")
    await until(lambda: len(application.completes) == 2)
    whole = dict.fromkeys(WHOLE, "one")
    assert application.finishes == application.ends == application.completes == [whole, {}]


@pytest.mark.promise(1)
@modes
async def test_promise_01_a_hundred_interleaved_requests(serve, until, is_async):
    application = build(is_async)
    server = serve(application)
    answers = await asyncio.gather(*(server.fetch("/", headers={"X-Mark": str(n)}) for n in range(100)))
    assert [json.loads(a.body) for a in answers] == [dict.fromkeys(WHOLE, str(n)) for n in range(100)]
    await until(lambda: len(application.completes) == 100)
    for recorded in (application.finishes, application.ends, application.completes):
        assert sorted(int(one["request"]) for one in recorded) == list(range(100))
        assert all(set(one.values()) == {one["request"]} for one in recorded)


@pytest.mark.promise(1)
async def test_promise_01_inside_of_another_router(serve):
    """Tornado asks a nested application for the handler only; its requests are separate all the same."""
    inner = build(False)
    outer = RuleRouter([Rule(AnyMatches(), inner)])
    server = serve(outer)
    first = b"GET / HTTP/1.1\r\nHost: x\r\nX-Mark: one\r\n\r\n"
    answer = await server.raw(first + b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b"{}")


@pytest.mark.promise(1)
async def test_promise_01_an_answer_at_once(until):
    """A server that has the whole request may have it answered by one call; the caller's context stays its own."""
    variable = contextvars.ContextVar("variable", default=0)
    seen = []

    class Sets(RequestHandler):
        def prepare(self):
            seen.append(variable.get())
            variable.set(1)

        def get(self):
            self._auto_finish = False

    class Short(ShortPathMixin, Sets):
        pass

    application = Application([("/short", Short), ("/", Sets)])
    connection = Mock(context=None)

    def request(path):
        line = RequestStartLine("GET", path, "HTTP/1.1")
        return HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": "x"}), connection=connection)

    assert application.answer_at_once(request("/short")) is None
    assert application.answer_at_once(request("/short")) is None
    assert seen == [0, 0]
    delegate = application.answer_at_once(request("/"))
    assert seen == [0, 0]
    delegate.execute()
    await until(lambda: seen == [0, 0, 0])
    assert variable.get() == 0


@pytest.mark.promise(1)
@pytest.mark.parametrize("receives_async", [False, True])
@pytest.mark.parametrize("middlewares", [[], [Marks], [AsyncMarks]], ids=["none", "sync", "async"])
async def test_promise_01_a_streamed_body(serve, middlewares, receives_async):
    """data_received sees what the request hooks set, and what it sets itself stays inside of the request."""
    got = []

    @stream_request_body
    class Upload(RequestHandler):
        def data_received(self, chunk):
            got.append(seen())
            if receives_async:
                return self.receive_later()
            return mark("data", self.request)

        async def receive_later(self):
            await asyncio.sleep(0)
            mark("data", self.request)

        def post(self):
            self.write("ok")

    application = Application([("/", Upload)], middlewares=middlewares)
    application.ends = []
    server = serve(application)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
    reader, writer = await server.connect()
    writer.write(head + b"X-Mark: one\r\n\r\nabc")
    await reader.readuntil(b"\r\n\r\nok")
    writer.write(head + b"Connection: close\r\n\r\nabc")
    assert (await reader.read()).endswith(b"ok")
    writer.close()
    assert got == [{"call": "one", "request": "one"} if middlewares else {}, {}]


@modes
async def test_the_end_after_a_disconnect_sees_the_request(serve, until, is_async):
    started, told = asyncio.Event(), []
    gone = asyncio.Event()

    class Slow(RequestHandler):
        async def get(self):
            started.set()
            await gone.wait()

        def on_connection_close(self):
            told.append(seen())
            gone.set()

    application = Application([("/", Slow)], middlewares=[AsyncMarks() if is_async else Marks()])
    application.ends = []
    server = serve(application)
    _, writer = await server.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Mark: one\r\n\r\n")
    await started.wait()
    writer.close()
    await until(lambda: application.ends)
    assert told == application.ends == [{"call": "one", "request": "one"}]
