"""Many processes, one file."""

import logging
import multiprocessing
import os
import signal
import struct
import threading
import time

import pytest

from torngas_logger import NonBlockingHandler, ProcessLogRotatingFileHandler, ProcessLogTimedFileHandler

fork = multiprocessing.get_context("fork")
LIMIT = 60_000


def go(process):
    process.stdin.write("\n")
    process.stdin.flush()


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        os.sched_yield()


def done_by(marks, number):
    return struct.unpack_from("Q", marks.read_bytes(), 8 * number)[0]


@pytest.mark.promise(29)
@pytest.mark.parametrize("compress", [False, True])
def test_promise_29_no_line_is_lost_torn_or_doubled_by_eight_processes(log, start_worker, census, compress):
    """Size and time rotate, unrelated processes write, one is killed; every line of the others is there, in order."""
    options = {"maxBytes": LIMIT, "when": "S", "compress": compress}
    workers = [start_worker(log.path, number, 3000, **options) for number in range(8)]
    for worker in workers:
        go(worker)
    wait_until(lambda: done_by(start_worker.marks, 3) > 500)
    workers[3].send_signal(signal.SIGKILL)
    assert [worker.wait() for worker in workers] == [0, 0, 0, -9, 0, 0, 0, 0]
    # What a compressor left when its process ended is finished by whoever rotates next.
    handler = ProcessLogRotatingFileHandler(log.path, **options)
    handler.doRollover()
    handler.close()
    numbers, torn = census(log.lines)
    killed = numbers.pop(3)
    assert torn == []
    assert numbers == {number: list(range(3000)) for number in (0, 1, 2, 4, 5, 6, 7)}
    assert killed == list(range(len(killed)))
    assert 0 <= len(killed) - done_by(start_worker.marks, 3) <= 1
    assert len(log.rotated) > 20
    assert all(file.stat().st_size > 0 for file in log.rotated)
    assert {file.suffix == ".gz" for file in log.rotated} == {compress}
    if not compress:
        assert max(file.stat().st_size for file in log.rotated) <= LIMIT


@pytest.mark.parametrize("when", ["before", "after"])
def test_children_forked_before_or_after_set_up_share_the_file(log, census, when):
    """Descriptors and locks of the parent are not used by its children."""
    handler = None

    def make():
        handler = ProcessLogRotatingFileHandler(log.path, maxBytes=50_000)
        handler.setFormatter(logging.Formatter("%(message)s"))
        return handler

    def child(number):
        mine = handler or make()
        logger = logging.Logger("child")
        logger.addHandler(mine)
        for i in range(1500):
            logger.info("%d %d %s", number, i, "x" * 90)

    if when == "after":
        handler = make()
    children = [fork.Process(target=child, args=(number,)) for number in range(4)]
    for process in children:
        process.start()
    if handler:
        child(4)
    for process in children:
        process.join()
    if handler:
        handler.close()
    numbers, torn = census(log.lines)
    assert torn == []
    assert numbers == {number: list(range(1500)) for number in range(4 + (when == "after"))}


def test_a_fork_while_another_thread_writes_harms_neither(log, census, plain):
    """The child starts from nothing, however far the parent's thread had come."""
    logger = plain(ProcessLogRotatingFileHandler(log.path, maxBytes=20_000))
    stop = threading.Event()
    written = []

    def write():
        while not stop.is_set():
            logger.info("0 %d %s", len(written), "x" * 90)
            written.append(None)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(1, 13):
            pid = os.fork()
            if not pid:
                for i in range(50):
                    logger.info("%d %d %s", number, i, "x" * 90)
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
    finally:
        stop.set()
        thread.join()
    numbers, torn = census(log.lines)
    assert torn == []
    assert numbers == {0: list(range(len(written)))} | {number: list(range(50)) for number in range(1, 13)}


def test_a_forked_child_has_none_of_the_parents_descriptors(log, plain):
    """A descriptor shared by a fork shares its lock: one unlocks what the other holds."""
    handler = ProcessLogTimedFileHandler(log.path)
    plain(handler).info("hello")
    pid = os.fork()
    if not pid:
        names = [
            os.readlink(f"/proc/self/fd/{fd}")
            for fd in os.listdir("/proc/self/fd")
            if os.path.exists(f"/proc/self/fd/{fd}")
        ]
        os._exit(int(str(log.path) in names))
    assert os.waitpid(pid, 0)[1] == 0


