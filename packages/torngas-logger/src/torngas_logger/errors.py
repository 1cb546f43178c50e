"""What can go wrong while logging is set up; once it is set up, nothing here is raised into the program."""

from __future__ import annotations

__all__ = ["LoggerConfigError", "LoggerError"]


class LoggerError(Exception):
    """Base of every error of this library."""


class LoggerConfigError(LoggerError, ValueError):
    """An option or an entry of the list of loggers that cannot work; the message says where and what to write."""
