"""An upgrade to a WebSocket with a store that does I/O: saved before the 101, or refused with a 500, never half."""

import asyncio
import inspect

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketHandler, websocket_connect

from torngas_session import (
    FileStore,
    SessionAccessMixin,
    SessionClosedError,
    SessionMiddleware,
    SessionMixin,
    SessionNotSavedError,
    login,
)

STORES = ["async dict", "file"]


@pytest.fixture(params=STORES)
def waiting_store(request, async_dict_store, tmp_path):
    return async_dict_store if request.param == "async dict" else FileStore(tmp_path / "sessions")


class Socket(WebSocketHandler):
    """Loads the session, does what the test says, and upgrades; then says what the session holds."""

    def initialize(self, action):
        self.action = action

    async def prepare(self):
        await self.session.aload()
        result = self.action(self)
        if inspect.isawaitable(result):
            await result

    def on_message(self, message):
        try:
            self.session["late"] = message
        except SessionClosedError:
            self.write_message(str(self.session["cart"]))


class MixinSocket(SessionMixin, Socket):
    pass


class MiddlewareSocket(SessionAccessMixin, Socket):
    async def prepare(self):
        waiting = self.settings["middleware"].process_request(self, lambda: None)
        if waiting is not None:
            await waiting
        await super().prepare()


@pytest.fixture(params=["mixin", "middleware"])
def upgrade(request, serve, manage, put, waiting_store):
    """`await upgrade(action)` upgrades with a session that holds `{"cart": 1}`, and answers browser and socket."""
    manager = manage(waiting_store)
    site = serve(manager, request.param)
    site.application.settings["middleware"] = SessionMiddleware(manager)
    site["/put"], site["/dump"] = put("cart", 1), lambda handler: dict(handler.session)
    site["/who"] = lambda handler: handler.session.user
    kind = MixinSocket if request.param == "mixin" else MiddlewareSocket

    async def connect(action):
        site.application.add_handlers(".*", [("/ws", kind, {"action": action})])
        browser = site.browser()
        await browser.get("/put")
        [(name, value)] = browser.cookies.items()
        url = f"ws://127.0.0.1:{site.port}/ws"
        return browser, await websocket_connect(HTTPRequest(url, headers={"Cookie": f"{name}={value}"}))

    connect.browser = site.browser
    return connect


async def heard(socket):
    """What the server says to a message; the socket is closed then."""
    try:
        await socket.write_message("hello")
        return await asyncio.wait_for(socket.read_message(), 30)
    finally:
        socket.close()


async def test_what_was_saved_before_the_upgrade_is_there(upgrade):
    """`await session.asave()` first: the 101 follows, the record has the change, reading goes on after it."""

    async def act(handler):
        handler.session["cart"] = 2
        await handler.session.asave()

    browser, socket = await upgrade(act)
    assert await heard(socket) == "2"
    assert await browser.json("/dump") == {"cart": 2}


async def test_a_login_before_the_upgrade_sends_the_new_cookie_with_it(upgrade):
    async def act(handler):
        login(handler, "ada")
        await handler.session.asave()

    browser, socket = await upgrade(act)
    old = dict(browser.cookies)
    sent = socket.headers["Set-Cookie"].partition(";")[0].partition("=")
    assert await heard(socket) == "1"
    assert await browser.json("/who", cookies={sent[0]: sent[2]}) == "ada"
    assert await browser.json("/who", cookies=old) is None


async def test_unsaved_changes_refuse_the_upgrade(upgrade, caplog):
    """The client gets a 500 and no socket, the log the remedy, and the stored session stays as it was."""
    caplog.set_level("ERROR", "tornado.application")

    def act(handler):
        handler.session["cart"] = 2
        handler.session["more"] = 3

    with pytest.raises(HTTPClientError) as refused:
        await upgrade(act)
    assert refused.value.code == 500
    assert "Set-Cookie" not in refused.value.response.headers
    assert "Sec-WebSocket-Accept" not in refused.value.response.headers
    [error] = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert isinstance(error, SessionNotSavedError)
    assert "upgrade" in str(error)
    assert "asave" in str(error)


async def test_a_refused_upgrade_changes_nothing_in_the_store(upgrade, caplog):
    caplog.set_level("CRITICAL", "tornado.application")
    seen = []

    def act(handler):
        seen.append(dict(handler.request.cookies))
        login(handler, "ada")

    with pytest.raises(HTTPClientError):
        await upgrade(act)
    cookies = {name: morsel.value for name, morsel in seen[0].items()}
    browser = upgrade.browser()
    assert await browser.json("/dump", cookies=cookies) == {"cart": 1}
    assert await browser.json("/who", cookies=cookies) is None


async def test_an_upgrade_that_only_reads_needs_no_save(upgrade):
    browser, socket = await upgrade(lambda handler: handler.session["cart"])
    assert "Set-Cookie" not in socket.headers
    assert await heard(socket) == "1"
    assert await browser.json("/dump") == {"cart": 1}
