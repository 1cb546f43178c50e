"""The short path: plain functions are answered at once, everything else as ever, and nothing unused is made."""

import asyncio
import contextvars
import functools
import json

import pytest
import tornado.gen
import tornado.web
from tornado.httpserver import HTTPServer as TornadoServer
from tornado.httputil import HTTPConnection, HTTPHeaders, RequestStartLine
from tornado.web import RequestHandler, StaticFileHandler, authenticated, stream_request_body

from torngas_middleware import Application, MiddlewareError, ShortPathMixin, TimeoutMiddleware, _date


class Connection(HTTPConnection):
    """Takes a response without a socket."""

    context = None

    def __init__(self):
        self.heads, self.body, self.finished = [], b"", False

    def set_close_callback(self, callback): ...

    def write_headers(self, start_line, headers, chunk=None):
        self.heads.append((start_line.code, start_line.reason, dict(headers)))
        return self.write(chunk or b"")

    def write(self, chunk):
        self.body += chunk
        return asyncio.get_running_loop().create_future()

    def finish(self):
        self.finished = True


def ask(application, connection=None, method="GET", **headers):
    """Hands a whole request over, and answers what the connection got before anything else could run."""
    connection = connection or Connection()
    delegate = application.start_request(None, connection)
    lines = HTTPHeaders({"Host": "x", **{name.replace("_", "-"): value for name, value in headers.items()}})
    delegate.headers_received(RequestStartLine(method, "/", "HTTP/1.1"), lines)
    delegate.finish()
    return connection


def app(handler, *middlewares, **settings):
    return Application([("/", handler)], middlewares=middlewares, **settings)


class Page(ShortPathMixin, RequestHandler):
    def get(self):
        self.write("page")


class Base(ShortPathMixin, RequestHandler):
    pass


async def test_plain_functions_are_answered_before_anything_else_runs():
    connection = ask(app(Page))
    assert (connection.body, connection.finished) == (b"page", True)
    assert len(asyncio.all_tasks()) == 1


async def test_plain_hooks_keep_it_short_and_an_async_one_does_not():
    class Plain:
        def process_request(self, handler, clear): ...
        def process_response(self, handler, clear, chunk): ...
        def process_endcall(self, handler, clear): ...

    class Async:
        async def process_request(self, handler, clear): ...

    assert ask(app(Page, Plain())).finished
    assert not ask(app(Page, Plain(), Async())).finished


def deferred(method):
    @functools.wraps(method)
    def wrapper(*args):
        return method(*args)

    return wrapper


@pytest.mark.parametrize("kind", ["coroutine", "generator", "wrapped", "prepare"])
async def test_coroutines_have_a_task_of_their_own_from_the_beginning(serve, kind):
    """Also where a decorator hides them, so that `current_task` in `prepare` is the task of the method."""

    class Whole(Base):
        def prepare(self):
            self.first = asyncio.current_task()

        async def get(self):
            self.write(str(self.first is asyncio.current_task()))

    class Generator(Whole):
        @tornado.gen.coroutine
        def get(self):
            self.write(str(self.first is asyncio.current_task()))

    class Wrapped(Whole):
        get = authenticated(deferred(Whole.get))

        def get_current_user(self):
            return "ada"

    class Prepared(Base):
        async def prepare(self):
            self.first = asyncio.current_task()

        def get(self):
            self.write(str(self.first is asyncio.current_task()))

    handler = {"coroutine": Whole, "generator": Generator, "wrapped": Wrapped, "prepare": Prepared}[kind]
    assert (await serve(app(handler)).fetch()).body == b"True"


async def test_it_can_be_switched_off():
    class Off(Page):
        short_path = False

    assert not ask(app(Off)).finished
    assert not ask(app(Page, short_path=False)).finished


@pytest.mark.parametrize("kind", [RequestHandler, tornado.web.RedirectHandler])
async def test_other_handlers_take_tornados_way(kind):
    class Plain(kind):
        def get(self): ...

    assert not ask(Application([("/", Plain, {"url": "/"} if kind is not RequestHandler else {})])).finished


