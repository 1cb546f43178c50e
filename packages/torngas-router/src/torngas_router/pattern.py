r"""The path of a route: a regular expression, a typed template, or both joined by an include.

PathPattern.of_text("/photo/?").text                     # '/photo/?'
PathPattern.of_text("^/photo/?").under("/in").text       # '/in/photo/?'
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .converters import Converter

__all__ = ["PathPattern", "Piece"]

_PLACEHOLDER = re.compile(r"<(?:(?P<converter>[A-Za-z_]\w*):)?(?P<name>[A-Za-z_]\w*)>")
_TEMPLATE_IN_PREFIX = re.compile(r"(?<!\(\?P)" + _PLACEHOLDER.pattern)


@dataclass(frozen=True, slots=True)
class Piece:
    """One stretch of a path: a regular expression, or a template with `<converter:name>` parts."""

    text: str
    typed: bool


@dataclass(frozen=True, slots=True)
class PathPattern:
    """What a path must look like, as declared; compiling it needs the converters of a table.

    Exactly one of `pieces` and `compiled` is given; a compiled expression is used as it is (Tornado adds no `$`).
    """

    pieces: tuple[Piece, ...] = ()
    compiled: re.Pattern[str] | None = None

    @classmethod
    def of_text(cls, text: str, *, typed: bool = False) -> PathPattern:
        """A pattern of one piece."""
        return cls((Piece(text, typed),))

    @property
    def text(self) -> str:
        """The pattern as it was written."""
        return self.compiled.pattern if self.compiled else "".join(piece.text for piece in self.pieces)

    @property
    def typed(self) -> bool:
        """Whether any part is a template."""
        return any(piece.typed for piece in self.pieces)

    def placeholders(self) -> Iterator[tuple[str, str]]:
        """(name, converter name) of every typed part, in order."""
        for piece in self.pieces:
            if piece.typed:
                for found in _PLACEHOLDER.finditer(piece.text):
                    yield found["name"], found["converter"] or "str"

    def under(self, prefix: str) -> PathPattern:
        """This pattern below `prefix`: one slash between them, no matter how either was written."""
        typed = bool(_TEMPLATE_IN_PREFIX.search(prefix)) or (self.typed and re.escape(prefix) == prefix)
        head = Piece(prefix.rstrip("/") + "/", typed)
        if self.compiled:
            source = self.compiled.pattern.lstrip("^").lstrip("/")
            return PathPattern(compiled=re.compile(head.text + source, self.compiled.flags))
        first, *rest = self.pieces
        tail = Piece(first.text.lstrip("^").lstrip("/"), first.typed)
        return PathPattern((head, tail, *rest))

    def source(self, converters: Mapping[str, Converter]) -> str:
        """The regular expression that the whole stands for, with its end."""
        parts = [_template_source(p.text, converters) if p.typed else p.text for p in self.pieces]
        whole = "".join(parts)
        if self.pieces[-1].typed:
            return whole + r"\Z"
        return whole if whole.endswith("$") else whole + "$"

    def compile(self, converters: Mapping[str, Converter]) -> re.Pattern[str]:
        """The expression to match paths with; re.error, LookupError or ValueError say what is wrong."""
        return self.compiled or re.compile(self.source(converters))


def _template_source(text: str, converters: Mapping[str, Converter]) -> str:
    parts, end = [], 0
    for found in _PLACEHOLDER.finditer(text):
        parts.append(re.escape(text[end : found.start()]))
        parts.append(f"(?P<{found['name']}>{converters[found['converter'] or 'str'].regex})")
        end = found.end()
    return "".join((*parts, re.escape(text[end:])))
