"""HTTP modules, under their documented path."""

from torngas_httpmodule import BaseHttpModule

__all__ = ["BaseHttpModule"]
