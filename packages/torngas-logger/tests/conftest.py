"""What the tests share: reading a log with all its rotated files, and processes that write one."""

import gzip
import logging
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

WORKER = """
import logging, mmap, os, sys, time
import torngas_logger
path, number, count, kind, marks = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]
options = eval(sys.argv[6])
handler = getattr(torngas_logger, kind)(path, **options)
handler.setFormatter(logging.Formatter("%(message)s"))
log = logging.Logger("worker", logging.INFO)
log.addHandler(handler)
with open(marks, "r+b") as file:
    done = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")
print("ready", flush=True)
sys.stdin.readline()
for i in range(count):
    log.info("%d %d %s", number, i, "x" * 90)
    done[number] = i + 1
"""


class Log:
    """A log file and what was rotated from it."""

    def __init__(self, path):
        self.path = Path(path)

    @property
    def files(self):
        """The rotated files by name, then the present one."""
        found = [p for p in self.path.parent.iterdir() if p.name.startswith(self.path.name + ".")]
        rotated = sorted((p for p in found if p.suffix != ".lock"), key=lambda p: p.name)
        return rotated + [self.path] * self.path.exists()

    @property
    def rotated(self):
        return [p for p in self.files if p != self.path]

    @property
    def lines(self):
        return [line for file in self.files for line in read(file)]


def read(path):
    """Lines of a file; each must be ended."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", newline="") as file:
        text = file.read()
    assert not text or text.endswith("\n"), f"{path} ends within a line"
    return text.split("\n")[:-1]


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path / "app.log")


@pytest.fixture
def plain():
    """Makes a logger of its own that writes bare messages to a handler, closed at the end."""
    handlers = []

    def make(handler, formatter=None):
        handler.setFormatter(formatter or logging.Formatter("%(message)s"))
        handlers.append(handler)
        logger = logging.Logger("test", logging.DEBUG)
        logger.addHandler(handler)
        return logger

    yield make
    for handler in handlers:
        handler.close()


@pytest.fixture
def clock(monkeypatch):
    """A wall clock that the test sets; monotonic time goes on."""

    class Clock:
        now = 1_789_997_600.0  # 2026-09-21 13:33:20 UTC

        def __call__(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield clock
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def start_worker(tmp_path):
    """Starts an unrelated process that writes numbered lines when it is told to go."""
    running = []
    marks = tmp_path / "marks"
    marks.write_bytes(bytes(8 * 64))

    def start(path, number, count, kind="ProcessLogRotatingFileHandler", **options):
        command = [sys.executable, "-c", WORKER, str(path), str(number), str(count), kind, str(marks), repr(options)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    start.marks = marks
    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


@pytest.fixture
def census():
    """Counts numbered lines: ({worker: its numbers in the order of the files}, lines that are none)."""

    def count(lines):
        numbers, torn = {}, []
        for line in lines:
            match = re.fullmatch(r"(\d+) (\d+) x{90}", line)
            if match:
                numbers.setdefault(int(match[1]), []).append(int(match[2]))
            else:
                torn.append(line)
        return numbers, torn

    return count
