"""The demo: what `make run` shows, walked through as a visitor, an author and staff."""

from __future__ import annotations

import http.cookiejar
import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

BLOG = Path(__file__).resolve().parents[1] / "packages/torngas/examples/blog"


class Visitor:
    """A browser with cookies of its own."""

    def __init__(self, port: int) -> None:
        self.base = f"127.0.0.1:{port}"
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path: str, data: bytes | None = None) -> tuple[int, str]:
        try:
            with self._opener.open(f"http://{self.base}{path}", data, timeout=20) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        token = re.search(r'name="_xsrf" value="([^"]+)"', self.get("/login")[1])[1]
        return self.get(path, urllib.parse.urlencode({**fields, "_xsrf": token}).encode())

    def header(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{one.name}={one.value}" for one in self.cookies)}


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """The demo in a copy of its folder, with a database of its own."""
    folder = tmp_path_factory.mktemp("demo") / "blog"
    shutil.copytree(BLOG, folder, ignore=shutil.ignore_patterns("*.db", "logs", "__pycache__"))
    with (folder / "settings/settings.py").open("a") as settings:
        settings.write('\nTORNADO_CONF["autoreload"] = False\n')
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        number = one.getsockname()[1]
    command = [sys.executable, "runserver.py", "--address=127.0.0.1", f"--port={number}"]
    program = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", number), 1).close()
            break
        except OSError:
            assert program.poll() is None, program.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.05)
    yield number
    program.terminate()
    output, _ = program.communicate(timeout=20)
    assert program.returncode == 0
    assert "Traceback" not in output


@pytest.fixture
def visitor(port):
    return Visitor(port)


@pytest.mark.xdist_group("demo")
def test_the_first_look_is_not_empty(visitor):
    status, body = visitor.get("/")
    assert status == 200
    assert "Welcome to torngas" in body
    assert body.count("<article>") == 5
    assert visitor.get("/posts?page=3")[1].count("<article>") == 2
    assert [visitor.get(path)[0] for path in ("/posts?page=9", "/posts?page=x", "/posts/99", "/nowhere")] == [404] * 4


@pytest.mark.xdist_group("demo")
def test_search_and_tags_find_posts_and_a_percent_sign_is_no_wildcard(visitor):
    assert visitor.get("/posts?search=REPLICAS")[1].count("<article>") == 1
    assert visitor.get("/posts?tag=live")[1].count("<article>") == 1
    assert visitor.get("/posts?search=%25")[1].count("<article>") == 0


@pytest.mark.xdist_group("demo")
def test_an_author_registers_writes_edits_and_logs_out(port):
    bob = Visitor(port)
    assert bob.post("/register", name="b", password="short")[0] == 422
    status, body = bob.post("/register?next=//evil.example/", name="bob", password="a long one")
    assert (status, "Welcome, bob." in body) == (200, True)
    assert bob.post("/register", name="bob", password="a long one")[0] == 422
    status, body = bob.post("/write", title="Mine <b>", text="Text of mine", tags="one, Two")
    assert "Saved." in body
    assert "Mine &lt;b&gt;" in body
    assert "#two" in body
    number = re.search(r"/posts/(\d+)/edit", body)[1]
    assert "Mine &lt;b&gt;" in bob.get("/")[1], "the cached front page is made anew"
    assert "Changed" in bob.post(f"/posts/{number}/edit", title="Changed", text="x", tags="")[1]
    assert bob.post("/posts/1/edit", title="not mine", text="x", tags="")[0] == 403
    assert bob.get("/staff")[0] == 403
    bob.post("/logout")
    assert "Log in" in bob.get("/")[1]
    assert bob.get("/write")[1].count("<h1>Log in</h1>") == 1


@pytest.mark.xdist_group("demo")
def test_staff_enters_the_staffs_pages_and_edits_everything(port):
    ada = Visitor(port)
    assert ada.post("/login", name="ada", password="wrong")[0] == 422
    assert ada.post("/login", name="nobody", password="wrong")[0] == 422
    assert ada.post("/login", name="ada", password="lovelace")[0] == 200
    assert ada.get("/staff")[0] == 200
    assert ada.get("/posts/1/edit")[0] == 200


@pytest.mark.xdist_group("demo")
def test_two_languages(port):
    visitor = Visitor(port)
    assert "欢迎使用 torngas" in visitor.post("/language", language="zh_CN", next="/")[1]
    assert "Welcome to torngas" in visitor.post("/language", language="en_US", next="/")[1]


@pytest.mark.xdist_group("demo")
async def test_a_comment_reaches_every_reader_at_once_and_stays(port):
    ada = Visitor(port)
    ada.post("/login", name="ada", password="lovelace")
    url = f"ws://127.0.0.1:{port}/posts/12/comments"
    reader = await websocket_connect(HTTPRequest(url))
    writer = await websocket_connect(HTTPRequest(url, headers=ada.header()))
    await reader.write_message("nobody may write this")
    await writer.write_message("<i>hello</i>")
    assert json.loads(await reader.read_message()) == {"author": "ada", "text": "<i>hello</i>"}
    for connection in (reader, writer):
        connection.close()
        while await connection.read_message() is not None:  # None: closed on both sides
            pass
    body = ada.get("/posts/12")[1]
    assert "&lt;i&gt;hello&lt;/i&gt;" in body
    assert "nobody may write this" not in body
