"""The registry of middlewares."""

from torngas_middleware import Manager

__all__ = ["Manager"]
