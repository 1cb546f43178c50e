"""Private MariaDB servers: one, or a primary and a replica that follows it by GTID."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from _server import ServiceError, answers, find_program, folder, free_ports, process, run, user_for

PACKAGE = "mariadb-server"
DATABASE = "torngas"
USER, PASSWORD = "writer", "wr/ite@r:1"  # special characters, as real passwords have
READER, READER_PASSWORD = "reader", "re%ad er"
REPLICATION_SECONDS = 30.0
_ACCOUNTS = f"""
    CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4;
    CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';
    GRANT ALL ON {DATABASE}.* TO '{USER}'@'%';
    CREATE USER '{READER}'@'%' IDENTIFIED BY '{READER_PASSWORD}';
    GRANT SELECT ON {DATABASE}.* TO '{READER}'@'%';
    CREATE USER 'replicator'@'%' IDENTIFIED BY 'replicator';
    GRANT REPLICATION SLAVE ON *.* TO 'replicator'@'%';
    CREATE USER 'admin'@'%' IDENTIFIED BY 'admin';
    GRANT ALL ON *.* TO 'admin'@'%' WITH GRANT OPTION;
"""


@contextlib.contextmanager
def single() -> Iterator[dict[str, Any]]:
    """One server with a database and an account that may do everything in it."""
    with folder(user_for("mysql")) as home:
        _install(home / "data")
        with _server(home, 1) as place:
            _ask(place, _ACCOUNTS)
            yield place


@contextlib.contextmanager
def replicated() -> Iterator[dict[str, Any]]:
    """A primary and a replica; the replica's account may only read. `admin` is the account for pausing it."""
    owner = user_for("mysql")
    with folder(owner) as first, folder(owner) as second:
        _install(first / "data")
        shutil.copytree(first / "data", second / "data")
        if owner:
            run(["chown", "-R", owner, str(second / "data")])
        with _server(first, 1) as primary, _server(second, 2, "--read-only=1") as replica:
            _ask(primary, _ACCOUNTS)
            _follow(replica, primary["port"])
            yield {
                "primary": primary,
                "replica": {**replica, "user": READER, "password": READER_PASSWORD},
                "admin": {"user": "admin", "password": "admin"},
            }


def _install(data: Path) -> None:
    find_program("mariadbd", PACKAGE)
    command = [find_program("mariadb-install-db", PACKAGE), "--no-defaults", f"--datadir={data}"]
    command += ["--auth-root-authentication-method=normal", "--skip-test-db"]
    if os.geteuid() == 0:
        command.append("--user=mysql")
    # In /tmp itself two installations at the same moment collide.
    run(command, env={**os.environ, "TMPDIR": str(data.parent)})


@contextlib.contextmanager
def _server(home: Path, number: int, *options: str) -> Iterator[dict[str, Any]]:
    (port,) = free_ports()
    socket = home / "sock"
    command = [find_program("mariadbd", PACKAGE), "--no-defaults", f"--datadir={home / 'data'}", f"--socket={socket}"]
    command += [f"--port={port}", "--bind-address=127.0.0.1", f"--pid-file={home / 'pid'}", "--skip-name-resolve"]
    command += [f"--server-id={number}", f"--log-bin={home / 'data' / 'log'}", "--gtid-strict-mode=1"]
    # A test's data may die with the machine; on two cores every fsync counts.
    command += ["--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0", "--innodb-buffer-pool-size=32M", *options]
    if os.geteuid() == 0:
        command.append("--user=mysql")
    with process(command, home / "error", lambda: answers(port)) as server:
        place = {"host": "127.0.0.1", "port": port, "socket": str(socket), "pid": server.pid, "database": DATABASE}
        yield {**place, "user": USER, "password": PASSWORD}


def _follow(replica: dict[str, Any], port: int) -> None:
    _ask(
        replica,
        f"CHANGE MASTER TO master_host='127.0.0.1', master_port={port}, master_user='replicator', "
        "master_password='replicator', master_use_gtid=slave_pos, master_connect_retry=1; START SLAVE;",
    )
    deadline = time.monotonic() + REPLICATION_SECONDS
    while "admin" not in _ask(replica, "SELECT user FROM mysql.user"):
        if time.monotonic() > deadline:
            raise ServiceError(f"the replica does not follow: {_ask(replica, 'SHOW SLAVE STATUS')}")
        time.sleep(0.05)


def _ask(place: dict[str, Any], statements: str) -> str:
    client = find_program("mariadb", "mariadb-client")
    return run([client, "--no-defaults", "-u", "root", "-S", place["socket"], "-B", "-e", statements])
