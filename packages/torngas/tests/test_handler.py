"""WebHandler, ApiHandler, ErrorHandler, request_context, served by a real server."""

from __future__ import annotations

import asyncio
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import RequestHandler

from torngas import Url, request_context, route, settings
from torngas.application import Application
from torngas.exception import Http404, Http500, HttpBadRequestError, HttpForbiddenError, HttpNotAllowError
from torngas.handler import ApiHandler, ErrorHandler, WebHandler
from torngas.settings_manager import Settings


class Client:
    def __init__(self) -> None:
        self.servers = []

    def serve(self, handlers, **kwargs):
        kwargs.setdefault("default_handler_class", ErrorHandler)
        server = HTTPServer(Application(handlers, **kwargs))
        (one,) = bind_sockets(0, "127.0.0.1")
        server.add_socket(one)
        self.servers.append(server)
        self.port = one.getsockname()[1]
        return self.port

    async def get(self, path="/", port=None, **kwargs):
        return await AsyncHTTPClient().fetch(
            f"http://127.0.0.1:{port or self.port}{path}", raise_error=False, follow_redirects=False, **kwargs
        )


@pytest.fixture
async def client():
    made = Client()
    yield made
    for server in made.servers:
        server.stop()
        await server.close_all_connections()


async def test_write_sets_the_status(client):
    class Made(WebHandler):
        def get(self):
            self.write({"id": 7}, status=201)

    client.serve([("/", Made)])
    response = await client.get()
    assert (response.code, json.loads(response.body)) == (201, {"id": 7})


async def test_on_prepare_and_complete_finish_surround_the_request(client):
    order = []

    class Main(WebHandler):
        def prepare(self):
            order.append("prepare")

        async def on_prepare(self):
            await asyncio.sleep(0)
            order.append("on_prepare")

        def get(self):
            order.append("get")

        def on_finish(self):
            order.append("on_finish")

        def complete_finish(self):
            order.append("complete_finish")

    client.serve([("/", Main)])
    await client.get()
    assert order == ["prepare", "on_prepare", "get", "on_finish", "complete_finish"]


async def test_url_kwargs_belong_to_one_request(client):
    class Main(WebHandler):
        def get(self):
            self._url_kwargs["seen"] = self._url_kwargs.get("seen", 0) + 1
            self.write(self._url_kwargs)

    u = Url(abc="abc", over="url")
    client.serve(route(u("/a", Main, kwargs={"over": "route"}), u("/b", Main)))
    for _ in range(2):
        assert json.loads((await client.get("/a")).body) == {"abc": "abc", "over": "route", "seen": 1}
    assert json.loads((await client.get("/b")).body) == {"abc": "abc", "over": "url", "seen": 1}


async def test_without_a_route_of_ours_url_kwargs_are_empty(client):
    class Main(WebHandler):
        def get(self):
            self.write(self._url_kwargs)

    client.serve([("/", Main)])
    assert (await client.get()).body == b"{}"


class Api(ApiHandler):
    def get(self):
        self.write_api(json.loads(self.get_argument("obj", "[1]")), nofail=bool(self.get_argument("nofail", "")))


@pytest.mark.parametrize(
    ("query", "headers", "body", "kind"),
    [
        ("", {}, b"[1]", "application/json"),
        ("?obj=[]", {}, b"[]", "application/json"),
        ("?obj=null", {}, b"{}", "application/json"),
        ("?obj=false", {}, b"false", "application/json"),
        ("?format=jsonp&callback=a.b[0]", {}, b"/**/a.b[0]([1]);", "application/javascript"),
        ("?callback=cb", {"Accept": "text/javascript"}, b"/**/cb([1]);", "application/javascript"),
        ("?format=xml&nofail=1", {}, b"[1]", "application/json"),
        ('?obj="%3C/script%3E"', {}, b'"<\\/script>"', "application/json"),
    ],
)
async def test_write_api_answers_json_or_jsonp(client, query, headers, body, kind):
    client.serve([("/", Api)])
    response = await client.get("/" + query, headers=headers)
    assert (response.code, response.body) == (200, body)
    assert response.headers["Content-Type"].startswith(kind)
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "query",
    ["?format=xml", "?format=jsonp", "?format=jsonp&callback=alert(1)//", "?format=jsonp&callback=" + "a" * 129],
)
async def test_write_api_refuses_a_wrong_format_or_callback_and_reflects_nothing(client, query):
    client.serve([("/", Api)], serve_traceback=True)
    response = await client.get("/" + query)
    assert response.code == 400
    assert b"alert" not in response.body
    assert b"aaaa" not in response.body


async def test_no_route_is_a_404_for_every_method(client):
    client.serve([], xsrf_cookies=True, cookie_secret="x")
    assert (await client.get("/nowhere")).code == 404
    assert (await client.get("/nowhere", method="POST", body="")).code == 404


