"""From keywords to an SQLAlchemy engine in autocommit mode, guarded as all engines of this library are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import URL, Engine, create_engine, exc, pool

from .. import _drivers
from ..config import Endpoint
from ..engines import EngineLimits, Server

__all__ = ["DriverErrors", "make_engine"]

_DRIVERS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "sqlite": ("sqlite", "pysqlite", {"sqlite3": "pysqlite"}),
    "mysql": ("mysql", "pymysql", {"MySQLdb": "mysqldb", "mysql.connector": "mysqlconnector"}),
    "postgres": ("postgresql", "psycopg", {}),
}
_POOL = ("pool_size", "max_overflow", "pool_timeout", "pool_recycle")


class DriverErrors:
    """The errors of DB-API 2 under their names, as SQLAlchemy raises them for every driver."""

    Error = exc.DBAPIError
    DataError = exc.DataError
    DatabaseError = exc.DatabaseError
    IntegrityError = exc.IntegrityError
    InterfaceError = exc.InterfaceError
    InternalError = exc.InternalError
    NotSupportedError = exc.NotSupportedError
    OperationalError = exc.OperationalError
    ProgrammingError = exc.ProgrammingError


class _Place(Endpoint):
    """The endpoint of a `database(…)` call."""

    def __str__(self) -> str:
        address = ":".join(str(part) for part in (self.url.host, self.url.port) if part)
        return f"database ({self.url.drivername} {address}/{self.url.database})"


def make_engine(dbn: str, keywords: Mapping[str, Any]) -> Engine:
    """Makes the engine; it connects when it is first used.

    Args:
        dbn: sqlite, mysql or postgres.
        keywords: `db`, `user`, `pw`, `host`, `port`; `driver` (a driver's module); `pooling=False` connects for each
            statement or transaction; pool_size, max_overflow, pool_timeout and pool_recycle as in SQLAlchemy. All
            others are the driver's own.

    Raises:
        ConfigError: the driver is not installed.
    """
    given = dict(keywords)
    backend, default, aliases = _DRIVERS[dbn]
    driver = given.pop("driver", None) or default
    url = URL.create(
        f"{backend}+{aliases.get(driver, driver)}",
        given.pop("user", None),
        given.pop("pw", None) or given.pop("password", None) or given.pop("passwd", None),
        given.pop("host", None),
        given.pop("port", None),
        _database(dbn, given),
    )
    options: dict[str, Any] = {name: given.pop(name) for name in _POOL if name in given}
    if not given.pop("pooling", True):
        options["poolclass"] = pool.NullPool
    words = {name: value for name, value in given.items() if isinstance(value, str)}
    url = url.update_query_dict(words)  # where the dialect gives words from URLs their types
    options["connect_args"] = {k: v for k, v in given.items() if k not in words and v is not None}
    if dbn == "sqlite":
        _prepare_sqlite(words, options["connect_args"])
    options["isolation_level"] = "AUTOCOMMIT"
    if _drivers.is_memory(url):
        return _memory_engine(url, options)
    return Server(_Place(alias=dbn, role="primary", url=url), options, EngineLimits()).engine


def _database(dbn: str, given: dict[str, Any]) -> str | None:
    name = given.pop("db", None) or given.pop("database", None)
    return str(name) if name else (":memory:" if dbn == "sqlite" else None)


def _prepare_sqlite(words: Mapping[str, str], arguments: dict[str, Any]) -> None:
    import sqlite3

    if "detect_types" not in words:
        arguments.setdefault("detect_types", sqlite3.PARSE_DECLTYPES)


def _memory_engine(url: URL, options: Mapping[str, Any]) -> Engine:
    # Another connection would be another, empty database; a pool of one makes threads wait for each other.
    arguments = {**options["connect_args"], "check_same_thread": False}
    return create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        connect_args=arguments,
        poolclass=pool.QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=float(options.get("pool_timeout", 5)),
    )
