"""HTTP through the adapter, with the server's side played by the test."""

from __future__ import annotations

import asyncio
import contextvars
import gzip
import ssl

import pytest
import tornado.web
from hypothesis import given
from hypothesis import strategies as st
from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.ioloop import IOLoop
from tornado.iostream import StreamClosedError
from tornado.routing import PathMatches, Rule, RuleRouter

from torngas.application import Application
from torngas.asgi import ASGIAdapter, ASGIError, UnsupportedError
from torngas.asgi.connection import ASGIConnection
from torngas.asgi.headers import RequestHeaders
from torngas.asgi.request import ASGIRequest, request_target
from torngas.exception import ArgumentError


def http_scope(path="/", method="GET", headers=(), **more):
    path, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"example.com:80"), *headers],
        "client": ("10.0.0.9", 5000),
        "server": ("127.0.0.1", 80),
        **more,
    }


class Server:
    """The server's side of one request: what the client sends is put in, what the application sends is noted."""

    def __init__(self, app, *args, **more):
        self.scope = http_scope(*args, **more)
        self.app = app
        self.sent = []
        self.asked = 0
        self.incoming = asyncio.Queue()
        self.gate = asyncio.Event()
        self.gate.set()

    async def receive(self):
        self.asked += 1
        return await self.incoming.get()

    async def send(self, message):
        self.sent.append(message)
        await self.gate.wait()

    def body(self, data=b"", more=False):
        self.incoming.put_nowait({"type": "http.request", "body": data, "more_body": more})

    def leave(self):
        self.incoming.put_nowait({"type": "http.disconnect"})

    def start(self):
        self.task = asyncio.ensure_future(self.app(self.scope, self.receive, self.send))
        return self

    async def run(self, data=b""):
        self.body(data)
        async with asyncio.timeout(20):
            await self.app(self.scope, self.receive, self.send)
        return self

    @property
    def status(self):
        return self.sent[0]["status"]

    def header(self, name):
        return [value.decode("latin1") for found, value in self.sent[0]["headers"] if found == name.encode()]

    @property
    def content(self):
        return b"".join(message["body"] for message in self.sent[1:])


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0)


def handler(**methods):
    return type("Made", (tornado.web.RequestHandler,), methods)


def adapter(handler_class, *args, pattern="/.*", **kwargs):
    return ASGIAdapter(tornado.web.Application([(pattern, handler_class)], log_function=lambda _: None), **kwargs)


async def test_a_response_is_one_start_and_one_body():
    """Names in lower case, the length told, and nothing that is the server's: date, server, framing."""
    served = await Server(adapter(handler(get=lambda self: self.write("hello")))).run()
    start, body = served.sent
    assert (start["type"], start["status"]) == ("http.response.start", 200)
    assert body == {"type": "http.response.body", "body": b"hello", "more_body": False}
    assert served.header("content-length") == ["5"]
    assert not {"date", "server", "transfer-encoding"} & {name.decode() for name, _ in start["headers"]}


async def test_a_server_header_of_the_application_is_kept():
    served = await Server(adapter(handler(get=lambda self: self.set_header("Server", "mine")))).run()
    assert served.header("server") == ["mine"]


async def test_a_handler_that_answers_at_once_is_run_without_reading():
    """HTTP/1 tells by its headers that there is no body."""
    served = await Server(adapter(handler(get=lambda self: self.write("hello")))).run()
    assert served.asked == 0


@pytest.mark.parametrize("parts", [[b"a=1&b=2"], [b"a=1", b"&b", b"=2"]])
async def test_a_form_is_parsed(parts):
    def post(self):
        self.write(self.get_body_argument("a") + self.get_argument("b"))

    headers = [(b"content-type", b"application/x-www-form-urlencoded"), (b"content-length", b"7")]
    served = Server(adapter(handler(post=post)), "/", "POST", headers).start()
    for part in parts:
        served.body(part, more=part is not parts[-1])
    await served.task
    assert served.content == b"12"


