"""The handlers, in one process."""

import datetime
import gzip
import logging
import logging.config
import logging.handlers
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest

from torngas_logger import (
    LoggerConfigError,
    LoggerError,
    ProcessLogFileHandler,
    ProcessLogRotatingFileHandler,
    ProcessLogTimedFileHandler,
)

HOUR = 3600
RECORD = logging.makeLogRecord({"msg": "hello"})


def test_a_record_is_in_the_file_when_the_call_returns(log, plain):
    """Nothing is buffered."""
    logger = plain(ProcessLogTimedFileHandler(log.path))
    logger.info("hello %s", "世界")
    assert log.path.read_text(encoding="utf-8") == "hello 世界\n"


def test_the_size_limit_holds(log, plain):
    """No file grows beyond the limit, and none is empty."""
    logger = plain(ProcessLogRotatingFileHandler(log.path, maxBytes=100))
    for i in range(50):
        logger.info("%02d %s", i, "x" * (i % 30))
    assert [int(line[:2]) for line in log.lines] == list(range(50))
    assert all(0 < file.stat().st_size <= 100 for file in log.files)


def test_a_record_larger_than_the_limit_has_a_file_of_its_own(log, plain):
    """It passes the limit alone; no empty file is made before it."""
    logger = plain(ProcessLogRotatingFileHandler(log.path, maxBytes=100))
    logger.info("y" * 300)
    logger.info("small")
    assert [file.stat().st_size for file in log.files] == [301, 6]


def test_both_limits_hold_in_one_handler(log, plain, clock):
    """The names of one day are the day and a number, and sort by age."""
    for kind in (ProcessLogTimedFileHandler, ProcessLogRotatingFileHandler):
        logger = plain(kind(log.path, when="midnight", maxBytes=40))
        for i in range(3):
            logger.info("%s %d %s", kind.__name__[:12], i, "x" * 15)
        clock.now += 86400
        logger.info("next day")
    assert [file.name for file in log.rotated] == [
        "app.log.2026-09-21",
        "app.log.2026-09-21_000001",
        "app.log.2026-09-21_000002",
        "app.log.2026-09-22",
        "app.log.2026-09-22_000001",
        "app.log.2026-09-22_000002",
    ]
    assert log.lines[3] == "next day"
    assert len(log.lines) == 8


@pytest.mark.parametrize(
    ("when", "seconds", "name"),
    [
        ("S", 1, "2026-09-21_13-33-20"),
        ("m", 60, "2026-09-21_13-33"),
        ("h", 3600, "2026-09-21_13"),
        ("D", 86400, "2026-09-21"),
        ("midnight", 86400, "2026-09-21"),
        ("W0", 7 * 86400, "2026-09-21"),
    ],
)
def test_a_rotated_file_is_named_for_the_start_of_its_interval(log, plain, clock, when, seconds, name):
    """As in TimedRotatingFileHandler."""
    logger = plain(ProcessLogTimedFileHandler(log.path, when=when))
    logger.info("one")
    clock.now += seconds
    logger.info("two")
    assert [file.name for file in log.files] == [f"app.log.{name}", "app.log"]
    assert log.lines == ["one", "two"]


def test_nothing_is_rotated_within_the_interval(log, plain, clock):
    """Two intervals of an hour: 7,199 seconds are not enough."""
    logger = plain(ProcessLogTimedFileHandler(log.path, when="H", interval=2))
    logger.info("one")
    clock.now += 2 * HOUR - 1
    logger.info("two")
    assert log.rotated == []
    clock.now += 1
    logger.info("three")
    assert [file.read_text() for file in log.files] == ["one\ntwo\n", "three\n"]


