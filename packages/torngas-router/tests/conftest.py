from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import tornado.web
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from torngas_router import Application, Url


class Connection:
    """As much of one as routing needs."""

    context = None

    def set_close_callback(self, callback: object) -> None:
        pass


def new_request(path: str, method: str = "GET", host: str = "localhost") -> HTTPServerRequest:
    line = RequestStartLine(method, "/", "HTTP/1.1")
    request = HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": host}), connection=Connection())
    request.path = path
    return request


class Echo(tornado.web.RequestHandler):
    """Tells what it was called with."""

    def any(self, *args: Any, **kwargs: Any) -> None:
        values = {name: f"{type(value).__name__} {value}" for name, value in kwargs.items()}
        route = self.request.route
        told = {"args": args, "kwargs": values, "url_kwargs": self._url_kwargs, "route": [route.pattern, route.name]}
        self.write(json.dumps(told))
        self._url_kwargs["left"] = "by an earlier request"

    get = post = delete = any


@pytest.fixture
def make_request() -> Callable[..., HTTPServerRequest]:
    """A request with exactly this path, some of which no HTTP parser would let through."""
    return new_request


@pytest.fixture
def echo() -> type[tornado.web.RequestHandler]:
    """A handler class that answers with its arguments as JSON."""
    return Echo


@pytest.fixture
def u() -> Url:
    return Url()


@pytest.fixture
def serve():
    """Serves an application on a free port while a test runs: `fetch = await serve(application)`."""
    from tornado.httpclient import AsyncHTTPClient, HTTPRequest
    from tornado.httpserver import HTTPServer
    from tornado.testing import bind_unused_port

    servers = []

    async def started(application: Any) -> Callable[..., Any]:
        socket, port = bind_unused_port()
        server = HTTPServer(application)
        server.add_socket(socket)
        servers.append(server)
        client = AsyncHTTPClient(force_instance=True)

        async def fetch(path: str, method: str = "GET", **options: Any) -> Any:
            url = f"http://127.0.0.1:{port}{path}"
            options.setdefault("body", "" if method in ("POST", "PUT") else None)
            request = HTTPRequest(url, method=method, follow_redirects=False, **options)
            return await client.fetch(request, raise_error=False)

        fetch.port = port
        return fetch

    yield started
    for server in servers:
        server.stop()


@pytest.fixture
def ask():
    """(application or entries, path, method, host) -> the delegate that answers."""

    def asked(routes: Any, path: str, method: str = "GET", host: str = "localhost") -> Any:
        application = routes if isinstance(routes, tornado.web.Application) else Application(routes)
        return application.find_handler(new_request(path, method, host))

    return asked
