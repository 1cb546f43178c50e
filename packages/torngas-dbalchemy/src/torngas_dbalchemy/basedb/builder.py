"""Writes the statements of a `DB`; knows no connection.

Builder().select_query("foo", where={"id": 5})  # <sql: 'SELECT * FROM foo WHERE id = 5'>
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .clauses import sqllist, sqlquote, sqlwhere
from .errors import UnsafeName
from .interpolation import reparam
from .queries import SQLParam, SQLQuery

__all__ = ["Builder", "Clause", "Tables", "Where"]

Tables = str | Iterable[str]
Clause = str | int | SQLQuery | None
Where = str | int | SQLQuery | Mapping[str, Any] | None

_WORD = r'(?:\w[\w$]*|"[^"\x00]+"|`[^`\x00]+`)'
_COLUMN = re.compile(rf"{_WORD}(?:\.{_WORD})*")


class Builder:
    """The SQL that all databases share; subclasses write what theirs says otherwise."""

    def sql_clauses(
        self, what: Clause, tables: Tables, where: Where, group: Clause, order: Clause, limit: Any, offset: Any
    ) -> Sequence[tuple[str, Any]]:
        """Answers the clauses of a SELECT in order; those that are None are left out."""
        return (
            ("SELECT", what),
            ("FROM", sqllist(tables)),
            ("WHERE", where),
            ("GROUP BY", group),
            ("ORDER BY", order),
            ("LIMIT", _number(limit)),
            ("OFFSET", _number(offset)),
        )

    def gen_clause(self, sql: str, val: Any, vars: Mapping[str, Any]) -> SQLQuery:  # noqa: A002 - a documented name
        """Answers one clause; an empty condition leaves WHERE out."""
        if sql == "WHERE":
            found = self._where(val, vars)
            return sql + " " + found if found else SQLQuery()
        if isinstance(val, SQLQuery):
            return sql + " " + val
        return SQLQuery(f"{sql} {val}") if isinstance(val, int) else reparam(f"{sql} {val}", vars)

    def select_query(
        self,
        tables: Tables,
        vars: Mapping[str, Any] | None = None,  # noqa: A002
        what: Clause = "*",
        where: Where = None,
        order: Clause = None,
        group: Clause = None,
        limit: Any = None,
        offset: Any = None,
    ) -> SQLQuery:
        """Writes a SELECT; for the arguments see `DB.select`."""
        clauses = self.sql_clauses(what, tables, where, group, order, limit, offset)
        found = [self.gen_clause(sql, val, vars or {}) for sql, val in clauses if val is not None]
        return SQLQuery.join([clause for clause in found if clause])

    def insert_query(self, tablename: str, rows: Sequence[Mapping[str, Any]]) -> SQLQuery:
        """Writes an INSERT of rows that have the same keys; no keys insert the defaults."""
        keys = sorted(rows[0])
        if not keys:
            return SQLQuery(self._get_insert_default_values_query(tablename))
        columns = ", ".join(_column(key) for key in keys)
        query = SQLQuery(f"INSERT INTO {tablename} ({columns}) VALUES ")  # noqa: S608 - names are the program's own text
        tuples = [SQLQuery.join([SQLParam(row[key]) for key in keys], ", ", "(", ")") for row in rows]
        return SQLQuery.join(tuples, ", ", target=query)

    def update_query(
        self,
        tables: Tables,
        where: Where,
        vars: Mapping[str, Any] | None,  # noqa: A002
        values: Mapping[str, Any],
    ) -> SQLQuery:
        """Writes an UPDATE; the condition must not be empty."""
        pairs = sorted((_column(name), value) for name, value in values.items())
        start = "UPDATE " + sqllist(tables) + " SET " + sqlwhere(pairs, ", ")  # noqa: S608 - names are the program's own text
        return start + " WHERE " + self._condition("update", where, vars)

    def delete_query(
        self,
        table: str,
        where: Where,
        using: Tables | None,
        vars: Mapping[str, Any] | None,  # noqa: A002
    ) -> SQLQuery:
        """Writes a DELETE; the condition must not be empty."""
        start = f"DELETE FROM {table}" + (f" USING {sqllist(using)}" if using else "")  # noqa: S608 - names are the program's own text
        return start + " WHERE " + self._condition("delete", where, vars)

    def _condition(self, verb: str, where: Where, vars: Mapping[str, Any] | None) -> SQLQuery:  # noqa: A002
        found = self._where(where, vars or {})
        if not found:
            raise ValueError(f"{verb}: got no condition; expected where=…. Write where='1=1' to mean every row.")
        return found

    def _where(self, where: Where, vars: Mapping[str, Any]) -> SQLQuery:  # noqa: A002
        if isinstance(where, int):
            return "id = " + SQLParam(where)
        if isinstance(where, Mapping):
            return self._where_dict(where)
        return SQLQuery() if where is None else _interpolated(where, vars)

    def _where_dict(self, where: Mapping[str, Any]) -> SQLQuery:
        """Joins `name = value` by AND, sorted by name; None asks for NULL, a list for its members."""
        return SQLQuery.join([_equals(_column(name), value) for name, value in sorted(where.items())], " AND ")

    def _get_insert_default_values_query(self, table: str) -> str:
        return f"INSERT INTO {table} DEFAULT VALUES"


def _interpolated(text: str | SQLQuery, variables: Mapping[str, Any]) -> SQLQuery:
    return text if isinstance(text, SQLQuery) else reparam(text, variables)


def _equals(name: str, value: Any) -> SQLQuery:
    if value is None:
        return SQLQuery(f"{name} IS NULL")
    quoted = sqlquote(value)
    return name + (" = " if len(quoted.items) == 1 and isinstance(quoted.items[0], SQLParam) else " IN ") + quoted


def _number(value: Any) -> SQLQuery | None:
    """LIMIT and OFFSET often come from a user: they are parameters, and digits are a number."""
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    return None if value is None else sqlquote(value)


def _column(name: str) -> str:
    if not _COLUMN.fullmatch(name):
        raise UnsafeName(
            f"column: got {name!r}; expected a name, which may be quoted. Column names become SQL: "
            "take them from a list of your own, not from a request."
        )
    return name
