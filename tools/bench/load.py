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
median of the rounds' ratios, so that a busy machine slows both sides alike. The load comes from a second process: `wrk`
where it is installed, else the asyncio client below. CPU time is that of the server's whole process group, from /proc
(Linux). A server ends with the script that started it, also when that is killed.
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
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import budget
from tables import Table

__all__ = ["Load", "Sample", "Samples", "Servers", "serve_tornado"]

Serve = Callable[[int], None]
Sent = tuple[int, float, float, float, float]
"""Number of requests, requests per second, milliseconds within which 50, 90 and 99 % were answered."""
SHORTEST, OVERHEAD = 0.3, 0.1


@dataclass(frozen=True)
class Sample:
    """One round of one server."""

    rate: float
    """Requests per second."""
    cpu: float
    """Microseconds of the server's CPU time per request."""
    p99: float
    """Milliseconds within which 99 % were answered."""
    p90: float = 0
    p50: float = 0


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

    def print_table(self, base: str, *, differs: Mapping[str, str] | None = None) -> None:
        """One line per server; ratios are to `base`. `differs` says of each what is its own."""
        columns = ["server", "req/s", "x base", "best", "cpu us/req", "cpu x", "p50 ms", "p90 ms", "p99 ms"]
        table = Table(f"Requests over HTTP, base: {base}", [*columns, "differs"] if differs else columns)
        for name, rows in self.by_server.items():
            rate, cpu = f"{self.median(name):,.0f}", f"{self.median(name, 'cpu'):,.1f}"
            best = f"{max(row.rate for row in rows):,.0f}"
            times = [f"{self.median(name, what):,.2f}" for what in ("p50", "p90", "p99")]
            ratio, dearer = f"{self.ratio(name, base):.3f}", f"{self.ratio(name, base, 'cpu'):.3f}"
            own = [differs.get(name, "")] if differs else []
            table.rows.append([name, rate, ratio, best, cpu, dearer, *times, *own])
        table.show()


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
        if self.process.stdin:
            self.process.stdin.close()


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
            threading.Thread(target=_end_with_standard_input, daemon=True).start()
            self._serve[argv[2]](int(argv[3]))
            raise SystemExit

    @contextmanager
    def running(self, names: Iterable[str] | None = None) -> Iterator[Load]:
        """Starts the named servers (default: all) and ends them afterwards."""
        started: dict[str, Running] = {}
        try:
            for name in self._serve if names is None else names:
                started[name] = self._start(name)
            for name, server in started.items():
                _wait_until_it_listens(name, server)
            yield Load(started)
        finally:
            for server in started.values():
                server.stop()

    def _start(self, name: str) -> Running:
        port = _free_port()
        command = [sys.executable, self.script, "--serve", name, str(port)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True)
        return Running(process, port, *self._asked[name])


def _wait_until_it_listens(name: str, server: Running) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", server.port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"{name}: did not listen on port {server.port} within a minute")


def _end_with_standard_input() -> None:
    """Ends this process group once whoever started it is gone, which closes the pipe."""
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)


class Load:
    """Sends load to servers that run."""

    def __init__(self, servers: Mapping[str, Running]) -> None:
        self.servers = servers

    def measure(self, *, rounds: int = 7, seconds: float = 2, connections: int = 64) -> Samples:
        """Interleaved rounds over all servers, after a short warm-up of each; shorter ones if time is short."""
        samples = Samples({name: [] for name in self.servers})
        self._warm_up(connections)
        per_server = budget.left() / max(len(self.servers), 1)
        seconds = min(seconds, max(SHORTEST, per_server / rounds - OVERHEAD))
        rounds = max(1, int(min(rounds, per_server / (seconds + OVERHEAD))))
        for _ in range(rounds):
            for name in random.sample(list(self.servers), len(self.servers)):
                samples.by_server[name].append(_sample(self.servers[name], seconds, connections))
        return samples

    def _warm_up(self, connections: int) -> None:
        """All at once."""
        with ThreadPoolExecutor(max(len(self.servers), 1)) as pool:
            done = [pool.submit(_send, server, 0.5, connections) for server in self.servers.values()]
        for future in done:
            future.result()


