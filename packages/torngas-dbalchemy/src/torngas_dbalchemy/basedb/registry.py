"""`database`: which kind of database answers to which name.

register_database("legacy", LegacyDB)
database(dbn="legacy", db="test")
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from .db import DB
from .dialects import MySQLDB, PostgresDB, SqliteDB
from .errors import UnknownDB
from .urls import dburl2dict

__all__ = ["database", "register_database"]

_DATABASES: dict[str, Callable[..., DB]] = {
    "mariadb": MySQLDB,
    "mysql": MySQLDB,
    "postgres": PostgresDB,
    "postgresql": PostgresDB,
    "sqlite": SqliteDB,
}


def database(dburl: str | None = None, **params: Any) -> Any:
    """Makes a database; it connects when it is first used. Make one per process, not per request.

    Args:
        dburl: as for `dburl2dict`; None takes the keywords, and without those the environment's `DATABASE_URL`.
        **params: `dbn` (sqlite, mysql, postgres, or a registered name), `db`, `user`, `pw`, `host`, `port`,
            `driver`, `pooling`, pool_size and its like, and the driver's own keywords; beside a URL they win.

    Raises:
        UnknownDB: `dbn` is missing or not registered.
        ConfigError: the driver is not installed.
    """
    if not dburl and not params:
        dburl = os.environ.get("DATABASE_URL")
    options = {**(dburl2dict(dburl) if dburl else {}), **params}
    dbn = options.pop("dbn", None)
    try:
        make = _DATABASES[dbn]
    except KeyError:
        known = ", ".join(sorted(_DATABASES))
        raise UnknownDB(f"database(dbn=…): got {dbn!r}; expected one of {known}, or register_database.") from None
    return make(**options)


def register_database(name: str, clazz: Callable[..., DB]) -> None:
    """Makes `database(dbn=name, …)` call `clazz` with the other keywords; a name taken before is replaced."""
    _DATABASES[name] = clazz
