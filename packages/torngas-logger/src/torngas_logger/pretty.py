"""Tornado's `enable_pretty_logging`, on files that processes may share."""

from __future__ import annotations

import logging
from typing import Any

from torngas_logger.errors import LoggerConfigError
from torngas_logger.formatters import ColorFormatter, LineFormatter
from torngas_logger.handlers import ProcessLogFileHandler, ProcessLogRotatingFileHandler, ProcessLogTimedFileHandler
from torngas_logger.masking import MaskingFilter

__all__ = ["enable_pretty_logging"]

_FILE_FORMAT = "[%(levelname).1s %(asctime)s %(module)s:%(lineno)d] %(message)s"


def enable_pretty_logging(options: Any = None, logger: logging.Logger | None = None) -> None:
    """Formats a logger's output as `tornado.log.enable_pretty_logging` does, by the same options.

    Args:
        options: An object with the attributes `logging` (a level's name, or "none": nothing is done),
            `log_to_stderr` (None: only where nothing else is set up), `log_file_prefix` (None: no file),
            `log_rotate_mode` ("size" or "time"), `log_file_max_size` (bytes), `log_file_num_backups`,
            `log_rotate_when`, `log_rotate_interval`. None is `tornado.options.options`.
        logger: The logger; None is the root logger.

    Raises:
        LoggerConfigError: `logging` or `log_rotate_mode` is none of theirs.
    """
    if options is None:
        options = _tornado_options()
    if options.logging is None or options.logging.lower() == "none":
        return
    logger = logging.getLogger() if logger is None else logger
    logger.setLevel(_level(options.logging))
    if options.log_file_prefix:
        handler = _file_handler(options)
        handler.setFormatter(LineFormatter(_FILE_FORMAT, "%y%m%d %H:%M:%S"))
        _add(logger, handler)
    if options.log_to_stderr or (options.log_to_stderr is None and not logger.handlers):
        stream = logging.StreamHandler()
        stream.setFormatter(ColorFormatter(stream=stream.stream))
        _add(logger, stream)


def _tornado_options() -> Any:
    try:
        from tornado.options import options
    except ImportError as error:
        raise LoggerConfigError(
            "enable_pretty_logging: got no options, and Tornado is not installed; "
            "expected an object with them, or: pip install 'torngas-logger[tornado]'"
        ) from error
    return options


def _level(name: str) -> int:
    level = logging.getLevelNamesMapping().get(name.upper())
    if level is None:
        raise LoggerConfigError(f"--logging: got {name!r}; expected debug, info, warning, error, critical or none.")
    return level


def _file_handler(options: Any) -> ProcessLogFileHandler:
    path, backups = options.log_file_prefix, options.log_file_num_backups
    if options.log_rotate_mode == "size":
        return ProcessLogRotatingFileHandler(path, maxBytes=options.log_file_max_size, backupCount=backups)
    if options.log_rotate_mode == "time":
        when, interval = options.log_rotate_when, options.log_rotate_interval
        return ProcessLogTimedFileHandler(path, when=when, interval=interval, backupCount=backups)
    raise LoggerConfigError(f"--log_rotate_mode: got {options.log_rotate_mode!r}; expected 'size' or 'time'.")


def _add(logger: logging.Logger, handler: logging.Handler) -> None:
    handler.addFilter(MaskingFilter())
    logger.addHandler(handler)
