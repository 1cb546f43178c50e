"""`DB`: select, insert, update and delete without models.

    db = database("sqlite:///app.db")
    db.select("person", where="age > $age", vars={"age": 17}, order="name", limit=20)

Every statement is committed by itself, except in `transaction()`. A `DB` is safe from every thread and task.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, PoolProxiedConnection

from ..errors import NotConfigured
from .builder import Builder, Clause, Tables, Where
from .context import Context
from .interpolation import reparam
from .queries import SQLQuery
from .rows import ResultSet
from .transactions import Transaction, current_stack

__all__ = ["DB", "Outcome"]

_LOG = logging.getLogger("torngas_dbalchemy")
_PARAMETERS = 30_000  # PostgreSQL numbers the parameters of a statement with 16 bits


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a statement did: its rows (`names` is None if it answers none), rows changed, last id made."""

    names: Sequence[str] | None
    rows: Sequence[Any]
    rowcount: int
    lastrowid: int | None


class DB(Builder):
    """A database. `DB(None, {})` has no connection and builds SQL with `_test=True`; `database` makes the others.

    Args:
        db_module: what has the database's errors, as `db.db_module.IntegrityError`; None for a database that only
            writes SQL.
        keywords: how it was configured.
        engine: the SQLAlchemy engine, in autocommit mode.

    Attributes:
        printing: True logs each statement with its values and seconds, level INFO, logger `torngas_dbalchemy`.
        supports_multiple_insert: whether many rows go into one statement.
    """

    dbname = ""

    def __init__(self, db_module: Any, keywords: Mapping[str, Any], engine: Engine | None = None) -> None:
        self.db_module = db_module
        self.keywords = keywords
        self.engine = engine
        self.paramstyle = "pyformat" if engine is None else engine.dialect.paramstyle
        self.printing = False
        self.supports_multiple_insert = False
        self._count = itertools.count(1)

    def query(
        self,
        sql_query: str | SQLQuery,
        vars: Mapping[str, Any] | None = None,  # noqa: A002 - a documented name
        processed: bool = False,
        _test: bool = False,
    ) -> Any:
        """Executes SQL.

        Args:
            sql_query: text with `$name` for values, or a query.
            vars: the values.
            processed: True leaves `$` in the text alone.
            _test: True answers the query instead of executing it; so in all methods.

        Returns:
            A `ResultSet`, or for statements without rows how many they changed.
        """
        if not isinstance(sql_query, SQLQuery):
            sql_query = SQLQuery(sql_query) if processed else reparam(sql_query, vars or {})
        if _test:
            return sql_query
        outcome = self.run(sql_query)
        return outcome.rowcount if outcome.names is None else ResultSet(outcome.names, outcome.rows)

    def select(
        self,
        tables: Tables,
        vars: Mapping[str, Any] | None = None,  # noqa: A002
        what: Clause = "*",
        where: Where = None,
        order: Clause = None,
        group: Clause = None,
        limit: Any = None,
        offset: Any = None,
        _test: bool = False,
    ) -> Any:
        """Selects rows.

        Args:
            tables: a name or several.
            vars: values for `$name` in the clauses.
            what: columns.
            where: a condition with `$name`, a number (the `id`), a dictionary of equal columns, or a query.
            order: as in ORDER BY; never a user's text.
            group: as in GROUP BY; never a user's text.
            limit: rows at most, a parameter; None for all, 0 for none.
            offset: rows to skip, a parameter; None for none.

        Returns:
            A `ResultSet`.
        """
        query = self.select_query(tables, vars, what, where, order, group, limit, offset)
        return query if _test else self.query(query)

    def where(
        self,
        table: Tables,
        what: Clause = "*",
        order: Clause = None,
        group: Clause = None,
        limit: Any = None,
        offset: Any = None,
        _test: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Selects the rows whose columns equal the keywords: a list means any of its members, None means NULL."""
        return self.select(
            table, what=what, where=kwargs or None, order=order, group=group, limit=limit, offset=offset, _test=_test
        )

    def insert(self, tablename: str, seqname: str | bool | None = None, _test: bool = False, **values: Any) -> Any:
        """Inserts a row; without values one of defaults.

        Args:
            tablename: where.
            seqname: the sequence of the id (PostgreSQL); None finds the table's own, False asks for no id.
            **values: by column; a `SQLLiteral` is SQL.

        Returns:
            The new id, None if the table makes none.

        Raises:
            UnsafeName: a column that is no name.
        """
        query = self.insert_query(tablename, [values])
        if _test:
            return query
        ids = self._insert(query, tablename, seqname, 1)
        return ids[0] if ids else None

    def multiple_insert(
        self,
        tablename: str,
        values: Sequence[Mapping[str, Any]],
        seqname: str | bool | None = None,
        _test: bool = False,
    ) -> Any:
        """Inserts rows, all or none.

        Args:
            tablename: where.
            values: the rows, by column; all with the same columns.
            seqname: see `insert`.

        Returns:
            The new ids in order, None with `seqname=False`.

        Raises:
            ValueError: the rows have different columns.
        """
        rows = list(values)
        if not rows:
            return []
        if any(row.keys() != rows[0].keys() for row in rows):
            raise ValueError("multiple_insert: got rows with different keys; expected the same columns in each.")
        size = max(1, _PARAMETERS // max(1, len(rows[0]))) if self.supports_multiple_insert and rows[0] else 1
        if _test:
            together = self.supports_multiple_insert and rows[0]
            return self.insert_query(tablename, rows) if together else [self.insert_query(tablename, [r]) for r in rows]
        ids: list[Any] = []
        with self.transaction():
            for start in range(0, len(rows), size):
                part = rows[start : start + size]
                found = self._insert(self.insert_query(tablename, part), tablename, seqname, len(part))
                ids.extend(found or [None] * len(part))
        return None if seqname is False else ids

    def update(
        self,
        tables: Tables,
        where: Where,
        vars: Mapping[str, Any] | None = None,  # noqa: A002
        _test: bool = False,
        **values: Any,
    ) -> Any:
        """Changes the rows of a condition (see `select`; it must not be empty) and answers how many match it."""
        query = self.update_query(tables, where, vars, values)
        return query if _test else self.run(query).rowcount

    def delete(
        self,
        table: str,
        where: Where,
        using: Tables | None = None,
        vars: Mapping[str, Any] | None = None,  # noqa: A002
        _test: bool = False,
    ) -> Any:
        """Deletes the rows of a condition (see `select`; it must not be empty) and answers how many there were."""
        query = self.delete_query(table, where, using, vars)
        return query if _test else self.run(query).rowcount

    def transaction(self) -> Transaction:
        """Begins a transaction of this context, or a savepoint in the one it has; see `Transaction`."""
        return Transaction(self)

    @property
    def ctx(self) -> Context:
        """What this thread or task has: `ctx.db`, a DB-API connection, and `ctx.transactions`, those open."""
        return Context(self, current_stack(self))

    def close(self) -> None:
        """Closes the idle connections. Calling it again does nothing; a later statement connects anew."""
        if self.engine is not None:
            self.engine.dispose()

    def connect(self) -> Connection:
        """Takes a connection from the pool; closing it gives it back.

        Raises:
            NotConfigured: this database only writes SQL.
        """
        return self._connected().connect()

    def raw_connection(self) -> PoolProxiedConnection:
        """Takes a DB-API connection from the pool, past SQLAlchemy; closing it gives it back."""
        return self._connected().raw_connection()

    def _connected(self) -> Engine:
        if self.engine is None:
            raise NotConfigured("DB: got a statement to execute; expected a connection. Make the DB with database(…).")
        return self.engine

    def run(self, query: SQLQuery) -> Outcome:
        """Executes a query in the context's transaction, or else by itself."""
        stack = current_stack(self)
        if stack is not None:
            outcome: Outcome = stack.run(query)
            return outcome
        with self.connect() as connection:
            return self.send(connection, query)

    def send(self, connection: Connection, query: SQLQuery) -> Outcome:
        """Executes a query on a connection, text and values apart."""
        text, values = self._process_query(query)
        started = time.perf_counter()
        try:
            result = connection.exec_driver_sql(text, values)
            if result.returns_rows:
                outcome = Outcome(list(result.keys()), _fetch(result), result.rowcount, None)
            else:
                outcome = Outcome(None, (), result.rowcount, self._last_id(result))
        except BaseException:
            if self.printing:
                _LOG.info("ERR: %s", query)
            raise
        if self.printing:
            _LOG.info("%.3f (%d): %s", time.perf_counter() - started, next(self._count), query)
        return outcome

    def _process_query(self, query: SQLQuery) -> tuple[str, tuple[Any, ...]]:
        return query.query(self.paramstyle), tuple(query.values())

    def _insert(self, query: SQLQuery, table: str, seqname: Any, count: int) -> list[Any] | None:
        self.run(query)
        return None

    def _last_id(self, result: CursorResult[Any]) -> int | None:
        return None

    def __enter__(self) -> DB:
        return self

    def __exit__(
        self, exctype: type[BaseException] | None, excvalue: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'without connection' if self.engine is None else self.engine.url!r}>"


def _fetch(result: CursorResult[Any]) -> Sequence[Any]:
    # The driver's own tuples: a Storage is made of each, so SQLAlchemy's rows would be made in vain.
    cursor: Any = result.cursor
    try:
        rows: Sequence[Any] = cursor.fetchall()
    finally:
        result.close()
    return rows
