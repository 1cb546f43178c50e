"""Reads `DATABASE_CONNECTION` and `SQLALCHEMY_CONFIGURATION` into checked, immutable values.

What cannot work is refused here, before the first query, with the alias, the key and the remedy. Nothing is
connected, and no password gets into a message or a repr.

    databases = DBConfigParser.parser_engines({"default": "sqlite:///app.db"})
    databases["default"].primary.role  # 'primary'
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import pool
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from ._drivers import PACKAGES
from .errors import ConfigError

__all__ = ["DBConfigParser", "DatabaseConfig", "Endpoint"]

_ROLES = {"master": "primary", "primary": "primary", "slave": "replica", "replica": "replica"}
_KEYS = ("ROLE", "DRIVER", "UID", "PASSWD", "HOST", "PORT", "DATABASE", "QUERY", "URL", "WEIGHT", "ASYNC_DRIVER")
_PREFIX = "sqlalchemy."
_IGNORED = frozenset({"encoding", "convert_unicode"})  # SQLAlchemy 2 is Unicode throughout
_ENGINE_OPTIONS = frozenset(
    (
        "connect_args",
        "creator",
        "echo",
        "echo_pool",
        "enable_from_linting",
        "execution_options",
        "hide_parameters",
        "insertmanyvalues_page_size",
        "isolation_level",
        "json_deserializer",
        "json_serializer",
        "label_length",
        "logging_name",
        "max_identifier_length",
        "max_overflow",
        "module",
        "paramstyle",
        "pool",
        "pool_events",
        "pool_logging_name",
        "pool_pre_ping",
        "pool_recycle",
        "pool_reset_on_return",
        "pool_size",
        "pool_timeout",
        "pool_use_lifo",
        "poolclass",
        "plugins",
        "query_cache_size",
        "skip_autocommit_rollback",
        "use_insertmanyvalues",
    )
)
_DEFAULTS: Mapping[str, Any] = {"pool_size": 5, "max_overflow": 10, "pool_timeout": 5, "pool_recycle": 3600}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One server of an alias.

    Attributes:
        alias: the name in `DATABASE_CONNECTION`.
        role: `primary` or `replica`.
        url: where it is; holds the password, so it is not part of the repr.
        weight: share of the reads among the replicas, above 0.
        async_driver: the driver of asynchronous sessions; None chooses it by the kind of server.
    """

    alias: str
    role: str
    url: URL = field(repr=False)
    weight: float = 1.0
    async_driver: str | None = None

    def __str__(self) -> str:
        address = ":".join(str(part) for part in (self.url.host, self.url.port) if part)
        return f"DATABASE_CONNECTION[{self.alias!r}] {self.role} ({self.url.drivername} {address}/{self.url.database})"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseConfig:
    """One alias: exactly one primary, any number of replicas, and what is special to its engines and sessions."""

    alias: str
    primary: Endpoint
    replicas: tuple[Endpoint, ...] = ()
    engine_options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    session_options: Mapping[str, Any] = field(default_factory=dict)