async def test_http2_bodies_need_no_length():
    served = Server(adapter(handler(post=lambda self: self.write(self.request.body))), "/", "POST", http_version="2")
    await served.run(b"data")
    assert served.content == b"data"


async def test_a_streamed_body_is_read_as_the_handler_takes_it():
    """receive() is not called while `data_received` waits."""
    taken, go = [], asyncio.Event()

    @tornado.web.stream_request_body
    class Upload(tornado.web.RequestHandler):
        async def data_received(self, chunk):
            taken.append(bytes(chunk))
            await go.wait()

        def post(self):
            self.write(b"".join(taken))

    served = Server(adapter(Upload, chunk_size=3), "/", "POST", [(b"transfer-encoding", b"chunked")]).start()
    for data in (b"abcd", b"ef"):
        served.body(data, more=True)
    served.body(b"g")
    await until(lambda: taken)
    for _ in range(20):
        await asyncio.sleep(0)
    assert (taken, served.asked) == ([b"abc"], 1)
    go.set()
    await served.task
    assert taken == [b"abc", b"d", b"ef", b"g"]
    assert served.content == b"abcdefg"


async def test_flush_waits_for_the_server():
    steps = []

    async def get(self):
        for step in range(3):
            self.write(str(step))
            await self.flush()
            steps.append(step)

    served = Server(adapter(handler(get=get)))
    served.gate.clear()
    served.start()
    await until(lambda: served.sent)
    for _ in range(20):
        await asyncio.sleep(0)
    assert (len(served.sent), steps) == (1, [])
    served.gate.set()
    await served.task
    assert (steps, served.content) == ([0, 1, 2], b"012")
    assert [message.get("more_body") for message in served.sent] == [None, True, True, True, False]


async def test_a_handler_may_answer_while_the_body_arrives():
    @tornado.web.stream_request_body
    class Echo(tornado.web.RequestHandler):
        async def data_received(self, chunk):
            self.write(chunk)
            await self.flush()

        def post(self):
            self.finish("!")

    served = Server(adapter(Echo), "/", "POST", [(b"transfer-encoding", b"chunked")]).start()
    served.body(b"one", more=True)
    await until(lambda: served.content == b"one")
    served.body(b"two")
    await served.task
    assert served.content == b"onetwo!"
    assert served.header("connection") == []


async def test_leaving_is_told_while_the_handler_is_idle():
    closed, failed = [], []
    go = asyncio.Event()

    class Idle(tornado.web.RequestHandler):
        def on_connection_close(self):
            closed.append(1)
            go.set()

        async def get(self):
            await go.wait()
            self.write("late")
            try:
                await self.flush()
            except StreamClosedError as error:
                failed.append(error)

    served = Server(adapter(Idle)).start()
    served.leave()
    await served.task
    await until(lambda: failed)
    assert (closed, served.sent) == ([1], [])


@pytest.mark.parametrize("streams", [True, False])
async def test_leaving_is_told_during_the_upload(streams):
    closed, made = [], []

    class Upload(tornado.web.RequestHandler):
        def initialize(self):
            made.append(1)

        def data_received(self, chunk): ...

        def on_connection_close(self):
            closed.append(1)
            super().on_connection_close()

        def post(self):
            raise AssertionError

    app = adapter(tornado.web.stream_request_body(Upload) if streams else Upload)
    served = Server(app, "/", "POST", [(b"content-length", b"9")]).start()
    served.body(b"part", more=True)
    served.leave()
    await served.task
    assert (made, closed, served.sent) == (([1], [1], []) if streams else ([], [], []))


async def test_a_send_that_fails_is_a_client_that_left():
    """ASGI 2.4: the server raises an OSError."""
    outcome = []

    class Writer(tornado.web.RequestHandler):
        def on_connection_close(self):
            outcome.append("closed")

        async def get(self):
            self.write("a")
            try:
                await self.flush()
            except StreamClosedError:
                outcome.append("failed")

    served = Server(adapter(Writer))

    async def send(message):
        raise ConnectionResetError

    served.send = send
    await served.start().task
    await until(lambda: len(outcome) == 2)
    assert sorted(outcome) == ["closed", "failed"]


