r"""How a regular expression begins: the text that every path it matches must start with.

    head = Head.of(r"/user/(\d+)$")
    head.prefix, head.rest      # '/user/', r'(\d+)$'
    Head.of(r"/user/?$").paths  # ('/user', '/user/'): nothing else matches (but for a line end after it)

This never parses more than it is sure of: what it does not know ends the prefix, and a shorter prefix only means
that more candidates are tried. The expression as a whole is `re.escape(prefix) + rest`, in the very meaning that
the user wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Head", "branches", "class_end", "closing", "literals"]

_SPECIAL = frozenset(".^$*+?{}[]\\|()")
_QUANTIFIERS = frozenset("*+?{")
_END = frozenset(("$", r"\Z"))
_OPTIONAL_END = frozenset(("?", "?$", r"?\Z"))
_FLAGS_THAT_KEEP_LITERALS = re.UNICODE | re.ASCII | re.DOTALL | re.MULTILINE
_GLOBAL_FLAGS = re.compile(r"\(\?[aiLmsux]+\)")


@dataclass(frozen=True, slots=True)
class Head:
    """An expression taken apart: literal `prefix`, expression `rest`, and all `paths` where they are countable."""

    prefix: str
    rest: str
    paths: tuple[str, ...] = ()

    @classmethod
    def of(cls, source: str, flags: int = re.UNICODE) -> Head:
        """Takes `source` apart; with flags that change the meaning of letters the prefix is empty."""
        whole = cls("", source)
        if flags & ~_FLAGS_THAT_KEEP_LITERALS or len(branches(source)) > 1:
            return whole
        prefix, rest, last = _split(source)
        if _GLOBAL_FLAGS.match(rest):
            return whole
        if flags & re.MULTILINE:
            return cls(prefix, rest)
        if rest in _END:
            return cls(prefix, rest, (prefix,))
        if last and rest[len(last) :] in _OPTIONAL_END - {"?"}:
            text = last[-1]
            return cls(prefix, rest, (prefix, prefix + text))
        return cls(prefix, rest)


def _split(source: str) -> tuple[str, str, str]:
    """(literal prefix, the expression after it, the source of one quantified character at its start or '')."""
    start = len(source) - len(source.lstrip("^"))
    if start and source[start : start + 1] in _QUANTIFIERS:
        return "", source, ""
    text: list[str] = []
    end = start
    for character, begin, stop in literals(source, start):
        if source[stop : stop + 1] in _QUANTIFIERS:
            return "".join(text), source[begin:], source[begin:stop]
        text.append(character)
        end = stop
    return "".join(text), source[end:], ""


def literals(source: str, at: int) -> Iterator[tuple[str, int, int]]:
    """(character, begin, end) of each literal character from `at` on, up to the first that is none."""
    while at < len(source):
        character, size = source[at], 1
        if character == "\\":
            character, size = source[at + 1 : at + 2], 2
            if not character or character.isalnum() or not character.isascii():
                return
        elif character in _SPECIAL:
            return
        yield character, at, at + size
        at += size


def branches(source: str) -> list[str]:
    """`source` split at each `|` that stands outside of groups and character classes."""
    if "|" not in source:
        return [source]
    found, depth, begin, at = [], 0, 0, 0
    while at < len(source):
        character = source[at]
        if character == "\\":
            at += 1
        elif character == "[":
            at = class_end(source, at)
        elif source.startswith("(?#", at):
            at = source.find(")", at) if ")" in source[at:] else len(source)
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "|" and not depth:
            found.append(source[begin:at])
            begin = at + 1
        at += 1
    return [*found, source[begin:]]


def closing(source: str, at: int) -> int:
    """Where the group that opens at `at` ends, just behind its parenthesis; ValueError if it does not."""
    depth = 0
    while at < len(source):
        character = source[at]
        if character == "\\":
            at += 1
        elif character == "[":
            at = class_end(source, at)
        elif character in "()":
            depth += 1 if character == "(" else -1
            if not depth:
                return at + 1
        at += 1
    raise ValueError("a group is not closed")


def class_end(source: str, at: int) -> int:
    """Where the character class that opens at `at` closes."""
    at += 1
    if source[at : at + 1] == "^":
        at += 1
    if source[at : at + 1] == "]":
        at += 1
    while at < len(source) and source[at] != "]":
        at += 2 if source[at] == "\\" else 1
    return at