def test_at_time_moves_the_boundary_of_a_day(log, plain, clock):
    """13:33:20 is before 14:00, which is then the boundary."""
    handler = ProcessLogTimedFileHandler(log.path, when="midnight", utc=True, atTime=datetime.time(14))
    logger = plain(handler)
    logger.info("one")
    clock.now += 1599
    logger.info("two")
    assert not handler.shouldRollover(RECORD)
    clock.now += 1
    assert handler.shouldRollover(RECORD)
    logger.info("three")
    assert [file.read_text() for file in log.files] == ["one\ntwo\n", "three\n"]


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25)])
def test_local_days_have_23_to_25_hours(log, plain, clock, monkeypatch, day, hours):
    """A night in which Berlin moves its clocks is one day, with its own name."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    midnight = time.mktime((*day, 0, 0, 0, -1, -1, -1))
    clock.now = midnight + 10
    logger = plain(ProcessLogTimedFileHandler(log.path, when="midnight"))
    logger.info("one")
    clock.now = midnight + hours * HOUR - 1
    logger.info("two")
    clock.now += 1
    logger.info("three")
    assert [file.name for file in log.rotated] == ["app.log.{}-{:02}-{:02}".format(*day)]
    assert log.lines == ["one", "two", "three"]


def test_a_silent_interval_makes_no_empty_file(log, plain, clock):
    """Nothing to rotate, nothing rotated; the next boundary is one after now."""
    handler = ProcessLogTimedFileHandler(log.path, when="H")
    logger = plain(handler)
    logger.info("zero")
    handler.doRollover()
    handler.doRollover()
    clock.now += 10 * HOUR
    logger.info("one")
    clock.now += HOUR
    logger.info("two")
    assert [file.read_text() for file in log.files] == ["zero\n", "one\n", "two\n"]


@pytest.mark.parametrize("step", [-2 * HOUR, -100 * 86400, 100 * 86400])
def test_a_clock_that_is_set_back_or_forward_loses_nothing(log, plain, clock, step):
    """Names go on sorting in the order of writing, no file is overwritten, and rotation goes on."""
    logger = plain(ProcessLogTimedFileHandler(log.path, when="H"))
    number = 0
    for _ in range(3):
        for _ in range(4):
            logger.info("%d", number)
            number += 1
            clock.now += HOUR
        clock.now += step
    assert log.lines == [str(i) for i in range(number)]
    assert len(log.rotated) >= 7
    assert all(file.stat().st_size for file in log.rotated)


def test_a_boundary_met_twice_makes_two_names(log, plain, clock):
    """The clock comes to the same hour again."""
    for text in ("first", "second"):
        logger = plain(ProcessLogTimedFileHandler(log.path, when="H"))
        logger.info(text)
        clock.now += HOUR
        logger.info("after " + text)
        clock.now -= HOUR
        os.remove(log.path)
        log.path.with_name("app.log.lock").unlink()
    assert [file.name for file in log.rotated] == ["app.log.2026-09-21_13", "app.log.2026-09-21_13_000001"]


def test_a_file_of_yesterday_is_rotated_by_the_first_record(log, plain, clock):
    """A program that was down over midnight: the old lines get the name of their day."""
    log.path.write_text("old\n")
    os.utime(log.path, (clock.now - 86400,) * 2)
    plain(ProcessLogTimedFileHandler(log.path, when="midnight")).info("new")
    assert [(file.name, file.read_text()) for file in log.files] == [
        ("app.log.2026-09-20", "old\n"),
        ("app.log", "new\n"),
    ]


def test_a_restart_keeps_the_boundary(log, plain, clock):
    """Restarted more often than its interval, a program still rotates."""
    for _ in range(3):
        logger = plain(ProcessLogTimedFileHandler(log.path, when="H"))
        logger.info("x")
        clock.now += 0.4 * HOUR
    plain(ProcessLogTimedFileHandler(log.path, when="H")).info("y")
    assert [file.read_text() for file in log.files] == ["x\nx\nx\n", "y\n"]


def test_backups_are_pruned_the_oldest_first(log, plain, clock):
    """backupCount files stay, whichever limit made them; files of others stay as well."""
    for other in ("app.log.bak", "app.log.1", "other.log.2020-01-01", "app.logs.2020-01-01"):
        (log.path.parent / other).write_text("")
    (log.path.parent / "app.log.2020-01-01").write_text("an old one of stdlib's handler\n")
    logger = plain(ProcessLogTimedFileHandler(log.path, when="H", backupCount=2, maxBytes=20))
    for i in range(6):
        logger.info("%d %s", i, "x" * 15)
        clock.now += HOUR / 3
    names = {file.name for file in log.path.parent.iterdir()}
    assert (
        names
        == {
            "app.log",
            "app.log.lock",
            "app.log.2026-09-21_14",
            "app.log.2026-09-21_14_000001",
            "app.log.bak",
            "app.log.1",
            "other.log.2020-01-01",
            "app.logs.2020-01-01",
        }
        or len([name for name in names if name.startswith("app.log.2026")]) == 2
    )
    assert "app.log.2020-01-01" not in names
    assert {"app.log.bak", "app.log.1", "other.log.2020-01-01", "app.logs.2020-01-01"} <= names
    assert log.path.read_text().startswith("5 ")


def test_pruning_after_the_clock_was_set_back_removes_the_oldest_lines(log, plain, clock):
    """The file that was just rotated is never the one that goes."""
    logger = plain(ProcessLogTimedFileHandler(log.path, when="H", backupCount=2))
    for number in range(8):
        logger.info("%d", number)
        clock.now += HOUR
        if number == 3:
            clock.now -= 1000 * HOUR
    assert log.lines == ["5", "6", "7"]


def test_old_files_are_compressed_by_another_thread(log, plain, clock):
    """The lines are the same, the time of change too, and nothing else is left behind."""
    handler = ProcessLogTimedFileHandler(log.path, when="H", compress=True)
    logger = plain(handler)
    for i in range(3):
        logger.info("%d", i)
        clock.now += HOUR
        handler.close()
    assert log.lines == ["0", "1", "2"]
    assert sorted(file.name for file in log.path.parent.iterdir()) == [
        "app.log",
        "app.log.2026-09-21_13.gz",
        "app.log.2026-09-21_14.gz",
        "app.log.lock",
    ]


@pytest.mark.parametrize("left", ["a draft", "compressed content under the plain name"])
def test_a_compression_that_was_killed_is_finished_by_the_next_rotation(log, plain, left):
    """At each step exactly one file holds the lines."""
    old = log.path.with_name("app.log.2020-01-01")
    old.write_text("old\n")
    if left == "a draft":
        old.with_name(old.name + ".gz.lock").write_bytes(gzip.compress(b"ol"))
    else:
        old.write_bytes(gzip.compress(b"old\n"))
    handler = ProcessLogRotatingFileHandler(log.path, compress=True)
    plain(handler).info("new")
    handler.doRollover()
    handler.close()
    assert log.lines == ["old", "new"]
    assert not list(log.path.parent.glob("*.gz.lock"))


def test_namer_and_rotator_are_honored(log, plain, clock):
    """Stdlib's hooks: the recipe that compresses; pruning finds the names too."""
    handler = ProcessLogTimedFileHandler(log.path, when="H", backupCount=2)
    handler.namer = lambda name: name.replace("app.log.", "old-app-") + ".zip"

    def rotator(source, target):
        shutil.copyfile(source, target)
        os.remove(source)

    handler.rotator = rotator
    logger = plain(handler)
    for i in range(5):
        logger.info("%d", i)
        clock.now += HOUR
    old = sorted(log.path.parent.glob("old-app-*.zip"))
    assert [file.read_text() for file in old] == ["2\n", "3\n"]
    assert log.path.read_text() == "4\n"


