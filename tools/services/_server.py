"""A private server process: its folder, its free loopback port, its start, its readiness and its end."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

START_SECONDS = 60.0
STOP_SECONDS = 15.0
EXTRA_PATHS = ("/usr/sbin", "/usr/local/sbin", "/sbin")


class ServiceError(Exception):
    """A server that does not start; the message holds the end of its output."""


class MissingProgram(ServiceError):
    """A program that is not on this machine; the message names it and the command that installs it."""


def find_program(name: str, package: str, folders: Iterable[str] = ()) -> str:
    """Answers the program's path; `folders` are looked through first.

    Raises:
        MissingProgram: it is not there; the message tells how to install it.
    """
    path = os.pathsep.join([*folders, os.environ.get("PATH", ""), *EXTRA_PATHS])
    if found := shutil.which(name, path=path):
        return found
    raise MissingProgram(f"{name} is not installed; 'make services' (Debian, root) installs it from {package}")


def free_ports(count: int = 1) -> list[int]:
    """Answers ports of 127.0.0.1 that nobody listens on now, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def folder(owner: str | None = None) -> Iterator[Path]:
    """A temporary folder with a short path (unix sockets are limited to 107 bytes), removed at the end."""
    path = Path(tempfile.mkdtemp(prefix="torngas-"))
    try:
        if owner and os.geteuid() == 0:
            shutil.chown(path, owner)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def user_for(name: str) -> str | None:
    """Answers `name` where we are root and must step down to it, else None (run as we are)."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(name)
    except KeyError:
        raise MissingProgram(f"the user {name} does not exist; 'make services' (Debian, root) makes it") from None
    return name


def run(command: list[str], user: str | None = None, env: Mapping[str, str] | None = None) -> str:
    """Runs a command to its end and answers its output.

    Raises:
        ServiceError: it failed; the message holds the command and its output.
    """
    done = subprocess.run(
        command,
        user=user,
        env=env,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServiceError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}")
    return done.stdout


@contextlib.contextmanager
def process(
    command: list[str],
    log: Path,
    ready: Callable[[], bool],
    *,
    user: str | None = None,
    stop: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[Any]]:
    """Runs a server while the block runs; enters the block when `ready` says so.

    Raises:
        ServiceError: it ended, or was not ready in time.
    """
    with log.open("ab") as output:
        server = subprocess.Popen(
            command, user=user, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait(server, command, log, ready)
        yield server
    finally:
        _end(server, stop)


def _wait(server: subprocess.Popen[Any], command: list[str], log: Path, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        if server.poll() is not None:
            raise ServiceError(f"{command[0]} ended with {server.returncode}:\n{_tail(log)}")
        with contextlib.suppress(OSError):
            if ready():
                return
        if time.monotonic() > deadline:
            raise ServiceError(f"{command[0]} was not ready within {START_SECONDS:.0f} s:\n{_tail(log)}")
        time.sleep(0.02)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:] if log.exists() else "(no output)"


def _end(server: subprocess.Popen[Any], stop: signal.Signals) -> None:
    # A test may have frozen it (SIGSTOP) or killed it; both must end here.
    for number in (signal.SIGCONT, stop):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, number)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def answers(port: int, question: bytes = b"", expected: bytes = b"") -> bool:
    """Whether 127.0.0.1:port accepts a connection and, if asked, answers with what is expected."""
    with socket.create_connection(("127.0.0.1", port), 1) as connection:
        if not question:
            return True
        connection.sendall(question)
        return connection.recv(200).startswith(expected)
