"""Sessions in a table of a database, by any DB-API 2.0 driver (PEP 249).

SQLStore(lambda: sqlite3.connect("sessions.db"))
SQLStore(engine)                                   # a SQLAlchemy engine; its pool is used
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from ..errors import ConfigurationError
from ._packing import pack, unpack
from ._threads import ThreadedStore

__all__ = ["SQLStore"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")
_MARKS: dict[str, Callable[[int, str], str]] = {
    "qmark": lambda number, name: "?",
    "format": lambda number, name: "%s",
    "numeric": lambda number, name: f":{number}",
    "numeric_dollar": lambda number, name: f"${number}",
    "named": lambda number, name: f":{name}",
    "pyformat": lambda number, name: f"%({name})s",
}
_BY_NAME = ("named", "pyformat")


class SQLStore(ThreadedStore):
    """One row per entry, in a table that is made at the first use. Every call is a transaction of its own.

    Rows are found by the SHA-256 of their keys: databases compare text as their collations say (that of MariaDB
    takes `a` for `A`), and refuse some of it.

    Args:
        connect: A function that returns a DB-API connection, which is closed after each call (give the pool's
            function where connecting is dear); or an object with `raw_connection`, such as a SQLAlchemy engine.
        table: Name of the table, plain or with a schema.
        paramstyle: The driver's; None asks the driver's module.
        create_table: False if the table is made elsewhere: entry_key VARCHAR(64) PRIMARY KEY, entry_value TEXT
            (on MySQL and MariaDB MEDIUMTEXT, since TEXT ends at 64 KiB there), version VARCHAR(32),
            deadline DOUBLE PRECISION.
        clock: Seconds since the epoch.
        executor: Runs the calls of the async forms; None is the loop's default.
    """

    def __init__(
        self,
        connect: Any,
        *,
        table: str = "torngas_session",
        paramstyle: str | None = None,
        create_table: bool = True,
        clock: Callable[[], float] = time.time,
        executor: Executor | None = None,
    ) -> None:
        super().__init__(executor)
        if not _NAME.fullmatch(table):
            raise ConfigurationError(f"SQLStore: got the table name {table!r}; expected letters, digits and _")
        if paramstyle is not None and paramstyle not in _MARKS:
            raise ConfigurationError(f"SQLStore: got paramstyle={paramstyle!r}; expected one of {', '.join(_MARKS)}")
        self._engine = connect if hasattr(connect, "raw_connection") else None
        self._connect = connect if self._engine is None else self._engine.raw_connection
        if not callable(self._connect):
            raise ConfigurationError(
                f"SQLStore: got a {type(connect).__name__}; expected a function that connects, or an engine, "
                "e.g. lambda: sqlite3.connect('sessions.db')"
            )
        self._table = table
        self._paramstyle = paramstyle
        self._made = not create_table
        self._making = threading.Lock()
        self._clock = clock

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or `default` if absent or expired."""
        value, token = self.gets(key)
        return default if token is None else value

    def gets(self, key: str) -> tuple[Any, str | None]:
        """The value and its version; `(None, None)` if absent or expired."""
        with self._transaction() as execute:
            row = execute(
                "SELECT entry_value, version FROM {table} "
                "WHERE entry_key = {key} AND (deadline IS NULL OR deadline > {now})",
                key=_hashed(key),
                now=self._clock(),
            ).fetchone()
        return (None, None) if row is None else (_decoded(row[0]), row[1])

    def set(self, key: str, value: Any, timeout: float | None) -> None:
        """Stores the value for `timeout` seconds; None for ever, 0 and less not at all."""
        if timeout is not None and timeout <= 0:
            self.delete(key)
            return
        text, version, deadline = self._columns(value, timeout)
        with self._transaction() as execute:
            changed = execute(
                "UPDATE {table} SET entry_value = {value}, version = {version}, deadline = {deadline} "
                "WHERE entry_key = {key}",
                value=text,
                version=version,
                deadline=deadline,
                key=_hashed(key),
            ).rowcount
        if not changed and not self._insert(key, text, version, deadline):
            self.set(key, value, timeout)  # somebody inserted between the two

    def cas(self, key: str, value: Any, token: str | None, timeout: float | None) -> bool:
        """Stores the value if the entry still has this version; with None, if there is none."""
        text, version, deadline = self._columns(value, timeout)
        if token is None:
            self._drop_expired(key)
            return self._insert(key, text, version, deadline)
        now = self._clock()
        with self._transaction() as execute:
            if timeout is not None and timeout <= 0:
                return _one(
                    execute(
                        "DELETE FROM {table} WHERE entry_key = {key} AND version = {old}", key=_hashed(key), old=token
                    )
                )
            return _one(
                execute(
                    "UPDATE {table} SET entry_value = {value}, version = {version}, deadline = {deadline} "
                    "WHERE entry_key = {key} AND version = {old} AND (deadline IS NULL OR deadline > {now})",
                    value=text,
                    version=version,
                    deadline=deadline,
                    key=_hashed(key),
                    old=token,
                    now=now,
                )
            )

    def delete(self, key: str) -> None:
        """Removes the entry, if there is one."""
        with self._transaction() as execute:
            execute("DELETE FROM {table} WHERE entry_key = {key}", key=_hashed(key))

    def purge(self) -> int:
        """Removes the expired rows; the number of them. Call it from time to time: nobody else looks."""
        with self._transaction() as execute:
            return int(execute("DELETE FROM {table} WHERE deadline <= {now}", now=self._clock()).rowcount)

    def _columns(self, value: Any, timeout: float | None) -> tuple[str, str, float | None]:
        deadline = None if timeout is None else self._clock() + timeout
        return base64.b64encode(pack(value)).decode(), secrets.token_hex(16), deadline

    def _drop_expired(self, key: str) -> None:
        with self._transaction() as execute:
            execute(
                "DELETE FROM {table} WHERE entry_key = {key} AND deadline <= {now}",
                key=_hashed(key),
                now=self._clock(),
            )

    def _insert(self, key: str, text: str, version: str, deadline: float | None) -> bool:
        """Whether the row could be inserted; False if the key is taken."""
        with self._transaction() as execute:
            try:
                execute(
                    "INSERT INTO {table} (entry_key, entry_value, version, deadline) "
                    "VALUES ({key}, {value}, {version}, {deadline})",
                    key=_hashed(key),
                    value=text,
                    version=version,
                    deadline=deadline,
                )
            except execute.integrity_error:
                execute.rollback()
                return False
        return True

    @contextmanager
    def _transaction(self) -> Iterator[_Statements]:
        connection = self._connect()
        try:
            statements = _Statements(connection, self._driver_module(connection), self._paramstyle, self._table)
            if not self._made:
                self._make_table(statements)
            yield statements
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        finally:
            connection.close()

    def _make_table(self, statements: _Statements) -> None:
        with self._making:
            if self._made:
                return
            try:
                statements(
                    "CREATE TABLE IF NOT EXISTS {table} (entry_key VARCHAR(64) PRIMARY KEY, "
                    f"entry_value {statements.text} NOT NULL, version VARCHAR(32) NOT NULL, deadline DOUBLE PRECISION)"
                )
                statements.commit()
            except statements.integrity_error:
                statements.rollback()  # PostgreSQL, when another process makes it at the same moment
            self._made = True

    def _driver_module(self, connection: Any) -> Any:
        dialect = getattr(self._engine, "dialect", None)
        if dialect is not None:
            return dialect.dbapi
        modules = [sys.modules[kind.__module__.partition(".")[0]] for kind in type(connection).__mro__]
        return next((one for one in modules if hasattr(one, "paramstyle")), modules[0])  # a subclass may be anybody's