async def test_cancelling_the_server_tells_the_handler():
    closed = []
    waiting = handler(get=lambda self: asyncio.Event().wait(), on_connection_close=lambda self: closed.append(1))
    served = Server(adapter(waiting)).start()
    await until(lambda: served.asked)
    served.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await served.task
    assert closed == [1]


@pytest.mark.parametrize("length", [True, False])
async def test_a_body_that_is_too_long_is_refused(length):
    """With 400 and a closed connection, as Tornado's server does."""
    header = (b"content-length", b"11") if length else (b"transfer-encoding", b"chunked")
    served = Server(adapter(handler(post=lambda self: None), max_body_size=10), "/", "POST", [header])
    served.body(b"123456", more=True)
    await served.run(b"78901")
    assert (served.status, served.header("connection"), served.content) == (400, ["close"], b"")


async def test_a_handler_may_set_its_own_limits():
    class Upload(tornado.web.RequestHandler):
        def prepare(self):
            self.request.connection.set_max_body_size(100)
            self.request.connection.set_body_timeout(20)
            self.size = 0

        def data_received(self, chunk):
            self.size += len(chunk)

        def post(self):
            self.write(str(self.size))

    app = adapter(tornado.web.stream_request_body(Upload), max_body_size=10)
    served = await Server(app, "/", "POST", [(b"content-length", b"50")]).run(b"x" * 50)
    assert served.content == b"50"


async def test_a_body_that_comes_too_late_ends_the_request():
    served = Server(adapter(handler(post=lambda self: None), body_timeout=0), "/", "POST", [(b"content-length", b"5")])
    served.body(b"abc", more=True)
    await served.start().task
    assert served.sent == []


async def test_an_early_answer_closes_the_connection():
    """Of HTTP/1; to read on would be the only other way to the next request."""

    @tornado.web.stream_request_body
    class Refuses(tornado.web.RequestHandler):
        def prepare(self):
            raise tornado.web.HTTPError(403)

        def data_received(self, chunk):
            raise AssertionError

    for version, expected in (("1.1", ["close"]), ("2", [])):
        served = Server(adapter(Refuses), "/", "POST", [(b"content-length", b"5")], http_version=version)
        await served.start().task
        assert (served.status, served.header("connection")) == (403, expected)


async def test_data_received_that_finished_the_response_may_go_on():
    steps, go = [], asyncio.Event()

    @tornado.web.stream_request_body
    class Early(tornado.web.RequestHandler):
        async def data_received(self, chunk):
            self.finish("enough")
            await go.wait()
            steps.append("after")

    served = Server(adapter(Early), "/", "POST", [(b"content-length", b"5")]).start()
    served.body(b"abc", more=True)
    await served.task
    go.set()
    await until(lambda: steps)
    assert served.content == b"enough"


async def test_gzipped_bodies_are_unpacked_if_asked_for():
    app = adapter(handler(post=lambda self: self.write(self.request.body)), decompress_request=True)
    data = gzip.compress(b"hello" * 10)
    headers = [(b"content-encoding", b"gzip"), (b"content-length", str(len(data)).encode())]
    served = await Server(app, "/", "POST", headers).run(data)
    assert served.content == b"hello" * 10


@pytest.mark.parametrize(
    ("root", "raw", "expected"),
    [
        ("", b"/a%2Fb", "/a%2Fb"),
        ("/api", b"/api/a", "/a"),
        ("/api/", b"/api/a", "/a"),
        ("/api", b"/api", "/"),
        ("/api", b"/apiary", "/apiary"),
        ("/api", b"/other", "/other"),
        ("/\xe4", b"/%C3%A4/x", "/x"),
        ("", None, "/%C3%A9%20b"),
    ],
)
def test_routes_see_the_path_below_the_mounted_prefix(root, raw, expected):
    scope = http_scope("/\xe9 b" if raw is None else raw.decode(), root_path=root)
    scope["raw_path"] = raw
    assert request_target(scope) == (expected, expected)


