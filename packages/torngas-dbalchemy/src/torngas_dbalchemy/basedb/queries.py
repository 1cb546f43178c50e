"""SQL with its values beside it: `SQLQuery`, made of text and of `SQLParam`.

A query never holds a value in its text. What `str()` and `repr()` show, with the values put in, is for people and is
never sent.

    query = "SELECT * FROM test WHERE name = " + SQLParam("joe")
    query.query("qmark"), query.values()  # 'SELECT * FROM test WHERE name = ?', ['joe']
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from .errors import UnknownParamstyle

__all__ = ["SQLLiteral", "SQLParam", "SQLQuery", "sqlify"]

_MARKERS = {"qmark": "?", "numeric": ":1", "format": "%s", "pyformat": "%s", None: "%s"}
_ESCAPED = ("format", "pyformat")


def sqlify(obj: Any) -> str:
    """Answers how a value looks in SQL, for people to read. Never send it: send a `SQLParam`."""
    if obj is None:
        return "NULL"
    if isinstance(obj, bool):
        return "'t'" if obj else "'f'"
    if isinstance(obj, int | float | Decimal):
        return str(obj)
    if isinstance(obj, datetime.datetime | datetime.date | datetime.time):
        return f"'{obj.isoformat()}'"
    if isinstance(obj, str):
        return "'" + obj.replace("'", "''") + "'"
    return repr(obj)


class SQLLiteral:
    """Text that goes into the SQL as it is, where a value is expected: `SQLLiteral("NOW()")`. Never from a user."""

    __slots__ = ("v",)

    def __init__(self, v: str) -> None:
        self.v = v

    def __repr__(self) -> str:
        return f"<literal: {self.v!r}>"


class SQLParam:
    """A value in a query; `+` with text or another param makes a `SQLQuery`."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def get_marker(self, paramstyle: str | None = "pyformat") -> str:
        """Answers what stands for the value in the text of a statement.

        Raises:
            UnknownParamstyle: the style is none of qmark, numeric, format, pyformat and None (which is pyformat).
        """
        try:
            return _MARKERS[paramstyle]
        except KeyError:
            raise UnknownParamstyle(
                f"paramstyle: got {paramstyle!r}; expected 'qmark', 'numeric', 'format' or 'pyformat'."
            ) from None

    def sqlquery(self) -> SQLQuery:
        """Answers the query that consists of this value alone."""
        return SQLQuery([self])

    def __add__(self, other: str | SQLParam | SQLQuery) -> SQLQuery:
        return self.sqlquery() + other

    def __radd__(self, other: str) -> SQLQuery:
        return other + self.sqlquery()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SQLParam) and bool(other.value == self.value)

    __hash__ = None  # type: ignore[assignment]  # values may be mutable

    def __str__(self) -> str:
        return str(self.value)

    def __repr__(self) -> str:
        return f"<param: {self.value!r}>"


class SQLQuery:
    """Text and values in order, in the list `items`. Not safe to change from several threads at once.

    Args:
        items: text, a param, another query, or a list of text and params; None is an empty query. A param that holds
            a `SQLLiteral` becomes text.
    """

    __slots__ = ("items",)

    def __init__(self, items: Any = None) -> None:
        if items is None:
            items = []
        elif isinstance(items, SQLQuery):
            items = list(items.items)
        elif not isinstance(items, list):
            items = [items]
        self.items: list[Any] = [_plain(item) for item in items]

    def append(self, value: str | SQLParam) -> None:
        """Adds text or a value at the end."""
        self.items.append(value)

    def query(self, paramstyle: str | None = None) -> str:
        """Answers the text, with a marker for each value.

        Args:
            paramstyle: as in DB-API 2 (PEP 249). For format and pyformat a `%` of the text is doubled, unless that
                piece of text has doubled ones already; None writes `%s` and doubles nothing.

        Raises:
            UnknownParamstyle: see `SQLParam.get_marker`.
        """
        pieces, number = [], 0
        for item in self.items:
            if isinstance(item, SQLParam):
                number += 1
                marker = item.get_marker(paramstyle)
                pieces.append(f":{number}" if paramstyle == "numeric" else marker)
            else:
                text = str(item)
                escape = paramstyle in _ESCAPED and "%" in text and "%%" not in text
                pieces.append(text.replace("%", "%%") if escape else text)
        return "".join(pieces)

    def values(self) -> list[Any]:
        """Answers the values, in the order of their markers."""
        return [item.value for item in self.items if isinstance(item, SQLParam)]

    @staticmethod
    def join(
        items: Iterable[Any],
        sep: str = " ",
        prefix: str | None = None,
        suffix: str | None = None,
        target: SQLQuery | None = None,
    ) -> SQLQuery:
        """Joins text, params and queries, as `str.join` does.

        Args:
            items: what to join; empty text adds nothing but its separator.
            sep: between two of them.
            prefix: before all, None for nothing.
            suffix: after all, None for nothing.
            target: a query to append to; None makes a new one.

        Returns:
            The target.
        """
        target = SQLQuery() if target is None else target
        found = target.items
        if prefix:
            found.append(prefix)
        for index, item in enumerate(items):
            if index and sep:
                found.append(sep)
            found.extend(_items(item))
        if suffix:
            found.append(suffix)
        return target

    def __add__(self, other: str | SQLParam | SQLQuery) -> SQLQuery:
        if not isinstance(other, str | SQLParam | SQLQuery):
            return NotImplemented
        return SQLQuery(self.items + _items(other))

    def __radd__(self, other: str) -> SQLQuery:
        if not isinstance(other, str):
            return NotImplemented
        return SQLQuery([*_items(other), *self.items])

    def __iadd__(self, other: str | SQLParam | SQLQuery) -> SQLQuery:
        if not isinstance(other, str | SQLParam | SQLQuery):
            return NotImplemented
        self.items.extend(_items(other))
        return self

    def __len__(self) -> int:
        return len(self.query())

    def __bool__(self) -> bool:
        return any(self.items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SQLQuery) and other.items == self.items

    __hash__ = None  # type: ignore[assignment]  # queries are mutable

    def __str__(self) -> str:
        return "".join(sqlify(item.value) if isinstance(item, SQLParam) else str(item) for item in self.items)

    def __repr__(self) -> str:
        return f"<sql: {str(self)!r}>"


def _plain(item: Any) -> Any:
    if isinstance(item, SQLParam) and isinstance(item.value, SQLLiteral):
        return item.value.v
    return item


def _items(value: Any) -> list[Any]:
    if isinstance(value, SQLQuery):
        return value.items
    return [] if isinstance(value, str) and not value else [_plain(value)]