class _Statements:
    """One connection's cursor, with the parameters in the driver's own style."""

    def __init__(self, connection: Any, module: Any, paramstyle: str | None, table: str) -> None:
        style = paramstyle or getattr(module, "paramstyle", None)
        if style not in _MARKS:
            raise ConfigurationError(
                f"SQLStore: got no paramstyle from {getattr(module, '__name__', module)!r}; "
                f"expected paramstyle= to be given, one of {', '.join(_MARKS)}"
            )
        self._connection = connection
        self._mark = _MARKS[style]
        self._by_name = style in _BY_NAME
        self._table = table
        self.text = "MEDIUMTEXT" if re.search("mysql|mariadb", module.__name__, re.IGNORECASE) else "TEXT"
        self.integrity_error: type[Exception] = module.IntegrityError
        self.rollback = connection.rollback
        self.commit = connection.commit

    def __call__(self, statement: str, **parameters: Any) -> Any:
        marks = {name: self._mark(number, name) for number, name in enumerate(_names(statement), 1)}
        cursor = self._connection.cursor()
        if not parameters:
            cursor.execute(statement.format(table=self._table))
            return cursor
        ordered = [parameters[name] for name in marks]
        cursor.execute(statement.format(table=self._table, **marks), parameters if self._by_name else ordered)
        return cursor


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _names(statement: str) -> list[str]:
    """The parameters in the order in which they stand; each stands once."""
    return [name for name in re.findall(r"\{(\w+)\}", statement) if name != "table"]


def _one(cursor: Any) -> bool:
    return bool(cursor.rowcount == 1)


def _decoded(text: str) -> Any:
    try:
        return unpack(base64.b64decode(text))
    except (binascii.Error, ValueError):
        return None
