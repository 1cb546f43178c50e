"""One database: a primary, its replicas, and sessions on them.

db = Database("sqlite:///app.db")
db.create_db()
with db.session() as session:
    session.add(User(name="ann"))
    session.commit()
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, MetaData, Table

from .config import DatabaseConfig, DBConfigParser
from .engines import EngineLimits, Server
from .errors import ConfigError
from .replicas import ReplicaSet
from .routers import DEFAULT_ALIAS
from .session import RoutingAsyncSession, RoutingSession

if TYPE_CHECKING:
    from .connector import Connector

__all__ = ["ConnBase", "Database", "SQLAlchemy"]


class ConnBase:
    """The servers of one alias. Safe from every thread.

    Args:
        config: the parsed alias.
        options: keywords of `create_engine` for all its engines.
        limits: how long the network may take.
        clock: seconds that never go back, for the pauses of sick replicas.

    Attributes:
        alias: its name.
        primary: the server that takes writes.
        replicas: the servers that take reads, may be none.
    """

    def __init__(
        self,
        config: DatabaseConfig,
        options: Mapping[str, Any] | None = None,
        *,
        limits: EngineLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        merged = {**(options or {}), **config.engine_options}
        limits = limits or EngineLimits()
        self.config = config
        self.alias = config.alias
        self.primary = Server(config.primary, merged, limits)
        servers = [Server(endpoint, merged, limits) for endpoint in config.replicas]
        self.replicas = ReplicaSet(servers, _connect, clock=clock)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.alias!r}: 1 primary, {len(self.replicas.servers)} replicas>"

    @property
    def engines(self) -> dict[str, Any]:
        """The blocking engines: `master` (also `primary`), and the lists `slaves` (also `replicas`)."""
        replicas = [server.engine for server in self.replicas.servers]
        primary = self.primary.engine
        return {"master": primary, "slaves": replicas, "primary": primary, "replicas": replicas}

    @property
    def engine(self) -> Engine:
        """The primary's blocking engine."""
        return self.primary.engine

    def ping_db(self, count: int = 5) -> None:
        """Asks up to `count` idle connections of every pool; what is dead is replaced, who is away is ejected.

        Blocks; run it outside the event loop.
        """
        for server in (self.primary, *self.replicas.servers):
            try:
                _ping_pool(server.engine, count)
            except Exception as error:  # noqa: BLE001 - a server that is away is no error of the one who asks
                if server is not self.primary:
                    self.replicas.eject(server, error)

    def close(self) -> None:
        """Closes the idle connections; idempotent, and the database connects anew when used again."""
        for server in (self.primary, *self.replicas.servers):
            server.close()

    async def aclose(self) -> None:
        """Closes the idle connections of the running loop, and the blocking ones."""
        for server in (self.primary, *self.replicas.servers):
            await server.aclose()


