"""All databases of an application, by alias.

    connector = Connector({"default": {"connections": [{"ROLE": "master", "URL": "sqlite:///app.db"}]}})
    connector.create_db()
    connector.get_conn("default").engines["master"]

Models use the connector of the current request, else the one that was given to `configure`, else the only open one.
The methods of `Connector` that are marked so may also be called on the class: then they are those of that connector.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar
from weakref import WeakKeyDictionary, WeakSet

from sqlalchemy import Table
from sqlalchemy.orm import Mapper

from ._mapped import METADATA, mappers_by_table
from .config import DatabaseConfig, DBConfigParser
from .consistency import Consistency, RequestState
from .database import ConnBase, SQLAlchemy
from .engines import EngineLimits
from .errors import ConfigError, NotConfigured
from .routers import DEFAULT_ALIAS, ConnectionRouter
from .scope import Scope, enclosing_scope
from .scoped import ScopedSession
from .session import RoutingAsyncSession, RoutingSession
from .statements import tables

__all__ = ["Connector", "configure", "get_connector"]

P = ParamSpec("P")
R = TypeVar("R")


class shared(Generic[P, R]):  # noqa: N801 - a decorator
    """A method that, called on the class, is the current connector's."""

    def __init__(self, function: Callable[Concatenate[Any, P], R]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    def __get__(self, instance: Any, owner: Any = None) -> Callable[P, R]:
        return functools.partial(self._function, get_connector() if instance is None else instance)


class _ConnPool:
    """Alias -> database; on the class, those of the current connector."""

    def __get__(self, instance: Connector | None, owner: Any = None) -> Mapping[str, SQLAlchemy]:
        return (get_connector() if instance is None else instance).databases


class Connector:
    """The databases of `DATABASE_CONNECTION`. Safe from every thread; close it with `close` or `aclose`.

    Args:
        connections: `DATABASE_CONNECTION`, see `DBConfigParser.parser_engines`.
        options: `SQLALCHEMY_CONFIGURATION`, see `DBConfigParser.parser_sqlalchemy_conf`.
        routers: `DATABASE_ROUTERS`: objects, classes or dotted paths.
        consistency: how a writer is kept from reading the past.
        limits: how long the network may take.
        connection_class: the class of each alias, an `SQLAlchemy`.

    Raises:
        ConfigError: something cannot work; names alias, key and remedy. Nothing is connected yet.
    """

    def __init__(
        self,
        connections: Mapping[str, Any],
        options: Mapping[str, Any] | None = None,
        *,
        routers: Iterable[Any] = (),
        consistency: Consistency | None = None,
        limits: EngineLimits | None = None,
        connection_class: type[SQLAlchemy] = SQLAlchemy,
    ) -> None:
        parsed = DBConfigParser.parser_engines(connections)
        engine_options = DBConfigParser.parser_sqlalchemy_conf(options)
        self._set_up(routers, consistency)
        self._add(parsed, engine_options, limits, connection_class)

    @classmethod
    def around(
        cls,
        database: SQLAlchemy,
        parsed: Mapping[str, DatabaseConfig],
        engine_options: Mapping[str, Any],
        *,
        limits: EngineLimits | None = None,
        routers: Iterable[Any] = (),
        consistency: Consistency | None = None,
    ) -> Connector:
        """Makes the connector of a database that was made directly."""
        self = cls.__new__(cls)
        self._set_up(routers, consistency)
        self._pool[database.alias] = database
        others = {alias: config for alias, config in parsed.items() if alias != database.alias}
        self._add(others, engine_options, limits, type(database))
        return self

    @staticmethod
    def option_names() -> frozenset[str]:
        """The keywords that a directly made database passes on to its connector."""
        return frozenset({"routers", "consistency"})

    def _set_up(self, routers: Iterable[Any], consistency: Consistency | None) -> None:
        self.consistency = consistency or Consistency()
        self.routed = False
        self._pool: dict[str, SQLAlchemy] = {}
        self.router = ConnectionRouter(routers, self._pool.keys())
        self._own: WeakKeyDictionary[Mapper[Any], str] = WeakKeyDictionary()
        self._by_table: dict[Table, str] = {}
        self._facades: dict[str, ScopedSession] = {}

    def _add(
        self,
        parsed: Mapping[str, DatabaseConfig],
        engine_options: Mapping[str, Any],
        limits: EngineLimits | None,
        connection_class: type[SQLAlchemy],
    ) -> None:
        self._engine_options, self._limits = engine_options, limits
        for alias, config in parsed.items():
            self._pool[alias] = connection_class(config, engine_options, alias=alias, connector=self, limits=limits)
        self._default = self._pool.get(DEFAULT_ALIAS) or next(iter(self._pool.values()))
        self.routed = bool(self.router.routers) or any(one.replicas.servers for one in self._pool.values())
        _OPEN.add(self)

    conn_pool = _ConnPool()

    @property
    def databases(self) -> Mapping[str, SQLAlchemy]:
        """Alias -> database."""
        return self._pool

    @shared
    def get_conn(self, alias: str = DEFAULT_ALIAS) -> SQLAlchemy:
        """Answers the database of an alias; also on the class.

        Raises:
            ConfigError: the alias is not configured.
        """
        try:
            return self._pool[alias]
        except KeyError:
            known = ", ".join(sorted(self._pool))
            raise ConfigError(
                f"get_conn: got alias {alias!r}; expected one of {known} (DATABASE_CONNECTION)."
            ) from None

    @shared
    def get_session(self, alias: str = DEFAULT_ALIAS) -> dict[str, ScopedSession]:
        """Answers the context's sessions: `master` (`primary`) and `slave` (`replica`); also on the class."""
        session = self.scoped_session(self.get_conn(alias).alias)
        master = session.using_master
        return {"master": master, "slave": session, "primary": master, "replica": session}

    @shared
    def create_db(self) -> None:
        """Makes the missing tables of all models, each in its own database; also on the class."""
        for database in self._pool.values():
            database.create_db()

    @shared
    def drop_db(self) -> None:
        """Drops the tables of all models, with all rows; also on the class."""
        for database in self._pool.values():
            database.drop_db()

    @shared
    def remove(self) -> None:
        """Closes the sessions of the context; also on the class."""
        for database in self._pool.values():
            database.remove()

    def with_class(self, connection_class: type[SQLAlchemy]) -> Connector:
        """Answers a connector to the same databases, as objects of another class."""
        if all(type(database) is connection_class for database in self._pool.values()):
            return self
        other = Connector.__new__(Connector)
        other._set_up(self.router.routers, self.consistency)
        parsed = {alias: database.config for alias, database in self._pool.items()}
        other._add(parsed, self._engine_options, self._limits, connection_class)
        _OPEN.discard(other)
        return other

    def scope(self, *, primary: bool = False) -> Scope:
        """A block (`with` or `async with`) that has its own sessions, closed at its end, as a request has."""
        return Scope(self, primary=primary)

    def scoped_session(self, alias: str = DEFAULT_ALIAS) -> ScopedSession:
        """Answers the face of the context's session for an alias."""
        found = self._facades.get(alias)
        if found is None:
            found = self._facades[alias] = ScopedSession(self, alias)
        return found

    def make_session(self, alias: str, state: RequestState, /, **options: Any) -> RoutingSession:
        """Makes a session that shares the decisions of a request."""
        given = self._pool[alias].config.session_options
        return RoutingSession(self, state, alias=alias, **(given | options if given else options))  # type: ignore[operator]

    def make_async_session(self, alias: str, state: RequestState, /, **options: Any) -> RoutingAsyncSession:
        """The asynchronous twin of `make_session`."""
        given = self._pool[alias].config.session_options
        return RoutingAsyncSession(self, state, alias=alias, **{**given, **options})

    def new_session(self, alias: str = DEFAULT_ALIAS, **options: Any) -> RoutingSession:
        """Makes a session for a `with` block; inside a request it follows the request's decisions."""
        return self.make_session(alias, self._state(), **options)

    def new_async_session(self, alias: str = DEFAULT_ALIAS, **options: Any) -> RoutingAsyncSession:
        """Makes a session for an `async with` block; inside a request it follows the request's decisions."""
        return self.make_async_session(alias, self._state(), **options)

    def _state(self) -> RequestState:
        scope = enclosing_scope()
        return scope.state(self) if scope is not None and scope.is_entered else RequestState()

    def database_for(self, mapper: Mapper[Any] | None, clause: Any, alias: str, reading: bool, /) -> ConnBase:
        """Answers the database of a statement: by its model, else by its tables, else by `alias`."""
        if mapper is None:
            if clause is not None and len(self._pool) > 1:
                return self._pool[self._alias_of_tables(clause) or self.router.known(alias)]
            return self._pool.get(alias) or self._default
        if self.router.routers:
            ask = self.router.db_for_read if reading else self.router.db_for_write
            return self._pool.get(ask(mapper.class_)) or self._default
        return self._pool.get(self._own_alias(mapper)) or self._default

    def alias_for(self, model: Any) -> str:
        """Answers the alias that a model's sessions start from."""
        return self._own_alias(model.__mapper__)

    def _own_alias(self, mapper: Mapper[Any]) -> str:
        alias = self._own.get(mapper)
        if alias is None:
            own = self.router.own_alias(mapper.class_)
            alias = self._own[mapper] = own if own in self._pool else self._default.alias
        return alias

    def _alias_of_tables(self, clause: Any) -> str | None:
        for table in tables(clause):
            if alias := self._table_alias(table):
                return alias
        return None

    def _table_alias(self, table: Table) -> str | None:
        if alias := table.info.get("connection_name"):
            return self.router.known(alias)
        if table not in self._by_table:
            self._by_table = {found: self._own_alias(mapper) for found, mapper in reversed(list(mappers_by_table()))}
        return self._by_table.get(table)

    def tables_of(self, alias: str) -> Iterator[Table]:
        """Yields the tables of the models that live in `alias`, and those that name it in `info`."""
        known = dict.fromkeys(table for table, _ in mappers_by_table()) | dict.fromkeys(METADATA.tables.values())
        for table in known:
            if (self._table_alias(table) or self._default.alias) == alias:
                yield table

    def close(self) -> None:
        """Closes all idle connections and stops being the only open connector; idempotent."""
        _OPEN.discard(self)
        for database in self._pool.values():
            database.close()

    async def aclose(self) -> None:
        """The asynchronous `close`, for the running loop's connections too."""
        _OPEN.discard(self)
        for database in self._pool.values():
            await database.aclose()


_OPEN: WeakSet[Connector] = WeakSet()


class _Process:
    """Which connector models use where no request says so; replaced as a whole by `configure`."""

    __slots__ = ("connector",)

    def __init__(self) -> None:
        self.connector: Connector | None = None


_PROCESS = _Process()


def configure(connector: Connector | Mapping[str, Any] | None, /, **options: Any) -> Connector | None:
    """Says which connector the models of this process use.

    Args:
        connector: a connector, or `DATABASE_CONNECTION` to make one of; None forgets the one before.
        options: as of `Connector`, where one is made.
    """
    if connector is not None and not isinstance(connector, Connector):
        connector = Connector(connector, **options)
    _PROCESS.connector = connector
    return connector


def get_connector(connection_class: type[ConnBase] | None = None) -> Connector:
    """Answers the current connector: the request's, else the configured one, else the only open one.

    Args:
        connection_class: None, or a subclass of `SQLAlchemy`: the same databases as objects of that class.

    Raises:
        NotConfigured: there is none, or several are open and `configure` was not called.
        ConfigError: the class is none of the kind.
    """
    connector = _current()
    if connection_class is None:
        return connector
    kind: object = connection_class
    if not (isinstance(kind, type) and issubclass(kind, SQLAlchemy)):
        raise ConfigError(f"get_connector: got {kind!r}; expected a subclass of SQLAlchemy.")
    return connector.with_class(kind)


def _current() -> Connector:
    scope = enclosing_scope()
    if scope is not None and scope.connector is not None:
        return scope.connector  # type: ignore[no-any-return]
    if _PROCESS.connector is not None:
        return _PROCESS.connector
    found = list(_OPEN)
    if len(found) == 1:
        return found[0]
    raise NotConfigured(
        f"models: got {len(found)} open connectors; expected one. Call configure(DATABASE_CONNECTION), or use "
        "the models inside `with connector.scope():`."
    )
