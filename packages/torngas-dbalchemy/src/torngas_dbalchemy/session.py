"""Sessions that send every statement to the right server.

Reads go to the request's replica; writes, flushes, row locks, data-changing CTEs, raw connections, and everything
after one of these in the same transaction go to the primary. A session belongs to one thread at a time.

    with database.session() as session:
        session.add(User(name="ann"))
        session.commit()
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapper, Session, scoped_session, sessionmaker
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import CompoundSelect

from .consistency import Consistency, Pin, RequestState, has_reached, position_of
from .query import BaseQuery
from .statements import is_read, wants_primary

if TYPE_CHECKING:
    from .database import ConnBase
    from .engines import Server

__all__ = ["Routes", "RoutingAsyncSession", "RoutingSession", "create_session"]

_SPECIAL = (UpdateBase, CompoundSelect)


class Routes(Protocol):
    """What a session asks: which database a statement belongs to."""

    consistency: Consistency
    routed: bool

    def database_for(self, mapper: Mapper[Any] | None, clause: Any, alias: str, reading: bool, /) -> ConnBase:
        """Answers the database of a statement."""
        ...


class RoutingSession(Session):
    """A session over the primary and the replicas of all aliases.

    Args:
        routes: the connector that knows the databases.
        state: the decisions of the request; a session without a request has its own.
        alias: where statements go that name no table, such as `text("SELECT 1")`.
        asynchronous: whether this is the inner session of an asynchronous one.
        options: as of `sqlalchemy.orm.Session`.
    """

    def __init__(
        self,
        routes: Routes,
        state: RequestState | None = None,
        *,
        alias: str = "default",
        asynchronous: bool = False,
        **options: Any,
    ) -> None:
        options.setdefault("query_cls", BaseQuery)
        super().__init__(**options)
        self.state = state or RequestState()
        self.alias = alias
        self._routes = routes
        self._asynchronous = asynchronous
        self._forced = 0
        self._written: dict[str, ConnBase] = {}
        self._reading: dict[str, Engine] = {}
        self._begun: dict[Engine, Connection] = {}
        self._homes: dict[Mapper[Any], str] = {}

    def get_bind(
        self,
        mapper: Any = None,
        *,
        clause: Any = None,
        bind: Any = None,
        alias: str | None = None,
        **options: Any,
    ) -> Any:
        """Answers the engine for a statement; `bind_arguments={"alias": …}` of `execute` names another database."""
        if bind is not None:
            return bind
        mapper = mapper if mapper is None or isinstance(mapper, Mapper) else mapper.__mapper__
        routes = self._routes
        if not routes.routed:
            return routes.database_for(mapper, clause, alias or self.alias, False).primary.bind(self._asynchronous)
        pure = clause is not None and is_read(clause)
        reading = pure and not self._forced and not wants_primary(clause)
        database = routes.database_for(mapper, clause, alias or self.alias, reading)
        if mapper is not None:
            self._homes[mapper] = database.alias
        if not database.replicas.servers:
            return database.primary.bind(self._asynchronous)
        if not pure:
            self._written[database.alias] = database
        if reading and database.alias not in self._written and not self.state.primary:
            return self._replica(database)
        return database.primary.bind(self._asynchronous)

    @contextlib.contextmanager
    def on_primary(self) -> Iterator[None]:
        """Sends every statement of the block to the primary, reads too."""
        self._forced += 1
        try:
            yield
        finally:
            self._forced -= 1

    def alias_of(self, instance: Any) -> str | None:
        """The alias that the instance's class was last read from or written to by this session."""
        mapper = instance.__mapper__
        if not self._routes.routed:
            return self._routes.database_for(mapper, None, self.alias, False).alias
        return self._homes.get(mapper)

    @property
    def has_read_replica(self) -> bool:
        """Whether the running transaction has read from a replica."""
        return bool(self._reading)

    if not TYPE_CHECKING:  # the signatures stay those of Session

        def execute(self, statement, *args, **options):
            """Executes a statement on the server that it belongs to."""
            if isinstance(statement, _SPECIAL):
                return self._special(super().execute, statement, args, options)
            return super().execute(statement, *args, **options)

        def scalars(self, statement, *args, **options):
            """Executes a statement and answers its first column."""
            if isinstance(statement, _SPECIAL):
                return self._special(super().scalars, statement, args, options)
            return super().scalars(statement, *args, **options)

        def scalar(self, statement, *args, **options):
            """Executes a statement and answers its first value."""
            if isinstance(statement, _SPECIAL):
                return self._special(super().scalar, statement, args, options)
            return super().scalar(statement, *args, **options)

    def _special(self, method: Callable[..., Any], statement: Any, args: Any, options: dict[str, Any]) -> Any:
        if isinstance(statement, UpdateBase):
            # The SELECT that fetches the keys of an UPDATE or DELETE belongs to it.
            with self.on_primary():
                return method(statement, *args, **options)
        # Of a UNION of models SQLAlchemy does not tell get_bind().
        options["bind_arguments"] = {"clause": statement, **(options.get("bind_arguments") or {})}
        return method(statement, *args, **options)

    def _replica(self, database: ConnBase) -> Engine:
        """The engine for reads of this transaction, connected; the primary's if no replica can serve."""
        alias = database.alias
        if found := self._reading.get(alias):
            return found
        pin = self._pin(alias) if self.state.pins else None
        engine = None
        if pin is None or pin.position is not None:
            engine = self._first_fit(database, pin)
        if engine is None:
            engine = database.primary.bind(self._asynchronous)
        self._reading[alias] = engine
        return engine

    def _first_fit(self, database: ConnBase, pin: Pin | None) -> Engine | None:
        refused: set[Server] = set()
        while server := self._candidate(database, refused):
            engine = self._connected(database, server, pin)
            if engine is not None:
                self.state.chosen[database.alias] = server
                self.state.pins.pop(database.alias, None)
                return engine
            refused.add(server)
        return None

    def _pin(self, alias: str) -> Pin | None:
        """The write that reads of the alias must not miss; a pin that has passed is dropped."""
        pin = self.state.pins.get(alias)
        policy = self._routes.consistency
        if pin is None or (policy.mode != "off" and pin.deadline > policy.clock()):
            return pin
        del self.state.pins[alias]
        return None

    def _candidate(self, database: ConnBase, refused: set[Server]) -> Server | None:
        chosen = self.state.chosen.get(database.alias)
        if chosen is not None and chosen not in refused and database.replicas.is_healthy(chosen):
            return chosen
        return database.replicas.choose(refused)

    def _connected(self, database: ConnBase, server: Server, pin: Pin | None) -> Engine | None:
        """The server's engine with a connection in this transaction; None if it is away or behind the pin."""
        engine = server.bind(self._asynchronous)
        try:
            connection = self.connection(bind_arguments={"bind": engine})
            behind = pin is not None and not has_reached(connection, str(pin.position))
        except (DBAPIError, OSError) as error:
            database.replicas.eject(server, error)
            return None
        return None if behind else engine

    def _note_begin(self, connection: Connection) -> None:
        if self._routes.routed:
            self._begun[connection.engine] = connection

    def _note_commit(self) -> None:
        if not self._written or self.in_nested_transaction() or self._routes.consistency.mode == "off":
            return
        for alias, database in self._written.items():
            connection = self._begun.get(database.primary.bind(self._asynchronous))
            if connection is not None:
                self.state.pin(alias, self._routes.consistency.pin(self._position(connection)))

    def _position(self, connection: Connection) -> str | None:
        if self._routes.consistency.mode != "position":
            return None
        try:
            position = position_of(connection)
            connection.rollback()
        except SQLAlchemyError:
            return None  # the write is done; the clock must do
        return position

    def _note_end(self) -> None:
        if not self._begun:
            return
        self._written.clear()
        self._reading.clear()
        self._begun.clear()


