"""The framework assembled: the order of everything, two applications, WebSockets, sessions on the caches."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from sqlalchemy import Column, Integer, String
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.websocket import websocket_connect

from torngas import request_context, settings
from torngas.application import Application
from torngas.cache import cache
from torngas.db.dbalchemy import Model
from torngas.exception import ConfigError
from torngas.handler import WebHandler, WebSocketHandler
from torngas.httpmodule import BaseHttpModule
from torngas.settings_manager import Settings
from torngas.signal import call_finished, call_started, handler_response, handler_started
from torngas.wiring.application import build_application

FULL = (
    "torngas.middleware.accesslog.AccessLogMiddleware",
    "torngas.middleware.session.SessionMiddleware",
    "torngas.middleware.dbalchemy.DBAlchemyMiddleware",
    "torngas.httpmodule.httpmodule.HttpModuleMiddleware",
    "torngas.middleware.signal.SignalMiddleware",
)


class Site:
    """An application built from settings, served."""

    def __init__(self, urls, **values):
        conf = {"cookie_secret": "x" * 20, **values.pop("TORNADO_CONF", {})}
        self.settings = Settings({"DEBUG": False, "TORNADO_CONF": conf, **values})
        self.application = build_application(Application, self.settings, urls)
        self.server = HTTPServer(self.application)
        (one,) = bind_sockets(0, "127.0.0.1")
        self.server.add_socket(one)
        self.port = one.getsockname()[1]
        self.cookie = ""

    async def get(self, path="/", **options):
        headers = {"Cookie": self.cookie} if self.cookie else {}
        response = await AsyncHTTPClient().fetch(
            f"http://127.0.0.1:{self.port}{path}", raise_error=False, headers=headers, **options
        )
        for value in response.headers.get_list("Set-Cookie"):
            self.cookie = value.partition(";")[0]
        return response

    async def close(self):
        self.server.stop()
        await self.server.close_all_connections()
        await self.application.aclose()


@pytest.fixture
async def serve():
    sites = []

    def start(urls, **values):
        sites.append(Site(urls, **values))
        return sites[-1]

    yield start
    for site in sites:
        await site.close()


async def test_the_order_of_everything_assembled(serve, tmp_path, caplog):
    """Access log, session, database, modules, signals, handler; and back."""
    order = []

    class Module(BaseHttpModule):
        def begin_request(self, handler, clear):
            order.append("module")

        def begin_response(self, handler, clear, chunk):
            order.append("module response")

    class Main(WebHandler):
        def get(self):
            order.append("get")
            self.session["n"] = 1
            self.write("x")

        def complete_finish(self):
            order.append("complete_finish")

    signals = {
        call_started: "call",
        handler_started: "signal",
        handler_response: "signal response",
        call_finished: "end",
    }
    receivers = []
    for signal, name in signals.items():

        def receive(name=name, **kwargs):
            order.append(name)

        receivers.append((signal, receive))
        signal.connect(receive)
    try:
        site = serve(
            [("/", Main)],
            MIDDLEWARE_CLASSES=FULL,
            COMMON_MODULES=(Module,),
            DATABASE_CONNECTION={"default": {"connections": [{"ROLE": "master", "URL": f"sqlite:///{tmp_path}/x.db"}]}},
        )
        with caplog.at_level(logging.INFO, "torngas.accesslog"):
            response = await site.get()
    finally:
        for signal, receive in receivers:
            signal.disconnect(receive)
    assert response.code == 200
    assert order == [
        "call", "module", "signal", "get", "signal response", "module response", "end", "complete_finish"
    ]  # fmt: skip
    assert '"GET / HTTP/1.1" 200 1 ' in caplog.text
    assert response.headers["Set-Cookie"].startswith("__TORNADOSSID=")


async def test_two_applications_with_different_settings_middlewares_modules_and_caches(serve):
    class Mark(BaseHttpModule):
        def begin_request(self, handler, clear):
            handler.set_header("X-Mark", settings.SITE)

    class Main(WebHandler):
        async def get(self):
            cache.set("site", settings.SITE)
            await asyncio.sleep(0.01)
            self.session["site"] = settings.SITE
            self.write({"cache": cache.get("site"), "settings": settings.SITE, "session": self.session["site"]})

    sites = [
        serve(
            [("/", Main)],
            SITE=name,
            CACHES={"default": {"BACKEND": "torngas.cache.backends.localcache.LocMemCache", "LOCATION": f"two-{name}"}},
            MIDDLEWARE_CLASSES=FULL[1:2] + FULL[3:4],
            COMMON_MODULES=(Mark,) if name == "a" else (),
        )
        for name in "ab"
    ]
    answers = await asyncio.gather(*(site.get() for site in sites * 5))
    for site, answer in zip(sites * 5, answers, strict=True):
        name = site.settings.SITE
        assert json.loads(answer.body) == {"cache": name, "settings": name, "session": name}
        assert answer.headers.get("X-Mark") == ("a" if name == "a" else None)


@pytest.mark.parametrize("backend", ["local", "redis", "file"])
async def test_sessions_live_in_the_cache_that_the_settings_name(serve, backend, request, tmp_path):
    configuration = {
        "local": lambda: {"BACKEND": "torngas.cache.backends.localcache.LocMemCache", "LOCATION": "sessions-of-a-test"},
        "file": lambda: {"BACKEND": "torngas.cache.backends.filebased.FileBasedCache", "LOCATION": str(tmp_path / "c")},
        "redis": lambda: {
            "BACKEND": "torngas.cache.backends.rediscache.RedisCache",
            "LOCATION": f"127.0.0.1:{request.getfixturevalue('redis_server')['port']}",
        },
    }[backend]()

    class Main(WebHandler):
        async def get(self):
            self.session["n"] = (self.session["n"] or 0) + 1
            self.write(str(self.session["n"]))

    site = serve(
        [("/", Main)],
        CACHES={"default": {"BACKEND": "dummy"}, "chosen": configuration},
        SESSION={"session_cache_alias": "chosen"},
        MIDDLEWARE_CLASSES=FULL[1:2],
    )
    assert [(await site.get()).body for _ in range(3)] == [b"1", b"2", b"3"]


async def test_a_websocket_has_hooks_session_user_and_request_context(serve):
    ended = asyncio.Event()

    class Watch:
        def process_request(self, handler, clear):
            handler.from_hook = "hook"

        def process_endcall(self, handler, clear):
            ended.set()

    class Login(WebHandler):
        def get(self):
            self.session["user"] = "ada"

    class Socket(WebSocketHandler):
        def get_current_user(self):
            return self.session["user"]

        def on_message(self, message):
            same = request_context.request is self.request
            self.write_message(f"{message} {self.current_user} {self.from_hook} {self._url_kwargs} {same}")

    site = serve([("/", Login), ("/ws", Socket)], MIDDLEWARE_CLASSES=(FULL[1], Watch))
    await site.get()
    ended.clear()
    connection = await websocket_connect(HTTPRequest(f"ws://127.0.0.1:{site.port}/ws", headers={"Cookie": site.cookie}))
    await connection.write_message("hello")
    assert await connection.read_message() == "hello ada hook {} True"
    assert not ended.is_set()
    connection.close()
    await asyncio.wait_for(ended.wait(), 5)


async def test_without_a_secret_production_refuses_and_debug_makes_one(serve, caplog):
    with pytest.raises(ConfigError, match="cookie_secret.*secrets.token_urlsafe"):
        build_application(Application, Settings({"DEBUG": False}), [])
    with caplog.at_level(logging.WARNING, "torngas"):
        made = build_application(Application, Settings({"DEBUG": True}), [])
    assert len(made.settings["cookie_secret"]) >= 32
    assert "cookie_secret" in caplog.text
    assert made.settings["cookie_secret"] not in caplog.text


async def test_the_database_is_the_requests_and_rolled_back_at_its_end(serve, tmp_path):

    class Note(Model):
        __tablename__ = "notes_of_the_assembled"
        id = Column(Integer, primary_key=True)
        text = Column(String(20))

    class Main(WebHandler):
        def get(self):
            session = Note.session.using_master()
            session.add(Note(text="x"))
            session.flush()
            if self.get_argument("commit", ""):
                session.commit()

        def post(self):
            self.write(str(Note.Q.count()))

        def check_xsrf_cookie(self):
            pass

    site = serve(
        [("/", Main)],
        MIDDLEWARE_CLASSES=FULL[2:3],
        DATABASE_CONNECTION={"default": {"connections": [{"ROLE": "master", "URL": f"sqlite:///{tmp_path}/x.db"}]}},
    )
    site.application.resources.connector.create_db()
    await site.get()
    assert (await site.get(method="POST", body="")).body == b"0"
    await site.get("/?commit=1")
    assert (await site.get(method="POST", body="")).body == b"1"


async def test_signals_can_be_filtered_by_the_handlers_class(serve):
    """The class that the user wrote, whatever the framework puts in front of it."""
    got = []

    class Main(WebHandler):
        def get(self):
            pass

    class Other(Main):
        pass

    def receive(sender, **kwargs):
        got.append(sender)

    handler_started.connect(receive, sender=Main)
    try:
        site = serve([("/", Main), ("/other", Other)], MIDDLEWARE_CLASSES=FULL[:2] + FULL[4:])
        await site.get("/")
        await site.get("/other")
    finally:
        handler_started.disconnect(receive, sender=Main)
    assert got == [Main]


async def test_a_request_is_logged_once(serve, caplog):
    class Main(WebHandler):
        def get(self):
            self.write("x")

    for middlewares, logger in ((FULL[:1], "torngas.accesslog"), ((), "tornado.access")):
        site = serve([("/", Main)], MIDDLEWARE_CLASSES=middlewares)
        with caplog.at_level(logging.INFO):
            caplog.clear()
            await site.get("/")
        assert [record.name for record in caplog.records if "GET /" in record.getMessage()] == [logger]
