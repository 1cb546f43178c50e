"""No header can be injected through what a client sends to the ready middlewares."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPInputError, RequestStartLine
from tornado.web import RequestHandler

from torngas_middleware import (
    Application,
    CORSMiddleware,
    RateLimitMiddleware,
    RequestIdMiddleware,
    SecurityHeadersMiddleware,
)

REFLECTED = ["X-Request-ID", "Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers", "Host"]
nasty = st.text(
    st.sampled_from("abcXYZ-_:;,=*\"'<>\\/% \t\x7f\x80\xff\r\n\x00\x0b\x85"),
    max_size=40,
)


class Page(RequestHandler):
    def get(self):
        self.write("x")


def build():
    middlewares = [
        RequestIdMiddleware(),
        SecurityHeadersMiddleware(),
        CORSMiddleware(origins=["*"], headers=["*"]),
        RateLimitMiddleware(rate=1e6, burst=1000),
    ]
    return Application([("/", Page)], middlewares=middlewares)


@pytest.mark.promise(7)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=st.sampled_from(["GET", "OPTIONS"]), name=st.sampled_from(REFLECTED), value=nasty)
def test_promise_07_no_header_injection(method, name, value):
    """The answer has the headers that it has for harmless values, each once, each on one line."""

    class Connection(HTTPConnection):
        context = None
        head = None

        def set_close_callback(self, callback): ...

        def write_headers(self, start_line, headers, chunk=None):
            self.head = start_line, headers
            return done

        def finish(self):
            done.set_result(None)

    async def run():
        nonlocal done
        done = asyncio.get_running_loop().create_future()
        connection = Connection()
        headers = HTTPHeaders({"Host": "x", "Origin": "https://a", "Access-Control-Request-Method": "PUT"})
        headers[name] = value  # past the server's own checks
        try:
            delegate = build().start_request(None, connection)
            delegate.headers_received(RequestStartLine(method, "/", "HTTP/1.1"), headers)
        except HTTPInputError:
            return  # Tornado refuses such a Host
        delegate.finish()
        await done
        for header, text in connection.head[1].get_all():
            assert not set(header + text) & set("\r\n\0\x0b\x85"), (header, text)
        assert "X-Injected" not in connection.head[1]
        assert len(connection.head[1].get_list("X-Request-ID")) == 1

    done = None
    asyncio.run(run())
