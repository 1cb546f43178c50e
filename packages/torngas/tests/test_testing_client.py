"""The test client over HTTP: requests, cookies, redirects, XSRF, WebSockets; plain and async."""

from __future__ import annotations

import asyncio
import json

import pytest
from tornado.web import Application as TornadoApplication
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler

from torngas.exception import ArgumentError
from torngas.testing import Client, HandshakeError, Response, TestingError, TooManyRedirectsError, WebSocket


class Echo(RequestHandler):
    def _answer(self):
        files = {
            name: [(one.filename, one.content_type, one.body.decode()) for one in found]
            for name, found in self.request.files.items()
        }
        self.write(
            {
                "method": self.request.method,
                "path": self.request.path,
                "query": {
                    name: [one.decode() for one in found] for name, found in self.request.query_arguments.items()
                },
                "form": {name: [one.decode() for one in found] for name, found in self.request.body_arguments.items()},
                "body": "" if files else self.request.body.decode(),
                "files": files,
                "type": self.request.headers.get("Content-Type", ""),
                "host": self.request.host,
                "protocol": self.request.protocol,
                "cookies": {name: morsel.value for name, morsel in self.request.cookies.items()},
                "token": self.request.headers.get("X-Test", ""),
            }
        )

    get = post = put = patch = delete = options = _answer

    def head(self):
        self.set_header("X-Seen", "head")


class SetCookies(RequestHandler):
    def get(self, what):
        if what == "plain":
            self.set_cookie("a", "1")
        elif what == "deep":
            self.set_cookie("deep", "1", path="/deep")
        elif what == "secure":
            self.set_cookie("s", "1", secure=True)
        elif what == "gone":
            self.clear_cookie("a")
        elif what == "elsewhere":
            self.set_cookie("e", "1", domain="example.com")
        elif what == "old":
            self.set_cookie("o", "1", max_age=-1)


class Away(RequestHandler):
    def get(self, status):
        self.redirect(self.get_argument("to", "/echo?x=1"), status=int(status))

    post = get


class Loop(RequestHandler):
    def get(self):
        self.redirect("/loop")


class Text(RequestHandler):
    def get(self):
        self.set_header("Content-Type", f"text/plain; charset={self.get_argument('charset')}")
        self.finish("grün".encode("latin-1"))


class Chat(WebSocketHandler):
    def check_origin(self, origin):
        return True

    def select_subprotocol(self, subprotocols):
        return subprotocols[0] if subprotocols else None

    async def prepare(self):
        if self.get_argument("refuse", ""):
            self.set_status(403)
            self.finish()

    def on_message(self, message):
        if message == "bye":
            self.close(4001, "as you wish")
        elif message == "cookies":
            self.write_message(json.dumps({name: one.value for name, one in self.request.cookies.items()}))
        elif message != "silence":
            self.write_message(message, binary=isinstance(message, bytes))


@pytest.fixture
def application():
    return TornadoApplication(
        [
            ("/echo", Echo),
            ("/deep/echo", Echo),
            ("/cookies/(.*)", SetCookies),
            ("/away/([0-9]+)", Away),
            ("/loop", Loop),
            ("/text", Text),
            ("/chat", Chat),
        ],
        xsrf_cookies=True,
        cookie_secret="of the tests",
    )


@pytest.fixture
def client(application):
    with Client(application) as made:
        yield made


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
def test_each_method_is_sent(client, method):
    response = getattr(client, method)("/echo", query={"a": [1, 2]})
    assert isinstance(response, Response)
    assert (response.status_code, response.reason) == (200, "OK")
    assert response.json()["method"] == method.upper()
    assert response.json()["query"] == {"a": ["1", "2"]}


def test_head_has_no_body(client):
    response = client.head("/echo")
    assert response.headers["x-seen"] == "head"
    assert response.body == b""


def test_any_method_can_be_asked_for(client):
    assert client.request("propfind", "/echo").status_code == 405


def test_forms(client):
    got = client.post("/echo", data={"title": "Grün & so", "tag": ["a", "b"]}).json()
    assert got["form"] == {"title": ["Grün & so"], "tag": ["a", "b"]}


def test_json(client):
    got = client.post("/echo", json={"a": [1]}).json()
    assert (got["type"], json.loads(got["body"])) == ("application/json", {"a": [1]})


def test_text_and_bytes(client):
    assert client.put("/echo", data="grün").json()["body"] == "grün"
    assert client.put("/echo", data=b"raw", headers={"Content-Type": "x/y"}).json()["type"] == "x/y"


