"""What can go wrong with routes: one hierarchy, every message with its place and its remedy.

try:
    table = RouteTable(urls)
except UrlError as error:
    print(error)  # /srv/app/urls.py:7: u('/login('): got ...; expected ...; ...
"""

from __future__ import annotations

from typing import Self

__all__ = ["ReverseError", "UrlError"]


class UrlError(ValueError):
    """A route, an include or a table that cannot work; raised at the latest while the table is built.

    The base class of every error of this library. `str(error)` names the entry with its file and line, what was
    got, what was expected, and the remedy.
    """

    @classmethod
    def at(cls, where: object, *, got: str, expected: str, remedy: str) -> Self:
        """The error in the one form that all messages have."""
        return cls(f"{where}: got {got}; expected {expected}. {remedy}")


class ReverseError(UrlError, KeyError):
    """A URL could not be built: the name is unknown, or an argument is missing, left over, or does not fit.

    Also a KeyError, because that is what `tornado.web.Application.reverse_url` raises for an unknown name.
    """

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""
