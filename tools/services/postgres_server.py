"""Private PostgreSQL servers: one, or a primary and a streaming replica."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from _server import ServiceError, find_program, folder, free_ports, process, run, user_for

PACKAGE = "postgresql"
FOLDERS = [f"/usr/lib/postgresql/{version}/bin" for version in range(20, 12, -1)]
DATABASE = "torngas"
USER, PASSWORD = "writer", "wr/ite@r:1"  # special characters, as real passwords have
READER, READER_PASSWORD = "reader", "re%ad er"
REPLICATION_SECONDS = 30.0
_ACCOUNTS = f"""
    CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}';
    CREATE ROLE {READER} LOGIN PASSWORD '{READER_PASSWORD}';
    GRANT pg_read_all_data TO {READER};
    CREATE DATABASE {DATABASE} OWNER {USER};
"""


@contextlib.contextmanager
def single() -> Iterator[dict[str, Any]]:
    """One server with a database and the account that owns it."""
    with folder(user_for("postgres")) as home:
        _initialize(home)
        with _server(home) as place:
            _make_accounts(place)
            yield place


@contextlib.contextmanager
def replicated() -> Iterator[dict[str, Any]]:
    """A primary and a hot standby; the standby's account may only read. `admin` is the account for pausing it."""
    owner = user_for("postgres")
    with folder(owner) as first, folder(owner) as second:
        _initialize(first)
        with _server(first) as primary:
            _make_accounts(primary)
            _copy(primary, second)
            with _server(second) as replica:
                _wait_for_streaming(primary)
                yield {
                    "primary": primary,
                    "replica": {**replica, "user": READER, "password": READER_PASSWORD},
                    "admin": {"user": "admin", "password": "admin"},
                }


def _initialize(home: Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix="-torngas") as password:
        password.write("admin")
        password.flush()
        Path(password.name).chmod(0o644)
        command = [_program("initdb"), "-D", str(home / "data"), "-U", "admin", f"--pwfile={password.name}"]
        command += ["--auth-host=scram-sha-256", "--auth-local=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        run(command, user=user_for("postgres"))


@contextlib.contextmanager
def _server(home: Path) -> Iterator[dict[str, Any]]:
    (port,) = free_ports()
    command = [_program("postgres"), "-D", str(home / "data"), "-p", str(port), "-k", str(home)]
    for setting in ("listen_addresses=127.0.0.1", "fsync=off", "shared_buffers=32MB", "max_connections=100"):
        command += ["-c", setting]
    # Without a slot the replica reads what it missed from here, after a pause or a stop.
    command += ["-c", "wal_keep_size=64MB", "-c", "hot_standby_feedback=on", "-c", "wal_receiver_status_interval=1s"]
    owner = user_for("postgres")

    def ready() -> bool:
        return not subprocess.run(
            [_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)], check=False
        ).returncode

    # SIGQUIT stops at once, also a frozen or busy server; nothing here has to survive.
    with process(command, home / "log", ready, user=owner, stop=signal.SIGQUIT) as server:
        place = {"host": "127.0.0.1", "port": port, "socket": str(home), "pid": server.pid, "database": DATABASE}
        yield {**place, "user": USER, "password": PASSWORD}


def _make_accounts(place: dict[str, Any]) -> None:
    for statement in filter(str.strip, _ACCOUNTS.split(";")):
        _ask(place, statement)


def _copy(primary: dict[str, Any], home: Path) -> None:
    command = [_program("pg_basebackup"), "-D", str(home / "data"), "-R", "-X", "stream", "-c", "fast", "--no-sync"]
    command += ["-h", primary["host"], "-p", str(primary["port"]), "-U", "admin"]
    run(command, user=user_for("postgres"), env={**os.environ, "PGPASSWORD": "admin"})


def _wait_for_streaming(primary: dict[str, Any]) -> None:
    deadline = time.monotonic() + REPLICATION_SECONDS
    while "streaming" not in _ask(primary, "SELECT state FROM pg_stat_replication"):
        if time.monotonic() > deadline:
            raise ServiceError("the replica does not follow")
        time.sleep(0.05)


def _ask(place: dict[str, Any], statement: str) -> str:
    command = [_program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", place["socket"]]
    return run([*command, "-p", str(place["port"]), "-U", "admin", "-d", "postgres", "-c", statement])


def _program(name: str) -> str:
    return find_program(name, PACKAGE, FOLDERS)
