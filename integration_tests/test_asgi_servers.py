"""One application behind each ASGI server: what a client may expect is the same everywhere.

Servers listen on Unix sockets in a temporary folder, so that no port is shared with anybody.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import tornado.test
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import unix_connect

APPLICATION = """
import asyncio, hashlib, os
from pathlib import Path
import tornado.web
from tornado.iostream import StreamClosedError
from torngas.application import Application
from torngas.handler import WebHandler, WebSocketHandler

EVENTS = Path(os.environ["EVENTS"])


def event(text):
    with EVENTS.open("a") as file:
        file.write(text + "\\n")


class Hello(WebHandler):
    def get(self, name="world"):
        self.add_header("X-Two", "1")
        self.add_header("X-Two", "M\\xfcller")
        self.set_cookie("a", "1")
        self.set_cookie("b", "2")
        self.write(f"Hello, {name} {self.get_argument('q', '-')} {self.get_cookie('c', '-')} {self.request.version}")

    head = get


class Body(WebHandler):
    async def post(self):
        await asyncio.sleep(0)
        self.write(f"{len(self.request.body)} {hashlib.sha256(self.request.body).hexdigest()}")


@tornado.web.stream_request_body
class Upload(WebHandler):
    def prepare(self):
        self.sum, self.size = hashlib.sha256(), 0
        event("prepared")

    async def data_received(self, chunk):
        await asyncio.sleep(0)
        self.sum.update(chunk)
        self.size += len(chunk)
        if self.size == len(chunk):
            event("first part")

    def on_connection_close(self):
        event("upload broken")
        super().on_connection_close()

    def post(self):
        self.write(f"{self.size} {self.sum.hexdigest()}")


class Download(WebHandler):
    async def get(self):
        for number in range(160):
            self.write(bytes([number]) * 65536)
            await self.flush()


class Endless(WebHandler):
    async def get(self):
        try:
            while True:
                self.write(b"x" * 65536)
                await self.flush()
        except StreamClosedError:
            event("stream closed")


class Idle(WebHandler):
    def on_connection_close(self):
        event("idle closed")
        self.go.set()

    async def get(self):
        self.go = asyncio.Event()
        self.write("begin")
        await self.flush()
        await self.go.wait()


class Events(WebHandler):
    def get(self):
        self.write(EVENTS.read_text())


class Echo(WebSocketHandler):
    def select_subprotocol(self, offered):
        return "chat" if "chat" in offered else None

    async def prepare(self):
        await asyncio.sleep(0)

    async def on_message(self, message):
        if message == "close":
            self.close(4001, "enough")
        elif message == "break":
            raise ZeroDivisionError
        else:
            await self.write_message(message, binary=isinstance(message, bytes))

    def on_close(self):
        event(f"websocket {self.get_argument('tag', '')} {self.close_code} {self.close_reason}")


tornado_application = Application([
    ("/body", Body), ("/upload", Upload), ("/download", Download), ("/endless", Endless), ("/idle", Idle),
    ("/events", Events), ("/ws", Echo), ("/(.*)", Hello),
])
application = tornado_application.asgi


@application.on_start
async def start():
    event("start")
    if os.environ.get("BROKEN"):
        raise OSError("no database")


@application.on_stop
def stop():
    event("stop")
