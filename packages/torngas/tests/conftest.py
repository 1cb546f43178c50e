"""What the tests of the framework share: projects made in a temporary folder, run as programs."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

URLS = """
from torngas import Url, route
u = Url('hello.handlers', abc='abc')
urls = route(u(name='Index', pattern=r'/?', handler='main.Main'))
"""
HANDLERS = """
from torngas.handler import WebHandler
class Main(WebHandler):
    def get(self):
        self.finish(self._url_kwargs['abc'])
"""
SETTINGS = """
DEBUG = False
INSTALLED_APPS = ('hello',)
MIDDLEWARE_CLASSES = ()
TORNADO_CONF = {'cookie_secret': 'of the tests'}
LOGGING_DIR = 'logs'
"""
RUN = "from torngas.webserver import run\nrun()\n"


def free_port() -> int:
    """Of 127.0.0.1, and none that the system gives out by itself: nobody gets it before the program listens on it."""
    while True:
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", 12_000 + secrets.randbelow(20_000)))
            return int(one.getsockname()[1])


class Project:
    """A project in a folder of its own: an app `hello`, settings `conf`, a program `runserver.py`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.running: list[subprocess.Popen[str]] = []
        self.write("hello/__init__.py", "")
        self.write("hello/urls.py", URLS)
        self.write("hello/handlers/__init__.py", "")
        self.write("hello/handlers/main.py", HANDLERS)
        self.write("conf.py", SETTINGS)
        self.write("runserver.py", RUN)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    def command(self, *arguments: str) -> list[str]:
        return [
            sys.executable,
            "runserver.py",
            "--settings=conf",
            "--address=127.0.0.1",
            f"--port={self.port}",
            *arguments,
        ]

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Runs the program to its end."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Starts the program and waits until it listens."""
        program = subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env={**os.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.running.append(program)
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            assert program.poll() is None, program.stdout and program.stdout.read()
            try:
                with socket.create_connection(("127.0.0.1", self.port), 60) as probe:
                    probe.shutdown(socket.SHUT_WR)
                    probe.recv(1)  # answered, by the end of the connection, when the loop runs and heeds signals
                return program
            except OSError:
                time.sleep(0.02)
        raise AssertionError("the server did not listen")

    def get(self, path: str = "/") -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as response:
            return response.read().decode()

    def stop(self, program: subprocess.Popen[str]) -> str:
        """Ends the program as an operator does, and answers what it printed."""
        program.send_signal(signal.SIGTERM)
        output, _ = program.communicate(timeout=20)
        return output


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path)
    yield made
    for program in made.running:
        if program.poll() is None:
            program.kill()
        program.communicate()


@pytest.fixture
def in_subprocess() -> Callable[[str], str]:
    """Runs code in a fresh interpreter and answers what it printed."""

    def run(code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def redis_server() -> Iterator[dict[str, object]]:
    """A redis of this test process alone: host, port, socket, pid."""
    folders = (one / "tools" / "services" for one in Path(__file__).resolve().parents)
    launcher_folder = next((one for one in folders if one.is_dir()), None)
    if launcher_folder is None:
        pytest.skip("tools/services is not beside these tests, so there is no server to test against")
    launcher = subprocess.Popen(
        [sys.executable, str(launcher_folder), "redis"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = launcher.stdout.readline()
        if not line:
            message = launcher.stderr.read().strip()
            if launcher.wait() != 3 or os.environ.get("CI") == "true":
                pytest.fail(message)
            pytest.skip(message)
        yield json.loads(line)["redis"]
    finally:
        launcher.stdin.close()
        launcher.wait()
        launcher.stdout.close()
        launcher.stderr.close()