async def test_a_mounted_application_knows_its_prefix():
    def get(self):
        self.write(f"{self.request.path} {self.request.uri} {self.request.root_path} {self.request.full_url()}")

    served = await Server(adapter(handler(get=get), pattern="/x"), "/api/x?q=1", root_path="/api").run()
    assert served.content == b"/x /x?q=1 /api http://example.com:80/api/x?q=1"


@pytest.mark.parametrize(
    "scope",
    [
        {"headers": [(b"x", b"y")]},
        {"headers": [(b"host", b"a"), (b"host", b"b")]},
        {"headers": [(b"host", b"a b")]},
        {"query_string": b"&".join([b"a=1"] * 1001)},
    ],
)
async def test_what_tornado_refuses_is_refused(scope):
    served = Server(adapter(handler(get=lambda self: None)))
    served.scope.update(scope)
    await served.run()
    assert served.status == 400


async def test_http10_needs_no_host():
    served = Server(adapter(handler(get=lambda self: self.write(self.request.host))), http_version="1.0")
    served.scope["headers"] = []
    assert (await served.run()).content == b"127.0.0.1"


PROXIED = [(b"x-forwarded-for", b"1.2.3.4, 10.0.0.8"), (b"x-forwarded-proto", b"https")]


@pytest.mark.parametrize(
    ("options", "client", "expected"),
    [
        ({}, ("10.0.0.9", 1), "10.0.0.9 http"),
        ({"xheaders": True}, ("10.0.0.9", 1), "10.0.0.9 http"),
        ({"xheaders": True, "trusted_downstream": ["10.0.0.8"]}, ("10.0.0.9", 1), "10.0.0.9 http"),
        ({"trusted_downstream": ["10.0.0.9", "10.0.0.8"]}, ("10.0.0.9", 1), "10.0.0.9 http"),
        ({"xheaders": True, "trusted_downstream": ["10.0.0.9"]}, ("10.0.0.9", 1), "10.0.0.8 https"),
        ({"xheaders": True, "trusted_downstream": ["10.0.0.9", "10.0.0.8"]}, ("10.0.0.9", 1), "1.2.3.4 https"),
        ({"xheaders": True, "trusted_downstream": ["unix:", "10.0.0.8"]}, None, "1.2.3.4 https"),
        ({"xheaders": True, "trusted_downstream": ["0.0.0.0"]}, None, "0.0.0.0 http"),
    ],
)
async def test_forwarded_headers_count_from_trusted_peers_only(options, client, expected):
    def get(self):
        self.write(f"{self.request.remote_ip} {self.request.protocol}")

    served = await Server(adapter(handler(get=get), **options), "/", "GET", PROXIED, client=client).run()
    assert served.content.decode() == expected


def test_looking_for_headers_that_are_not_there_decodes_none():
    headers = RequestHeaders([(b"host", b"x"), (b"accept", b"a"), (b"accept", b"b")])
    assert "X-None" not in headers
    assert headers.get("x-none") is None
    assert headers.get("X-None", "other") == "other"
    assert headers.get_list("x-none") == []
    assert "\u20ac" not in headers
    assert 1 not in headers
    assert "HOST" in headers
    assert "_as_list" not in vars(headers)
    assert headers.get("accept") == "a,b"
    assert headers.get_list("ACCEPT") == ["a", "b"]
    headers["X-None"] = "1"
    del headers["Host"]
    assert headers.get("x-none") == "1"
    assert "Host" not in headers


