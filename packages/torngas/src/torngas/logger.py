"""Logging, under its documented path."""

from torngas_logger import (
    ProcessLogRotatingFileHandler,
    ProcessLogTimedFileHandler,
    SysLogger,
    enable_pretty_logging,
    syslogger,
)

__all__ = [
    "ProcessLogRotatingFileHandler",
    "ProcessLogTimedFileHandler",
    "SysLogger",
    "enable_pretty_logging",
    "syslogger",
]