def test_files(client):
    got = client.post(
        "/echo", data={"title": "A"}, files={"photo": ("a.txt", b"abc"), "b": ("b.csv", b"1", "text/csv")}
    ).json()
    assert got["form"] == {"title": ["A"]}
    assert got["files"]["photo"] == [["a.txt", "application/octet-stream", "abc"]]
    assert got["files"]["b"] == [["b.csv", "text/csv", "1"]]


def test_two_bodies_are_refused(client):
    with pytest.raises(ArgumentError, match="expected one body"):
        client.post("/echo", data={"a": 1}, json={})


@pytest.mark.parametrize("path", ["echo", "http://localhost/echo", ""])
def test_a_path_begins_at_the_root(client, path):
    with pytest.raises(ArgumentError, match="expected one from the root"):
        client.get(path)


def test_headers_of_the_client_and_of_the_request(application):
    with Client(application, headers={"X-Test": "always"}) as client:
        assert client.get("/echo").json()["token"] == "always"
        assert client.get("/echo", headers={"X-Test": "once"}).json()["token"] == "once"


def test_host_and_protocol(application):
    with Client(application, host="shop.example", protocol="https") as client:
        got = client.get("/echo").json()
    assert (got["host"], got["protocol"]) == ("shop.example", "https")


def test_text_follows_the_charset(client):
    assert client.get("/text?charset=latin-1").text == "grün"
    assert client.get("/text?charset=no-such-thing").text == "gr\ufffdn"


def test_cookies_are_kept_and_sent(client):
    client.get("/cookies/plain")
    assert dict(client.cookies) == {"a": "1"}
    assert client.get("/echo").json()["cookies"] == {"a": "1"}
    client.get("/cookies/gone")
    assert dict(client.cookies) == {}


def test_cookies_can_be_set_and_removed_by_the_test(client):
    client.cookies["mine"] = "yes"
    assert client.get("/echo").json()["cookies"] == {"mine": "yes"}
    del client.cookies["mine"]
    assert client.get("/echo").json()["cookies"] == {}
    with pytest.raises(KeyError):
        del client.cookies["mine"]
    with pytest.raises(KeyError):
        client.cookies["mine"]


def test_cookies_belong_to_their_path(client):
    client.get("/cookies/deep")
    assert client.get("/echo").json()["cookies"] == {}
    assert client.get("/deep/echo").json()["cookies"] == {"deep": "1"}


def test_secure_cookies_go_over_https_only(application):
    with Client(application) as client:
        client.get("/cookies/secure")
        assert client.get("/echo").json()["cookies"] == {}
    with Client(application, protocol="https") as client:
        client.get("/cookies/secure")
        assert client.get("/echo").json()["cookies"] == {"s": "1"}


@pytest.mark.parametrize("what", ["elsewhere", "old"])
def test_cookies_of_others_and_dead_ones_are_not_kept(client, what):
    client.get(f"/cookies/{what}")
    assert len(client.cookies) == 0


def test_a_cookie_ends_when_its_time_is_over():
    from torngas.testing.cookies import Cookies

    now = [1000.0]
    cookies = Cookies("localhost", clock=lambda: now[0])
    cookies.take("a=1; Max-Age=60", "/")
    cookies.take("b=2; expires=Thu, 01 Jan 1970 00:17:40 GMT", "/")
    assert cookies.header("/") == "a=1; b=2"
    now[0] = 1060.0
    assert cookies.header("/") == ""


def test_cookies_do_not_show_their_values():
    from torngas.testing.cookies import Cookies

    cookies = Cookies("localhost")
    cookies["session"] = "secret"
    assert repr(cookies) == "<Cookies session>"


@pytest.mark.parametrize(
    ("method", "status", "arrives"),
    [("GET", 302, "GET"), ("POST", 302, "GET"), ("POST", 303, "GET"), ("POST", 307, "POST"), ("POST", 308, "POST")],
)
def test_redirects_are_followed(client, method, status, arrives):
    body = {"data": {"a": 1}} if method == "POST" else {}
    response = client.request(method, f"/away/{status}", **body)
    assert response.json()["method"] == arrives
    assert response.json()["form"] == ({"a": ["1"]} if arrives == "POST" else {})
    assert response.url == "/echo?x=1"
    assert [one.status_code for one in response.history] == [status]


def test_redirects_are_left_alone_when_asked(client, application):
    assert client.get("/away/302", follow_redirects=False).location == "/echo?x=1"
    with Client(application, follow_redirects=False) as other:
        assert other.get("/away/302").status_code == 302
        assert other.get("/away/302", follow_redirects=True).status_code == 200