def test_a_rotator_that_logs_does_not_wait_for_itself(log, plain):
    """Its record is written after the rotation."""
    handler = ProcessLogRotatingFileHandler(log.path, maxBytes=20)
    logger = plain(handler)

    def rotator(source, target):
        logger.info("rotating")
        os.rename(source, target)

    handler.rotator = rotator
    logger.info("123456789012345")
    logger.info("abcde")
    assert log.lines == ["123456789012345", "abcde", "rotating"]


def test_a_signal_handler_may_log_in_the_midst_of_a_record(log, plain):
    """It interrupts between any two steps; the records are all there."""
    logger = plain(ProcessLogRotatingFileHandler(log.path, maxBytes=2000))
    hits = []

    def on_signal(*_):
        hits.append(None)
        logger.info("signal %d", len(hits))

    former = signal.signal(signal.SIGALRM, on_signal)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        number = 0
        while len(hits) < 200:
            logger.info("line %d", number)
            number += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
    logger.info("end")
    assert sorted(log.lines) == sorted(
        [f"line {i}" for i in range(number)] + [f"signal {i + 1}" for i in range(len(hits))] + ["end"]
    )


def test_an_external_rotation_is_followed(log, plain):
    """logrotate renames the file, or somebody removes it: the next record makes it anew."""
    logger = plain(ProcessLogFileHandler(log.path))
    logger.info("one")
    log.path.rename(log.path.with_name("moved"))
    logger.info("two")
    assert log.path.read_text() == "two\n"
    log.path.unlink()
    logger.info("three")
    assert log.path.read_text() == "three\n"
    assert log.path.with_name("moved").read_text() == "one\n"


