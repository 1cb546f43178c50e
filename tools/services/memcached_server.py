"""A private memcached server."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from _server import answers, find_program, folder, free_ports, process

PACKAGE = "memcached"


@contextlib.contextmanager
def single() -> Iterator[dict[str, Any]]:
    """One server of 64 MiB on a port."""
    program = find_program("memcached", PACKAGE)
    with folder() as home:
        (port,) = free_ports()
        command = [program, "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-m", "64"]
        if os.geteuid() == 0:
            command += ["-u", "nobody"]
        with process(command, home / "log", lambda: answers(port, b"version\r\n", b"VERSION")) as server:
            yield {"host": "127.0.0.1", "port": port, "pid": server.pid}
