"""The documented logger of an application: `from torngas_logger import syslogger; syslogger.error("…")`."""

from __future__ import annotations

import logging
from typing import Any

__all__ = ["SysLogger", "SystemLog", "syslogger"]


class SystemLog:
    """`debug` and `info` go to one logger, `warning` and everything worse to another. Safe in threads.

    Each method takes what the method of that name of `logging.Logger` takes, and the record names its caller.

    Args:
        info: Name of the logger for `debug` and `info`.
        trace: Name of the logger for the others. The default configuration of that one begins at ERROR.
        access: Name of the logger of requests, for `access`.
    """

    def __init__(
        self, info: str = "torngas.infolog", trace: str = "torngas.tracelog", access: str = "torngas.accesslog"
    ) -> None:
        self._info = logging.getLogger(info)
        self._trace = logging.getLogger(trace)
        self._access = logging.getLogger(access)

    def debug(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Logs to the info log, level DEBUG."""
        self._info.debug(msg, *args, **_deeper(kwargs))

    def info(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Logs to the info log, level INFO."""
        self._info.info(msg, *args, **_deeper(kwargs))

    def warning(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Logs to the trace log, level WARNING."""
        self._trace.warning(msg, *args, **_deeper(kwargs))

    def error(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Logs to the trace log, level ERROR."""
        self._trace.error(msg, *args, **_deeper(kwargs))

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Logs to the trace log, level ERROR, with the exception that is being handled."""
        self._trace.error(msg, *args, **_deeper({"exc_info": True, **kwargs}))

    def critical(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Logs to the trace log, level CRITICAL."""
        self._trace.critical(msg, *args, **_deeper(kwargs))

    def access(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Logs to the access log, level INFO."""
        self._access.info(msg, *args, **_deeper(kwargs))


def _deeper(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {**kwargs, "stacklevel": kwargs.get("stacklevel", 1) + 1}


#: The instance that applications use. It configures nothing: see `configure`.
syslogger = SystemLog()
#: The same under its other documented name.
SysLogger = syslogger
