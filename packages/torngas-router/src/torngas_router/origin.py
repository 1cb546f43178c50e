"""Where in the user's code an entry was written, for messages.

origin = Origin.of_caller()
str(origin)  # '/srv/app/urls.py:7'
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

__all__ = ["Origin"]

_PACKAGE = __name__.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Origin:
    """The file and line of a declaration; `str()` gives `file:line`, which editors and terminals open."""

    file: str
    line: int

    @classmethod
    def of_caller(cls) -> Origin:
        """The innermost call outside of this library."""
        frame = sys._getframe(1)
        while frame.f_back is not None and _is_ours(str(frame.f_globals.get("__name__"))):
            frame = frame.f_back
        return cls(frame.f_code.co_filename, frame.f_lineno)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def _is_ours(module: str) -> bool:
    return module == _PACKAGE or module.startswith(_PACKAGE + ".")
