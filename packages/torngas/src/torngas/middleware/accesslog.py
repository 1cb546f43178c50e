"""The access log."""

from torngas_middleware import AccessLogMiddleware

__all__ = ["AccessLogMiddleware"]