def test_a_removed_folder_is_reported_once_and_the_losses_are_logged(log, plain, capsys):
    """No exception; one line on stderr with the path; the count when it works again."""
    folder = log.path.parent / "logs"
    folder.mkdir()
    path = folder / "app.log"
    logger = plain(ProcessLogTimedFileHandler(path))
    logger.info("one")
    shutil.rmtree(folder)
    for _ in range(3):
        logger.info("lost")
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert str(path) in told
    folder.mkdir()
    logger.info("two")
    assert path.read_text().splitlines() == [f"3 log records were lost: {path} could not be written", "two"]


def test_a_full_disk_leaves_no_half_record(log):
    """The part that fitted is taken back; when there is room again the count is logged."""
    program = """
import logging, resource, signal, sys, torngas_logger
handler = torngas_logger.ProcessLogTimedFileHandler(sys.argv[1])
handler.setFormatter(logging.Formatter("%(message)s"))
log = logging.Logger("x"); log.addHandler(handler)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
for i in range(15):
    log.info("%02d %s", i, "x" * 90)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.info("after")
"""
    done = subprocess.run([sys.executable, "-c", program, str(log.path)], capture_output=True, text=True, check=True)
    assert [line[:2] for line in log.lines[:10]] == [f"{i:02}" for i in range(10)]
    assert log.lines[10:] == [f"5 log records were lost: {log.path} could not be written", "after"]
    assert done.stderr.count("\n") == 1
    assert str(log.path) in done.stderr


def test_a_full_device_never_raises(plain, capsys):
    """/dev/full: every write fails."""
    logger = plain(ProcessLogTimedFileHandler("/dev/full"))
    logger.info("one")
    logger.info("two")
    assert capsys.readouterr().err.count("/dev/full") >= 1


def test_a_rotation_that_fails_is_reported_once_and_the_records_go_on(log, plain, clock, capsys):
    """They go on into the old file; a second later it is tried again."""
    handler = ProcessLogTimedFileHandler(log.path, when="H")

    def rotator(source, target):
        raise PermissionError(13, "Permission denied", target)

    handler.rotator = rotator
    logger = plain(handler)
    for i in range(4):
        logger.info("%d", i)
        clock.now += HOUR
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert str(log.path) in told
    assert log.path.read_text() == "0\n1\n2\n3\n"
    handler.rotator = None
    logger.info("4")
    assert [file.read_text() for file in log.files] == ["0\n1\n2\n3\n", "4\n"]


def test_a_record_that_cannot_be_formatted_is_left_to_handle_error(log, plain, monkeypatch):
    """As with every handler of logging."""
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logger = plain(ProcessLogTimedFileHandler(log.path))
    logger.info("%d", "no number")
    logger.info("fine")
    assert log.lines == ["fine"]


def test_what_utf8_does_not_have_is_written_out(log, plain):
    """Lone surrogates come from file names and broken clients."""
    plain(ProcessLogTimedFileHandler(log.path)).info("a\udcffb")
    assert log.lines == ["a\\udcffb"]


def test_encoding_errors_and_delay_are_stdlibs(log, plain):
    """delay: no file before the first record."""
    handler = ProcessLogRotatingFileHandler(log.path, encoding="latin-1", errors="replace", delay=True)
    assert not log.path.exists()
    plain(handler).info("ä世")
    assert log.path.read_bytes() == b"\xe4?\n"


