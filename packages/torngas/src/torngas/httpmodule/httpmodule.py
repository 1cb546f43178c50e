"""The middleware that runs the HTTP modules."""

from torngas_httpmodule import HttpModuleMiddleware

__all__ = ["HttpModuleMiddleware"]
