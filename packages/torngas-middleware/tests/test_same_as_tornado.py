"""Thousands of generated requests, to plain Tornado and to the short path: the same bytes come back, dates aside."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import re

import pytest
import tornado.httpserver
import tornado.testing
import tornado.web
from tornado.web import Finish, HTTPError, RedirectHandler, StaticFileHandler, stream_request_body

import torngas_middleware
from torngas_middleware import ShortPathMixin

CONNECTIONS = 350
PIPELINED = 6
HELLO_ETAG = '"e02aa1b106d5c7c6a98def2b13005d5b84fd8dc8"'  # sha1 of "Hello, world"


class Short(ShortPathMixin, tornado.web.RequestHandler):
    pass


def handlers(base):
    """The same handlers on another base class."""

    class Hello(base):
        def get(self):
            self.write("Hello, world")

        head = post = get

    class Json(base):
        def get(self):
            self.write({"a": [1, 2.5, None, True], "ü": "</script>", "nested": {"x": "y"}})
            self.set_header("X-After", "1")

    class Echo(base):
        def prepare(self):
            self.set_header("X-Prepared", self.request.method)

        def get(self, *args):
            names = sorted(self.request.arguments)
            files = {n: [(f.filename, f.content_type, len(f.body)) for f in v] for n, v in self.request.files.items()}
            request = self.request
            self.write(
                repr((request.method, request.uri, request.path, request.query, request.version, request.host, args))
                + repr([(name, self.get_arguments(name)) for name in names])
                + repr([sorted(request.query_arguments), sorted(request.body_arguments), files])
                + repr(sorted((n, m.value) for n, m in request.cookies.items()))
                + repr(sorted(request.headers.get_all()))
                + repr((request.body, request.remote_ip, request.protocol, request.host_name, request.full_url()))
                + repr(request)
            )

        post = put = patch = delete = options = head = get

    class Status(base):
        def get(self, code, body):
            self.set_status(int(code), self.get_argument("reason", None))
            if body:
                self.write(body)

        post = head = get

    class Fails(base):
        def get(self, kind):
            self.set_header("X-Lost", "yes")
            self.set_cookie("kept", "perhaps")
            self.write("lost")
            getattr(self, "fail_" + kind)()

        post = head = get

        def fail_error(self):
            raise ValueError("no")

        def fail_http(self):
            raise HTTPError(
                int(self.get_argument("code", "418")), "log %s", "it", reason=self.get_argument("reason", None)
            )

        def fail_missing(self):
            self.get_argument("missing")

        def fail_finish(self):
            raise Finish

        def fail_finish_with(self):
            raise Finish("other")

        def fail_send_error(self):
            self.send_error(503, reason="Busy")

        def fail_flushed(self):
            self.flush()
            raise ValueError("after the headers")

        def fail_finished(self):
            self.finish()
            raise ValueError("after the end")

        def fail_twice(self):
            self.finish()
            self.finish()

        def fail_header(self):
            self.set_header("X-Bad", "a\r\nb")

        def fail_cancelled(self):
            raise asyncio.CancelledError

        def fail_too_much(self):
            self.set_header("Content-Length", 2)

        def fail_too_little(self):
            self.set_header("Content-Length", 200)

        def fail_return(self):
            self.finish("done")
            self.write("again")

    class Returns(base):
        def get(self, kind):
            return getattr(self, "return_" + kind)()

        head = get

        def return_finish(self):
            return self.finish("finished")

        def return_future(self):
            future = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(future.set_result, None)
            self.write("future")
            return future

        def return_failed(self):
            future = asyncio.get_running_loop().create_future()
            future.set_exception(HTTPError(409))
            return future

        async def return_coroutine(self):
            await asyncio.sleep(0)
            self.write("coroutine")

        def return_nonsense(self):
            return "text"

        def return_late(self):
            self._auto_finish = False
            asyncio.get_running_loop().call_soon(self.finish, "late")

    class Async(base):
        async def prepare(self):
            await asyncio.sleep(0)
            if self.get_argument("stop", ""):
                self.finish("stopped")

        async def get(self):
            self.write("async")
            await self.flush()
            self.write(" more")

        async def post(self):
            await asyncio.sleep(0)
            raise HTTPError(402)

    class Cookies(base):
        def get(self):
            self.set_cookie("a", "1", path="/x", httponly=True)
            self.set_cookie("b", "zwei", domain="example.org", samesite="Lax")
            self.set_cookie("a", "2")
            self.clear_cookie("c")
            self.add_header("Set-Cookie", "raw=1")
            self.write(repr(sorted(self.cookies)))

    class Stream(base):
        def get(self, count):
            if self.get_argument("length", ""):
                self.set_header("Content-Length", 3 * int(count))
            for number in range(int(count)):
                self.write(f"{number:03}")
                self.flush()

        head = get

    class Headers(base):
        def set_default_headers(self):
            self.set_header("Server", "another")
            self.add_header("X-Many", "1")

        def get(self):
            self.add_header("X-Many", "2")
            self.set_header("X-Latin", "h\xe9")
            self.set_header("X-Number", 5)
            self.clear_header("Content-Type")
            self.clear_header("Date" if self.get_argument("date", "") else "X-Not-There")
            self.set_status(200, self.get_argument("reason", None))
            self.write(b"x")

    class Etag(base):
        def compute_etag(self):
            return self.get_argument("etag", None)

        def get(self):
            if given := self.get_argument("header", ""):
                self.set_header("Etag", given)
            self.set_header("Content-Language", "en")
            self.write("tagged")

        head = get

    class Large(base):
        def get(self, size):
            self.write(b"x" * int(size))
            self.write("end")

    class Empty(base):
        def get(self): ...

        head = put = delete = get

        def write_error(self, status_code, **kwargs):
            self.finish({"status": status_code})

    class Early(base):
        def prepare(self):
            self.redirect("/hello?x=1", permanent=bool(self.get_argument("permanent", "")))

    @stream_request_body
    class Upload(base):
        def initialize(self):
            self.got = b""

        def data_received(self, chunk):
            self.got += chunk

        def post(self):
            self.write(self.got)

        put = get = post

    return [
        (r"/hello", Hello),
        (r"/json", Json),
        (r"/echo(?:/([^/]*)(?:/([^/]*))?)?", Echo),
        (r"/status/(\d+)/(.*)", Status),
        (r"/fails/(\w+)", Fails),
        (r"/returns/(\w+)", Returns),
        (r"/async", Async),
        (r"/cookies", Cookies),
        (r"/stream/(\d+)", Stream),
        (r"/headers", Headers),
        (r"/etag", Etag),
        (r"/large/(\d+)", Large),
        (r"/empty", Empty),
        (r"/early", Early),
        (r"/upload", Upload),
        (r"/redirect", RedirectHandler, {"url": "/hello"}),
    ]


PATHS = [
    ["/hello", "/hello?a=1&b=%C3%BC", "/hello?", "/json", "/echo", "/echo/a/b?x=1&x=2&y=", "/echo/%FF", "/echo/a%20b/"],
    ["/status/200/body", "/status/201/", "/status/204/", "/status/204/body", "/status/304/", "/status/404/gone"],
    ["/status/299/x?reason=Odd", "/status/200/?reason=caf%C3%A9", "/status/500/x?reason=%3Cb%3E", "/status/205/"],
    [
        "/fails/error",
        "/fails/http?code=404",
        "/fails/http?code=403&reason=No",
        "/fails/http?code=304",
        "/fails/missing",
    ],
    ["/fails/finish", "/fails/finish_with", "/fails/send_error", "/fails/finished", "/fails/twice", "/fails/header"],
    ["/fails/cancelled", "/fails/flushed", "/fails/too_much", "/fails/http", "/fails/missing", "/fails/return"],
    ["/fails/too_little", "/fails/unknown", "/hello", "/hello", "/json", "/echo?a=1"],
    [
        "/returns/finish",
        "/returns/future",
        "/returns/failed",
        "/returns/coroutine",
        "/returns/nonsense",
        "/returns/late",
    ],
    [
        "/returns/late",
        "/async",
        "/async?stop=1",
        "/cookies",
        "/stream/0",
        "/stream/1",
        "/stream/3",
        "/stream/3?length=1",
    ],
    [
        "/headers",
        "/headers?date=1",
        "/headers?reason=%C3%A9",
        "/etag",
        "/etag?etag=%22x%22",
        "/etag?header=W/%22x%22",
        "/empty",
    ],
    [
        "/large/70000",
        "/large/3000000",
        "/early",
        "/early?permanent=1",
        "/upload",
        "/redirect",
        "/nowhere",
        "*",
        "http://x/",
    ],
    ["/static/text.txt", "/static/none", "/static/", "/static/../secret", "/static/text.txt?v=1", "/static/empty.txt"],
]
CONDITIONS = [
    "If-None-Match: " + HELLO_ETAG,
    "If-None-Match: W/" + HELLO_ETAG,
    'If-None-Match: "other", ' + HELLO_ETAG,
    "If-None-Match: *",
    'If-None-Match: "x"',
    "If-None-Match: nonsense",
    "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
    "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT",
    "If-Modified-Since: nonsense",
    "Range: bytes=0-4",
    "Range: bytes=-3",
    "Range: bytes=5-",
    "Range: bytes=900-",
    "Range: bytes=4-2",
    "Range: nonsense",
    "Cookie: a=1; b=zwei; =x; c",
    'Cookie: q="a\\054b"',
    "Origin: http://evil.example",
    "Origin: http://x",
    "Sec-Fetch-Site: cross-site",
    "Accept: */*",
    "user-agent: test/1.0",
    "X-Twice: 1\r\nX-Twice: 2",
    "Accept: a\r\naccept: b",
    "X-Latin: h\xe9",
    "X-Empty:",
    "Expect: 100-continue",
    "Accept-Encoding: gzip",
]
MALFORMED = ["Bad Header: x", "No colon", "X-Control: a\x01b", "Host: other", " Folded: x", "Host: b@d"]
MULTIPART = (
    b'--B\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nfile\r\n'
    b'--B\r\nContent-Disposition: form-data; name="v"\r\n\r\nvalue\r\n--B--\r\n'
)
BODIES = [
    ("application/x-www-form-urlencoded", b"a=1&b=%C3%BC&a=2"),
    ("application/x-www-form-urlencoded", b"%"),
    ("multipart/form-data; boundary=B", MULTIPART),
    ("multipart/form-data; boundary=B", b"nonsense"),
    ("multipart/form-data; boundary=B", b""),
    ("application/json", b'{"a": 1}'),
    ("text/plain", b""),
    (None, b"raw"),
]
METHODS = (
    ["GET"] * 12
    + ["HEAD"] * 4
    + ["POST"] * 5
    + ["PUT", "PATCH", "DELETE", "OPTIONS", "FOO", "get", "_TEMPLATE_LOADERS", "PREPARE"]
)


def request(rng, last):
    """One request; the last of a connection has it closed."""
    method, path = rng.choice(METHODS), rng.choice(rng.choice(PATHS))
    version = "HTTP/1.0" if last and rng.random() < 0.3 else "HTTP/1.1"
    lines = [f"{method} {path} {version}"]
    if version == "HTTP/1.1" or rng.random() < 0.5:
        lines.append(rng.choice(["Host: x", "host: x:80", "Host: example.org"]))
    lines += rng.sample(CONDITIONS, rng.choice([0, 0, 1, 1, 2, 4]))
    body = b""
    if method in ("POST", "PUT", "PATCH") or rng.random() < 0.05:
        body = with_body(rng, lines, version)
    if last and version == "HTTP/1.1":
        lines.append("Connection: close")
    if last and rng.random() < 0.15:
        lines.append(rng.choice(MALFORMED))
    rng.shuffle(rest := lines[1:])
    return "\r\n".join([lines[0], *rest, "", ""]).encode("latin1") + body


def with_body(rng, lines, version):
    kind, body = rng.choice(BODIES)
    if kind:
        lines.append(f"Content-Type: {kind}")
    if version == "HTTP/1.1" and rng.random() < 0.4:
        lines.append("Transfer-Encoding: chunked")
        parts = [body[:5], body[5:]]
        return b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in parts if p) + b"0\r\n\r\n"
    lines.append(f"Content-Length: {len(body)}")
    return body


def conversations():
    """What each connection sends, derived from its number alone."""
    for number in range(CONNECTIONS):
        rng = random.Random(number)
        count = rng.randint(1, PIPELINED)
        yield b"".join(request(rng, last=index == count - 1) for index in range(count))


def normal(answer):
    """Without what tells the time: date, end of a cached file, and the time in the head of gzip."""
    answer = re.sub(rb"\r\n(Date|Expires): \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", rb"\r\n\1: then", answer)
    return re.sub(rb"(\x1f\x8b\x08.)....", rb"\g<1>time", answer, flags=re.DOTALL)


async def answered(port, sent):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        return normal(await asyncio.wait_for(reader.read(), 60))
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


class NoOp:
    def process_call(self, request, clear): ...
    def process_request(self, handler, clear): ...
    def process_exception(self, handler, clear, typ, value, tb): ...
    def process_response(self, handler, clear, chunk): ...
    def process_endcall(self, handler, clear): ...


@contextlib.asynccontextmanager
async def serving(server):
    socket, port = tornado.testing.bind_unused_port()
    server.add_socket(socket)
    try:
        yield port
    finally:
        server.stop()
        await server.close_all_connections()


OURS, THEIRS = torngas_middleware.HTTPServer, tornado.httpserver.HTTPServer
SETTINGS = {"compress_response": True, "cross_origin_protection": True}


@pytest.mark.parametrize(
    ("server", "middlewares", "settings"),
    [(OURS, [], {}), (OURS, [NoOp], {}), (OURS, [], SETTINGS), (THEIRS, [NoOp], SETTINGS)],
    ids=["bare", "middlewares", "settings", "Tornado's server"],
)
async def test_generated_requests_get_the_bytes_that_tornado_sends(tmp_path, server, middlewares, settings):
    logging.getLogger("tornado").setLevel(logging.CRITICAL + 1)
    (tmp_path / "text.txt").write_text("0123456789" * 3)
    (tmp_path / "empty.txt").touch()
    static = (r"/static/(.*)", StaticFileHandler, {"path": str(tmp_path)})
    theirs = tornado.web.Application([*handlers(tornado.web.RequestHandler), static], **settings)
    ours = torngas_middleware.Application([*handlers(Short), static], middlewares=middlewares, **settings)
    different, statuses = [], set()
    try:
        async with serving(tornado.httpserver.HTTPServer(theirs)) as a, serving(server(ours)) as b:
            for sent in conversations():
                expected, got = await asyncio.gather(answered(a, sent), answered(b, sent))
                statuses.update(re.findall(rb"HTTP/1\.1 (\d{3})", expected))
                if expected != got:
                    different.append((sent, expected[:3000], got[:3000]))
        await ours.drain()
    finally:
        logging.getLogger("tornado").setLevel(logging.NOTSET)
    assert not different, different[0]
    assert statuses >= {b"200", b"206", b"302", b"304", b"400", b"404", b"405", b"416", b"418", b"500", b"503"}
