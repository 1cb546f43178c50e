"""Middlewares for Tornado: seven hooks, exact, and free when unused."""

from .accesslog import AccessLogMiddleware
from .application import Application, MiddlewareApplication
from .compression import CompressionMiddleware
from .cors import CORS, CORSMiddleware
from .exceptions import (
    HookError,
    ManagerFrozenError,
    MiddlewareError,
    MiddlewareImportError,
    MiddlewareTypeError,
)
from .handler import MiddlewareHandlerMixin
from .httpserver import HTTPServer
from .manager import Manager
from .ratelimit import BucketStore, MemoryBuckets, RateLimitMiddleware
from .requestid import RequestIdFilter, RequestIdMiddleware, request_id
from .securityheaders import SecurityHeaders, SecurityHeadersMiddleware
from .shortpath import ShortPathMixin, WholeResponseConnection
from .timeout import TimeoutMiddleware
from .trustedhost import TrustedHostMiddleware

__all__ = [
    "AccessLogMiddleware",
    "Application",
    "BucketStore",
    "CORS",
    "CORSMiddleware",
    "CompressionMiddleware",
    "HTTPServer",
    "HookError",
    "Manager",
    "ManagerFrozenError",
    "MemoryBuckets",
    "MiddlewareApplication",
    "MiddlewareError",
    "MiddlewareHandlerMixin",
    "MiddlewareImportError",
    "MiddlewareTypeError",
    "RateLimitMiddleware",
    "RequestIdFilter",
    "RequestIdMiddleware",
    "SecurityHeaders",
    "SecurityHeadersMiddleware",
    "ShortPathMixin",
    "TimeoutMiddleware",
    "TrustedHostMiddleware",
    "WholeResponseConnection",
    "request_id",
]