async def test_a_streamed_body_takes_tornados_way(serve):
    @stream_request_body
    class Upload(Base):
        def data_received(self, chunk):
            self.got = chunk

        def post(self):
            self.write(self.got)

    assert (await serve(app(Upload)).fetch(method="POST", body=b"abc")).body == b"abc"


async def test_a_variable_set_before_an_awaitable_can_be_reset_after_it(serve):
    """Both halves run in one context, else `reset` would raise."""
    variable = contextvars.ContextVar("variable", default="none")

    class Late(Base):
        def get(self):
            token = variable.set("set")
            return self.later(token)

        async def later(self, token):
            await asyncio.sleep(0)
            before = variable.get()
            variable.reset(token)
            self.write(f"{before}, {variable.get()}")

    assert (await serve(app(Late)).fetch()).body == b"set, none"


async def test_variables_do_not_reach_the_next_request_of_the_connection(serve):
    variable = contextvars.ContextVar("variable", default="none")

    class Sets(Base):
        def get(self):
            self.write(variable.get())
            variable.set("set")

    request = b"GET / HTTP/1.1\r\nHost: x\r\n"
    answer = await serve(app(Sets)).raw(request + b"\r\n" + request + b"Connection: close\r\n\r\n")
    assert answer.count(b"\r\n\r\nnone") == 2


async def test_the_namespace_of_ui_is_made_when_it_is_used_and_ends_with_the_response():
    seen = []

    class Uses(Base):
        def get(self):
            seen.append("ui" in self.__dict__)
            seen.append(self.ui.twice(4) + self.ui._tt_modules.Bold())
            seen.append(self.ui is self.ui)
            handlers.append(self)

    class Bold(tornado.web.UIModule):
        def render(self):
            return "<b>"

    handlers = []
    ask(app(Uses, ui_methods={"twice": lambda handler, n: str(2 * n)}, ui_modules={"Bold": Bold}))
    assert seen == [False, "8<b>", True]
    assert handlers[0].ui is None


async def test_the_date_is_that_of_the_second(monkeypatch):
    now = [784111777.9]
    monkeypatch.setattr(_date.time, "time", lambda: now[0])
    assert ask(app(Page)).heads[0][2]["Date"] == "Sun, 06 Nov 1994 08:49:37 GMT"
    now[0] += 0.2
    assert ask(app(Page)).heads[0][2]["Date"] == "Sun, 06 Nov 1994 08:49:38 GMT"


async def test_headers_of_one_response_are_not_those_of_the_next():
    class Adds(Base):
        def get(self):
            self.add_header("Server", "me")
            self.write(",".join(self._headers.get_list("Server")))

    application = app(Adds)
    assert ask(application).body == ask(application).body


@pytest.mark.parametrize(
    ("setting", "cache_control", "has_etag"),
    [(True, "no-store", True), ("auto", "private, No-Store", False), ("auto", "max-age=1", True), (False, "", False)],
)
async def test_the_etag_setting(setting, cache_control, has_etag):
    class Cached(Base):
        def get(self):
            self.set_header("Cache-Control", cache_control)
            self.write("x")

    for headers in ({}, {"If_None_Match": '"other"'}):
        assert ("Etag" in ask(app(Cached, etag=setting), **headers).heads[0][2]) == has_etag


async def test_a_handlers_own_etag_counts_whatever_the_setting():
    class Own(Base):
        def compute_etag(self):
            return '"own"'

        def get(self):
            self.write("x")

    application = app(Own, etag=False)
    assert ask(application).heads[0][2]["Etag"] == '"own"'
    answer = ask(application, If_None_Match='"own"')
    assert (answer.heads[0][0], answer.body) == (304, b"")


