"""Locks of Windows, over a stand-in for msvcrt made of POSIX locks of regions."""

import fcntl
import os

import pytest

import torngas_logger._shared_file as shared_file
from torngas_logger import ProcessLogRotatingFileHandler
from torngas_logger._locks import LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, region_flock


class Msvcrt:
    """`msvcrt.locking` on POSIX: regions from the current position."""

    LK_NBLCK, LK_UNLCK = 2, 0

    def locking(self, fd, mode, nbytes):
        import struct

        kind = fcntl.F_WRLCK if mode == self.LK_NBLCK else fcntl.F_UNLCK
        start = os.lseek(fd, 0, os.SEEK_CUR)
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, struct.pack("hhqqi", kind, os.SEEK_SET, start, nbytes, 0))


@pytest.fixture
def two(tmp_path):
    """Two opens of one file."""
    path = tmp_path / "x.lock"
    fds = [os.open(path, os.O_RDWR | os.O_CREAT) for _ in range(2)]
    yield fds
    for fd in fds:
        os.close(fd)


@pytest.mark.parametrize("operation", [LOCK_EX, LOCK_SH])
def test_a_region_lock_excludes_the_other_until_it_is_released(two, operation):
    """A shared lock is an exclusive one there; the position in the file stays."""
    flock = region_flock(Msvcrt())
    os.write(two[0], b"abc")
    flock(two[0], operation)
    with pytest.raises(BlockingIOError):
        flock(two[1], LOCK_EX | LOCK_NB)
    flock(two[0], LOCK_UN)
    flock(two[1], LOCK_EX | LOCK_NB)
    assert os.lseek(two[0], 0, os.SEEK_CUR) == 3


def test_a_region_lock_lies_where_nobody_reads(two):
    """Locks of Windows are mandatory: the first byte must stay readable."""
    flock = region_flock(Msvcrt())
    flock(two[0], LOCK_EX)
    region_at_0 = Msvcrt()
    os.lseek(two[1], 0, os.SEEK_SET)
    region_at_0.locking(two[1], Msvcrt.LK_NBLCK, 1)


def test_where_open_files_cannot_be_renamed_the_file_is_open_for_one_record_only(log, plain, monkeypatch):
    """The way of Windows: closed when it is renamed, and after each record; nothing is lost."""
    monkeypatch.setattr(shared_file, "_OPEN_FILES_STAY", True)

    def is_open():
        links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
        return str(log.path) in [os.readlink(link) for link in links if os.path.exists(link)]

    def rotator(source, target):
        assert not is_open()
        os.rename(source, target)

    handlers = [ProcessLogRotatingFileHandler(log.path, maxBytes=200, when="H", delay=True) for _ in range(2)]
    loggers = [plain(handler) for handler in handlers]
    for i in range(60):
        handlers[i % 2].rotator = rotator
        loggers[i % 2].info("%02d %s", i, "x" * 20)
        assert not is_open()
    assert [int(line[:2]) for line in log.lines] == list(range(60))
    assert len(log.rotated) > 5
