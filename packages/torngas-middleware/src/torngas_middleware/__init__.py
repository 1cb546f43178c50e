"""Middlewares for Tornado: seven hooks, exact, and free when unused."""

from .accesslog import AccessLogMiddleware
from .application import Application, MiddlewareApplication
from .exceptions import (
    HookError,
    ManagerFrozenError,
    MiddlewareError,
    MiddlewareImportError,
    MiddlewareTypeError,
)
from .handler import MiddlewareHandlerMixin
from .manager import Manager

__all__ = [
    "AccessLogMiddleware",
    "Application",
    "HookError",
    "Manager",
    "ManagerFrozenError",
    "MiddlewareApplication",
    "MiddlewareError",
    "MiddlewareHandlerMixin",
    "MiddlewareImportError",
    "MiddlewareTypeError",
]
