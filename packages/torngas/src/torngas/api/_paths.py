"""A route's pattern as a path of OpenAPI: `/notes/{id}` of `/notes/<int:id>` or `/notes/(?P<id>[0-9]+)/?`.

OpenAPI knows no optional parts: what a pattern allows to be left out outside of groups is left out, of alternatives
the first is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Part", "PathTemplate", "template_of"]

_CONVERTED: dict[str, dict[str, Any]] = {
    "int": {"type": "integer", "minimum": 0},
    "slug": {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$"},
    "uuid": {"type": "string", "format": "uuid"},
}
_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
_TYPED = re.compile(r"(?<!\?P)<(?:(?P<converter>[A-Za-z_]\w*):)?(?P<name>[A-Za-z_]\w*)>")
_EXPRESSION = re.compile(r"[\\(\[^$]|/\?$")
_TOKEN = re.compile(
    rf"(?P<typed>{_TYPED.pattern})"
    r"|\(\?P<(?P<named>\w+)>|(?P<plain>\(\?[a-z:]*:)|(?P<look>\(\?[=!<])|(?P<unnamed>\()"
    r"|(?P<kind>\[\^?\]?(?:\\.|[^\]\\])*\]|\\[dwsDWS]|\.)|(?P<edge>[$^]|\\[AZbB])|\\(?P<escaped>.)|(?P<literal>.)",
    re.DOTALL,
)
_QUANTIFIER = re.compile(r"(?:(?P<optional>[?*])|\+|\{(?P<least>\d*)[^}]*\})[?+]?")
# Means the same in Python and in JavaScript, whose expressions JSON Schema takes.
_PORTABLE = re.compile(r"(?:\\[dw.\-]|\[[\w\-^.]+\]|[\w\-|]|\{\d+(?:,\d*)?\}|[+*?])+")
_SAMPLES = "1aA-_ "


@dataclass(frozen=True, slots=True)
class Part:
    """A part that varies: its name ("" if it has none), and the schema that the pattern makes of it."""

    name: str
    schema: dict[str, Any]


@dataclass(slots=True)
class PathTemplate:
    """A path with its parts.

    Attributes:
        pieces: Text, and parts in between.
    """

    pieces: list[str | Part] = field(default_factory=list)

    @property
    def parts(self) -> list[Part]:
        """Those that vary."""
        return [one for one in self.pieces if isinstance(one, Part)]

    def text(self, name_of: Callable[[int, Part], str]) -> str:
        """The path of OpenAPI; `name_of` names the part of a number."""
        names = {id(part): name_of(number, part) for number, part in enumerate(self.parts)}
        path = "".join(f"{{{names[id(one)]}}}" if isinstance(one, Part) else one for one in self.pieces)
        return path if path.startswith("/") else f"/{path}"


def template_of(pattern: str) -> PathTemplate:
    """Reads a pattern as it was declared: typed parts, a regular expression, or both."""
    template = PathTemplate()
    if _TYPED.search(pattern) and not _EXPRESSION.search(pattern):
        template.pieces += _typed(pattern)
    else:
        _read(_first_alternative(pattern), template.pieces)
    return template


def _typed(pattern: str) -> Iterator[str | Part]:
    """A pattern of typed parts only: all else in it means itself."""
    end = 0
    for found in _TYPED.finditer(pattern):
        yield pattern[end : found.start()]
        yield Part(found["name"], _CONVERTED.get(found["converter"] or "str", _TEXT))
        end = found.end()
    yield pattern[end:]


def _read(source: str, pieces: list[str | Part]) -> None:
    at = 0
    while token := _TOKEN.match(source, at):
        at = token.end()
        if token["edge"]:
            continue
        inner = ""
        if token["named"] or token["plain"] or token["unnamed"] or token["look"]:
            inner, at = _group(source, at)
        quantifier = _QUANTIFIER.match(source, at)
        if quantifier and not token["typed"]:
            at = quantifier.end()
        optional = quantifier is not None and (quantifier["optional"] is not None or quantifier["least"] == "0")
        _take(token, inner, optional, pieces)


def _take(token: re.Match[str], inner: str, optional: bool, pieces: list[str | Part]) -> None:
    if token["typed"]:
        pieces.append(Part(token["name"], _CONVERTED.get(token["converter"] or "str", _TEXT)))
    elif token["named"] or token["unnamed"]:
        pieces.append(Part(token["named"] or "", _matching(inner)))
    elif token["look"] or optional:
        return
    elif token["plain"]:
        _read(_first_alternative(inner), pieces)
    elif token["kind"] == ".":
        pieces.append(".")
    elif token["kind"]:
        pieces.append(next((one for one in _SAMPLES if re.fullmatch(token["kind"], one)), ""))
    else:
        pieces.append(token["escaped"] or token["literal"])


def _matching(source: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^(?:{source})$"} if _PORTABLE.fullmatch(source) else dict(_TEXT)


def _group(source: str, at: int) -> tuple[str, int]:
    """What stands in the group that begins before `at`, and where it ends."""
    start, depth = at, 1
    while depth and (token := _TOKEN.match(source, at)):
        at = token.end()
        if token["named"] or token["plain"] or token["unnamed"] or token["look"]:
            depth += 1
        elif token["literal"] == ")":
            depth -= 1
    return source[start : at - 1], at


def _first_alternative(source: str) -> str:
    at = 0
    while token := _TOKEN.match(source, at):
        if token["literal"] == "|":
            return source[:at]
        at = token.end()
        if token["named"] or token["plain"] or token["unnamed"] or token["look"]:
            at = _group(source, at)[1]
    return source
