"""Shared fixtures: a server on a free port, a recorder of calls, a small chain of middlewares."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from torngas_httpmodule import BaseHttpModule


@pytest.fixture
async def fetch():
    """`await fetch(application, path, **options)` against a real server."""
    servers: dict[int, tuple[HTTPServer, int]] = {}

    async def get(application: Any, path: str = "/", **options: Any) -> Any:
        if id(application) not in servers:
            server = HTTPServer(application)
            (one,) = bind_sockets(0, "127.0.0.1")
            server.add_socket(one)
            servers[id(application)] = server, one.getsockname()[1]
        options = {"raise_error": False, "follow_redirects": False, **options}
        return await AsyncHTTPClient().fetch(f"http://127.0.0.1:{servers[id(application)][1]}{path}", **options)

    yield get
    for server, _ in servers.values():
        server.stop()
        await server.close_all_connections()


@pytest.fixture
def trace() -> list[str]:
    return []


@pytest.fixture
def recorder(trace: list[str]) -> Callable[..., type[BaseHttpModule]]:
    """Makes a module class that writes `name.hook` into the trace."""

    def make(name: str, **hooks: Any) -> type[BaseHttpModule]:
        def record(hook: str) -> Callable[..., Any]:
            def call(self: Any, handler: Any, clear: Any, *args: Any, **kwargs: Any) -> Any:
                trace.append(f"{name}.{hook}")
                return hooks[hook](handler, clear, *args) if hook in hooks else None

            return call

        body = {
            "begin_request": record("begin_request"),
            "begin_render": record("begin_render"),
            "begin_response": record("begin_response"),
            "complete_response": record("complete_response"),
        }
        return type(name, (BaseHttpModule,), body)

    return make


@pytest.fixture
def handler_of():
    """A stand-in for a handler, where only `current_user`, the request and headers matter."""

    def make(**attributes: Any) -> SimpleNamespace:
        request = SimpleNamespace(headers={}, remote_ip="192.0.2.1", method="GET", uri="/x", path="/x")
        return SimpleNamespace(**{"request": request, "current_user": None, "_finished": False, **attributes})

    return make
