"""What differs between database drivers: packages, asynchronous twins, time limits of a connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import URL

__all__ = ["PACKAGES", "async_driver", "connect_arguments", "is_memory", "sync_driver"]

PACKAGES: Mapping[str, str] = {
    "pymysql": "'torngas-dbalchemy[mysql]'",
    "asyncmy": "'torngas-dbalchemy[mysql]'",
    "MySQLdb": "mysqlclient (or write DRIVER 'mysql+pymysql' and install 'torngas-dbalchemy[mysql]')",
    "psycopg": "'torngas-dbalchemy[postgres]'",
    "psycopg2": "psycopg2 (or write DRIVER 'postgresql+psycopg' and install 'torngas-dbalchemy[postgres]')",
    "aiosqlite": "'torngas-dbalchemy[sqlite]'",
}
"""Module that a driver needs -> what to give to pip."""

_ASYNC = {
    "sqlite": "sqlite+aiosqlite",
    "mysql": "mysql+asyncmy",
    "mariadb": "mariadb+asyncmy",
    "postgresql": "postgresql+psycopg_async",
}
_SYNC = {
    "sqlite": "sqlite+pysqlite",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "postgresql": "postgresql+psycopg",
}
_CONNECT_TIMEOUT = {
    "pymysql": "connect_timeout",
    "mysqldb": "connect_timeout",
    "asyncmy": "connect_timeout",
    "aiomysql": "connect_timeout",
    "mysqlconnector": "connection_timeout",
    "psycopg": "connect_timeout",
    "psycopg_async": "connect_timeout",
    "psycopg2": "connect_timeout",
    "asyncpg": "timeout",
    "pg8000": "timeout",
}


def async_driver(url: URL) -> str | None:
    """Answers the driver name for `asyncio` of the same server, None where none is known."""
    if url.get_dialect().is_async:
        return url.drivername
    return _ASYNC.get(url.get_backend_name())


def sync_driver(url: URL) -> str | None:
    """Answers the blocking driver name of the same server, None where none is known."""
    if not url.get_dialect().is_async:
        return url.drivername
    return _SYNC.get(url.get_backend_name())


def connect_arguments(url: URL, given: Mapping[str, Any], connect_timeout: float) -> dict[str, Any]:
    """Answers the driver's keywords: what was given, and the limit of a connection attempt in the driver's own word.

    One configuration serves all connections, so `connect_timeout` (the word of MySQL and PostgreSQL drivers) is
    translated, and left out for SQLite, which connects to a file.
    """
    driver = url.get_dialect().driver
    arguments = dict(given)
    limit = arguments.pop("connect_timeout", connect_timeout)
    if word := _CONNECT_TIMEOUT.get(driver):
        arguments.setdefault(word, max(1, round(limit)) if driver != "asyncpg" else limit)
    if driver == "pymysql":
        # The handshake counts too: a frozen server accepts the connection and never greets. See _liveness.
        arguments.setdefault("read_timeout", max(1, round(limit)))
    return arguments


def is_memory(url: URL) -> bool:
    """Whether this is a SQLite database without a file, which lives as long as its one connection."""
    if url.get_backend_name() != "sqlite":
        return False
    database = url.database or ""
    return database in ("", ":memory:") or database.startswith("file::memory:") or url.query.get("mode") == "memory"