async def test_headers_keep_duplicates_and_latin1():
    def get(self):
        self.set_cookie("a", "1")
        self.set_cookie("b", "2")
        self.add_header("X-Name", "M\xfcller")
        self.add_header("X-Name", "two")
        self.write("|".join(self.request.headers.get_list("x-name")) + self.get_cookie("c"))

    sent = [(b"x-name", b"J\xf6rg"), (b"x-name", b"b"), (b"cookie", b"c=3")]
    served = await Server(adapter(handler(get=get)), "/", "GET", sent).run()
    assert served.content.decode() == "J\xf6rg|b3"
    assert [value.partition(";")[0] for value in served.header("set-cookie")] == ["a=1", "b=2"]
    assert served.header("x-name") == ["M\xfcller", "two"]


@pytest.mark.parametrize(("method", "status", "length"), [("HEAD", 200, ["5"]), ("GET", 204, []), ("GET", 304, [])])
async def test_responses_without_a_body(method, status, length):
    def answer(self):
        self.set_status(status)
        if status == 200:
            self.write("hello")

    served = await Server(adapter(handler(get=answer, head=answer)), "/", method).run()
    assert (served.status, served.content, served.header("content-length")) == (status, b"", length)


@pytest.mark.parametrize(("length", "body"), [("3", "four"), ("5", "four")])
async def test_a_wrong_length_breaks_the_response_off(length, body, caplog):
    async def get(self):
        self.set_header("Content-Length", length)
        self.write(body)
        await self.flush()

    served = await Server(adapter(handler(get=get))).run()
    assert all(message.get("more_body") is not False for message in served.sent)
    assert "Content-Length" in caplog.text


@pytest.mark.parametrize("value", ["a\r\nb", "a\0b"])
def test_no_header_can_be_smuggled(value):
    connection = ASGIConnection(http_scope(), 0, None)
    headers = HTTPHeaders()
    headers["X"] = value
    with pytest.raises(ValueError, match="Illegal characters"):
        connection.write_headers(RequestStartLine("", 200, ""), headers)


async def test_http2_gets_no_headers_of_a_connection():
    def get(self):
        self.set_header("Connection", "close")
        self.set_header("Keep-Alive", "5")

    served = await Server(adapter(handler(get=get)), http_version="2").run()
    assert served.header("connection") == served.header("keep-alive") == []


async def test_the_raw_socket_is_refused_with_the_remedy():
    seen = []

    def get(self):
        seen.append(getattr(self.request.connection, "stream", None))
        for ask in (self.detach, lambda: self.request.connection.stream):
            with pytest.raises(UnsupportedError, match="Tornado's own server"):
                ask()
        self._finished = False
        self.write("done")

    assert (await Server(adapter(handler(get=get))).run()).content == b"done"
    assert seen == [None]


async def test_work_goes_on_behind_the_response():
    done = asyncio.Event()

    async def get(self):
        self.finish("answer")
        assert IOLoop.current().asyncio_loop is asyncio.get_running_loop()
        IOLoop.current().add_callback(done.set)

    served = await Server(adapter(handler(get=get))).run()
    async with asyncio.timeout(20):
        await done.wait()
    assert served.content == b"answer"


async def test_the_request_has_a_context_of_its_own():
    """A variable that routing or the handler sets is not seen by the caller."""
    variable = contextvars.ContextVar("variable", default=0)

    class Sets:
        def process_call(self, request, clear):
            variable.set(variable.get() + 1)

    application = Application([("/", handler(get=lambda self: self.write(str(variable.get()))))], middlewares=[Sets()])
    for _ in range(2):
        assert (await Server(application.asgi).run()).content == b"1"
    assert variable.get() == 0


async def test_the_client_certificate_is_the_extensions():
    pem = ssl.DER_cert_to_PEM_cert(b"certificate")
    seen = []

    def get(self):
        seen.append(self.request.get_ssl_certificate(binary_form=True))
        if seen[-1]:
            with pytest.raises(UnsupportedError, match="binary_form=True"):
                self.request.get_ssl_certificate()

    for tls in ({"client_cert_chain": [pem]}, {"client_cert_chain": []}, None):
        await Server(adapter(handler(get=get)), extensions={"tls": tls} if tls else None).run()
    assert seen == [b"certificate", None, None]


