"""`torngas runserver --server`: the command lines of ASGI servers."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time

import click
import pytest

from torngas.cli._asgi import SERVERS, Listening, command_line
from torngas.settings_manager import Settings


@pytest.fixture(autouse=True)
def all_installed(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)


def words(server, listening, **settings):
    python, dash, module, *rest = command_line(server, listening, Settings(settings))
    assert (python, dash) == (sys.executable, "-m")
    assert module == {"uvicorn": "torngas.asgi.onewrite"}.get(server, server)
    return rest


LOCAL = Listening(address="127.0.0.1", port=8000)


@pytest.mark.parametrize("server", sorted(SERVERS))
def test_address_and_port_are_passed_on(server):
    given = words(server, LOCAL)
    assert given[0].startswith("torngas.asgi:get_asgi_application")
    assert {"--host=127.0.0.1", "--port=8000"} <= set(given) or "--bind=127.0.0.1:8000" in given


@pytest.mark.parametrize("server", sorted(SERVERS))
def test_processes_tls_and_the_unix_socket_are_passed_on(server):
    listening = Listening.of(
        server, "::1", 80, ["--processes=3", "--unix_socket=/run/s", "--certfile=c.pem", "--keyfile=k.pem"]
    )
    given = words(server, listening)
    assert "--workers=3" in given
    assert {"--uds=/run/s", "--bind=unix:/run/s"} & set(given)
    assert {"c.pem", "k.pem"} <= {word.partition("=")[2] for word in given}
    assert "--port=80" not in given


def test_ipv6_is_written_in_brackets():
    assert "--bind=[::1]:80" in words("hypercorn", Listening(address="::1", port=80))


def test_settings_of_websockets_and_the_stop_are_passed_on_to_uvicorn():
    conf = {"websocket_max_message_size": 5, "websocket_ping_interval": 7, "websocket_ping_timeout": 3}
    given = words("uvicorn", LOCAL, TORNADO_CONF=conf, SHUTDOWN_TIMEOUT=2.5)
    expected = {"--ws-max-size=5", "--ws-ping-interval=7", "--ws-ping-timeout=3", "--timeout-graceful-shutdown=3"}
    assert expected <= set(given)


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
def test_it_reloads_with_debug_in_one_process(server):
    several = Listening(address="127.0.0.1", port=8000, processes=2)
    assert "--reload" in words(server, LOCAL, DEBUG=True)
    assert "--reload" not in words(server, LOCAL, DEBUG=False)
    assert "--reload" not in words(server, several, DEBUG=True)


@pytest.mark.parametrize(
    ("server", "listening"),
    [
        ("granian", Listening(address="127.0.0.1", port=0)),
        ("uvicorn", Listening(address="127.0.0.1", port=0, processes=2)),
    ],
)
def test_workers_cannot_share_a_free_port(server, listening):
    with pytest.raises(click.ClickException, match="expected a port's number"):
        words(server, listening)


@pytest.mark.parametrize("options", [["--logging=debug"], ["8000"], ["--processes"], ["--processes=none"]])
def test_what_cannot_be_passed_on_is_refused(options):
    with pytest.raises(click.UsageError, match="expected"):
        Listening.of("uvicorn", "127.0.0.1", 8000, options)


@pytest.mark.parametrize(
    ("server", "remedy"),
    [
        ("uvicorn", r"pip install 'torngas\[asgi\]'"),
        ("hypercorn", "pip install hypercorn"),
        ("granian", "pip install granian"),
    ],
)
def test_a_server_that_is_missing_is_named_with_the_remedy(server, remedy, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(click.ClickException, match=remedy):
        words(server, LOCAL)


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn", "granian"])
def test_a_project_is_served(server, project):
    """From the command line to the first answer, and SIGTERM ends it well."""
    pytest.importorskip(server)
    path = str(project.folder / "socket")
    program = subprocess.Popen(
        [sys.executable, "-m", "torngas", "runserver", "--settings=conf", "--server", server, f"--unix_socket={path}"],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": str(project.folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    project.running.append(program)
    deadline = time.monotonic() + 90
    answer = b""
    while not answer:
        assert program.poll() is None, program.stdout.read()
        assert time.monotonic() < deadline
        answer = _ask(path)
    assert (answer.split()[1], answer[-3:]) == (b"200", b"abc")
    program.send_signal(signal.SIGTERM)
    output, _ = program.communicate(timeout=30)
    assert "Traceback" not in output
    assert program.returncode in (0, -signal.SIGTERM), output


def _ask(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(30)
        try:
            one.connect(path)
            one.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            return b"".join(iter(lambda: one.recv(65536), b""))
        except OSError:
            time.sleep(0.02)
            return b""
