"""A small site and a small browser: tests speak HTTP with a real Tornado server on loopback."""

import asyncio
import inspect
import json
import sqlite3

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from torngas_session import (
    FileStore,
    FlashMessageMixIn,
    MemoryStore,
    SessionConfig,
    SessionManager,
    SessionMiddleware,
    SessionMixin,
    SQLStore,
)

KEY = "k" * 32


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


class DictStore:
    """The smallest store that fits."""

    blocking = False

    def __init__(self):
        self.entries = {}

    def get(self, key, default=None):
        return self.entries.get(key, default)

    def set(self, key, value, timeout):
        self.entries[key] = value

    def delete(self, key):
        self.entries.pop(key, None)


class AsyncDictStore:
    """A store that only an event loop can use, and that hands over at every call."""

    blocking = True

    def __init__(self):
        self.entries = {}

    async def aget(self, key, default=None):
        await asyncio.sleep(0)
        return self.entries.get(key, default)

    async def aset(self, key, value, timeout):
        await asyncio.sleep(0)
        self.entries[key] = value

    async def adelete(self, key):
        await asyncio.sleep(0)
        self.entries.pop(key, None)


class Counting:
    """Another store, with a list of the calls that reached it."""

    def __init__(self, store):
        self._store = store
        self.calls = []
        self.failing = ()

    def __getattr__(self, name):
        value = getattr(self._store, name)
        if not callable(value):
            return value

        def call(*args):
            self.calls.append(name)
            if name in self.failing:
                raise ConnectionError("the server is gone")
            return value(*args)

        return call


class Actions:
    """Runs the test's function for the path, inside the handler."""

    async def respond(self):
        action = self.application.settings["actions"][self.request.path]
        result = action(self)
        if inspect.isawaitable(result):
            result = await result
        if not self._finished:
            self.finish(json.dumps(result))

    get = post = respond


class MixinHandler(Actions, FlashMessageMixIn, SessionMixin, RequestHandler):
    """A plain handler; with a store that does I/O it loads its session first."""

    async def prepare(self):
        if self.settings["session_manager"].blocking and not self.request.path.startswith("/untouched"):
            await self.session.aload()


class HookedHandler(Actions, FlashMessageMixIn, RequestHandler):
    """Calls the hooks of one middleware, as any dispatcher does."""

    async def prepare(self):
        await self._hook("process_request")

    async def _hook(self, name, *args):
        result = getattr(self.settings["middleware"], name)(self, lambda: None, *args)
        if inspect.isawaitable(result):
            await result

    async def respond(self):
        try:
            await self._respond()
        except Exception as error:  # noqa: BLE001 - as a dispatcher does
            self.clear()
            self.set_status(getattr(error, "status_code", 500))
            self.log_exception(type(error), error, error.__traceback__)
            await self._hook("process_response", self._write_buffer)
            RequestHandler.finish(self, "failed")
        await self._hook("process_endcall")

    async def _respond(self):
        result = self.settings["actions"][self.request.path](self)
        if inspect.isawaitable(result):
            result = await result
        if not self._finished:
            self.write(json.dumps(result))
            await self._hook("process_response", self._write_buffer)
            RequestHandler.finish(self)

    get = post = respond


class PlainHandler(Actions, FlashMessageMixIn, RequestHandler):
    """A handler that knows no session at all."""


HANDLERS = {"mixin": MixinHandler, "middleware": HookedHandler, "plain": PlainHandler}


class Browser:
    """Keeps cookies as a browser does: a deleted one is gone, a newer one replaces."""

    def __init__(self, port):
        self.port = port
        self.cookies = {}
        self.http = AsyncHTTPClient()

    async def get(self, path, *, headers=None, cookies=None, method="GET"):
        sent = self.cookies if cookies is None else cookies
        line = "; ".join(f"{name}={value}" for name, value in sent.items())
        all_headers = {**({"Cookie": line} if line else {}), **(headers or {})}
        response = await self.http.fetch(
            f"http://127.0.0.1:{self.port}{path}",
            headers=all_headers,
            method=method,
            allow_nonstandard_methods=True,
            follow_redirects=False,
            raise_error=False,
        )
        if cookies is None:
            self.keep(response)
        return response

    def keep(self, response):
        for line in response.headers.get_list("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            if value.strip('"'):
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)

    async def json(self, path, **options):
        response = await self.get(path, **options)
        assert response.code == 200, response.body
        return json.loads(response.body)


class Site:
    """One server with one manager; `site["/path"] = function(handler)` makes a page."""

    def __init__(self, manager, via, **settings):
        self.manager = manager
        self.actions = {}
        self.application = Application(
            [("/.*", HANDLERS[via])],
            actions=self.actions,
            session_manager=manager,
            middleware=SessionMiddleware(manager),
            log_function=lambda handler: None,
            **settings,
        )
        if via != "mixin":
            del self.application.settings["session_manager"]
        [self.socket] = bind_sockets(0, "127.0.0.1")
        self.port = self.socket.getsockname()[1]
        self.server = None

    def start(self, **options):
        self.server = HTTPServer(self.application, **options)
        self.server.add_socket(self.socket)
        return self

    def __setitem__(self, path, action):
        self.actions[path] = action

    def browser(self):
        return Browser(self.port)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["mixin", "middleware"])
def via(request):
    return request.param


STORES = {
    "memory": lambda folder, clock: MemoryStore(clock=clock),
    "file": lambda folder, clock: FileStore(folder / "sessions", clock=clock),
    "sql": lambda folder, clock: SQLStore(lambda: sqlite3.connect(folder / "s.db", timeout=30), clock=clock),
    "dict": lambda folder, clock: DictStore(),
    "async dict": lambda folder, clock: AsyncDictStore(),
}


@pytest.fixture(params=list(STORES))
def store(request, tmp_path, clock):
    return STORES[request.param](tmp_path, clock)


@pytest.fixture
def counting(clock):
    return Counting(MemoryStore(clock=clock))


@pytest.fixture
def dict_store():
    return DictStore()


@pytest.fixture
def async_dict_store():
    return AsyncDictStore()


@pytest.fixture
def manage(clock):
    """Makes a manager: `manage(store, expires=10)`."""

    def make(store=None, **options):
        config = SessionConfig(**{"secret_key": KEY, **options})
        return SessionManager(MemoryStore(clock=clock) if store is None else store, config, clock=clock)

    return make


@pytest.fixture
async def serve():
    """Starts a site: `serve(manager, "mixin")`."""
    sites = []

    def start(manager, via="mixin", *, server=None, **settings):
        site = Site(manager, via, **settings).start(**(server or {}))
        sites.append(site)
        return site

    yield start
    for site in sites:
        site.server.stop()
        await site.server.close_all_connections()


@pytest.fixture
def put():
    """`put(key, value)` is a page that sets one key; `show` pages are plain lambdas."""

    def page(key, value):
        def action(handler):
            handler.session[key] = value
            return True

        return action

    return page


@pytest.fixture
def rows():
    """The entries of a store that lie under the prefix of sessions, the index of users left out."""

    def count(store):
        if isinstance(store, MemoryStore):
            return [key for key in list(store._entries) if ":user:" not in key and store.get(key) is not None]
        return [key for key in store.entries if ":user:" not in key]

    return count
