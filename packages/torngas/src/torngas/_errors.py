"""How an error at start-up ends the program: one line and status 1, no traceback."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from torngas.exception import BaseError
from torngas_cache import CacheError
from torngas_httpmodule import HttpModuleError
from torngas_logger import LoggerError
from torngas_middleware import MiddlewareError
from torngas_router import UrlError
from torngas_session import SessionError

__all__ = ["STARTUP_ERRORS", "ending_the_program"]

# What a wrong setting, route or middleware raises; anything else is a defect and keeps its traceback.
STARTUP_ERRORS: tuple[type[Exception], ...] = (
    BaseError,
    CacheError,
    HttpModuleError,
    LoggerError,
    MiddlewareError,
    SessionError,
    UrlError,
)


def ending_the_program(error: Exception) -> Exception:
    """The same error, caught as before; uncaught it ends the program as `sys.exit(message)` does.

    Python prints the message of an uncaught SystemExit on stderr and ends with status 1.
    """
    if isinstance(error, SystemExit):
        return error
    original: Any = type(error)
    kind = _quiet_class(original)
    quiet = kind.__new__(kind, *error.args)
    quiet.__dict__.update(error.__dict__)
    quiet.code = f"error: {error}"
    return cast(Exception, quiet)


@cache
def _quiet_class(kind: Any) -> Any:
    return type(kind.__name__, (kind, SystemExit), {"__module__": kind.__module__})
