"""Rotating log files that many processes share without losing a line.

Handlers, formatters, a masking filter and a configuration step for the standard library's `logging`. Importing this
package opens and configures nothing.
"""

from torngas_logger.config import DEFAULT_LOGGERS, LoggingConfig, LoggingSetup, configure
from torngas_logger.errors import LoggerConfigError, LoggerError
from torngas_logger.formatters import ColorFormatter, LineFormatter
from torngas_logger.handlers import ProcessLogFileHandler, ProcessLogRotatingFileHandler, ProcessLogTimedFileHandler
from torngas_logger.jsonformatter import JsonFormatter
from torngas_logger.masking import MaskingFilter
from torngas_logger.nonblocking import NonBlockingHandler
from torngas_logger.pretty import enable_pretty_logging
from torngas_logger.syslog import SysLogger, SystemLog, syslogger

__all__ = [
    "ColorFormatter",
    "DEFAULT_LOGGERS",
    "JsonFormatter",
    "LineFormatter",
    "LoggerConfigError",
    "LoggerError",
    "LoggingConfig",
    "LoggingSetup",
    "MaskingFilter",
    "NonBlockingHandler",
    "ProcessLogFileHandler",
    "ProcessLogRotatingFileHandler",
    "ProcessLogTimedFileHandler",
    "SysLogger",
    "SystemLog",
    "configure",
    "enable_pretty_logging",
    "syslogger",
]
