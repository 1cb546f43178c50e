"""The command line's options, defined for `tornado.options` when a server parses them, never on import."""

from __future__ import annotations

from typing import Any

from tornado.log import define_logging_options
from tornado.options import OptionParser

__all__ = ["define_options"]

_OPTIONS: tuple[tuple[str, Any, type, str], ...] = (
    ("address", "0.0.0.0", str, "address to listen on"),  # noqa: S104 - the documented default
    ("port", 8000, int, "port to listen on"),
    ("settings", "", str, "dotted path of the settings module"),
    ("debug", False, bool, "show the traceback of errors at start-up"),
    ("processes", 1, int, "worker processes; more than one share the port by SO_REUSEPORT, the dead are replaced"),
    ("unix_socket", "", str, "listen on this unix socket instead of address and port"),
    ("certfile", "", str, "serve TLS with this certificate (PEM)"),
    ("keyfile", "", str, "the certificate's key, where certfile does not hold it"),
    ("log_patch", True, bool, "accepted for compatibility; nothing is patched"),
    ("disable_log", True, bool, "leave out Tornado's own coloured output on stderr"),
    ("logging_dir", "", str, "folder of the log files; wins over the setting LOGGING_DIR"),
    ("log_port_prefix", None, bool, "append the port to the names of log files: FILENAME.PORT"),
)


def define_options(options: OptionParser) -> None:
    """Defines the framework's options on a parser; those that are defined already stay as they are."""
    if "logging" not in options:
        define_logging_options(options)
    for name, default, kind, text in _OPTIONS:
        if name not in options:
            options.define(name, default=default, type=kind, help=text, group="torngas")