def test_a_missing_folder_is_an_error_at_set_up(tmp_path):
    """While a program is set up, what cannot work is said at once."""
    with pytest.raises(FileNotFoundError):
        ProcessLogTimedFileHandler(tmp_path / "none" / "app.log")


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"when": "Q"}, "midnight"),
        ({"when": "W7"}, "midnight"),
        ({"interval": 0}, "interval"),
        ({"encoding": "utf-16"}, "utf-8"),
        ({"maxBytes": -1}, "maxBytes"),
        ({"backupCount": -1}, "backupCount"),
    ],
)
def test_what_cannot_work_is_refused(log, options, part):
    """The message says what was got and what was expected."""
    with pytest.raises(LoggerConfigError, match=part) as caught:
        ProcessLogTimedFileHandler(log.path, **options)
    assert isinstance(caught.value, ValueError | LoggerError)
    assert not log.path.exists()


def test_mode_w_would_remove_the_lines_of_others(log):
    """It is refused, but with a size limit it means 'a', as in stdlib."""
    log.path.write_text("theirs\n")
    with pytest.raises(LoggerConfigError, match="mode 'w'"):
        ProcessLogRotatingFileHandler(log.path, mode="w")
    ProcessLogRotatingFileHandler(log.path, mode="w", maxBytes=100).close()
    assert log.lines == ["theirs"]


def test_dict_config_makes_them(log):
    """With stdlib's keywords."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": {"()": "torngas_logger.JsonFormatter"}},
            "filters": {"mask": {"()": "torngas_logger.MaskingFilter"}},
            "handlers": {
                "file": {
                    "class": "torngas_logger.ProcessLogTimedFileHandler",
                    "filename": str(log.path),
                    "when": "midnight",
                    "backupCount": 3,
                    "formatter": "json",
                    "filters": ["mask"],
                }
            },
            "loggers": {"from.dict": {"handlers": ["file"], "level": "INFO", "propagate": False}},
        }
    )
    logger = logging.getLogger("from.dict")
    logger.info("password=x")
    (handler,) = logger.handlers
    logger.removeHandler(handler)
    handler.close()
    assert '"message":"password=***"' in log.lines[0]


def test_they_are_handlers_of_stdlib(log):
    """Programs look for BaseRotatingHandler, FileHandler, baseFilename."""
    handler = ProcessLogTimedFileHandler(log.path)
    assert isinstance(handler, logging.handlers.BaseRotatingHandler)
    assert handler.baseFilename == str(log.path)
    handler.close()
    handler.close()


def test_a_record_after_close_opens_the_file_again(log, plain):
    """Something always logs while a program ends."""
    handler = ProcessLogTimedFileHandler(log.path)
    logger = plain(handler)
    logger.info("one")
    handler.close()
    logger.info("two")
    assert log.lines == ["one", "two"]


def test_the_rotated_file_keeps_the_permissions(log, plain):
    """The next file has those of the last one."""
    handler = ProcessLogRotatingFileHandler(log.path)
    plain(handler).info("one")
    log.path.chmod(0o600)
    handler.doRollover()
    assert [file.stat().st_mode & 0o777 for file in log.files] == [0o600, 0o600]


def test_a_filter_can_drop_a_record(log, plain):
    """`handle` asks the filters, as stdlib's does."""
    handler = ProcessLogFileHandler(log.path)
    handler.addFilter(lambda record: record.levelno > logging.INFO)
    logger = plain(handler)
    logger.info("no")
    logger.warning("yes")
    assert log.lines == ["yes"]


@pytest.mark.parametrize(
    "formatter",
    [
        logging.Formatter(),
        logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"),
        logging.Formatter("%(asctime)s|%(message)s", "%H:%M"),
        logging.Formatter("{asctime} {message}", style="{"),
        logging.Formatter("%(asctime)s %(foo)s", defaults={"foo": 1}),
    ],
)
def test_the_short_cut_writes_what_the_formatter_would(log, formatter):
    """The cached date is the same text, for records of any order."""
    handler = ProcessLogTimedFileHandler(log.path, when="D")
    handler.setFormatter(formatter)
    expected = []
    for created in (1e9, 1e9 + 0.001, 1e9 + 1.9999, 1e9 - 5, 1e9 + 1.9999, 1.7e9, 1.7e9):
        record = logging.makeLogRecord({"msg": "%s", "args": (created,), "created": created})
        record.msecs = int((created - int(created)) * 1000) + 0.0
        handler.emit(record)
        expected.append(formatter.format(record))
    handler.close()
    assert log.lines == expected


def test_a_limit_on_files_of_the_process_is_respected():
    """The test of the full disk needs this of the system."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
