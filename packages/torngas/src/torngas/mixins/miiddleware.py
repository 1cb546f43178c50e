"""The mixin under the (misspelt) path of 1.8."""

from torngas_middleware import MiddlewareHandlerMixin

__all__ = ["MiddlewareHandlerMixin"]