class SQLAlchemy(ConnBase):
    """One database for direct use, without settings; also what a connector holds per alias.

    Args:
        config: a URL, the value of one alias of `DATABASE_CONNECTION`, or all of it.
        options: `SQLALCHEMY_CONFIGURATION`, with or without the prefix.
        alias: which alias of `config` this is; the others are reached through `connector`.
        connector: the connector that it belongs to; None makes one with these servers.
        settings: `limits` and `clock`; for a connector of its own also that one's keywords (`routers`, …);
            all others are engine options (`echo=True`).
    """

    def __init__(
        self,
        config: Any,
        options: Mapping[str, Any] | None = None,
        *,
        alias: str = DEFAULT_ALIAS,
        connector: Connector | None = None,
        limits: EngineLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
        **settings: Any,
    ) -> None:
        if connector is not None:
            super().__init__(config, options, limits=limits, clock=clock)
            self.connector = connector
            return
        from .connector import Connector  # a database of its own is a connector of one

        names = Connector.option_names()
        own = {name: settings.pop(name) for name in list(settings) if name in names}
        parsed = _parse(config, alias)
        engine_options = DBConfigParser.parser_sqlalchemy_conf({**(options or {}), **settings})
        super().__init__(parsed[alias], engine_options, limits=limits, clock=clock)
        self.connector = Connector.around(self, parsed, engine_options, limits=limits, **own)

    def session(self, **options: Any) -> RoutingSession:
        """Makes a session; use it in a `with` block. Options are those of `sqlalchemy.orm.Session`."""
        return self.connector.new_session(self.alias, **options)

    def asession(self, **options: Any) -> RoutingAsyncSession:
        """Makes an asynchronous session; use it in an `async with` block."""
        return self.connector.new_async_session(self.alias, **options)

    def begin(self) -> AbstractContextManager[RoutingSession]:
        """A session in a transaction: committed at the end of the block, rolled back by an exception."""
        return _Committing(self.session())

    def abegin(self) -> AbstractAsyncContextManager[RoutingAsyncSession]:
        """The asynchronous `begin`."""
        return _AsyncCommitting(self.asession())

    def remove(self) -> None:
        """Closes the context's session of this alias."""
        self.connector.scoped_session(self.alias).remove()

    def create_db(self, metadata: MetaData | None = None) -> None:
        """Makes the tables that are missing, on the primary.

        Args:
            metadata: whose tables; None: those of the models that live in this alias.
        """
        for owner, tables in self._tables(metadata):
            owner.create_all(self.primary.engine, tables=tables)

    def drop_db(self, metadata: MetaData | None = None) -> None:
        """Drops what `create_db` makes, with all rows."""
        for owner, tables in self._tables(metadata):
            owner.drop_all(self.primary.engine, tables=tables)

    async def acreate_db(self, metadata: MetaData | None = None) -> None:
        """The asynchronous `create_db`."""
        async with self.primary.async_engine.begin() as connection:
            for owner, tables in self._tables(metadata):
                await connection.run_sync(owner.create_all, tables=tables)

    async def adrop_db(self, metadata: MetaData | None = None) -> None:
        """The asynchronous `drop_db`."""
        async with self.primary.async_engine.begin() as connection:
            for owner, tables in self._tables(metadata):
                await connection.run_sync(owner.drop_all, tables=tables)

    def _tables(self, metadata: MetaData | None) -> Iterable[tuple[MetaData, list[Table]]]:
        if metadata is not None:
            return [(metadata, list(metadata.tables.values()))]
        found: dict[MetaData, list[Table]] = {}
        for table in self.connector.tables_of(self.alias):
            found.setdefault(table.metadata, []).append(table)
        return list(found.items())


Database = SQLAlchemy
"""The same class by its plain name."""


class _Committing(AbstractContextManager[RoutingSession]):
    def __init__(self, session: RoutingSession) -> None:
        self._session = session

    def __enter__(self) -> RoutingSession:
        return self._session

    def __exit__(self, kind: object, *rest: object) -> None:
        with self._session:
            if kind is None:
                self._session.commit()


class _AsyncCommitting(AbstractAsyncContextManager[RoutingAsyncSession]):
    def __init__(self, session: RoutingAsyncSession) -> None:
        self._session = session

    async def __aenter__(self) -> RoutingAsyncSession:
        return self._session

    async def __aexit__(self, kind: object, *rest: object) -> None:
        async with self._session:
            if kind is None:
                await self._session.commit()


def _parse(config: Any, alias: str) -> dict[str, DatabaseConfig]:
    if isinstance(config, DatabaseConfig):
        return {alias: config}
    if isinstance(config, Mapping) and not config.keys() & {"connections", "URL", "DRIVER"}:
        parsed = DBConfigParser.parser_engines(config)
        if alias not in parsed:
            raise ConfigError(f"Database(alias=): got {alias!r}; expected one of {', '.join(sorted(parsed))}.")
        return parsed
    return {alias: DBConfigParser.parse_alias(alias, config)}


def _connect(server: Server) -> None:
    with server.engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")


def _ping_pool(engine: Engine, count: int) -> None:
    idle = getattr(engine.pool, "checkedin", lambda: 0)()
    with ExitStack() as stack:
        # All at once, or the same connection would come back each time; the pool asks each as it hands it out.
        for _ in range(min(count, idle)):
            stack.enter_context(engine.connect()).exec_driver_sql("SELECT 1")