"""

COMMANDS: dict[str, Callable[[str], list[str]]] = {
    "onewrite": lambda path: [
        *["torngas.asgi.onewrite", "contract:application", "--uds", path, "--log-level", "warning"],
        *["--workers", "1", "--timeout-keep-alive", "60"],
    ],
    "uvicorn": lambda path: ["uvicorn", "contract:application", "--uds", path, "--log-level", "warning"],
    "hypercorn": lambda path: ["hypercorn", "contract:application", "--bind", f"unix:{path}", "--workers", "0"],
    "granian": lambda path: [
        *["granian", "contract:application", "--interface", "asgi", "--uds", path, "--workers", "1"],
        *["--workers-kill-timeout", "5"],
    ],
}
CERTIFICATE = {
    "hypercorn": ["--certfile={0}.crt", "--keyfile={0}.key"],
    "granian": ["--ssl-certificate={0}.crt", "--ssl-keyfile={0}.key"],
}
# What the servers tell the application of a client's close with 4000 and "bye".
CLOSES = {"granian": "4000 None", "hypercorn": "None None", "onewrite": "4000 bye", "uvicorn": "4000 bye"}
SERVERS = sorted(COMMANDS)


class Served:
    """A server in a process of its own."""

    def __init__(self, name: str, folder: Path, *more: str, **environ: str) -> None:
        self.name = name
        self.path = str(folder / "socket")
        self.events = folder / "events"
        self.events.touch()
        (folder / "contract.py").write_text(textwrap.dedent(APPLICATION))
        self.output = (folder / "output").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", *COMMANDS[name](self.path), *more],
            cwd=folder,
            env={**os.environ, "EVENTS": str(self.events), "PYTHONPATH": str(folder), **environ},
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def said(self) -> str:
        self.output.seek(0)
        return self.output.read()

    def wait_until_it_listens(self) -> None:
        def listens() -> bool:
            assert self.process.poll() is None, self.said()
            with socket.socket(socket.AF_UNIX) as one, contextlib.suppress(OSError):
                one.connect(self.path)
                return True
            return False

        until(listens)

    def client(self, **options: object) -> httpx.Client:
        scheme = "https" if options else "http"
        transport = httpx.HTTPTransport(uds=self.path, **options)
        return httpx.Client(transport=transport, base_url=f"{scheme}://localhost", timeout=30)

    def count(self, event: str) -> int:
        return self.events.read_text().splitlines().count(event)

    def expect(self, event: str, before: int) -> None:
        """Waits until it has happened once more."""
        until(lambda: self.count(event) > before)
        assert self.count(event) == before + 1

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)
        self.output.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 30 seconds"
        time.sleep(0.01)


@pytest.fixture(scope="module", params=[pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in SERVERS])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(request.param, tmp_path_factory.mktemp(request.param))
    try:
        server.wait_until_it_listens()
        yield server
    finally:
        server.close()


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    with served.client() as made:
        yield made


def test_hello(client):
    """Also paths, queries, cookies, duplicate and latin-1 headers, one date and one server."""
    response = client.get("/caf%C3%A9%20%2F?q=%C3%BC", headers={"Cookie": "c=3"})
    assert (response.status_code, response.text) == (200, "Hello, caf\xe9 / \xfc 3 HTTP/1.1")
    assert dict(response.cookies) == {"a": "1", "b": "2"}
    assert [value for name, value in response.headers.raw if name.lower() == b"x-two"] == [b"1", b"M\xfcller"]
    assert len(response.headers.get_list("date")) == 1
    assert len(response.headers.get_list("content-length")) == 1


def test_head_and_not_modified(client):
    response = client.get("/")
    head = client.head("/")
    assert (head.text, head.headers["content-length"]) == ("", response.headers["content-length"])
    unchanged = client.get("/", headers={"If-None-Match": response.headers["etag"]})
    assert (unchanged.status_code, unchanged.text) == (304, "")


@pytest.mark.parametrize("path", ["/body", "/upload"])
@pytest.mark.parametrize("chunked", [True, False])
def test_a_big_body(client, path, chunked):
    """5 MB, with a length and in chunks, whole and streamed; and the connection serves on."""
    data = os.urandom(5_000_000)
    content = (data[start : start + 100_000] for start in range(0, len(data), 100_000)) if chunked else data
    assert client.post(path, content=content).text == f"{len(data)} {hashlib.sha256(data).hexdigest()}"
    assert client.post(path, content=b"small").text.startswith("5 ")
    assert client.get("/").status_code == 200


def test_a_big_response(client):
    with client.stream("GET", "/download") as response:
        data = b"".join(response.iter_bytes())
    assert (len(data), data[-1]) == (160 * 65536, 159)
    assert client.get("/").status_code == 200


def test_leaving_an_idle_handler(served):
    before = served.count("idle closed")
    with served.client() as client, client.stream("GET", "/idle") as response:
        assert next(response.iter_bytes()) == b"begin"
    served.expect("idle closed", before)


def test_leaving_an_endless_response(served):
    before = served.count("stream closed")
    with served.client() as client, client.stream("GET", "/endless") as response:
        next(response.iter_bytes())
    served.expect("stream closed", before)


def test_leaving_an_upload(served):
    parts, broken = served.count("first part"), served.count("upload broken")
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(served.path)
        one.sendall(b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nbegin")
        served.expect("first part", parts)
    served.expect("upload broken", broken)


def test_messages_are_echoed(served):
    with unix_connect(served.path, "ws://localhost/ws", subprotocols=["other", "chat"]) as client:
        assert client.subprotocol == "chat"
        for message in ("h\xe9llo", b"\x00\xff", "", "x" * 1_000_000):
            client.send(message)
            assert client.recv(30) == message


def test_the_client_closes_with_code_and_reason(served):
    event = f"websocket client {CLOSES[served.name]}"
    before = served.count(event)
    with unix_connect(served.path, "ws://localhost/ws?tag=client") as client:
        client.send("x")
        client.recv(30)
        client.close(4000, "bye")
    served.expect(event, before)


def test_the_handler_closes_with_code_and_reason(served):
    with unix_connect(served.path, "ws://localhost/ws") as client:
        client.send("close")
        with pytest.raises(ConnectionClosed):
            client.recv(30)
        assert (client.close_code, client.close_reason) == (4001, "enough")


def test_an_exception_closes(served):
    with unix_connect(served.path, "ws://localhost/ws") as client:
        client.send("break")
        with pytest.raises(ConnectionClosed):
            client.recv(30)
        assert client.close_code == 1011


def test_a_foreign_origin_is_denied(served):
    with (
        pytest.raises(InvalidStatus) as error,
        unix_connect(served.path, "ws://localhost/ws", origin="https://evil.example"),
    ):
        pass
    assert error.value.response.status_code == 403


@pytest.mark.parametrize("name", SERVERS)
def test_the_application_starts_and_stops_with_the_server(name, tmp_path):
    server = Served(name, tmp_path)
    try:
        server.wait_until_it_listens()
        with server.client() as client:
            assert client.get("/events").text == "start\n"
        server.stop()
        assert server.events.read_text() == "start\nstop\n", server.said()
    finally:
        server.close()


@pytest.mark.parametrize("name", ["hypercorn", "uvicorn"])
def test_a_failing_start_keeps_the_server_from_serving(name, tmp_path):
    server = Served(name, tmp_path, BROKEN="1")
    try:
        assert server.process.wait(30) != 0
        assert "no database" in server.said()
    finally:
        server.close()


@pytest.mark.parametrize("name", sorted(CERTIFICATE))
def test_http2(name, tmp_path):
    certificate = Path(tornado.test.__file__).with_name("test")
    server = Served(name, tmp_path, *(one.format(certificate) for one in CERTIFICATE[name]))
    try:
        server.wait_until_it_listens()
        data = os.urandom(1_000_000)
        with server.client(verify=False, http1=False, http2=True) as client:
            response = client.get("/")
            assert (response.http_version, response.text) == ("HTTP/2", "Hello,  - - HTTP/2")
            assert client.post("/upload", content=data).text == f"{len(data)} {hashlib.sha256(data).hexdigest()}"
            with client.stream("GET", "/idle") as response:
                assert next(response.iter_bytes()) == b"begin"
        server.expect("idle closed", 0)
    finally:
        server.close()
