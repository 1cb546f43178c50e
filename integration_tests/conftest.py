"""Projects as the documentation describes them, written into a folder and run as programs."""

from __future__ import annotations

import contextlib
import http.cookiejar
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RUNSERVER = """
import os
from torngas.webserver import run
os.environ.setdefault('TORNGAS_APP_SETTINGS', 'settings.setting')
run()
"""


def free_port() -> int:
    """Of 127.0.0.1, and none that the system gives out by itself: nobody gets it before the program listens on it."""
    while True:
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", 12_000 + secrets.randbelow(20_000)))
            return int(one.getsockname()[1])


class Project:
    """A folder with `runserver.py` and `settings/setting.py`; what is missing is written by the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.programs: list[subprocess.Popen[str]] = []
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        self.write("runserver.py", RUNSERVER)
        self.write("settings/__init__.py", "")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    def settings(self, text: str) -> None:
        base = (
            "DEBUG = True\nTORNADO_CONF = {'cookie_secret': 'x', 'autoreload': False, 'template_path': 'templates'}\n"
        )
        self.write("settings/setting.py", base + textwrap.dedent(text))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        program = subprocess.Popen(
            [sys.executable, "runserver.py", "--address=127.0.0.1", f"--port={self.port}", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONWARNINGS": "error::UserWarning"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.programs.append(program)
        deadline = time.monotonic() + 90
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 60) as probe:
                    probe.shutdown(socket.SHUT_WR)
                    probe.recv(1)  # answered, by the end of the connection, when the loop runs and heeds signals
                return program
            except OSError:
                assert program.poll() is None, program.communicate()[0]
                assert time.monotonic() < deadline
                time.sleep(0.02)

    def fetch(self, path: str = "/", data: bytes | None = None) -> tuple[int, str]:
        """Status and body, with the cookies of a browser."""
        try:
            with self._opener.open(f"http://127.0.0.1:{self.port}{path}", data, timeout=60) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def get(self, path: str = "/") -> str:
        status, body = self.fetch(path)
        assert status == 200, body
        return body

    def stop(self) -> str:
        """Ends the program; answers what it printed."""
        program = self.programs[-1]
        if program.poll() is None:
            program.send_signal(signal.SIGTERM)
        return program.communicate(timeout=20)[0]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path)
    yield made
    for program in made.programs:
        if program.poll() is None:
            program.kill()
        program.communicate()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[dict[str, object]]:
    """A private redis, by the repository's own launcher."""
    program = subprocess.Popen(
        [sys.executable, str(ROOT / "tools/services"), "redis"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdin is not None
    assert program.stdout is not None
    line = program.stdout.readline()
    if not line:
        message = program.communicate()[1].strip()
        if program.returncode == 3 and not os.environ.get("CI"):
            pytest.skip(message)
        pytest.fail(message)
    yield json.loads(line)["redis"]
    program.communicate(timeout=30)
