"""From the documented list of loggers to handlers.

    setup = configure([{"name": "shop", "level": "INFO", "filename": "shop.log"}], logging_dir="logs")
    …
    setup.close()

Nothing here reads a command line, an environment or a settings module: values come in as arguments.
"""

from __future__ import annotations

import dataclasses
import difflib
import logging
import os
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from torngas_logger.errors import LoggerConfigError
from torngas_logger.formatters import ColorFormatter, LineFormatter
from torngas_logger.handlers import ProcessLogFileHandler, ProcessLogRotatingFileHandler, ProcessLogTimedFileHandler
from torngas_logger.masking import NAMES, MaskingFilter
from torngas_logger.nonblocking import NonBlockingHandler

__all__ = ["DEFAULT_LOGGERS", "LoggingConfig", "LoggingSetup", "configure"]

_MARK = "torngas_logger:"
_DEBUG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(module)s:%(lineno)d %(message)s"
_KEYS = frozenset(
    {"backups", "compress", "filename", "formatter", "interval", "level", "log_to_stderr", "max_bytes"}
    | {"mode", "name", "propagate", "when"}
)


def _entry(name: str, level: str, filename: str, **more: object) -> Mapping[str, object]:
    timing = {"when": "midnight", "interval": 1, "log_to_stderr": False}
    return {"name": name, "level": level, "filename": filename, **timing, **more}


