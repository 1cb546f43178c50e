"""From the documented list to handlers."""

import logging
import logging.handlers
from types import SimpleNamespace

import pytest

from torngas_logger import (
    ColorFormatter,
    LoggerConfigError,
    LoggingConfig,
    NonBlockingHandler,
    ProcessLogRotatingFileHandler,
    ProcessLogTimedFileHandler,
    SysLogger,
    SystemLog,
    configure,
    enable_pretty_logging,
    syslogger,
)


@pytest.fixture
def setup(tmp_path):
    """`configure` into a folder that does not exist yet; taken back at the end."""
    made = []

    def run(*entries, **options):
        options.setdefault("logging_dir", tmp_path / "logs")
        made.append(configure(entries, **options) if entries else configure(**options))
        return made[-1]

    yield run
    for one in reversed(made):
        one.close()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "logs"


def test_the_documented_entry_works(setup, folder):
    """As printed in the documentation; the folder is made."""
    result = setup(
        {
            "name": "tornado",
            "level": "INFO",
            "log_to_stderr": False,
            "when": "midnight",
            "interval": 1,
            "filename": "tornado.log",
        }
    )
    logging.getLogger("tornado.access").info("hello\nworld")
    logging.getLogger("tornado").debug("no")
    (handler,) = result.handlers
    assert isinstance(handler, ProcessLogTimedFileHandler)
    assert not logging.getLogger("tornado").propagate
    (line,) = (folder / "tornado.log").read_text().splitlines()
    assert line.endswith(r"INFO tornado.access hello\nworld")


def test_the_default_list_is_the_documented_four(setup, folder, capsys):
    """syslogger's records reach their files, and the access log stderr too."""
    setup()
    syslogger.info("an info")
    syslogger.debug("below the level")
    syslogger.warning("vanishes in the trace log")
    syslogger.error("an error")
    syslogger.access('127.0.0.1 "GET / HTTP/1.1" 200')
    logging.getLogger("tornado").info("from tornado")
    assert {file.name for file in folder.iterdir() if file.suffix != ".lock"} == {
        "tornado.log",
        "torngas_trace_log.log",
        "torngas_access_log.log",
        "torngas_info_log.log",
    }
    assert (folder / "torngas_info_log.log").read_text().endswith("INFO torngas.infolog an info\n")
    assert (folder / "torngas_trace_log.log").read_text().endswith("ERROR torngas.tracelog an error\n")
    assert (folder / "torngas_access_log.log").read_text() == '127.0.0.1 "GET / HTTP/1.1" 200\n'
    told = capsys.readouterr().err
    assert "GET /" in told
    assert "an error" not in told


def test_port_prefix_ends_the_file_name(setup, folder):
    """FILENAME.PORT"""
    setup({"name": "a", "filename": "a.log"}, port_prefix=8001)
    assert (folder / "a.log.8001").exists()


def test_log_to_stderr_overrides_every_entry(setup):
    """Both ways."""

    def streams(value):
        entries = {"name": "a", "log_to_stderr": True}, {"name": "b", "log_to_stderr": False}
        result = setup(*entries, log_to_stderr=value)
        return [name for name in "ab" if logging.getLogger(name).handlers], result.close()

    assert streams(None)[0] == ["a"]
    assert streams(True)[0] == ["a", "b"]
    assert streams(False)[0] == []


def test_rotation_options_override_the_entries(setup):
    """`None` leaves it to them."""
    entry = {"name": "a", "filename": "a.log", "when": "H", "interval": 2, "backups": 3}
    (handler,) = setup(entry).handlers
    assert (handler.when, handler.backupCount) == ("H", 3)
    (handler,) = setup(entry, rotate_when="S", rotate_interval=5).handlers
    assert handler.when == "S"
    (handler,) = setup(entry, rotate_mode="size", max_bytes=77).handlers
    assert isinstance(handler, ProcessLogRotatingFileHandler)
    assert (handler.maxBytes, handler.backupCount) == (77, 3)


def test_logging_none_configures_nothing(setup, folder):
    """Tornado's meaning of `--logging=none`."""
    assert setup({"name": "a", "filename": "a.log"}, logging="none").handlers == []
    assert not folder.exists()


def test_logging_and_debug_are_for_entries_without_a_level(setup):
    """An entry's own level stays."""
    entries = {"name": "a"}, {"name": "b", "level": "ERROR"}

    def levels(**options):
        result = setup(*entries, **options)
        found = [logging.getLogger(name).level for name in "ab"]
        result.close()
        return found

    assert levels() == [logging.INFO, logging.ERROR]
    assert levels(logging="warning") == [logging.WARNING, logging.ERROR]
    assert levels(debug=True) == [logging.DEBUG, logging.ERROR]


def test_disable_log_false_adds_colored_output(setup, folder, capsys):
    """Tornado's own log on stderr, once, and still the file."""
    setup({"name": "tornado", "filename": "tornado.log"}, disable_log=False)
    logging.getLogger("tornado.general").info("once")
    logging.getLogger("my.app").info("mine")
    told = capsys.readouterr().err
    assert told.count("once") == told.count("mine") == 1
    assert "once" in (folder / "tornado.log").read_text()


