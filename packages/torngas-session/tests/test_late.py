"""Streams, upgrades, slow stores: when the headers are gone, and what must not stop the loop."""

import asyncio
import threading

import pytest
from tornado.websocket import WebSocketHandler, websocket_connect

from torngas_session import (
    SessionClosedError,
    SessionMixin,
    SessionNotLoadedError,
    SessionNotSavedError,
    login,
    logout,
)


def dump(handler):
    return dict(handler.session)


async def test_a_stream_saves_before_its_headers_and_again_at_its_end(manage, serve, put):
    """The client has a session: what changes while the body streams is saved with its end."""
    site = serve(manage())

    async def stream(handler):
        handler.session["before"] = 1
        handler.write("x")
        await handler.flush()
        handler.session["after"] = 2
        handler.finish("y")

    site["/stream"], site["/dump"] = stream, dump
    browser = site.browser()
    answer = await browser.get("/stream")
    assert answer.body == b"xy"
    assert await browser.json("/dump") == {"before": 1, "after": 2}


@pytest.mark.parametrize(
    "change",
    [lambda s: s.update(a=1), lambda s: s.cycle_key(), lambda s: s.set_expire(9)],
    ids=["first value", "cycle_key", "set_expire"],
)
async def test_what_needs_a_cookie_is_refused_after_the_headers(manage, serve, change, rows):
    manager = manage()
    site = serve(manager)
    seen = []

    async def stream(handler):
        handler.write("x")
        await handler.flush()
        with pytest.raises(SessionClosedError, match="before flush"):
            change(handler.session)
        seen.append(len(handler.session))
        handler.finish("y")

    site["/stream"] = stream
    assert (await site.browser().get("/stream")).body == b"xy"
    assert seen == [0]
    assert rows(manager.store) == []


async def test_a_session_can_still_be_ended_after_the_headers(manage, serve, put, rows):
    manager = manage()
    site = serve(manager)

    async def stream(handler):
        handler.write("x")
        await handler.flush()
        handler.session.flush()
        handler.finish("y")

    site["/put"], site["/stream"] = put("a", 1), stream
    browser = site.browser()
    await browser.get("/put")
    await browser.get("/stream")
    assert rows(manager.store) == []


async def test_a_stream_that_breaks_saves_nothing_more(manage, serve, put, caplog):
    caplog.set_level("CRITICAL")
    site = serve(manage())

    async def stream(handler):
        handler.session["half"] = 1
        handler.write("x")
        await handler.flush()
        handler.session["lost"] = 1
        raise RuntimeError("half way")

    site["/stream"], site["/dump"] = stream, dump
    browser = site.browser()
    await browser.get("/stream")
    assert await browser.json("/dump") == {"half": 1}


async def test_a_stream_with_a_store_that_waits_is_refused_until_it_was_saved(manage, serve, async_dict_store):
    site = serve(manage(async_dict_store))

    async def stream(handler):
        handler.session["a"] = 1
        handler.write("x")
        with pytest.raises(SessionNotSavedError, match="asave"):
            handler.flush()
        await handler.session.asave()
        await handler.flush()
        handler.finish("y")

    site["/stream"], site["/dump"] = stream, dump
    browser = site.browser()
    assert (await browser.get("/stream")).body == b"xy"
    assert await browser.json("/dump") == {"a": 1}


async def test_a_change_after_the_response_is_refused_and_reading_goes_on(manage, serve, via):
    site = serve(manage(), via)
    late = asyncio.get_running_loop().create_future()

    def page(handler):
        handler.session["a"] = 1
        asyncio.get_running_loop().call_later(0.01, afterwards, handler)

    def afterwards(handler):
        with pytest.raises(SessionClosedError, match="edit"):
            handler.session["b"] = 2
        late.set_result(dict(handler.session))

    site["/page"] = page
    await site.browser().get("/page")
    assert await late == {"a": 1}


