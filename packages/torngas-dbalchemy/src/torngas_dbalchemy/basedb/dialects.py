"""SQLite, MySQL (or MariaDB) and PostgreSQL: their keywords, ids of new rows, and words of their own.

db = PostgresDB(db="blog", user="ann", pw="…", host="localhost")
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import CursorResult

from .builder import Clause, Tables, Where
from .clauses import EMPTY_LIST
from .connecting import DriverErrors, make_engine
from .db import DB
from .queries import SQLQuery

__all__ = ["MySQLDB", "PostgresDB", "SqliteDB"]


class SqliteDB(DB):
    """A SQLite file, or with db=":memory:" a database of one connection, which its users take turns with.

    Columns declared DATE and TIMESTAMP are read as such; `detect_types=0` turns that off.
    """

    dbname = "sqlite"

    def __init__(self, **keywords: Any) -> None:
        super().__init__(DriverErrors(), keywords, make_engine("sqlite", keywords))

    def sql_clauses(
        self, what: Clause, tables: Tables, where: Where, group: Clause, order: Clause, limit: Any, offset: Any
    ) -> Sequence[tuple[str, Any]]:
        """As everywhere; an offset needs a limit."""
        limit = -1 if limit is None and offset is not None else limit
        return super().sql_clauses(what, tables, where, group, order, limit, offset)

    def _process_query(self, query: SQLQuery) -> tuple[str, tuple[Any, ...]]:
        text, values = super()._process_query(query)
        # The driver's own conversion of dates is deprecated since Python 3.12.
        return text, tuple(_iso(value) if isinstance(value, datetime.date) else value for value in values)

    def _last_id(self, result: CursorResult[Any]) -> int | None:
        return result.lastrowid

    def _insert(self, query: SQLQuery, table: str, seqname: Any, count: int) -> list[Any] | None:
        outcome = self.run(query)
        return None if seqname is False else [outcome.lastrowid]


def _iso(value: datetime.date) -> str:
    return value.isoformat(" ") if isinstance(value, datetime.datetime) else value.isoformat()


class MySQLDB(DB):
    """MySQL or MariaDB; the character set is utf8mb4 unless `charset` says otherwise."""

    dbname = "mysql"

    def __init__(self, **keywords: Any) -> None:
        options = {"charset": "utf8mb4", **keywords}
        super().__init__(DriverErrors(), keywords, make_engine("mysql", options))
        self.supports_multiple_insert = True
        self._step: int | None = None

    def sql_clauses(
        self, what: Clause, tables: Tables, where: Where, group: Clause, order: Clause, limit: Any, offset: Any
    ) -> Sequence[tuple[str, Any]]:
        """As everywhere; an offset needs a limit, and the manual of MySQL says to use this one."""
        limit = 2**64 - 1 if limit is None and offset is not None else limit
        return super().sql_clauses(what, tables, where, group, order, limit, offset)

    def _get_insert_default_values_query(self, table: str) -> str:
        return f"INSERT INTO {table} () VALUES ()"  # noqa: S608 - a table is the program's own text

    def _last_id(self, result: CursorResult[Any]) -> int | None:
        return result.lastrowid

    def _insert(self, query: SQLQuery, table: str, seqname: Any, count: int) -> list[Any] | None:
        first = self.run(query).lastrowid  # 0 without an AUTO_INCREMENT column
        if not first or seqname is False:
            return None
        if count == 1:
            return [first]
        if self._step is None:
            self._step = int(self.query("SELECT @@auto_increment_increment AS step")[0].step)
        return [first + self._step * number for number in range(count)]


_EMPTY = re.compile(r"(\bNOT\s+)?\bIN\s*" + re.escape(EMPTY_LIST), re.IGNORECASE)
_KEY = """
SELECT quote_ident(a.attname) AS name FROM pg_attribute a
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = to_regclass($table) AND a.attnum > 0 AND NOT a.attisdropped
AND (a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%')
ORDER BY a.attname <> 'id', a.attnum LIMIT 1"""
_DATA = re.compile(r"\s*(select|insert|update|delete|with|values|begin|commit|savepoint|release)\b", re.IGNORECASE)


class PostgresDB(DB):
    """PostgreSQL. Ids come from the column that has a sequence or is an identity, `id` first."""

    dbname = "postgres"

    def __init__(self, **keywords: Any) -> None:
        super().__init__(DriverErrors(), keywords, make_engine("postgres", keywords))
        self.supports_multiple_insert = True
        self._keys: dict[str, str] = {}

    def send(self, connection: Any, query: SQLQuery) -> Any:
        """As everywhere; after other than data statements the tables may have changed."""
        if self._keys and query.items and not _DATA.match(str(query.items[0])):
            self._keys = {}
        return super().send(connection, query)

    def _process_query(self, query: SQLQuery) -> tuple[str, tuple[Any, ...]]:
        text, values = super()._process_query(query)
        # The empty list needs the type of what is compared, which only ANY and ALL give it.
        return _EMPTY.sub(lambda found: "<> ALL ('{}')" if found[1] else "= ANY ('{}')", text), values

    def _insert(self, query: SQLQuery, table: str, seqname: Any, count: int) -> list[Any] | None:
        if isinstance(seqname, str):
            return self._insert_by_sequence(query, seqname, count)
        key = None if seqname is False else self._key(table)
        if key is None:
            return super()._insert(query, table, seqname, count)
        return [row[0] for row in self.run(query + f" RETURNING {key}").rows]

    def _insert_by_sequence(self, query: SQLQuery, seqname: str, count: int) -> list[Any]:
        with self.transaction():
            self.run(query)
            last = self.query("SELECT currval($name) AS last", {"name": seqname})[0].last
        return list(range(last - count + 1, last + 1))

    def _key(self, table: str) -> str | None:
        found = self._keys.get(table)
        if found is None:
            row = self.query(_KEY, {"table": table}).first()
            if row is None:
                return None
            found = self._keys[table] = row.name
        return found