def test_configuring_again_replaces_the_handlers(setup, folder):
    """No line twice."""
    for _ in range(2):
        setup({"name": "a", "filename": "a.log"})
    logging.getLogger("a").info("once")
    assert (folder / "a.log").read_text().count("once") == 1


def test_close_takes_everything_back(setup):
    """Levels, propagation, handlers; and again does nothing."""
    logger = logging.getLogger("a")
    before = logger.level, logger.propagate, list(logger.handlers)
    result = setup({"name": "a", "filename": "a.log", "level": "DEBUG"})
    result.close()
    result.close()
    assert (logger.level, logger.propagate, list(logger.handlers)) == before


def test_an_entry_that_fails_leaves_nothing_behind(setup):
    """All or nothing."""
    with pytest.raises(LoggerConfigError):
        setup({"name": "a", "filename": "a.log"}, {"name": "b", "level": "LOUD"})
    assert logging.getLogger("a").handlers == []


def test_files_are_masked_and_may_be_written_by_a_thread(setup, folder):
    """non_blocking=True wraps the file handlers."""
    result = setup({"name": "a", "filename": "a.log"}, non_blocking=True, mask=["pin"])
    (handler,) = result.handlers
    assert isinstance(handler, NonBlockingHandler)
    logging.getLogger("a").info("pin=1 Cookie: x")
    handler.flush()
    assert "pin=*** Cookie: ***" in (folder / "a.log").read_text()


@pytest.mark.parametrize(
    ("entry", "part"),
    [
        ({"filename": "a.log"}, "'name'"),
        ({"name": "a", "levl": "INFO"}, "level"),
        ({"name": "a", "level": "LOUD"}, "LOUD"),
        ({"name": "a", "filename": "a.log", "formatter": "no field"}, "formatter"),
        ({"name": "a", "filename": "a.log", "when": "never"}, "when"),
    ],
)
def test_an_entry_that_cannot_work_is_named(setup, entry, part):
    """Where, what was got, what was expected."""
    with pytest.raises(LoggerConfigError, match=part):
        setup(entry)


@pytest.mark.parametrize("options", [{"port_prefix": True}, {"rotate_mode": "moon"}, {"logging": "loud"}])
def test_no_invalid_configuration_exists(options):
    """It is refused when it is made."""
    with pytest.raises(LoggerConfigError, match=next(iter(options))):
        LoggingConfig(**options)


def test_syslogger_names_the_caller_and_the_exception(caplog):
    """Not itself; it has two documented names."""
    assert SysLogger is syslogger
    own = SystemLog(info="own.info", trace="own.trace")
    caplog.set_level(logging.DEBUG)
    try:
        raise ValueError("x")
    except ValueError:
        own.exception("failed %d", 1)
    own.critical("c")
    own.debug("d")
    assert [record.filename for record in caplog.records] == ["test_config.py"] * 3
    assert [(record.name, record.levelname) for record in caplog.records] == [
        ("own.trace", "ERROR"),
        ("own.trace", "CRITICAL"),
        ("own.info", "DEBUG"),
    ]
    assert caplog.records[0].exc_info[0] is ValueError


def options(**values):
    base = {
        "logging": "debug",
        "log_to_stderr": None,
        "log_file_prefix": None,
        "log_file_max_size": 1000,
        "log_file_num_backups": 2,
        "log_rotate_mode": "size",
        "log_rotate_when": "midnight",
        "log_rotate_interval": 1,
    }
    return SimpleNamespace(**{**base, **values})


@pytest.mark.parametrize(
    ("mode", "kind"), [("size", ProcessLogRotatingFileHandler), ("time", ProcessLogTimedFileHandler)]
)
def test_enable_pretty_logging_writes_tornados_file(tmp_path, mode, kind):
    """By Tornado's options; stderr only where there is nothing else."""
    logger = logging.Logger("pretty")
    enable_pretty_logging(options(log_file_prefix=str(tmp_path / "x.log"), log_rotate_mode=mode), logger)
    (handler,) = logger.handlers
    logger.info("token=abc\n")
    handler.close()
    assert type(handler) is kind
    assert (tmp_path / "x.log").read_text().endswith(r"] token=***\n" + "\n")


def test_enable_pretty_logging_knows_when_to_use_stderr():
    """log_to_stderr None: only if nothing else is there; "none" touches nothing."""
    logger = logging.Logger("pretty")
    enable_pretty_logging(options(logging="none"), logger)
    assert (logger.handlers, logger.level) == ([], logging.NOTSET)
    enable_pretty_logging(options(), logger)
    (handler,) = logger.handlers
    assert isinstance(handler.formatter, ColorFormatter)
    assert logger.level == logging.DEBUG
    with pytest.raises(LoggerConfigError, match="log_rotate_mode"):
        enable_pretty_logging(options(log_file_prefix="x", log_rotate_mode="moon"), logger)
    with pytest.raises(LoggerConfigError, match="--logging"):
        enable_pretty_logging(options(logging="loud"), logger)
