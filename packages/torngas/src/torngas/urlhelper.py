"""Routes, under their documented path."""

from torngas_router import Url, include, route

__all__ = ["Url", "include", "route"]
