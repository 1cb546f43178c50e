"""Stopping without losing a request; several processes; unix sockets; TLS."""

from __future__ import annotations

import asyncio
import http.client
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.netutil import bind_sockets, bind_unix_socket
from tornado.simple_httpclient import HTTPStreamClosedError

from torngas._serving import GracefulHTTPServer, serve_until_stopped
from torngas.application import Application
from torngas.handler import WebHandler

SLOW = """
import asyncio, os
from torngas.handler import WebHandler
class Main(WebHandler):
    async def get(self):
        await asyncio.sleep(float(self.get_argument("wait", "0")))
        self.finish(str(os.getpid()))
"""


@pytest.mark.promise(3)
def test_promise_03_sigterm_under_load_loses_no_request_and_ends_with_status_0(project):
    """Every request that a client sent on an open connection is answered, or the connection said `close` before."""
    project.write("hello/handlers/main.py", SLOW)
    program = project.start()
    failures, answered, started = [], [], threading.Event()

    def client():
        connection = http.client.HTTPConnection("127.0.0.1", project.port, timeout=60)
        try:
            while True:
                connection.request("GET", "/?wait=0.02")
                response = connection.getresponse()
                answered.append(response.read())
                started.set()
                if response.getheader("Connection") == "close":
                    return
        except (OSError, http.client.HTTPException) as error:
            failures.append(error)
        finally:
            connection.close()

    clients = [threading.Thread(target=client) for _ in range(8)]
    for one in clients:
        one.start()
    assert started.wait(10)
    slow = http.client.HTTPConnection("127.0.0.1", project.port, timeout=60)
    slow.request("GET", "/?wait=1")
    deadline = time.monotonic() + 90
    while len(answered) < 50:
        assert time.monotonic() < deadline
    program.send_signal(signal.SIGTERM)
    response = slow.getresponse()
    assert (response.status, response.read().decode()) == (200, str(program.pid))
    slow.close()
    for one in clients:
        one.join(10)
    assert program.wait(10) == 0
    assert failures == []


@pytest.mark.promise(3)
async def test_promise_03_readiness_goes_false_while_the_server_still_accepts():
    class Ready(WebHandler):
        def get(self):
            self.set_status(200 if self.application.ready else 503)

    app = Application([("/", Ready)])
    server, stopped = GracefulHTTPServer(app), asyncio.Event()
    (one,) = bind_sockets(0, "127.0.0.1")
    url = f"http://127.0.0.1:{one.getsockname()[1]}/"
    told = asyncio.Event()

    def on_stop():
        app.ready = False
        told.set()

    serving = asyncio.create_task(
        serve_until_stopped(
            server, lambda: server.add_socket(one), timeout=5, delay=3, stopped=stopped, on_stop=on_stop
        )
    )
    assert (await AsyncHTTPClient().fetch(url)).code == 200
    stopped.set()
    await told.wait()
    assert (await AsyncHTTPClient().fetch(url, raise_error=False)).code == 503
    await serving
    with pytest.raises(OSError):
        await AsyncHTTPClient().fetch(url)


