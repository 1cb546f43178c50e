"""Servers and recording middlewares for every test."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from types import SimpleNamespace

import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer

HOOKS = ("call", "request", "render", "exception", "response", "endcall")
MAY_BE_ASYNC = {"request", "exception", "response", "endcall"}


async def _until(condition, seconds=60.0):
    """Lets the loop run until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"condition not met within {seconds} seconds"
        await asyncio.sleep(0.001)


@pytest.fixture
def until():
    return _until


class Server:
    """An application that listens on a free port of the loopback address."""

    def __init__(self, application, **options):
        self.application = application
        self.server = HTTPServer(application, **options)
        sock = socket.create_server(("127.0.0.1", 0))
        sock.setblocking(False)
        self.port = sock.getsockname()[1]
        self.server.add_sockets([sock])
        self.client = AsyncHTTPClient(force_instance=True)

    def fetch(self, path="/", **options):
        options.setdefault("raise_error", False)
        options.setdefault("follow_redirects", False)
        options.setdefault("request_timeout", 5)
        return self.client.fetch(f"http://127.0.0.1:{self.port}{path}", **options)

    async def connect(self):
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def raw(self, request: bytes) -> bytes:
        """Everything that the server answers until it closes."""
        reader, writer = await self.connect()
        writer.write(request)
        try:
            return await asyncio.wait_for(reader.read(), 5)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def close(self):
        self.client.close()
        self.server.stop()
        await self.server.close_all_connections()
        if hasattr(self.application, "drain"):
            await asyncio.wait_for(self.application.drain(), 5)


@pytest.fixture
async def serve():
    """Starts servers; each is closed when the test ends."""
    servers = []

    def start(application, **options):
        servers.append(Server(application, **options))
        return servers[-1]

    yield start
    for server in servers:
        await server.close()


def _recorder(name, events, actions=None, is_async=False, hooks=HOOKS):
    """A middleware that writes down each hook and then does what `actions` says for it."""
    actions = actions or {}

    def sync_hook(kind):
        def hook(subject, clear, *rest, **kwargs):
            events.append(f"{name}.{kind}")
            action = actions.get(kind)
            return action(subject, clear, *rest) if action else None

        return hook

    def async_hook(kind):
        async def hook(subject, clear, *rest):
            await asyncio.sleep(0)
            events.append(f"{name}.{kind}")
            action = actions.get(kind)
            return action(subject, clear, *rest) if action else None

        return hook

    made = SimpleNamespace()
    for kind in hooks:
        make = async_hook if is_async and kind in MAY_BE_ASYNC else sync_hook
        setattr(made, f"process_{kind}", make(kind))
    return made


@pytest.fixture
def recorder():
    return _recorder


@pytest.fixture(autouse=True)
def quiet_access_log():
    """Tornado's own access log would only fill the reports of failed tests."""
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("tornado.access").setLevel(logging.NOTSET)


@pytest.fixture
def hello():
    class Hello(tornado.web.RequestHandler):
        def get(self):
            self.write("hello")

    return Hello
