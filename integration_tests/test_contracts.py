"""The contracts between the libraries: what one needs, another has, with no import between them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from torngas_cache import create_cache
from torngas_httpmodule import BaseHttpModule, HttpModuleMiddleware
from torngas_middleware import AccessLogMiddleware, Manager
from torngas_router import RouteTable, Url, route
from torngas_session import SessionConfig, SessionMiddleware
from torngas_session.protocols import AsyncSessionStore, CompareAndSetStore, SessionStore
from torngas_signal import SignalMiddleware

TYPED = Path(__file__).parent / "typing" / "contracts.py"


@pytest.fixture(params=["locmem", "file", "redis", "tiered"])
def cache(request, tmp_path):
    if request.param == "locmem":
        yield create_cache("locmem", "contracts")
        return
    if request.param == "file":
        yield create_cache("file", str(tmp_path / "cache"))
        return
    port = request.getfixturevalue("redis_server")["port"]
    made = create_cache(request.param, f"redis://127.0.0.1:{port}/0")
    yield made
    made.close()


def test_every_cache_is_a_session_store(cache):
    assert isinstance(cache, SessionStore)
    assert isinstance(cache, AsyncSessionStore)
    assert isinstance(cache, CompareAndSetStore)
    assert isinstance(cache.blocking, bool)


async def test_a_cache_keeps_the_promises_of_a_session_store(cache):
    await cache.adelete("k")
    assert await cache.agets("k") == (None, None)
    assert await cache.acas("k", "one", None, 60) is True
    assert await cache.acas("k", "two", None, 60) is False
    value, token = await cache.agets("k")
    assert value == "one"
    assert await cache.acas("k", "two", token, 60) is True
    assert await cache.acas("k", "three", token, 60) is False
    assert await cache.aget("k", None) == "two"
    value, token = await cache.agets("k")
    await cache.adelete("k")
    assert await cache.acas("k", "four", token, 60) is False
    assert await cache.aget("k", "gone") == "gone"
    await cache.aclose()


class Module(BaseHttpModule):
    def begin_request(self, handler: Any, clear: Any) -> None:
        pass


@pytest.mark.parametrize(
    "middleware",
    [
        SessionMiddleware(create_cache("locmem", "contracts"), SessionConfig(secret_key="x")),
        SignalMiddleware(),
        HttpModuleMiddleware([Module]),
        AccessLogMiddleware(),
    ],
    ids=lambda one: type(one).__name__,
)
def test_every_librarys_middleware_can_be_registered(middleware):
    manager = Manager()
    manager.register(middleware)
    assert manager.middlewares == (middleware,)


def test_the_routers_match_is_what_others_read_from_a_request():
    table = RouteTable(route(Url(a=1)("/user/(.*)", "tornado.web.RequestHandler", name="User")))
    request = HTTPServerRequest(
        start_line=RequestStartLine("GET", "/user/7", "HTTP/1.1"), headers=HTTPHeaders({"Host": "x"})
    )
    assert table.find_handler(request) is not None
    assert (request.route.pattern, request.route.name) == ("/user/(.*)", "User")
    assert [(row.pattern, row.name) for row in table.describe()] == [("/user/(.*)", "User")]


def test_the_contracts_hold_for_the_type_checker():
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(TYPED)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