async def test_exception_response_is_the_whole_body(client):
    class Fail(WebHandler):
        def get(self):
            self.exception_response = {"error": "mine"}
            raise Http500

    client.serve([("/", Fail)])
    response = await client.get()
    assert (response.code, response.body) == (500, b'{"error": "mine"}')


@pytest.mark.parametrize(
    ("error", "status"),
    [(Http404, 404), (HttpForbiddenError, 403), (HttpNotAllowError, 405), (HttpBadRequestError, 400), (Http500, 500)],
)
async def test_http_errors_by_name_take_the_log_message_first(client, caplog, error, status):
    class Fail(WebHandler):
        def get(self):
            raise error("about %s", "this")

    client.serve([("/", Fail)])
    with caplog.at_level(logging.WARNING):
        assert (await client.get()).code == status
    assert "about this" in caplog.text


async def test_an_error_that_says_its_status_is_answered_with_it_and_logged_as_a_warning(client, caplog):
    class PageNotFound(LookupError):
        status_code = 404

    class Fail(WebHandler):
        def get(self):
            raise PageNotFound("page 9")

    client.serve([("/", Fail)])
    with caplog.at_level(logging.WARNING):
        assert (await client.get()).code == 404
    (record,) = [one for one in caplog.records if "page 9" in one.getMessage()]
    assert (record.levelname, record.exc_info) == ("WARNING", None)


async def test_request_context_is_this_requests_alone(client):
    inside = asyncio.Event()
    release = asyncio.Event()

    class Main(WebHandler):
        async def get(self):
            assert request_context.request is self.request
            request_context.data.name = self.get_argument("name")
            if self.get_argument("name") == "slow":
                inside.set()
                await release.wait()
            with ThreadPoolExecutor(1) as pool:
                in_thread = pool.submit(copy_context().run, lambda: request_context.request).result()
            self.write(request_context.data.name + str(in_thread is self.request))

        def on_finish(self):
            assert request_context.request is self.request

    client.serve([("/", Main)])
    slow = asyncio.ensure_future(client.get("/?name=slow"))
    await inside.wait()
    assert (await client.get("/?name=fast")).body == b"fastTrue"
    release.set()
    assert (await slow).body == b"slowTrue"
    assert request_context.request is None
    assert request_context.data is None


async def test_two_applications_with_different_settings_and_middlewares_serve_side_by_side(client):
    class Mark:
        def __init__(self, name):
            self.name = name

        def process_response(self, handler, clear, chunk):
            handler.add_header("X-Mark", self.name)

    class Main(WebHandler):
        def get(self):
            self.write(settings.SITE)

    ports = [
        client.serve([("/", Main)], middlewares=[Mark(name)], project_settings=Settings({"SITE": name}))
        for name in ("a", "b")
    ]
    for port, name in [*zip(ports, "ab", strict=True)] * 2:
        response = await client.get(port=port)
        assert (response.body.decode(), response.headers.get_list("X-Mark")) == (name, [name])


async def test_a_plain_tornado_handler_takes_part_too(client):
    seen = []

    class Watch:
        def process_endcall(self, handler, clear):
            seen.append(type(handler).__name__)

    class Plain(RequestHandler):
        def get(self):
            self.write("plain")

    client.serve([("/", Plain)], middlewares=[Watch()])
    assert (await client.get()).body == b"plain"
    assert (await client.get("/nowhere")).code == 404
    assert seen == ["Plain", "ErrorHandler"]


async def test_the_locale_comes_from_the_browser_or_from_the_settings(client, tmp_path):
    from tornado import locale

    (tmp_path / "de_DE.csv").write_text('"hello","hallo"\n')
    (tmp_path / "zh_CN.csv").write_text('"hello","你好"\n')

    class Main(WebHandler):
        def get(self):
            self.write(self.locale.translate("hello"))

    def conf(**options):
        return Settings(
            {
                "TRANSLATIONS": True,
                "TRANSLATIONS_CONF": {"translations_dir": str(tmp_path), "locale_default": "zh_CN", **options},
            }
        )

    from torngas.wiring.translations import load_translations

    before = locale._default_locale, locale._translations, locale._supported_locales, locale._use_gettext
    try:
        load_translations(conf())
        browser = client.serve([("/", Main)], project_settings=conf())
        fixed = client.serve([("/", Main)], project_settings=conf(use_accept_language=False))
        german = {"Accept-Language": "de-DE"}
        assert (await client.get(port=browser, headers=german)).body.decode() == "hallo"
        assert (await client.get(port=browser)).body.decode() == "你好"
        assert (await client.get(port=fixed, headers=german)).body.decode() == "你好"
    finally:
        locale._default_locale, locale._translations, locale._supported_locales, locale._use_gettext = before
