r"""Typed parts of a path: `<int:uid>` is text that an int converter accepts, and arrives as an int.

A converter is any object with a regular expression `regex` (without capturing groups), `to_python(text)` and
`to_url(value)`; `to_python` refuses a text by raising ValueError, and then the route does not match. A table
knows the five below, and those that it is given; nothing is registered globally.

    class Hex:
        regex = "[0-9a-f]+"

        def to_python(self, text: str) -> int:
            return int(text, 16)

        def to_url(self, value: int) -> str:
            return f"{value:x}"

    table = RouteTable([path("/color/<hex:rgb>", Color)], converters={"hex": Hex()})
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

from .errors import UrlError

__all__ = ["BUILTIN_CONVERTERS", "Converter", "checked_converters"]


class Converter(Protocol):
    """How one typed part of a path is recognized, read and written."""

    @property
    def regex(self) -> str:
        """What the raw (still percent-encoded) text looks like; groups in it must not capture."""
        ...

    def to_python(self, text: str, /) -> Any:
        """The value of the decoded text; ValueError means that the route does not match."""
        ...

    def to_url(self, value: Any, /) -> str:
        """The text of the value, not yet quoted; ValueError or TypeError means that it does not fit."""
        ...


class _Text:
    regex = "[^/]+"

    def to_python(self, text: str) -> str:
        return text

    def to_url(self, value: object) -> str:
        return str(value)


class _Slug(_Text):
    regex = "[-a-zA-Z0-9_]+"


class _Path(_Text):
    regex = ".+"


class _Int:
    regex = "[0-9]+"

    def to_python(self, text: str) -> int:
        return int(text)

    def to_url(self, value: object) -> str:
        return str(int(str(value)))


class _Uuid:
    regex = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

    def to_python(self, text: str) -> uuid.UUID:
        return uuid.UUID(text)

    def to_url(self, value: object) -> str:
        return str(uuid.UUID(str(value)))


BUILTIN_CONVERTERS: Mapping[str, Converter] = MappingProxyType(
    {"int": _Int(), "path": _Path(), "slug": _Slug(), "str": _Text(), "uuid": _Uuid()}
)
"""What every table knows: `int` (ASCII digits), `str` (one segment), `slug`, `uuid`, `path` (slashes too)."""


def checked_converters(given: Mapping[str, Converter]) -> Mapping[str, Converter]:
    """The same mapping, if every converter in it can be used; else UrlError."""
    for name, converter in given.items():
        if problem := _problem(converter):
            raise UrlError.at(
                f"converters[{name!r}]",
                got=f"{converter!r} ({problem})",
                expected="an object with `regex` (no capturing groups), `to_python` and `to_url`",
                remedy="Give an instance, not the class; write (?:...) for groups.",
            )
    return given


def _problem(converter: object) -> str | None:
    if isinstance(converter, type):
        return "a class"
    if missing := [name for name in ("regex", "to_python", "to_url") if not hasattr(converter, name)]:
        return f"without {', '.join(missing)}"
    try:
        groups = re.compile(getattr(converter, "regex")).groups  # noqa: B009  # of an object of any type
    except (re.error, TypeError) as error:
        return f"regex: {error}"
    return "regex has capturing groups" if groups else None