def test_one_process_rotates_once_per_boundary(log, start_worker, clock):
    """Eight processes meet a boundary that has passed; there is one rotated file."""
    handler = ProcessLogTimedFileHandler(log.path, when="midnight", utc=True)
    handler.emit(logging.makeLogRecord({"msg": "yesterday"}))
    handler.close()
    lock = log.path.with_name("app.log.lock")
    inode, _, rule, label, number = eval(lock.read_text())
    lock.write_text(f'[{inode}, {time.time() - 1}, "{rule}", "{label}", {number}]')
    workers = [
        start_worker(log.path, n, 200, "ProcessLogTimedFileHandler", when="midnight", utc=True) for n in range(8)
    ]
    for worker in workers:
        go(worker)
    assert [worker.wait() for worker in workers] == [0] * 8
    assert len(log.rotated) == 1
    assert log.rotated[0].read_text() == "yesterday\n"


@pytest.mark.parametrize("step", ["before the rename", "after the rename", "after the new file"])
def test_a_process_killed_while_it_rotates_loses_nothing(log, plain, step):
    """kill -9 at each step of a rotation; the next process goes on from there."""
    pid = os.fork()
    if not pid:
        handler = ProcessLogRotatingFileHandler(log.path, maxBytes=100, delay=True)
        handler.setFormatter(logging.Formatter("%(message)s"))
        for i in range(5):
            handler.emit(logging.makeLogRecord({"msg": f"{i} " + "x" * 20}))
        rename = os.rename

        def rotator(source, target):
            if step != "before the rename":
                rename(source, target)
            if step == "after the new file":
                open(source, "a").close()
            os.kill(os.getpid(), signal.SIGKILL)

        handler.rotator = rotator
        handler.doRollover()
        os._exit(1)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
    logger = plain(ProcessLogRotatingFileHandler(log.path, maxBytes=100))
    for i in range(5, 10):
        logger.info("%d %s", i, "x" * 20)
    assert [line.split()[0] for line in log.lines] == [str(i) for i in range(10)]
    assert all(file.stat().st_size for file in log.rotated)


def test_a_record_cut_by_kill_does_not_swallow_the_next_one(log, plain):
    """A write that was cut ends at a page; the next writer ends that line, and its own record is whole."""
    log.path.write_bytes(b"whole\n" + b"c" * (4096 - 6))
    plain(ProcessLogTimedFileHandler(log.path)).info("next")
    lines = log.path.read_text().split("\n")
    assert lines[0] == "whole"
    assert lines[-2:] == ["next", ""]


def test_a_stopped_process_does_not_stop_the_others(log, plain):
    """Somebody who holds the shared lock for ever puts the rotation off, and the records go on."""
    import fcntl

    handler = ProcessLogTimedFileHandler(log.path)
    logger = plain(handler)
    logger.info("one")
    with open(log.path) as stopped:
        fcntl.flock(stopped, fcntl.LOCK_SH)
        handler.doRollover()
        logger.info("two")
        assert log.rotated == []
    handler.doRollover()
    assert log.lines == ["one", "two"]
    assert len(log.rotated) == 1


def test_two_handlers_of_one_process_share_the_file(log, plain):
    """Also within a process: locks belong to the opened file."""
    loggers = [plain(ProcessLogRotatingFileHandler(log.path, maxBytes=100)) for _ in range(2)]
    for i in range(40):
        loggers[i % 2].info("%02d %s", i, "x" * 20)
    assert [int(line[:2]) for line in log.lines] == list(range(40))
    assert all(file.stat().st_size <= 100 for file in log.files)


def test_a_child_does_not_write_what_waits_in_the_parents_queue(log, plain):
    """Queued records are written once, by the process that queued them."""
    gate = threading.Event()

    class Slow(ProcessLogTimedFileHandler):
        def emit(self, record):
            gate.wait(20)
            super().emit(record)

    handler = NonBlockingHandler(Slow(log.path))
    logger = plain(handler)
    logger.info("first")
    logger.info("second")
    pid = os.fork()
    if not pid:
        gate.set()
        logger.info("child")
        handler.flush()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    gate.set()
    handler.flush()
    assert sorted(log.lines) == ["child", "first", "second"]
