"""Several worker processes of one server: spawned afresh, never forked; the dead are replaced.

The first process runs the program's own command line again for each worker and serves nothing itself. Workers
bind the same port with SO_REUSEPORT, so that the kernel spreads the connections.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any

__all__ = ["Supervisor", "worker_number"]

# Not TORNGAS_…: those override settings.
_MARK = "_TORNGAS_WORKER"
# A worker that dies at once, again and again, is not started more often than this.
RESTART_SECONDS = 1.0
_POLL_SECONDS = 0.05

logger = logging.getLogger("torngas")


def worker_number() -> int | None:
    """Which worker this process is, from 0; None in the first process."""
    mark = os.environ.get(_MARK, "")
    return int(mark) if mark.isdigit() else None


class Supervisor:
    """Keeps `count` workers running until SIGTERM or SIGINT, then stops them.

    Args:
        count: How many.
        timeout: Seconds that workers get to stop before they are killed.
        command: The command line of a worker; None repeats this program's.
        environ: What the workers' environment has beside this process's.
        ended: Called with the process id of each worker that has ended.
    """

    def __init__(
        self,
        count: int,
        *,
        timeout: float,
        command: list[str] | None = None,
        environ: Mapping[str, str] | None = None,
        ended: Callable[[int], object] | None = None,
    ) -> None:
        self._environ = dict(environ or {})
        self._ended = ended
        self._command = command or [sys.executable, *sys.orig_argv[1:]]
        self._timeout = timeout
        self._workers: dict[int, subprocess.Popen[Any]] = {}
        self._started: dict[int, float] = dict.fromkeys(range(count), 0.0)
        self._stopping = False

    def run(self) -> None:
        """Blocks until the workers have stopped."""
        with _on_signals(self._stop):
            while not self._stopping:
                for number in self._started:
                    self._keep(number)
                time.sleep(_POLL_SECONDS)
            self._end()

    def _stop(self) -> None:
        self._stopping = True

    def _keep(self, number: int) -> None:
        worker = self._workers.get(number)
        if worker is not None and worker.poll() is None:
            return
        if worker is not None:
            logger.error("worker %d (process %d) ended with status %s", number, worker.pid, worker.returncode)
            del self._workers[number]
            if self._ended is not None:
                self._ended(worker.pid)
        if time.monotonic() - self._started[number] >= RESTART_SECONDS:
            self._started[number] = time.monotonic()
            self._workers[number] = subprocess.Popen(  # noqa: S603 - the command line that started this program
                self._command, env={**os.environ, **self._environ, _MARK: str(number)}
            )

    def _end(self) -> None:
        for worker in self._workers.values():
            with contextlib.suppress(ProcessLookupError):
                worker.terminate()
        deadline = time.monotonic() + self._timeout
        for worker in self._workers.values():
            try:
                worker.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()


@contextlib.contextmanager
def _on_signals(act: Callable[[], None]) -> Iterator[None]:
    def handle(number: int, frame: FrameType | None) -> None:
        act()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
