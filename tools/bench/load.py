"""Requests per second and CPU time per request of HTTP servers, each in a process of its own.

A benchmark script registers servers and lets them be measured; the same script, started with `--serve NAME PORT`,
is the server:

    servers = Servers(__file__)

    @servers.add("tornado")
    def tornado(port: int) -> None:
        serve_tornado(application(), port)

    if __name__ == "__main__":
        servers.serve_if_asked(sys.argv)
        with servers.running(["tornado", "torngas"]) as load:
            print(load.measure(rounds=7, seconds=2).ratio("torngas", "tornado"))

All servers run at once, the load goes to one after the other in a new random order each round, and a ratio is the
median of the rounds' ratios, so that a busy machine slows both sides alike. The load is `wrk` where it is installed,
else the asyncio client below. CPU time is that of the server's whole process group, from /proc (Linux).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Load", "Sample", "Samples", "Servers", "serve_tornado"]

Serve = Callable[[int], None]


@dataclass(frozen=True)
class Sample:
    """One round of one server."""

    rate: float
    """Requests per second."""
    cpu: float
    """Microseconds of the server's CPU time per request."""
    p99: float
    """Milliseconds within which 99 % were answered."""


@dataclass
class Samples:
    """All rounds of all servers of one run."""

    by_server: dict[str, list[Sample]] = field(default_factory=dict)

    def median(self, name: str, what: str = "rate") -> float:
        """The median of one column (`rate`, `cpu`, `p99`)."""
        return statistics.median(getattr(sample, what) for sample in self.by_server[name])

    def ratio(self, name: str, base: str, what: str = "rate") -> float:
        """The median over the rounds of `name` divided by `base`."""
        pairs = zip(self.by_server[name], self.by_server[base], strict=True)
        return statistics.median(getattr(ours, what) / getattr(theirs, what) for ours, theirs in pairs)

    def print_table(self, base: str) -> None:
        """One line per server; ratios are to `base`."""
        print(f"{'server':34} {'req/s':>10} {'x base':>7} {'best':>10} {'cpu us/req':>11} {'cpu x':>6} {'p99 ms':>7}")
        for name, rows in self.by_server.items():
            best = max(row.rate for row in rows)
            print(
                f"{name:34} {self.median(name):10,.0f} {self.ratio(name, base):7.3f} {best:10,.0f} "
                f"{self.median(name, 'cpu'):11.1f} {self.ratio(name, base, 'cpu'):6.3f} {self.median(name, 'p99'):7.2f}"
            )