def other_encoder(value):
    return b'{"by": "me </b>"}'


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (None, b'{"a": [1, 2], "b": "\\u00fc<\\/b>"}'),
        ("orjson", '{"a":[1,2],"b":"ü<\\/b>"}'.encode()),
        ("msgspec", '{"a":[1,2],"b":"ü<\\/b>"}'.encode()),
        (other_encoder, b'{"by": "me <\\/b>"}'),
    ],
)
async def test_the_json_setting(setting, expected):
    if isinstance(setting, str):
        pytest.importorskip(setting)

    class Json(Base):
        def get(self):
            self.write({"a": [1, 2], "b": "ü</b>"})

    answer = ask(app(Json, json=setting))
    assert answer.body == expected
    assert answer.heads[0][2]["Content-Type"] == "application/json; charset=UTF-8"


@pytest.mark.parametrize("library", ["orjson", "msgspec"])
async def test_what_a_json_library_refuses_tornados_encoder_gets(library):
    pytest.importorskip(library)

    class Text(str):
        __slots__ = ()

    class Json(Base):
        def get(self):
            self.write({"big": 2**70, 5: Text("five"), "tuple": (1,), None: True})

    assert json.loads(ask(app(Json, json=library)).body) == {"big": 2**70, "5": "five", "tuple": [1], "null": True}


async def test_an_unknown_json_library_is_an_error_that_names_the_known():
    errors = []

    class Json(Base):
        def get(self):
            self.write({})

        def log_exception(self, typ, value, tb):
            errors.append(value)

    assert ask(app(Json, json="yaml")).heads[0][0] == 500
    assert isinstance(errors[0], MiddlewareError)
    assert "'yaml'; expected 'orjson', 'msgspec'" in str(errors[0])


async def test_the_mixin_works_in_a_plain_application(serve):
    class Json(Page):
        def post(self):
            self.write({"é": 1})

    application = tornado.web.Application([("/", Json)], json=lambda value: b"{}")
    server = serve(application)
    assert (await server.fetch()).body == b"page"
    assert (await server.fetch(method="POST", body=b"")).body == b"{}"
    assert "Etag" in (await server.fetch()).headers


async def test_before_a_class_with_its_own_beginning_that_one_counts(serve, tmp_path):
    """StaticFileHandler and its like are not repeated, but called."""
    (tmp_path / "a.txt").write_text("static")

    class Counted(RequestHandler):
        def __init__(self, *args, **kwargs):
            self.counted = True
            super().__init__(*args, **kwargs)

        def clear(self):
            super().clear()
            self.set_header("X-Cleared", "yes")

        def flush(self, include_footers=False):
            self.set_header("X-Flushed", "yes")
            return super().flush(include_footers)

    class Both(ShortPathMixin, Counted):
        def get(self):
            self.write(str(self.counted))

    class Static(ShortPathMixin, StaticFileHandler):
        pass

    server = serve(Application([("/", Both), ("/s/(.*)", Static, {"path": str(tmp_path)})]))
    answer = await server.fetch()
    assert (answer.body, answer.headers["X-Cleared"], answer.headers["X-Flushed"]) == (b"True", "yes", "yes")
    assert (await server.fetch("/s/a.txt")).body == b"static"


async def test_an_overridden_flush_is_asked_and_may_fail():
    class Flushes(Base):
        fails = True

        def get(self):
            self.write("x")

        def flush(self, include_footers=False):
            if self.get_status() == 200:
                raise OSError("store is down")
            self.set_header("X-Flushed", str(include_footers))
            return super().flush(include_footers)

        def log_exception(self, typ, value, tb): ...

    answer = ask(app(Flushes))
    assert [(code, headers["X-Flushed"]) for code, _, headers in answer.heads] == [(500, "True")]
    assert answer.finished


class WholeConnection(Connection):
    def write_response(self, start_line, headers, body):
        self.whole = start_line.code, start_line.reason, headers["Content-Length"], body
        future = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future


async def test_a_connection_may_take_the_response_in_one_call():
    connection = ask(app(Page), WholeConnection())
    assert connection.whole == (200, "OK", "4", b"page")
    assert (connection.heads, connection.finished) == ([], False)


async def test_a_head_has_the_length_and_no_body():
    class Head(Page):
        head = Page.get

    assert ask(app(Head), WholeConnection(), method="HEAD").whole == (200, "OK", "4", b"")