class DBConfigParser:
    """The two settings, parsed. Stateless; safe from every thread."""

    @classmethod
    def parser_engines(cls, connections: Mapping[str, Any]) -> dict[str, DatabaseConfig]:
        """Reads `DATABASE_CONNECTION`.

        Args:
            connections: alias -> `{"connections": [{ROLE, DRIVER, UID, PASSWD, HOST, PORT, DATABASE, QUERY}, …]}`;
                `URL` may stand for the parts, and a URL alone for an alias with one primary. `WEIGHT` (default 1)
                is a replica's share of the reads. `kwargs` holds engine options of the alias and `session`.

        Raises:
            ConfigError: no primary or two, an unknown role, driver or key, a port that is none.
        """
        found: object = connections
        if not isinstance(found, Mapping) or not found:
            raise ConfigError(
                f"DATABASE_CONNECTION: got {type(found).__name__}, empty or no mapping; expected "
                "{'default': {'connections': [{'ROLE': 'master', …}]}}."
            )
        return {alias: cls.parse_alias(alias, item) for alias, item in connections.items()}

    @classmethod
    def parse_alias(cls, alias: str, item: Any) -> DatabaseConfig:
        """Reads one alias of `DATABASE_CONNECTION`; takes the same forms, and raises the same."""
        where = f"DATABASE_CONNECTION[{alias!r}]"
        item = _as_item(item, where)
        endpoints = [
            _endpoint(alias, f"{where}['connections'][{number}]", entry, single=len(item["connections"]) == 1)
            for number, entry in enumerate(item["connections"])
        ]
        primaries = [endpoint for endpoint in endpoints if endpoint.role == "primary"]
        if len(primaries) != 1:
            raise ConfigError(
                f"{where}['connections']: got {len(primaries)} connections with ROLE 'master'; expected exactly one. "
                + ("Make the others 'slave'." if primaries else "Give the writable server the ROLE 'master'.")
            )
        options = dict(item.get("kwargs", {}))
        session_options = options.pop("session", {})
        return DatabaseConfig(
            alias=alias,
            primary=primaries[0],
            replicas=tuple(endpoint for endpoint in endpoints if endpoint.role == "replica"),
            engine_options=cls.parser_sqlalchemy_conf(options, defaults={}, where=f"{where}['kwargs']"),
            session_options=session_options,
        )

    @classmethod
    def parser_sqlalchemy_conf(
        cls,
        options: Mapping[str, Any] | None,
        *,
        defaults: Mapping[str, Any] = _DEFAULTS,
        where: str = "SQLALCHEMY_CONFIGURATION",
    ) -> dict[str, Any]:
        """Reads `SQLALCHEMY_CONFIGURATION` into keywords of `create_engine`.

        Args:
            options: keys with or without the prefix `sqlalchemy.`; `poolclass` may be a name of `sqlalchemy.pool`.
            defaults: what holds where `options` says nothing: 5 connections, 10 more under load, 5 seconds
                to wait for one, 3,600 seconds until one is replaced.

        Raises:
            ConfigError: an unknown key or pool class, with the nearest known one.
        """
        found = dict(defaults)
        for key, value in (options or {}).items():
            name = key.removeprefix(_PREFIX)
            if name in _IGNORED:
                continue
            if name not in _ENGINE_OPTIONS:
                raise ConfigError(f"{where}[{key!r}]: is no option of an engine;{_nearest(name, _ENGINE_OPTIONS)}")
            found[name] = _pool_class(value, where, key) if name == "poolclass" else value
        return found


def _as_item(item: Any, where: str) -> Mapping[str, Any]:
    if isinstance(item, str | URL):
        return {"connections": [{"ROLE": "master", "URL": item}]}
    if isinstance(item, Sequence):
        item = {"connections": item}
    if isinstance(item, Mapping) and "connections" not in item and item.keys() & {"URL", "DRIVER"}:
        item = {"connections": [item]}
    if not isinstance(item, Mapping) or not isinstance(item.get("connections"), Sequence):
        raise ConfigError(
            f"{where}: got {type(item).__name__} without 'connections'; expected a list of servers there."
        )
    if unknown := item.keys() - {"connections", "kwargs"}:
        name = min(map(str, unknown))
        raise ConfigError(f"{where}[{name!r}]: is unknown;{_nearest(name, ('connections', 'kwargs'))}")
    return item


def _endpoint(alias: str, where: str, entry: Any, *, single: bool) -> Endpoint:
    if isinstance(entry, str | URL):
        entry = {"URL": entry}
    if not isinstance(entry, Mapping):
        raise ConfigError(f"{where}: got {type(entry).__name__}; expected a mapping with ROLE, DRIVER, HOST, ….")
    for key in entry:
        if key not in _KEYS:
            raise ConfigError(f"{where}[{key!r}]: is unknown;{_nearest(str(key), _KEYS)}")
    role = entry.get("ROLE", "master" if single else None)
    if role not in _ROLES:
        raise ConfigError(f"{where}['ROLE']: got {role!r}; expected 'master' (primary) or 'slave' (replica).")
    url = _url(entry, where)
    _check_driver(url, where, "URL" if "URL" in entry else "DRIVER")
    return Endpoint(
        alias=alias,
        role=_ROLES[role],
        url=url,
        weight=_weight(entry.get("WEIGHT", 1), where),
        async_driver=entry.get("ASYNC_DRIVER"),
    )