@event.listens_for(RoutingSession, "after_begin")
def _after_begin(session: RoutingSession, transaction: Any, connection: Connection) -> None:
    session._note_begin(connection)


@event.listens_for(RoutingSession, "after_commit")
def _after_commit(session: RoutingSession) -> None:
    session._note_commit()


@event.listens_for(RoutingSession, "after_transaction_end")
def _after_transaction_end(session: RoutingSession, transaction: Any) -> None:
    if transaction.parent is None:
        session._note_end()


class RoutingAsyncSession(AsyncSession):
    """The asynchronous twin: the same routing on asynchronous drivers.

    Objects stay readable after a commit (`expire_on_commit` is False), since nothing can be loaded implicitly.
    """

    sync_session_class = RoutingSession

    def __init__(
        self, routes: Routes, state: RequestState | None = None, *, alias: str = "default", **options: Any
    ) -> None:
        options.setdefault("expire_on_commit", False)
        super().__init__(routes=routes, state=state, alias=alias, asynchronous=True, **options)


def create_session(
    engine: Any = None, scopefunc: Any = None, twophase: bool = False, **options: Any
) -> scoped_session[Session]:
    """Makes a scoped session on a plain engine, whose queries paginate; for code that manages its own engines.

    Args:
        engine: an engine, or with `twophase` a mapping of models to engines.
        scopefunc: answers what a session belongs to (a callable or its dotted path); None: the thread.
        twophase: whether commits are two-phase.
        options: as of `sqlalchemy.orm.sessionmaker`; `query_cls` and `class_` may be dotted paths.
    """
    options.setdefault("query_cls", BaseQuery)
    for name in ("query_cls", "class_"):
        if isinstance(options.get(name), str):
            options[name] = _load(options[name])
    binding = {"binds": engine, "twophase": True} if twophase else {"bind": engine}
    return scoped_session(
        sessionmaker(**binding, **options), _load(scopefunc) if isinstance(scopefunc, str) else scopefunc
    )


def _load(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)