#: The loggers of an application that says nothing of its own.
DEFAULT_LOGGERS: tuple[Mapping[str, object], ...] = (
    _entry("tornado", "INFO", "tornado.log"),
    _entry("torngas.tracelog", "ERROR", "torngas_trace_log.log"),
    _entry("torngas.accesslog", "INFO", "torngas_access_log.log", log_to_stderr=True, formatter="%(message)s"),
    _entry("torngas.infolog", "INFO", "torngas_info_log.log"),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LoggingConfig:
    """What holds for all entries of the list.

    Args:
        logging_dir: Folder of the files, made where it is missing; default "logs/".
        port_prefix: The port that ends file names, `FILENAME.PORT`; None (default) or False for none. Processes of
            different ports then write different files.
        log_to_stderr: True or False overrides every entry; None (default) leaves it to them.
        debug: Lines name module and line, and entries without a level of their own begin at DEBUG.
        disable_log: False adds Tornado's coloured output on stderr for the root logger and "tornado".
        logging: Level of entries that have none, of the root logger with `disable_log=False`; None is INFO. "none"
            configures nothing at all.
        rotate_mode: "time" or "size" overrides the `mode` of every entry; None leaves it to them, or is "time".
        rotate_when: Overrides every `when`; None leaves it to the entries, or is "midnight".
        rotate_interval: Overrides every `interval`; None leaves it to the entries, or is 1.
        max_bytes: Size limit of files that rotate by size, unless the entry has its own; default 100,000,000.
        backups: Rotated files to keep, unless the entry has its own; 0 (default) keeps all.
        compress: Whether rotated files are compressed, unless the entry has its own word.
        mask: Names whose values are masked, see `MaskingFilter`; empty masks no names, but headers still.
        non_blocking: Whether a thread writes the files, see `NonBlockingHandler`.
        capacity: Records that may wait for that thread; default 10,000.
        when_full: "drop" (and count) or "block" when so many wait.
    """

    logging_dir: str | os.PathLike[str] = "logs/"
    port_prefix: int | str | None = None
    log_to_stderr: bool | None = None
    debug: bool = False
    disable_log: bool = True
    logging: str | None = None
    rotate_mode: Literal["time", "size"] | None = None
    rotate_when: str | None = None
    rotate_interval: int | None = None
    max_bytes: int = 100_000_000
    backups: int = 0
    compress: bool = False
    mask: Iterable[str] = NAMES
    non_blocking: bool = False
    capacity: int = 10_000
    when_full: Literal["block", "drop"] = "drop"

    def __post_init__(self) -> None:
        if self.port_prefix is True:
            raise LoggerConfigError("port_prefix: got True; expected the port, e.g. 8000, or None.")
        if self.rotate_mode not in (None, "time", "size"):
            raise LoggerConfigError(f"rotate_mode: got {self.rotate_mode!r}; expected 'time' or 'size'.")
        if (self.logging or "").lower() not in ("", "none"):
            _level("logging", self.logging)

    def path_of(self, filename: str) -> str:
        """Where the file of this name is written."""
        path = os.path.join(os.fspath(self.logging_dir), filename)
        return f"{path}.{self.port_prefix}" if self.port_prefix else path


class LoggingSetup:
    """What `configure` set up. `close()` takes it back, and may be called again."""

    def __init__(self) -> None:
        self._handlers: list[tuple[logging.Logger, logging.Handler]] = []
        self._former: list[tuple[logging.Logger, int, bool]] = []

    @property
    def handlers(self) -> list[logging.Handler]:
        """The handlers, in the order of the list."""
        return [handler for _, handler in self._handlers]

    def close(self) -> None:
        """Removes and closes the handlers; levels and propagation become what they were."""
        while self._handlers:
            logger, handler = self._handlers.pop()
            logger.removeHandler(handler)
            handler.close()
        while self._former:
            logger, level, propagate = self._former.pop()
            logger.setLevel(level)
            logger.propagate = propagate

    def _take(self, logger: logging.Logger, level: int, *, propagate: bool) -> None:
        for handler in [handler for handler in logger.handlers if (handler.name or "").startswith(_MARK)]:
            logger.removeHandler(handler)  # of an earlier configuration: two would write everything twice
            handler.close()
        self._former.append((logger, logger.level, logger.propagate))
        logger.setLevel(level)
        logger.propagate = propagate

    def _add(self, logger: logging.Logger, handler: logging.Handler) -> None:
        handler.set_name(f"{_MARK}{logger.name}:{len(self._handlers)}")
        logger.addHandler(handler)
        self._handlers.append((logger, handler))


def configure(
    loggers: Iterable[Mapping[str, Any]] = DEFAULT_LOGGERS, config: LoggingConfig | None = None, **options: Any
) -> LoggingSetup:
    """Sets up a file, and stderr where that is wanted, for each entry of the list.

    Args:
        loggers: Entries with the keys `name` (required), `filename` (without: no file), `level`, `log_to_stderr`,
            `when`, `interval`, `backups`, `formatter` (a `logging.Formatter`, or a format for `LineFormatter`), and
            `mode` ("time" or "size"), `max_bytes`, `compress`, `propagate` (default False).
        config: What holds for all of them.
        **options: Fields of `LoggingConfig`; they replace those of `config`.

    Returns:
        The handle that takes everything back. Configuring a logger again replaces its former handlers.

    Raises:
        LoggerConfigError: An entry or option that cannot work.
        OSError: A folder or file that cannot be made.
    """
    config = dataclasses.replace(config or LoggingConfig(), **options)
    setup = LoggingSetup()
    if (config.logging or "").lower() == "none":
        return setup
    try:
        for index, entry in enumerate(loggers):
            _configure_one(setup, entry, config, f"LOGGING[{index}]")
        if not config.disable_log:
            _add_tornado_log(setup, config)
    except BaseException:
        setup.close()
        raise
    return setup


def _configure_one(setup: LoggingSetup, entry: Mapping[str, Any], config: LoggingConfig, where: str) -> None:
    for key in entry.keys() - _KEYS:
        near = difflib.get_close_matches(key, _KEYS, 1) or ["one of " + ", ".join(sorted(_KEYS))]
        raise LoggerConfigError(f"{where}: got the key {key!r}; expected {near[0]}.")
    if not isinstance(entry.get("name"), str):
        raise LoggerConfigError(f"{where}: got no 'name'; expected the name of a logger, e.g. 'tornado'.")
    logger = logging.getLogger(entry["name"])
    default = "DEBUG" if config.debug else config.logging or "INFO"
    setup._take(
        logger, _level(f"{where}['level']", entry.get("level", default)), propagate=bool(entry.get("propagate"))
    )
    formatter = _formatter(entry.get("formatter"), config, where)
    if entry.get("filename"):
        setup._add(logger, _finish(_file_handler(entry, config), formatter, config, queued=config.non_blocking))
    to_stderr = entry.get("log_to_stderr") if config.log_to_stderr is None else config.log_to_stderr
    if to_stderr:
        setup._add(logger, _stderr_handler(config))


def _file_handler(entry: Mapping[str, Any], config: LoggingConfig) -> ProcessLogFileHandler:
    path = config.path_of(entry["filename"])
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    limit = entry.get("max_bytes", 0)
    backups, compress = entry.get("backups", config.backups) or 0, entry.get("compress", config.compress)
    if (config.rotate_mode or entry.get("mode", "time")) == "size":
        limit = limit or config.max_bytes
        return ProcessLogRotatingFileHandler(path, maxBytes=limit, backupCount=backups, compress=compress)
    when = config.rotate_when or entry.get("when") or "midnight"
    interval = config.rotate_interval or entry.get("interval") or 1
    return ProcessLogTimedFileHandler(path, when, interval, backups, maxBytes=limit, compress=compress)


def _finish(
    handler: logging.Handler, formatter: logging.Formatter, config: LoggingConfig, *, queued: bool = False
) -> logging.Handler:
    handler.setFormatter(formatter)
    handler.addFilter(MaskingFilter(config.mask))
    if queued:
        return NonBlockingHandler(handler, capacity=config.capacity, when_full=config.when_full)
    return handler


def _stderr_handler(config: LoggingConfig) -> logging.Handler:
    handler = logging.StreamHandler()
    return _finish(handler, ColorFormatter(stream=handler.stream), config)


def _add_tornado_log(setup: LoggingSetup, config: LoggingConfig) -> None:
    for logger in (logging.getLogger(), logging.getLogger("tornado")):
        if logger.name == "root":
            setup._take(logger, _level("logging", config.logging or "INFO"), propagate=True)
        elif logger.propagate or any(type(handler) is logging.StreamHandler for handler in logger.handlers):
            continue  # its records reach stderr already
        setup._add(logger, _stderr_handler(config))


def _formatter(value: object, config: LoggingConfig, where: str) -> logging.Formatter:
    if isinstance(value, logging.Formatter):
        return value
    if value is None:
        return LineFormatter(_DEBUG_FORMAT if config.debug else None)
    if isinstance(value, str) and "%(" in value:
        return LineFormatter(value)
    raise LoggerConfigError(
        f"{where}['formatter']: got {value!r}; expected a logging.Formatter or a format such as '%(message)s'."
    )


def _level(where: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    known = logging.getLevelNamesMapping()
    if isinstance(value, str) and value.upper() in known:
        return known[value.upper()]
    raise LoggerConfigError(f"{where}: got {value!r}; expected DEBUG, INFO, WARNING, ERROR, CRITICAL or a number.")
