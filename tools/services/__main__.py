"""Starts private servers for tests, and stops them when standard input closes.

    python tools/services redis memcached

prints one line of JSON, {"redis": {"host": …, "port": …, "pid": …}, "memcached": {…}}, when all of them
answer, and holds them until its standard input is closed, or on SIGINT or SIGTERM. A name may stand several
times ("redis redis"): then its value is a list. Every server listens on free ports of 127.0.0.1 and lives in
a temporary folder; the system's own servers are never touched.

Exit status: 0 stopped as asked, 1 a server did not start, 2 wrong use, 3 a program is missing (the message
names it and the command that installs it).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import mariadb_server
import memcached_server
import postgres_server
import redis_server
from _server import MissingProgram, ServiceError, find_program

SERVICES: dict[str, Callable[[], AbstractContextManager[dict[str, Any]]]] = {
    "redis": redis_server.single,
    "redis-replica": redis_server.replicated,
    "redis-sentinel": redis_server.watched,
    "redis-cluster": redis_server.cluster,
    "memcached": memcached_server.single,
    "mariadb": mariadb_server.single,
    "mariadb-replica": mariadb_server.replicated,
    "postgres": postgres_server.single,
    "postgres-replica": postgres_server.replicated,
}
# program -> Debian package; what `make services` installs where missing
PROGRAMS = {
    "redis-server": "redis-server",
    "redis-sentinel": "redis-sentinel",
    "memcached": "memcached",
    "mariadbd": "mariadb-server",
    "postgres": "postgresql",
    "wrk": "wrk",
    "chromium": "chromium",
}
POSTGRES_FOLDERS = [f"/usr/lib/postgresql/{version}/bin" for version in range(20, 12, -1)]


def main(argv: list[str]) -> int:
    """Runs the command line; answers the exit status."""
    parser = argparse.ArgumentParser(
        prog="tools/services", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(SERVICES)}")
    parser.add_argument("--install", action="store_true", help="install missing programs (Debian, root) and end")
    args = parser.parse_args(argv)
    if args.install:
        return install()
    if not args.names or (unknown := [name for name in args.names if name not in SERVICES]):
        parser.error(f"got {unknown if args.names else 'no name'}; expected some of {', '.join(SERVICES)}")
    try:
        return serve(args.names)
    except MissingProgram as error:
        print(error, file=sys.stderr)
        return 3
    except ServiceError as error:
        print(error, file=sys.stderr)
        return 1


def serve(names: list[str]) -> int:
    """Starts the named servers, prints where they are, and stops them at the end of standard input."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    with contextlib.ExitStack() as stack:
        started = [(name, stack.enter_context(SERVICES[name]())) for name in names]
        places: dict[str, Any] = {}
        for name in dict.fromkeys(names):
            mine = [place for other, place in started if other == name]
            places[name] = mine[0] if len(mine) == 1 else mine
        print(json.dumps(places), flush=True)
        sys.stdin.read()
    return 0


def install() -> int:
    """Installs what is missing, where that is possible; says what stays missing."""
    missing = [package for program, package in PROGRAMS.items() if not _present(program, package)]
    if not missing:
        return 0
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(f"Not installed: {', '.join(missing)}. As root on Debian: apt-get install {' '.join(missing)}")
        return 0
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment)
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
    return subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL).returncode


def _present(program: str, package: str) -> bool:
    try:
        find_program(program, package, POSTGRES_FOLDERS)
    except MissingProgram:
        return False
    return True


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
