"""`$name` in SQL: values by name, which become parameters.

`$name`, `$name.attribute`, `$name[0]`, `$name['key']`, and the same in `${…}`; `$$` is a dollar sign. Expressions reach
attributes and items; they call nothing and compute nothing.

    reparam("id IN $ids AND owner = ${user.id}", {"ids": [1, 2], "user": user})
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .clauses import sqlquote
from .errors import InterpolationError, UnknownVariable
from .queries import SQLQuery

__all__ = ["reparam"]

_NAME = re.compile(r"[^\W\d]\w*")
_ATTRIBUTE = re.compile(r"\.([^\W\d]\w*)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_STRING = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")


def reparam(string_: str, dictionary: Mapping[str, Any]) -> SQLQuery:
    """Puts values into SQL by name, as parameters.

    Args:
        string_: the SQL. Never build it from what a user sent.
        dictionary: the values; lists, tuples and sets expand for `IN`, queries are inserted.

    Raises:
        UnknownVariable: a name is not in the dictionary (a KeyError).
        InterpolationError: `${` without its end (a ValueError).
    """
    if "$" not in string_:
        return SQLQuery(string_)
    return SQLQuery.join(
        [piece if isinstance(piece, str) else sqlquote(piece.value(dictionary)) for piece in _parsed(string_)], ""
    )


@dataclass(frozen=True, slots=True)
class _Literal:
    constant: Any

    def value(self, variables: Mapping[str, Any]) -> Any:
        return self.constant


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str

    def value(self, variables: Mapping[str, Any]) -> Any:
        try:
            return variables[self.name]
        except KeyError:
            raise UnknownVariable(
                f"${self.name}: got no value; expected {self.name!r} in vars. Write $$ for a dollar sign."
            ) from None


@dataclass(frozen=True, slots=True)
class _Attribute:
    owner: _Expression
    name: str

    def value(self, variables: Mapping[str, Any]) -> Any:
        return getattr(self.owner.value(variables), self.name)


@dataclass(frozen=True, slots=True)
class _Item:
    owner: _Expression
    key: _Expression

    def value(self, variables: Mapping[str, Any]) -> Any:
        return self.owner.value(variables)[self.key.value(variables)]


_Expression = _Literal | _Variable | _Attribute | _Item


@lru_cache(maxsize=512)
def _parsed(text: str) -> tuple[str | _Expression, ...]:
    return tuple(_Parser(text).pieces())


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def pieces(self) -> Iterator[str | _Expression]:
        while (dollar := self.text.find("$", self.position)) >= 0:
            yield self.text[self.position : dollar]
            self.position = dollar + 1
            following = self.text[dollar + 1 : dollar + 2]
            if following == "{":
                yield self._braced(dollar)
            elif following.isalnum() or following == "_":
                yield self._expression() or "$"
            else:
                self.position += following == "$"
                yield "$"
        yield self.text[self.position :]

    def _braced(self, dollar: int) -> _Expression:
        self.position += 1
        found = self._expression()
        if found is None or not self._skip("}"):
            raise InterpolationError(
                f"{self.text!r}: got an unfinished expression at character {dollar}; "
                "expected ${name}, with .attributes and [keys]. Write $$ for a dollar sign."
            )
        return found

    def _expression(self) -> _Expression | None:
        found = self._start()
        while found is not None:
            if attribute := self._take(_ATTRIBUTE):
                found = _Attribute(found, attribute[1])
            elif (key := self._key()) is not None:
                found = _Item(found, key)
            else:
                break
        return found

    def _start(self) -> _Expression | None:
        if name := self._take(_NAME):
            return _Variable(name[0])
        if number := self._take(_NUMBER):
            return _Literal(float(number[0]) if "." in number[0] else int(number[0]))
        if string := self._take(_STRING):
            return _Literal(ast.literal_eval(string[0]))
        return None

    def _key(self) -> _Expression | None:
        start = self.position
        if self._skip("["):
            key = self._expression()
            if key is not None and self._skip("]"):
                return key
        self.position = start  # no key: the bracket is SQL
        return None

    def _skip(self, character: str) -> bool:
        if self.text.startswith(character, self.position):
            self.position += 1
            return True
        return False

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.position)
        if found:
            self.position = found.end()
        return found
