"""The framework's handlers and server take the short path, with everything that the framework adds."""

import asyncio

import pytest
import tornado.web
from tornado.httputil import HTTPConnection, HTTPHeaders, RequestStartLine

from torngas import request_context
from torngas._serving import GracefulHTTPServer
from torngas.application import Application
from torngas.handler import ApiHandler, ErrorHandler, WebHandler
from torngas_middleware import HTTPServer, ShortPathMixin


class Connection(HTTPConnection):
    """Takes a response without a socket."""

    context = None

    def __init__(self):
        self.code, self.headers, self.body, self.finished = 0, {}, b"", False

    def set_close_callback(self, callback): ...

    def write_headers(self, start_line, headers, chunk=None):
        self.code, self.headers, self.body = start_line.code, dict(headers), chunk
        return asyncio.get_running_loop().create_future()

    def finish(self):
        self.finished = True


def ask(application, path="/"):
    """Hands a whole request over, and answers what the connection got before anything else could run."""
    connection = Connection()
    delegate = application.start_request(None, connection)
    delegate.headers_received(RequestStartLine("GET", path, "HTTP/1.1"), HTTPHeaders({"Host": "x"}))
    delegate.finish()
    return connection


class Page(WebHandler):
    def get(self, name="nobody"):
        self.write(f"{name} {request_context.request is self.request}", status=203)


async def test_a_plain_handler_is_answered_before_anything_else_runs():
    application = Application([("/", Page), ("/(.+)", Page)])
    assert ask(application).body == b"nobody True"
    connection = ask(application, "/ada")
    assert (connection.code, connection.body, connection.finished) == (203, b"ada True", True)
    assert request_context.request is None


async def test_the_server_has_one_timer():
    assert issubclass(GracefulHTTPServer, HTTPServer)
    assert issubclass(GracefulHTTPServer, tornado.httpserver.HTTPServer)


@pytest.mark.parametrize("handler", [WebHandler, ApiHandler, ErrorHandler])
def test_the_handlers_have_it(handler):
    assert issubclass(handler, ShortPathMixin)


async def test_it_can_be_switched_off_and_the_answer_stays():
    application = Application([("/", Page)], short_path=False)
    connection = ask(application)
    assert not connection.finished
    while not connection.finished:
        await asyncio.sleep(0)
    assert connection.body == b"nobody True"


async def test_etag_and_json_are_settings_of_the_application():
    class Json(WebHandler):
        def get(self):
            self.write({"a": 1})

    tornados = ask(Application([("/", Json)]))
    assert (tornados.body, "Etag" in tornados.headers) == (b'{"a": 1}', True)
    ours = ask(Application([("/", Json)], etag=False, json=lambda value: b"{}"))
    assert (ours.body, "Etag" in ours.headers) == (b"{}", False)
