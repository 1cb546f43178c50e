"""The error page: for whom, what it shows, what it never shows."""

from __future__ import annotations

import json

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import HTTPError

from torngas.application import Application
from torngas.errorpage import MASK, masked
from torngas.handler import WebHandler
from torngas.settings_manager import Settings

SECRETS = {
    "TORNADO_CONF": {"cookie_secret": "planted-cookie-secret"},
    "SESSION": {"secret_key": "planted-session-key"},
    "CACHES": {"default": {"BACKEND": "locmem", "OPTIONS": {"PASSWORD": "planted-redis-password"}}},
    "DATABASE_CONNECTION": {"default": {"connections": [{"ROLE": "master", "PASSWD": "planted-database-password"}]}},
    "PAYMENT_API_KEY": "planted-api-key",
}


class Fail(WebHandler):
    def get(self):
        password = "".join(reversed("drowssap-detnalp"))  # noqa: F841 - a local variable; its source is no secret
        harmless = "seen <b> in the page"  # noqa: F841
        another_name = self.application.project_settings.PAYMENT_API_KEY
        raise ValueError(f"<script>failed with {another_name}</script>")


class Refuse(WebHandler):
    def get(self):
        raise HTTPError(403, "the <log> message")


@pytest.fixture
async def fetch():
    servers = []

    async def get(path="/", *, host="localhost", debug=True, accept="text/html", **values):
        settings = Settings({"DEBUG": debug, **SECRETS, **values})
        app = Application([("/", Fail), ("/refuse", Refuse)], project_settings=settings, debug=debug, autoreload=False)
        server = HTTPServer(app, xheaders=True, trusted_downstream=["127.0.0.1"])
        (one,) = bind_sockets(0, "127.0.0.1")
        server.add_socket(one)
        servers.append(server)
        headers = {
            "Host": host,
            "Accept": accept,
            "Authorization": "Bearer planted-bearer",
            "Cookie": "a=planted-cookie",
        }
        url = f"http://127.0.0.1:{one.getsockname()[1]}{path}"
        return await AsyncHTTPClient().fetch(HTTPRequest(url, headers=headers), raise_error=False)

    yield get
    for server in servers:
        server.stop()
        await server.close_all_connections()


@pytest.mark.promise(31)
@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize(
    ("host", "allowed"),
    [("localhost", True), ("127.0.0.1:8000", True), ("evil.example", False), ("localhost.evil.example", False)],
)
async def test_promise_31_the_page_is_shown_in_debug_and_to_allowed_hosts_only(fetch, debug, host, allowed):
    response = await fetch(host=host, debug=debug)
    assert response.code == 500
    shown = b"harmless" in response.body
    assert shown == (debug and allowed)
    assert (b"500: Internal Server Error" in response.body) != shown


@pytest.mark.promise(31)
async def test_promise_31_planted_secrets_are_absent_and_html_is_escaped(fetch):
    body = (await fetch()).body.decode()
    assert "planted" not in body
    assert MASK in body
    assert "<script>" not in body
    assert "seen &lt;b&gt; in the page" in body


@pytest.mark.promise(31)
async def test_promise_31_the_page_is_read_only_and_needs_no_network(fetch):
    response = await fetch()
    body = response.body.decode()
    assert "<form" not in body
    assert "<script" not in body
    assert "http://" not in body.replace("http://127.0.0.1", "")
    assert "src=" not in body
    assert response.headers["Cache-Control"] == "no-store"


async def test_the_applications_frames_are_open_and_the_libraries_folded(fetch):
    body = (await fetch()).body.decode()
    assert "<b>Fail.get</b>" in body
    own = body.index("<b>Fail.get</b>")
    assert body.rindex("<details", 0, own) == body.rindex("<details open", 0, own)
    library = body.index("torngas_middleware/_tornado/")
    assert body[body.rindex("<details", 0, library) :].startswith("<details >")


async def test_an_allowed_host_can_be_added(fetch):
    assert b"harmless" in (await fetch(host="dev.example", DEBUG_HOSTS=("dev.example",))).body


async def test_an_http_error_is_a_plain_page_with_its_message_in_debug(fetch):
    assert b"the &lt;log&gt; message" in (await fetch("/refuse")).body
    assert b"message" not in (await fetch("/refuse", debug=False)).body


async def test_who_accepts_json_gets_json(fetch):
    response = await fetch("/refuse", accept="application/json")
    assert json.loads(response.body) == {"status": 403, "title": "Forbidden"}


def test_masking_goes_by_the_name_at_any_depth():
    assert masked("password", "x") == MASK
    assert masked("options", {"PASSWD": "x", "a": [{"api_key": "y", "b": 1}]}) == {
        "PASSWD": MASK,
        "a": [{"api_key": MASK, "b": 1}],
    }
    assert masked("keyboard", "x") == "x"