async def test_any_router_can_be_served():
    """Also one that finds nothing, and an application that overrides `start_request`."""
    application = tornado.web.Application([("/x", handler(get=lambda self: self.write(self.request.remote_ip)))])
    router = RuleRouter([Rule(PathMatches("/x"), application)])
    assert (await Server(ASGIAdapter(router), "/x?a=1").run()).content == b"10.0.0.9"
    assert (await Server(ASGIAdapter(router), "/y").run()).status == 404
    started = []

    class Own(tornado.web.Application):
        def start_request(self, server_conn, request_conn):
            started.append(request_conn)
            return super().start_request(server_conn, request_conn)

    own = Own([("/", handler(get=lambda self: self.write(self.request.uri)))])
    assert (await Server(ASGIAdapter(own), "/?a=1").run()).content == b"/?a=1"
    assert isinstance(started[0], HTTPConnection)


async def test_an_exception_of_the_server_is_not_swallowed():
    served = Server(adapter(handler(get=lambda self: None)))

    async def send(message):
        raise RuntimeError("broken server")

    served.send = send
    with pytest.raises(RuntimeError, match="broken server"):
        await served.run()


def test_another_loop_than_asyncios_is_refused():
    """There is no running loop of asyncio under trio."""
    served = adapter(handler(get=lambda self: None))(http_scope(), None, None)
    with pytest.raises(ASGIError, match="hypercorn --worker-class asyncio"):
        served.send(None)


async def test_what_is_no_application_is_refused():
    with pytest.raises(ArgumentError, match=r"tornado\.web\.Application"):
        ASGIAdapter(object())
    with pytest.raises(ASGIError, match="'other'"):
        await adapter(handler())({"type": "other"}, None, None)


TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?&;#"), max_size=8)
NAMES = st.sampled_from(["x-one", "accept", "cookie", "content-type"])


@given(st.lists(st.tuples(TEXT, TEXT), max_size=4), st.lists(st.tuples(NAMES, TEXT), max_size=5), TEXT)
def test_the_lazy_request_is_tornados(query, headers, path):
    """Every public attribute has the value that HTTPServerRequest computes."""
    uri = "/" + path + "?" + "&".join(f"{name}={value}" for name, value in query)
    theirs_headers = HTTPHeaders({"Host": "example.com:80"})
    for name, value in headers:
        theirs_headers.add(name, value)
    theirs = HTTPServerRequest(start_line=RequestStartLine("GET", uri, "HTTP/1.1"), headers=theirs_headers)
    scope = http_scope(uri, headers=[(name.encode(), value.encode()) for name, value in headers])
    ours = ASGIRequest(ASGIConnection(scope, 0, None), request_target(scope)[1])
    for name in ("method", "path", "query", "version", "host", "host_name", "body", "files", "protocol"):
        assert getattr(ours, name) == getattr(theirs, name)
    for name in ("arguments", "query_arguments", "body_arguments"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.arguments is not ours.query_arguments or not query
    assert ours.uri.rstrip("?") == uri.rstrip("?")
    assert list(ours.headers.get_all()) == list(theirs.headers.get_all())
    assert ours.headers.get("X-One") == theirs.headers.get("X-One")
    assert ours.cookies == theirs.cookies


def test_tornado_has_the_private_names_that_stand_for_public_ones():
    """Fails when Tornado changes what torngas.asgi relies upon."""
    headers = HTTPHeaders({"A": "1"})
    assert headers._as_list == {"A": ["1"]}
    assert vars(headers).keys() == {"_as_list", "_combined_cache"}
    from tornado.http1connection import _GzipMessageDelegate

    assert _GzipMessageDelegate(None, 1, 1)._decompressor is None