async def test_a_stream_is_written_piece_by_piece_where_whole_responses_could_be():
    class Streams(Base):
        def get(self):
            self.write("a")
            self.flush()
            self.write("b")

    connection = ask(app(Streams), WholeConnection())
    assert (len(connection.heads), connection.body, connection.finished) == (1, b"ab", True)


class Ends:
    def __init__(self):
        self.ends = 0

    def process_endcall(self, handler, clear):
        self.ends += 1


async def test_the_end_comes_once_when_a_plain_handler_is_finished_later(serve, until):
    ends = Ends()

    class Later(Base):
        def get(self):
            self._auto_finish = False
            asyncio.get_running_loop().call_soon(self.finish, "later")

    assert (await serve(app(Later, ends)).fetch()).body == b"later"
    await until(lambda: ends.ends == 1)


async def test_the_end_comes_when_the_client_of_an_unfinished_plain_handler_left(serve, until):
    ends, entered, told = Ends(), asyncio.Event(), []

    class Never(Base):
        def get(self):
            self._auto_finish = False
            entered.set()

        def on_connection_close(self):
            told.append(ends.ends)

    _, writer = await serve(app(Never, ends)).connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await entered.wait()
    writer.close()
    await until(lambda: ends.ends == 1)
    assert told == [0]


async def test_the_end_waits_for_the_task_that_a_plain_function_left(serve, until):
    events, release = [], asyncio.Event()

    class Records:
        def process_endcall(self, handler, clear):
            events.append("end")

    class Goes(Base):
        def get(self):
            return self.later()

        async def later(self):
            asyncio.get_running_loop().call_soon(self.finish, "early")
            await release.wait()
            events.append("handler")

    assert (await serve(app(Goes, Records())).fetch()).body == b"early"
    assert events == []
    release.set()
    await until(lambda: events == ["handler", "end"])


async def test_the_end_after_an_error_in_a_plain_handler_comes_once(serve, until):
    ends = Ends()

    class Fails(Base):
        def get(self):
            raise ValueError

        def log_exception(self, typ, value, tb): ...

    assert (await serve(app(Fails, ends)).fetch()).code == 500
    await until(lambda: ends.ends == 1)


@pytest.mark.parametrize("waits", [False, True], ids=["callback", "awaitable"])
async def test_a_timeout_ends_what_a_plain_function_left_and_not_the_connection(serve, until, waits):
    ends = Ends()

    class Slow(Base):
        def get(self):
            self._auto_finish = False
            return asyncio.get_running_loop().create_future() if waits else None

        def post(self):
            self.write("posted")

    server = serve(app(Slow, ends, TimeoutMiddleware(0.02)))
    reader, writer = await server.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
    assert b" 504 " in head
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert (await reader.read()).endswith(b"posted")
    writer.close()
    await until(lambda: ends.ends == 2)


async def test_async_response_hooks_hold_the_response_of_a_plain_handler(serve):
    class Holds:
        async def process_response(self, handler, clear, chunk):
            await asyncio.sleep(0)
            chunk.append(b" held")

    assert (await serve(app(Page, Holds())).fetch()).body == b"page held"


async def test_responses_that_no_logger_takes_are_not_put_together(monkeypatch):
    summaries = []

    class Summed(Page):
        def _request_summary(self):
            summaries.append(1)
            return super()._request_summary()

    logged = []
    ask(app(Summed))
    assert summaries == []
    ask(app(Summed, log_function=logged.append))
    assert len(logged) == 1


async def test_a_router_that_finds_nothing_is_answered_by_tornados_404():
    class Nothing(Application):
        def find_handler(self, request, **kwargs):
            return None

    answer = ask(Nothing([]))
    assert (answer.heads, answer.finished) == ([(404, "Not Found", {})], True)


async def test_under_tornados_server_it_is_short_too(serve):
    server = serve(app(Page))
    assert type(server.server) is TornadoServer
    assert (await server.fetch()).body == b"page"
