"""Private redis servers."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

from _server import answers, find_program, folder, free_ports, process

PACKAGE = "redis-server"


@contextlib.contextmanager
def single(*options: str) -> Iterator[dict[str, Any]]:
    """One server without persistence, on a port and on a unix socket."""
    program = find_program("redis-server", PACKAGE)
    with folder() as home:
        (port,) = free_ports()
        socket_path = home / "redis.sock"
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--unixsocket", str(socket_path)]
        command += ["--dir", str(home), "--save", "", "--appendonly", "no", *options]
        with process(
            command, home / "log", lambda: answers(port, b"PING\r\n", b"+PONG"), stop=signal.SIGKILL
        ) as server:
            yield {"host": "127.0.0.1", "port": port, "socket": str(socket_path), "pid": server.pid}
