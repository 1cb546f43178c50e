from collections.abc import Callable

import pytest
import tornado.web
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from torngas_router import Application


class Connection:
    context = None


def new_request(path: str, method: str = "GET", host: str = "localhost") -> HTTPServerRequest:
    line = RequestStartLine(method, "/", "HTTP/1.1")
    request = HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": host}), connection=Connection())
    request.path = path
    return request


@pytest.fixture
def make_request() -> Callable[..., HTTPServerRequest]:
    """A request with exactly this path, as no parser would ever see some of them."""
    return new_request


@pytest.fixture
def ask():
    """(application or entries, path, method, host) -> the delegate, and its request."""

    def asked(entries, path, method="GET", host="localhost"):
        application = entries if isinstance(entries, tornado.web.Application) else Application(entries)
        return application.find_handler(new_request(path, method, host))

    return asked