def _sample(server: Running, seconds: float, connections: int) -> Sample:
    before = server.cpu_seconds()
    count, rate, p50, p90, p99 = _send(server, seconds, connections)
    return Sample(rate, (server.cpu_seconds() - before) / max(count, 1) * 1e6, p99, p90, p50)


def _send(server: Running, seconds: float, connections: int) -> Sent:
    """Raises if an answer was no success."""
    if shutil.which("wrk") and "BENCH_OWN_CLIENT" not in os.environ:
        return _wrk(server, seconds, connections)
    command = [sys.executable, __file__, server.url, f"--seconds={seconds}", f"--connections={connections}"]
    command += [f"--header={name}: {value}" for name, value in server.headers.items()]
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    count, rate, *times = json.loads(out)
    return count, rate, *times


def _wrk(server: Running, seconds: float, connections: int) -> Sent:
    """wrk counts in whole seconds; an interrupt lets it end in between, with its report."""
    command = ["wrk", "-t1", f"-c{connections}", "-d60s", "--latency"]
    for name, value in server.headers.items():
        command += ["-H", f"{name}: {value}"]
    out = ""
    for longer in (1, 4, 16):  # where the machine is so busy that nothing was answered in the given time
        with subprocess.Popen([*command, server.url], stdout=subprocess.PIPE, text=True) as process:
            time.sleep(min(seconds * longer, 50))
            process.send_signal(signal.SIGINT)
            out = process.communicate(timeout=60)[0]
        if "Non-2xx" in out or "Socket errors" in out:
            raise RuntimeError(f"{server.url}: {out}")
        if sent := _sent(out):
            return sent
    raise RuntimeError(f"wrk answered {out!r}")


def _sent(report: str) -> Sent | None:
    """What wrk reports; None if it had no answer at all."""
    count, rate = re.search(r"(\d+) requests in", report), re.search(r"Requests/sec:\s+([\d.]+)", report)
    times = [re.search(rf"{percent}%\s+([\d.]+)(us|ms|s)", report) for percent in (50, 90, 99)]
    p50, p90, p99 = (float(one[1]) * {"us": 1e-3, "ms": 1, "s": 1e3}[one[2]] if one else 0.0 for one in times)
    return (int(count[1]), float(rate[1]), p50, p90, p99) if count and rate and int(count[1]) else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve_tornado(application: Any, port: int, server: Any = None) -> None:
    """Serves a Tornado application on asyncio's own loop until the process is killed, by Tornado's server if none."""
    from tornado.httpserver import HTTPServer

    async def main() -> None:
        (server or HTTPServer)(application).listen(port, "127.0.0.1")
        await asyncio.Event().wait()

    asyncio.run(main())


async def _client(host: str, port: int, request: bytes, until: float, times: list[float]) -> None:
    """One keep-alive connection; every answer must be a 2xx with a Content-Length."""
    reader, writer = await asyncio.open_connection(host, port)
    while not times or time.monotonic() < until:
        start = time.monotonic()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if not head.startswith(b"HTTP/1.1 2") or length is None:
            raise RuntimeError(head.decode("latin1"))
        await reader.readexactly(int(length[1]))
        times.append(time.monotonic() - start)
    writer.close()
    await writer.wait_closed()


async def _run_client(url: str, seconds: float, connections: int, headers: list[str]) -> Sent:
    found = re.fullmatch(r"http://([^:/]+):(\d+)(/.*)", url)
    if not found:
        raise ValueError(f"got {url!r}; expected http://HOST:PORT/PATH")
    lines = [f"GET {found[3]} HTTP/1.1", f"Host: {found[1]}", *headers]
    request = "\r\n".join([*lines, "", ""]).encode()
    start, times = time.monotonic(), list[float]()
    work = (_client(found[1], int(found[2]), request, start + seconds, times) for _ in range(connections))
    await asyncio.gather(*work)
    took = time.monotonic() - start
    times.sort()
    p50, p90, p99 = (times[int(len(times) * part)] * 1e3 for part in (0.5, 0.9, 0.99))
    return len(times), len(times) / took, p50, p90, p99


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