async def test_drain_closes_idle_connections_refuses_new_ones_and_cuts_at_the_deadline():
    release = asyncio.Event()
    entered = asyncio.Event()

    class Main(WebHandler):
        async def get(self):
            entered.set()
            await release.wait()

    server = GracefulHTTPServer(Application([("/", Main)]))
    (one,) = bind_sockets(0, "127.0.0.1")
    server.add_socket(one)
    port = one.getsockname()[1]
    idle_reader, idle_writer = await asyncio.open_connection("127.0.0.1", port)
    fetching = asyncio.ensure_future(AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/"))
    await entered.wait()
    assert server.in_flight == 1
    assert await server.drain(0.1) == 1
    assert server.draining
    assert await idle_reader.read() == b""
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", port)
    with pytest.raises(HTTPStreamClosedError):
        await fetching
    release.set()
    idle_writer.close()
    await idle_writer.wait_closed()


async def test_the_clean_up_runs_also_when_serving_failed():
    done = []

    async def cleanup():
        done.append(1)

    def listen():
        raise OSError("no")

    with pytest.raises(OSError):
        await serve_until_stopped(GracefulHTTPServer(Application([])), listen, timeout=1, cleanup=cleanup)
    assert done == [1]


async def test_clean_ups_of_the_application_run_once_the_last_first():
    order = []

    async def later():
        order.append("second registered")

    app = Application([])
    app.on_shutdown(lambda: order.append("first registered"))
    app.on_shutdown(later)
    await app.aclose()
    await app.aclose()
    assert order == ["second registered", "first registered"]


def pids(project, count):
    return {project.get() for _ in range(count)}


@pytest.mark.promise(4)
def test_promise_04_four_workers_share_the_port_the_dead_are_replaced_and_all_end_together(project):
    project.write("hello/handlers/main.py", SLOW)
    program = project.start("--processes=4", TORNGAS_DEBUG="true")
    deadline = time.monotonic() + 90
    while len(workers := pids(project, 40)) < 4:
        assert time.monotonic() < deadline
    assert str(program.pid) not in workers
    os.kill(int(next(iter(workers))), signal.SIGKILL)
    deadline = time.monotonic() + 90
    while True:
        assert time.monotonic() < deadline
        try:
            if len(now := pids(project, 40)) == 4 and now != workers:
                break
        except OSError:  # a connection that the killed worker had accepted
            continue
    output = project.stop(program)
    assert program.returncode == 0
    assert "ended with status -9" in output
    for pid in now:
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


def test_several_processes_need_a_port_of_their_own(project):
    project.port = 0
    done = project.run("--processes=2")
    assert (done.returncode, "expected --port=NUMBER" in done.stderr) == (1, True)


def test_it_listens_on_a_unix_socket(project):
    path = project.folder / "s"
    program = subprocess.Popen(
        project.command(f"--unix_socket={path}"), cwd=project.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    project.running.append(program)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        deadline = time.monotonic() + 90
        while client.connect_ex(str(path)):  # the file is there a moment before it is listened on
            assert time.monotonic() < deadline
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while chunk := client.recv(4096):
            answer += chunk
    assert answer.endswith(b"abc")
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_serves_tls(project):
    key, certificate = project.folder / "key.pem", project.folder / "cert.pem"
    subprocess.run(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out cert.pem".split(),
        cwd=project.folder,
        check=True,
        capture_output=True,
    )
    project.start(f"--certfile={certificate}", f"--keyfile={key}")
    context = ssl.create_default_context(cafile=str(certificate))
    connection = http.client.HTTPSConnection("localhost", project.port, context=context, timeout=60)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"abc"
    connection.close()


def test_a_certificate_that_cannot_be_read_is_named(project):
    done = project.run("--certfile=none.pem")
    assert (done.returncode, "--certfile=none.pem" in done.stderr) == (1, True)


@pytest.mark.promise(5)
@pytest.mark.parametrize(
    ("place", "trusted", "seen"),
    [
        ("tcp", [], "127.0.0.1"),
        ("tcp", ["203.0.113.7", "unix:"], "127.0.0.1"),
        ("tcp", ["127.0.0.1"], "203.0.113.7"),
        ("tcp", ["127.0.0.1", "203.0.113.7"], "203.0.113.6"),
        ("unix", ["127.0.0.1", "0.0.0.0"], "0.0.0.0"),
        ("unix", ["unix:"], "203.0.113.7"),
    ],
)
async def test_promise_05_only_peers_that_are_trusted_tell_the_clients_address(tmp_path, place, trusted, seen):
    """On one connection, request by request; a proxy is trusted by its own address, not by what it says."""

    class Address(WebHandler):
        def get(self):
            self.finish(self.request.remote_ip)

    server = GracefulHTTPServer(Application([("/", Address)]), xheaders=True, trusted_downstream=trusted)
    if place == "unix":
        one = bind_unix_socket(str(tmp_path / "s"))
        connecting = asyncio.open_unix_connection(str(tmp_path / "s"))
    else:
        (one,) = bind_sockets(0, "127.0.0.1")
        connecting = asyncio.open_connection(*one.getsockname())
    server.add_socket(one)
    reader, writer = await connecting
    for forwarded, expected in (("X-Forwarded-For: 203.0.113.6, 203.0.113.7\r\n", seen), ("", None)):
        writer.write(f"GET / HTTP/1.1\r\nHost: x\r\n{forwarded}\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        body = (await reader.readexactly(int(re.search(rb"Content-Length: (\d+)", head)[1]))).decode()
        assert body == (expected or {"tcp": "127.0.0.1", "unix": "0.0.0.0"}[place])
    writer.close()
    await writer.wait_closed()
    server.stop()
    await server.close_all_connections()
