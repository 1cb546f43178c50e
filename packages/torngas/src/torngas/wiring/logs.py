"""LOGGING, LOGGING_DIR and the logging options -> handlers."""

from __future__ import annotations

from typing import Any

from tornado.options import OptionParser

from torngas.settings_manager import Settings
from torngas_logger import LoggingSetup, configure

__all__ = ["configure_logging"]

# Tornado's own rotation options, which override LOGGING's entries where they were given.
_ROTATION = {
    "rotate_mode": ("log_rotate_mode", "time"),
    "rotate_when": ("log_rotate_when", "midnight"),
    "rotate_interval": ("log_rotate_interval", 1),
}


def configure_logging(settings: Settings, options: OptionParser) -> LoggingSetup:
    """Sets up the log files that the settings and the command line ask for; `close()` takes it back.

    Raises:
        LoggerConfigError: an entry of LOGGING cannot work.
        OSError: the folder cannot be made.
    """
    rotation: dict[str, Any] = {
        name: getattr(options, option)
        for name, (option, default) in _ROTATION.items()
        if getattr(options, option) != default
    }
    return configure(
        settings.LOGGING,
        logging_dir=options.logging_dir or settings.LOGGING_DIR,
        port_prefix=options.port if options.log_port_prefix else None,
        log_to_stderr=options.log_to_stderr,
        logging=options.logging,
        disable_log=options.disable_log,
        **rotation,
    )
