"""Load against a served project while something breaks: who was served, who was not, what was acknowledged."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Load:
    """Clients that ask `path(number)` one request after the other, each on a connection of its own, until stopped."""

    def __init__(self, port: int, path: Callable[[int], str], clients: int = 4) -> None:
        self.port, self.path = port, path
        self.served: list[tuple[int, float]] = []  # the request's number, and how long it took in seconds
        self.refused: list[tuple[int, int]] = []  # the request's number, and the status
        self.failed: list[tuple[int, str]] = []  # the request's number, and what happened to the connection
        self._numbers, self._lock, self._stop = iter(range(10**9)), threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._ask_on) for _ in range(clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def wait_for(self, more: int, patience: float = 90) -> None:
        """Waits until so many more requests have ended."""
        wanted = self.ended + more
        until(lambda: self.ended >= wanted, f"{more} more requests", patience)

    @property
    def ended(self) -> int:
        """Requests that are over, well or not."""
        return len(self.served) + len(self.refused) + len(self.failed)

    def _ask_on(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                number = next(self._numbers)
            started = time.monotonic()
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                connection.request("GET", self.path(number), headers={"Connection": "close"})
                status = connection.getresponse().status
                connection.close()
            except (OSError, http.client.HTTPException) as error:
                self.failed.append((number, repr(error)))
            else:
                if status == 200:
                    self.served.append((number, time.monotonic() - started))
                else:
                    self.refused.append((number, status))

    def line(self, fault: str, lost: int) -> str:
        """What the case prints."""
        return f"{fault}: {len(self.served)} served, {len(self.failed) + len(self.refused)} failed, {lost} lost"


def until(condition: Callable[[], Any], what: str, patience: float = 90) -> Any:
    """Waits for a condition and answers its value."""
    deadline = time.monotonic() + patience
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {patience:g} s"
        time.sleep(0.02)
    return value


@pytest.fixture
def wait_until() -> Callable[..., Any]:
    """wait_until(condition, what, patience=30)"""
    return until


@pytest.fixture
def load() -> type[Load]:
    """`with load(port, path) as clients:`"""
    return Load


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a case's line, also where pytest captures."""

    def print_line(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n  {line}\n")

    return print_line


class CacheServer:
    """A private server that can be frozen, killed and started again at the same address."""

    def __init__(self, command: list[str], greeting: bytes, answer: bytes) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.command, self.greeting, self.answer = command, greeting, answer
        self.start()

    def start(self) -> None:
        command = [part.replace("PORT", str(self.port)) for part in self.command]
        self.program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._answers, command[0])

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as one:
                one.sendall(self.greeting)
                return one.recv(100).startswith(self.answer)
        except OSError:
            return False

    def freeze(self) -> None:
        os.kill(self.program.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.program.pid, signal.SIGCONT)

    def kill(self) -> None:
        self.program.kill()
        self.program.wait()

    def end(self) -> None:
        if self.program.poll() is None:
            self.thaw()
            self.kill()


def _needed(program: str) -> None:
    if shutil.which(program) is None:
        message = f"{program} is missing: make services"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CacheServer]:
    """A redis of this test's own."""
    _needed("redis-server")
    folder = str(tmp_path_factory.mktemp("redis"))
    options = ["--bind", "127.0.0.1", "--port", "PORT", "--save", "", "--dir", folder]
    made = CacheServer(["redis-server", *options], b"PING\r\n", b"+PONG")
    yield made
    made.end()


@pytest.fixture
def memcached() -> Iterator[CacheServer]:
    """A memcached of this test's own."""
    _needed("memcached")
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    made = CacheServer(["memcached", "-l", "127.0.0.1", "-p", "PORT", "-U", "0", *user], b"version\r\n", b"VERSION")
    yield made
    made.end()


@pytest.fixture
def sentinels() -> Iterator[dict[str, Any]]:
    """A redis with its replica and three sentinels, of this test's own."""
    program = subprocess.Popen(
        [sys.executable, str(ROOT / "tools/services"), "redis-sentinel"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    line = program.stdout.readline()
    if not line:
        message = program.communicate()[1].strip()
        if program.returncode == 3 and not os.environ.get("CI"):
            pytest.skip(message)
        pytest.fail(message)
    yield json.loads(line)["redis-sentinel"]
    program.communicate(timeout=30)