async def test_finish_in_prepare_ends_the_request_while_the_save_waits(manage, serve, async_dict_store):
    """The response counts as decided: the method does not run, and a second finish() is an error."""
    site = serve(manage(async_dict_store))
    ran = []

    async def page(handler):
        handler.session["a"] = 1
        handler.finish("first")
        with pytest.raises(RuntimeError):
            handler.finish("second")
        ran.append(handler._finished)

    site["/page"], site["/dump"] = page, dump
    browser = site.browser()
    assert (await browser.get("/page")).body == b"first"
    assert ran == [True]
    assert await browser.json("/dump") == {"a": 1}


async def test_plain_use_of_a_waiting_store_on_the_loop_is_refused(manage, serve, async_dict_store, put, caplog):
    """By the mixin, without aload(): a clear error, not a pause of every other request."""
    site = serve(manage(async_dict_store))
    seen = []

    def page(handler):
        with pytest.raises(SessionNotLoadedError, match="aload"):
            handler.session["a"]
        with pytest.raises(SessionNotLoadedError, match="aload"):
            len(handler.session)
        seen.append(True)

    async def later(handler):
        await handler.session.aload()
        return handler.session["a"]

    site["/put"], site["/untouched"], site["/untouched/later"] = put("a", 1), page, later
    browser = site.browser()
    await browser.get("/put")
    assert (await browser.get("/untouched")).code == 200
    assert seen
    assert await browser.json("/untouched/later") == 1


async def test_a_blocking_store_is_never_called_on_the_loop(manage, serve, via):
    """Reads and writes of a store with plain methods alone run in other threads than the loop's."""
    threads = set()

    class Plain:
        blocking = True

        def __init__(self):
            self.entries = {}

        def get(self, key, default=None):
            threads.add(threading.get_ident())
            return self.entries.get(key, default)

        def set(self, key, value, timeout):
            threads.add(threading.get_ident())
            self.entries[key] = value

        def delete(self, key):
            threads.add(threading.get_ident())
            self.entries.pop(key, None)

    site = serve(manage(Plain()), via)
    site["/add"] = lambda handler: handler.session.update(a=(handler.session["a"] or 0) + 1)
    site["/dump"], site["/out"] = dump, logout
    browser = site.browser()
    await browser.get("/add")
    await browser.get("/add")
    assert await browser.json("/dump") == {"a": 2}
    await browser.get("/out")
    assert threads
    assert threading.get_ident() not in threads


class Echo(SessionMixin, WebSocketHandler):
    """Writes into the session before the upgrade, and tries it after."""

    def prepare(self):
        self.session["upgraded"] = True

    async def on_message(self, message):
        try:
            self.session["late"] = message
        except SessionClosedError:
            async with self.settings["session_manager"].edit(self.session.session_id) as session:
                session["late"] = message
            self.write_message("edited")


async def test_a_websocket_saves_before_the_upgrade_and_edits_after_it(manage, serve, put):
    site = serve(manage())
    site.application.add_handlers(".*", [("/ws", Echo)])
    site["/dump"] = dump
    socket = await websocket_connect(f"ws://127.0.0.1:{site.port}/ws")
    await socket.write_message("hello")
    assert await socket.read_message() == "edited"
    browser = site.browser()
    browser.cookies = {"__TORNADOSSID": socket.headers["Set-Cookie"].split(";")[0].partition("=")[2]}
    assert await browser.json("/dump") == {"upgraded": True, "late": "hello"}
    socket.close()


async def test_login_works_with_a_waiting_store(manage, serve, via, async_dict_store):
    manager = manage(async_dict_store)
    site = serve(manager, via)
    site["/login"], site["/who"] = lambda handler: login(handler, 7), lambda handler: handler.session.user
    browser = site.browser()
    await browser.get("/login")
    assert await browser.json("/who") == 7
    assert len(await manager.asessions_of(7)) == 1