def test_redirects_to_the_own_host_are_followed_and_to_others_not(client):
    assert client.get("/away/302", query={"to": "http://localhost/echo?y=2"}).json()["query"] == {"y": ["2"]}
    response = client.get("/away/302", query={"to": "http://example.com/"})
    assert (response.status_code, response.location) == (302, "http://example.com/")


def test_relative_redirects(client):
    assert client.get("/away/302", query={"to": "../../echo"}).status_code == 200


def test_a_circle_of_redirects_is_an_error(client):
    with pytest.raises(TooManyRedirectsError, match="more than 20 redirects"):
        client.get("/loop")


def test_the_xsrf_token_is_sent(client):
    assert client.post("/echo").status_code == 200
    assert "_xsrf" in client.cookies


def test_the_refusal_of_xsrf_can_be_tested(application):
    with Client(application, xsrf=False) as client:
        assert client.post("/echo").status_code == 403


def test_a_cookie_with_another_name_carries_the_token(application):
    application.settings["xsrf_cookie_name"] = "other"
    with Client(application) as client:
        assert client.post("/echo").status_code == 200
        assert "other" in client.cookies


async def test_the_running_loop_is_used_by_the_methods_with_an_a(application):
    async with Client(application) as client:
        assert (await client.aget("/echo")).json()["method"] == "GET"
        assert (await client.apost("/away/302", data={"a": 1})).json()["method"] == "GET"
        for method in ("aput", "apatch", "adelete", "aoptions", "ahead"):
            assert (await getattr(client, method)("/echo")).status_code == 200
        both = await asyncio.gather(client.aget("/echo?a=1"), client.aget("/echo?a=2"))
        assert [one.json()["query"]["a"] for one in both] == [["1"], ["2"]]


async def test_a_plain_call_in_a_running_loop_says_what_to_do(application):
    client = Client(application)
    with pytest.raises(TestingError, match=r"await client\.aget"):
        client.get("/echo")


def test_a_closed_client_can_be_closed_and_used_again(application):
    client = Client(application)
    client.get("/echo")
    client.close()
    client.close()
    assert client.get("/echo").status_code == 200
    client.close()


def test_a_client_of_an_async_test_can_be_closed_after_its_loop(application):
    client = Client(application)
    asyncio.run(client.aget("/echo"))
    client.close()


def test_a_server_that_does_not_answer_is_given_up():
    class Never(RequestHandler):
        async def get(self):
            await asyncio.Event().wait()

    with Client(TornadoApplication([("/", Never)]), timeout=0.05) as client:
        with pytest.raises(TimeoutError, match="got no answer to GET / within 0.05 s"):
            client.get("/")


# WebSockets


def test_a_websocket_speaks_and_listens(client):
    with client.websocket("/chat") as socket:
        assert isinstance(socket, WebSocket)
        socket.send("hello")
        assert socket.receive() == "hello"
        socket.send(b"\x00\x01")
        assert socket.receive() == b"\x00\x01"
        socket.send({"a": 1})
        assert socket.receive_json() == {"a": 1}
        assert socket.close_code is None


def test_a_websocket_has_the_cookies(client):
    client.get("/cookies/plain")
    with client.websocket("/chat") as socket:
        socket.send("cookies")
        assert socket.receive_json() == {"a": "1"}


def test_the_end_of_a_websocket_is_none(client):
    with client.websocket("/chat") as socket:
        socket.send("bye")
        assert socket.receive() is None
        assert (socket.close_code, socket.close_reason) == (4001, "as you wish")
        with pytest.raises(TestingError, match="closed connection"):
            socket.send("still there?")
        with pytest.raises(TestingError, match="end of the connection"):
            socket.receive_json()


def test_a_subprotocol_is_chosen(client):
    with client.websocket("/chat", subprotocols=["v2", "v1"]) as socket:
        assert socket.subprotocol == "v2"


def test_silence_is_a_timeout(client):
    with client.websocket("/chat") as socket:
        socket.send("silence")
        with pytest.raises(TimeoutError, match="expected a message"):
            socket.receive(timeout=0.05)


def test_a_refused_websocket_tells_the_status(client):
    with pytest.raises(HandshakeError) as caught, client.websocket("/chat?refuse=1"):
        raise AssertionError("it was opened")
    assert caught.value.status_code == 403


def test_a_websocket_is_opened_by_its_block(client):
    with pytest.raises(TestingError, match="before it was opened"):
        client.websocket("/chat").send("hello")


async def test_a_websocket_in_the_running_loop(application):
    async with Client(application) as client, client.websocket("/chat") as one, client.websocket("/chat") as other:
        await one.asend("1")
        await other.asend({"two": 2})
        assert await one.areceive() == "1"
        assert await other.areceive_json() == {"two": 2}