def _weight(weight: Any, where: str) -> float:
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not weight > 0:
        raise ConfigError(f"{where}['WEIGHT']: got {weight!r}; expected a number above 0.")
    return float(weight)


def _url(entry: Mapping[str, Any], where: str) -> URL:
    if "URL" in entry:
        try:
            return make_url(entry["URL"])
        except (ArgumentError, ValueError, TypeError):
            # `from None`: the parser's message may quote a piece of the password.
            raise ConfigError(
                f"{where}['URL']: cannot be read; expected 'driver://user:password@host:port/database' with "
                "special characters of the password percent-encoded (or DRIVER, UID, PASSWD, … instead)."
            ) from None
    if not isinstance(entry.get("DRIVER"), str) or not entry["DRIVER"]:
        raise ConfigError(
            f"{where}['DRIVER']: got {entry.get('DRIVER')!r}; expected e.g. 'mysql+pymysql' (or a 'URL')."
        )
    try:
        return URL.create(
            drivername=entry["DRIVER"],
            username=entry.get("UID") or None,
            password=entry.get("PASSWD") or None,
            host=entry.get("HOST") or None,
            port=_port(entry.get("PORT"), where),
            database=str(entry["DATABASE"]) if entry.get("DATABASE") else None,
            query=_query(entry.get("QUERY") or {}, where),
        )
    except (ArgumentError, TypeError):
        raise ConfigError(f"{where}: UID, PASSWD, HOST and DATABASE must be strings.") from None


def _query(query: Any, where: str) -> dict[str, str | tuple[str, ...]]:
    if not isinstance(query, Mapping):
        raise ConfigError(
            f"{where}['QUERY']: got {type(query).__name__}; expected a mapping such as {{'charset': 'utf8mb4'}}."
        )
    return {
        str(key): tuple(map(str, value)) if isinstance(value, list | tuple) else str(value)
        for key, value in query.items()
    }


def _port(port: Any, where: str) -> int | None:
    if port is None or port == "":
        return None
    try:
        number = int(port)
    except (TypeError, ValueError):
        number = -1
    if not 0 < number < 65536:
        raise ConfigError(f"{where}['PORT']: got {port!r}; expected a number from 1 to 65535.")
    return number


def _check_driver(url: URL, where: str, key: str) -> None:
    from sqlalchemy.exc import NoSuchModuleError

    try:
        dialect = url.get_dialect()
    except (NoSuchModuleError, ArgumentError):
        raise ConfigError(
            f"{where}[{key!r}]: got driver {url.drivername!r}, which SQLAlchemy does not know; expected e.g. "
            "'mysql+pymysql', 'postgresql+psycopg' or 'sqlite'."
        ) from None
    try:
        dialect.import_dbapi()
    except ImportError as error:
        missing = (error.name or url.drivername).partition(".")[0]
        raise ConfigError(
            f"{where}[{key!r}]: driver {url.drivername!r} needs the package {missing!r}, which is not installed: "
            f"pip install {PACKAGES.get(missing, missing)}."
        ) from error


def _pool_class(value: Any, where: str, key: str) -> Any:
    if not isinstance(value, str):
        return value
    module, _, name = value.rpartition(".")
    found = getattr(importlib.import_module(module) if module else pool, name, None)
    if isinstance(found, type) and issubclass(found, pool.Pool):
        return found
    known = [name for name in dir(pool) if name.endswith("Pool")]
    raise ConfigError(f"{where}[{key!r}]: got {value!r}, which is no pool class;{_nearest(name, known)}")


def _nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    if near := difflib.get_close_matches(name, names, 1, 0.5):
        return f" did you mean {near[0]!r}?"
    return f" expected one of {', '.join(names)}."
