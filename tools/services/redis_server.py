"""Private redis servers: one alone, a primary with its replica, a set watched by sentinels, a cluster."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from _server import START_SECONDS, ServiceError, answers, find_program, folder, free_ports, process, run

PACKAGE = "redis-server"
MASTERS = 3
SENTINELS = 3
SERVICE = "mymaster"
# Small, so that a test of a fail-over takes seconds; the servers are on the loopback.
NODE_TIMEOUT_MS = 1000
DOWN_AFTER_MS = 1000


@contextlib.contextmanager
def single(*options: str) -> Iterator[dict[str, Any]]:
    """One server without persistence, on a port and on a unix socket."""
    (port,) = free_ports()
    with _server(port, *options) as place:
        yield place


@contextlib.contextmanager
def replicated() -> Iterator[dict[str, Any]]:
    """A primary (host, port, socket, pid) and under "replica" its replica, in step when the block begins."""
    with single("--repl-diskless-sync-delay", "0") as primary, _replica_of(primary["port"]) as replica:
        yield {**primary, "replica": replica}


@contextlib.contextmanager
def watched() -> Iterator[dict[str, Any]]:
    """A primary, a replica and three sentinels that agree on them; "service" is the name that they watch."""
    with replicated() as place, contextlib.ExitStack() as stack:
        replica = place.pop("replica")
        sentinels = [stack.enter_context(_sentinel(port, place["port"])) for port in free_ports(SENTINELS)]
        for sentinel in sentinels:
            _until(f"sentinel {sentinel['port']}", lambda port=sentinel["port"]: _sees_everybody(port))
        yield {"service": SERVICE, "primary": place, "replica": replica, "sentinels": sentinels}


@contextlib.contextmanager
def cluster() -> Iterator[dict[str, Any]]:
    """Three masters with a replica each; "nodes" has all six, host and port are the first one's."""
    ports = free_ports(MASTERS * 4)
    ports, buses = ports[: MASTERS * 2], ports[MASTERS * 2 :]
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(_node(port, bus)) for port, bus in zip(ports, buses, strict=True)]
        addresses = [f"127.0.0.1:{port}" for port in ports]
        run(
            [
                find_program("redis-cli", "redis-tools"),
                "--cluster",
                "create",
                *addresses,
                "--cluster-replicas",
                "1",
                "--cluster-yes",
            ]
        )
        for port in ports:
            _until(f"cluster node {port}", lambda port=port: _joined(port))
        for node in nodes:
            node["role"] = _field(node["port"], "INFO replication", "role")
        yield {"host": "127.0.0.1", "port": ports[0], "nodes": nodes}


@contextlib.contextmanager
def _server(port: int, *options: str) -> Iterator[dict[str, Any]]:
    program = find_program("redis-server", PACKAGE)
    with folder() as home:
        socket_path = home / "redis.sock"
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--unixsocket", str(socket_path)]
        command += ["--dir", str(home), "--save", "", "--appendonly", "no", *options]
        with process(
            command, home / "log", lambda: answers(port, b"PING\r\n", b"+PONG"), stop=signal.SIGKILL
        ) as server:
            yield {"host": "127.0.0.1", "port": port, "socket": str(socket_path), "pid": server.pid}


@contextlib.contextmanager
def _replica_of(primary: int) -> Iterator[dict[str, Any]]:
    with single("--replicaof", "127.0.0.1", str(primary), "--repl-diskless-sync-delay", "0") as replica:
        _until("the replica", lambda: _field(replica["port"], "INFO replication", "master_link_status") == "up")
        yield replica


@contextlib.contextmanager
def _sentinel(port: int, primary: int) -> Iterator[dict[str, Any]]:
    program = find_program("redis-server", PACKAGE)
    with folder() as home:
        config = _sentinel_config(home, port, primary)
        with process(
            [program, str(config), "--sentinel"],
            home / "log",
            lambda: answers(port, b"PING\r\n", b"+PONG"),
            stop=signal.SIGKILL,
        ) as server:
            yield {"host": "127.0.0.1", "port": port, "pid": server.pid}


def _sentinel_config(home: Path, port: int, primary: int) -> Path:
    """A file of its own: a sentinel writes what it learns back into it."""
    config = home / "sentinel.conf"
    lines = [
        f"port {port}",
        "bind 127.0.0.1",
        f"dir {home}",
        f"sentinel monitor {SERVICE} 127.0.0.1 {primary} {SENTINELS // 2 + 1}",
        f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}",
        f"sentinel failover-timeout {SERVICE} 3000",
    ]
    config.write_text("\n".join(lines) + "\n")
    return config


def _node(port: int, bus: int) -> contextlib.AbstractContextManager[dict[str, Any]]:
    return _server(
        port,
        *("--cluster-enabled", "yes", "--cluster-port", str(bus), "--cluster-node-timeout", str(NODE_TIMEOUT_MS)),
        *("--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0"),
    )


def _sees_everybody(port: int) -> bool:
    answer = _ask(port, f"SENTINEL MASTER {SERVICE}").splitlines()
    values = dict(zip(answer[::2], answer[1::2], strict=False))
    return values.get("num-slaves") == "1" and values.get("num-other-sentinels") == str(SENTINELS - 1)


def _joined(port: int) -> bool:
    if _field(port, "CLUSTER INFO", "cluster_state") != "ok":
        return False
    nodes = [line for line in _ask(port, "CLUSTER NODES").splitlines() if " connected" in line]
    if sum("slave" in line for line in nodes) != MASTERS or len(nodes) != 2 * MASTERS:
        return False
    if _field(port, "INFO replication", "role") == "master":
        return _field(port, "INFO replication", "connected_slaves") == "1"
    return _field(port, "INFO replication", "master_link_status") == "up"


def _field(port: int, command: str, name: str) -> str:
    for line in _ask(port, command).splitlines():
        if line.startswith(name + ":"):
            return line[len(name) + 1 :]
    return ""


def _ask(port: int, command: str) -> str:
    """Runs one command by redis-cli; answers its output, one value per line."""
    return run([find_program("redis-cli", "redis-tools"), "-p", str(port), "--raw", *command.split()])


def _until(what: str, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise ServiceError(f"{what} did not find its fellows within {START_SECONDS:.0f} s")
        time.sleep(0.05)