@dataclass(frozen=True)
class Running:
    """A server that was started: its process (the leader of its own group), port and what to ask it."""

    process: subprocess.Popen[bytes]
    port: int
    path: str
    headers: Mapping[str, str]

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    def cpu_seconds(self) -> float:
        """CPU time of its process group so far."""
        total = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                if int(stat.read_text().rsplit(")", 1)[1].split()[2]) == self.process.pid:
                    threads = stat.parent.glob("task/*/schedstat")
                    total += sum(int(thread.read_text().split()[0]) for thread in threads)
            except OSError:
                continue  # ended meanwhile
        return total / 1e9

    def stop(self) -> None:
        """Ends the group that was started for it."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Servers:
    """The servers of one script; `script` is its `__file__`, started again for each of them."""

    def __init__(self, script: str) -> None:
        self.script = script
        self._serve: dict[str, Serve] = {}
        self._asked: dict[str, tuple[str, Mapping[str, str]]] = {}

    def add(self, name: str, path: str = "/", **headers: str) -> Callable[[Serve], Serve]:
        """Registers a function that serves on a port of 127.0.0.1 until it is killed."""

        def register(function: Serve) -> Serve:
            self._serve[name] = function
            self._asked[name] = path, headers
            return function

        return register

    def serve_if_asked(self, argv: list[str]) -> None:
        """Serves, and does not return, if the script was started with `--serve NAME PORT`."""
        if argv[1:2] == ["--serve"]:
            self._serve[argv[2]](int(argv[3]))
            raise SystemExit

    @contextmanager
    def running(self, names: Iterable[str] | None = None) -> Iterator[Load]:
        """Starts the named servers (default: all) and ends them afterwards."""
        started: dict[str, Running] = {}
        try:
            for name in self._serve if names is None else names:
                started[name] = self._start(name)
            yield Load(started)
        finally:
            for server in started.values():
                server.stop()

    def _start(self, name: str) -> Running:
        port = _free_port()
        command = [sys.executable, self.script, "--serve", name, str(port)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        server = Running(process, port, *self._asked[name])
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return server
        server.stop()
        raise RuntimeError(f"{name}: did not listen on port {port} within 20 seconds")


class Load:
    """Sends load to servers that run."""

    def __init__(self, servers: Mapping[str, Running]) -> None:
        self.servers = servers

    def measure(self, *, rounds: int = 7, seconds: float = 2, connections: int = 64) -> Samples:
        """Interleaved rounds over all servers, after a short warm-up of each."""
        samples = Samples({name: [] for name in self.servers})
        for server in self.servers.values():
            _send(server, 0.5, connections)
        for _ in range(rounds):
            for name in random.sample(list(self.servers), len(self.servers)):
                samples.by_server[name].append(_sample(self.servers[name], seconds, connections))
        return samples


def _sample(server: Running, seconds: float, connections: int) -> Sample:
    before = server.cpu_seconds()
    count, rate, p99 = _send(server, seconds, connections)
    return Sample(rate, (server.cpu_seconds() - before) / max(count, 1) * 1e6, p99)


def _send(server: Running, seconds: float, connections: int) -> tuple[int, float, float]:
    """Number of requests, requests per second, 99th percentile in ms. Raises if an answer was no success."""
    if shutil.which("wrk"):
        return _wrk(server, seconds, connections)
    command = [sys.executable, __file__, server.url, f"--seconds={seconds}", f"--connections={connections}"]
    command += [f"--header={name}: {value}" for name, value in server.headers.items()]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    count, rate, p99 = json.loads(out)
    return count, rate, p99


def _wrk(server: Running, seconds: float, connections: int) -> tuple[int, float, float]:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency"]
    for name, value in server.headers.items():
        command += ["-H", f"{name}: {value}"]
    out = subprocess.run([*command, server.url], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise RuntimeError(f"{server.url}: {out}")
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", out)
    count, rate = re.search(r"(\d+) requests in", out), re.search(r"Requests/sec:\s+([\d.]+)", out)
    if not (p99 and count and rate):
        raise RuntimeError(f"wrk answered {out!r}")
    return int(count[1]), float(rate[1]), float(p99[1]) * {"us": 1e-3, "ms": 1, "s": 1e3}[p99[2]]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve_tornado(application: Any, port: int) -> None:
    """Serves a Tornado application on asyncio's own loop until the process is killed."""
    from tornado.httpserver import HTTPServer

    async def main() -> None:
        HTTPServer(application).listen(port, "127.0.0.1")
        await asyncio.Event().wait()

    asyncio.run(main())


async def _client(host: str, port: int, request: bytes, until: float, times: list[float]) -> None:
    """One keep-alive connection; every answer must be a 2xx with a Content-Length."""
    reader, writer = await asyncio.open_connection(host, port)
    while (start := time.monotonic()) < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if not head.startswith(b"HTTP/1.1 2") or length is None:
            raise RuntimeError(head.decode("latin1"))
        await reader.readexactly(int(length[1]))
        times.append(time.monotonic() - start)
    writer.close()


async def _run_client(url: str, seconds: float, connections: int, headers: list[str]) -> tuple[int, float, float]:
    found = re.fullmatch(r"http://([^:/]+):(\d+)(/.*)", url)
    if not found:
        raise ValueError(f"got {url!r}; expected http://HOST:PORT/PATH")
    lines = [f"GET {found[3]} HTTP/1.1", f"Host: {found[1]}", *headers]
    request = "\r\n".join([*lines, "", ""]).encode()
    start, times = time.monotonic(), list[float]()
    work = (_client(found[1], int(found[2]), request, start + seconds, times) for _ in range(connections))
    await asyncio.gather(*work)
    p99 = sorted(times)[int(len(times) * 0.99)] * 1e3
    return len(times), len(times) / (time.monotonic() - start), p99


def _main() -> None:
    parser = argparse.ArgumentParser(description="The load client that stands in for wrk.")
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--header", action="append", default=[])
    args = parser.parse_args()
    print(json.dumps(asyncio.run(_run_client(args.url, args.seconds, args.connections, args.header))))


if __name__ == "__main__":
    _main()
