r"""The path of a route: a regular expression, a typed template, or both joined by an include.

    PathPattern.of_text("/photo/?").text                # '/photo/?'
    PathPattern.of_text("^/photo/?").under("/in").text  # '/in/photo/?'

A text gets Tornado's `$` at its end; a compiled expression is used as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .converters import Converter
from .errors import UrlError
from .literal import branches

__all__ = ["UNUSABLE", "PathPattern", "Piece"]

UNUSABLE = (re.error, LookupError, ValueError, OverflowError, RecursionError)
"""What bad expressions and templates raise."""

_PLACEHOLDER = re.compile(r"<(?:(?P<converter>[A-Za-z_]\w*):)?(?P<name>[A-Za-z_]\w*)>")
_PLACEHOLDER_IN_EXPRESSION = re.compile(r"(?<!\(\?P)" + _PLACEHOLDER.pattern)
_STRAY_BRACKET = re.compile(r"[<>]")
_SPECIAL = re.compile(r"[.^$*+?{}\[\]\\|()]")
_BACKREFERENCE = re.compile(r"\\[1-9]|\(\?\([1-9]")


@dataclass(frozen=True, slots=True)
class Piece:
    """One stretch of a path: a regular expression, or a template with `<converter:name>` parts."""

    text: str
    typed: bool

    def source(self, converters: Mapping[str, Converter]) -> str:
        """The regular expression that it stands for; LookupError for an unknown converter."""
        if not self.typed:
            return self.text
        parts, end = [], 0
        for found in _PLACEHOLDER.finditer(self.text):
            parts.append(_escaped(self.text[end : found.start()]))
            parts.append(f"(?P<{found['name']}>{converters[found['converter'] or 'str'].regex})")
            end = found.end()
        return "".join((*parts, _escaped(self.text[end:])))

    def filled(self, texts: Mapping[str, str]) -> str:
        """A template with the (already quoted) texts in place of its parts."""
        return _PLACEHOLDER.sub(lambda found: texts[found["name"]], self.text)


@dataclass(frozen=True, slots=True)
class PathPattern:
    """What a path must look like, as declared; exactly one of `pieces` and `compiled` is given."""

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

    def source(self, converters: Mapping[str, Converter]) -> str:
        """The regular expression that the whole stands for, with its end."""
        if self.compiled:
            return self.compiled.pattern
        whole = "".join(piece.source(converters) for piece in self.pieces)
        if self.pieces[-1].typed:
            return whole + r"\Z"
        return whole if whole.endswith("$") else whole + "$"

    def compile(self, where: str, converters: Mapping[str, Converter]) -> re.Pattern[str]:
        """The one expression for whole paths; UrlError if it is none."""
        try:
            return self.compiled or re.compile(self.source(converters))
        except UNUSABLE as error:
            raise self.refusal(where, converters, error) from error

    def refusal(self, where: str, converters: Mapping[str, Converter], error: Exception) -> UrlError:
        """The UrlError that says what is wrong with this pattern, which raised `error` in whole or in part."""
        if isinstance(error, LookupError):
            return UrlError.at(
                where,
                got=f"unknown converter {error.args[0]!r}",
                expected=f"one of {', '.join(sorted(converters))}",
                remedy="Give your own to the table: RouteTable(entries, converters={...}).",
            )
        try:  # the position in the whole expression is of more use than that in a part
            re.compile(self.source(converters))
        except UNUSABLE as whole:
            error = whole
        return UrlError.at(
            where,
            got=f"pattern {self.text!r} ({error})",
            expected="a path like '/user/<int:uid>/'" if self.typed else "a regular expression",
            remedy="Correct it there; escape with a backslash what is meant literally.",
        )

    def under(self, prefix: str) -> PathPattern:
        """This pattern below `prefix`: one slash between them, however either was written.

        Raises ValueError or re.error where joining would change what the expression means.
        """
        head = _head(prefix, literal_is_typed=self.typed)
        if self.compiled:
            return PathPattern(compiled=_joined(head, self.compiled.pattern, self.compiled.flags))
        first, *rest = self.pieces
        if not first.typed and len(branches(first.text)) > 1:
            source = first.text if first.text.endswith("$") else first.text + "$"
            return PathPattern(compiled=_joined(head, source, re.UNICODE))
        if not first.typed:
            _check_references(head, first.text)
        return PathPattern((head, Piece(_inner(first.text), first.typed), *rest))


def _head(prefix: str, *, literal_is_typed: bool) -> Piece:
    if prefix.endswith("$"):
        raise ValueError("a prefix that ends in '$' matches nothing below it")
    text = prefix.rstrip("/") + "/"
    if len(branches(text)) > 1:
        text = f"(?:{prefix.rstrip('/')})/"
    if text[0].isalnum():
        text = "/" + text
    typed = bool(_PLACEHOLDER_IN_EXPRESSION.search(text)) or (literal_is_typed and not _SPECIAL.search(text))
    return Piece(text, typed)


def _joined(head: Piece, source: str, flags: int) -> re.Pattern[str]:
    """A compiled expression below a prefix, its branches and flags kept within."""
    if head.typed and _PLACEHOLDER.search(head.text):
        raise ValueError("typed parts cannot stand before a compiled expression or an alternation; use a group")
    _check_references(head, source)
    inner = "|".join(_inner(branch) for branch in branches(source))
    letters = "".join(letter for letter, flag in _SCOPED_FLAGS if flags & flag)
    return re.compile(f"{head.text}(?{letters}:{inner})", flags & re.DEBUG)


_SCOPED_FLAGS = (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL), ("x", re.VERBOSE), ("a", re.ASCII))


def _check_references(head: Piece, source: str) -> None:
    """Numbers of groups shift behind a prefix that has groups."""
    if _BACKREFERENCE.search(source) and (head.typed or "(" in head.text):
        raise ValueError("numbered group references behind a prefix with groups would refer to other groups")


def _inner(source: str) -> str:
    return source.lstrip("^").lstrip("/")


def _escaped(literal: str) -> str:
    if stray := _STRAY_BRACKET.search(literal):
        raise ValueError(f"{stray[0]!r} is not part of a <converter:name>")
    return re.escape(literal)
