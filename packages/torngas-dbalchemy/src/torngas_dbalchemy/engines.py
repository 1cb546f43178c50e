"""Makes SQLAlchemy engines for the servers of an alias, blocking and asynchronous.

An engine connects when it is first used. Asynchronous engines are made per event loop, because their connections
belong to the loop that opened them.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, engine_from_config, event, pool
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, async_engine_from_config
from sqlalchemy.util import greenlet_spawn

from . import _drivers, _liveness
from .config import Endpoint
from .errors import ConfigError, DatabaseUnavailable

__all__ = ["EngineLimits", "Server"]

_QUEUE_OPTIONS = ("pool_size", "max_overflow", "pool_timeout", "pool_use_lifo")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLimits:
    """How long the network may take.

    Attributes:
        connect_timeout: seconds for a new connection, handshake included; drivers round to whole seconds, at least 1.
        ping_timeout: seconds that a pooled connection has to show that it is alive, each time it is handed out.
        pre_ping: whether it is asked at all. SQLite files are never asked.
    """

    connect_timeout: float = 3.0
    ping_timeout: float = 1.0
    pre_ping: bool = True

    def __post_init__(self) -> None:
        for name in ("connect_timeout", "ping_timeout"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name}: got {getattr(self, name)!r}; expected seconds above 0.")


class Server:
    """One endpoint and its engines. Safe from every thread and loop; `close` and `aclose` are idempotent."""

    def __init__(self, endpoint: Endpoint, options: Mapping[str, Any], limits: EngineLimits) -> None:
        self.endpoint = endpoint
        self._options = options
        self._limits = limits
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._async_engines: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncEngine] = WeakKeyDictionary()
        self._looks: tuple[Callable[[Engine], object], ...] = ()

    def __repr__(self) -> str:
        return f"<Server {self.endpoint}>"

    @property
    def engine(self) -> Engine:
        """The blocking engine, made at the first call."""
        if self._engine is None:
            with self._lock:
                if self._engine is None:
                    self._engine = self._make_engine()
        return self._engine

    @property
    def async_engine(self) -> AsyncEngine:
        """The engine of the running event loop, made at the first call there.

        Raises:
            RuntimeError: no event loop runs in this thread.
        """
        loop = asyncio.get_running_loop()
        found = self._async_engines.get(loop)
        if found is None:
            found = self._async_engines[loop] = self._make_async_engine()
        return found

    def bind(self, asynchronous: bool) -> Engine:
        """The engine that a session of this kind executes on."""
        return self.async_engine.sync_engine if asynchronous else self.engine

    def each_engine(self, look: Callable[[Engine], object]) -> None:
        """Shows every engine to a function: those that exist, and each other one as it is made, unconnected.

        An asynchronous engine is shown as its `sync_engine`, which is what SQLAlchemy's events are listened for on.
        """
        with self._lock:
            self._looks = (*self._looks, look)
            made = [engine.sync_engine for engine in self._async_engines.values()]
            made += [] if self._engine is None else [self._engine]
        for engine in made:
            look(engine)

    def close(self) -> None:
        """Closes the idle blocking connections, and each one in use when it comes back.

        The server stays usable and connects anew.
        """
        if self._engine is not None:
            _retire_pool(self._engine)

    async def aclose(self) -> None:
        """Closes the idle connections of the running loop, and the blocking ones; those in use as they come back."""
        self.close()
        if engine := self._async_engines.pop(asyncio.get_running_loop(), None):
            await greenlet_spawn(_retire_pool, engine.sync_engine)

    def _make_engine(self) -> Engine:
        name = _drivers.sync_driver(self.endpoint.url)
        if name is None:
            raise self._no_twin("blocking", "DRIVER")
        url = self.endpoint.url.set(drivername=name)
        options = self._for_driver(url)
        try:
            engine = engine_from_config({}, url=url, **options)
        except ImportError as error:
            raise self._missing(name, error) from error
        self._watch(engine)
        return engine

    def _make_async_engine(self) -> AsyncEngine:
        name = self.endpoint.async_driver or _drivers.async_driver(self.endpoint.url)
        if name is None:
            raise self._no_twin("asynchronous", "ASYNC_DRIVER")
        url = self.endpoint.url.set(drivername=name)
        options = self._for_driver(url)
        if options.get("poolclass") is pool.QueuePool:
            options["poolclass"] = pool.AsyncAdaptedQueuePool
        try:
            engine = async_engine_from_config({}, prefix="sqlalchemy.", url=url, **options)
        except ImportError as error:
            raise self._missing(name, error) from error
        self._watch(engine.sync_engine)
        return engine

    def _for_driver(self, url: Any) -> dict[str, Any]:
        options = dict(self._options)
        options.pop("pool_pre_ping", None)  # _liveness asks instead, within a time limit
        options["_coerce_config"] = True  # settings from files are strings
        given = options.pop("connect_args", {})
        options["connect_args"] = _drivers.connect_arguments(url, given, self._limits.connect_timeout)
        if _drivers.is_memory(url):
            options["poolclass"] = pool.StaticPool
            options["connect_args"].setdefault("check_same_thread", False)
        kind = options.get("poolclass", pool.QueuePool)
        if not issubclass(kind, pool.QueuePool):
            for name in _QUEUE_OPTIONS:
                options.pop(name, None)
        return options

    def _watch(self, engine: Engine) -> None:
        for look in self._looks:
            look(engine)
        if engine.dialect.name == "sqlite":
            return  # a file neither goes away nor answers late, and each event costs every statement
        if self._options.get("pool_pre_ping", self._limits.pre_ping):
            _liveness.guard(engine, self._limits.ping_timeout)
        _liveness.limit_handshake(engine, self._limits.connect_timeout)
        event.listen(engine, "handle_error", self._explain)

    def _explain(self, context: ExceptionContext) -> None:
        error = context.sqlalchemy_exception
        if context.is_pre_ping or not isinstance(error, OperationalError | InterfaceError):
            return
        if context.is_disconnect or context.connection is None:
            raise DatabaseUnavailable(str(self.endpoint), context.original_exception) from context.original_exception

    def _missing(self, name: str, error: ImportError) -> ConfigError:
        module = (error.name or name).partition(".")[0]
        return ConfigError(
            f"{self.endpoint}: driver {name!r} needs the package {module!r}, which is not installed: "
            f"pip install {_drivers.PACKAGES.get(module, module)}."
        )

    def _no_twin(self, kind: str, key: str) -> ConfigError:
        return ConfigError(f"{self.endpoint}: no {kind} driver is known for it; expected one in {key!r}.")


def _retire_pool(engine: Engine) -> None:
    """Gives the engine an empty pool, and empties the old one for good.

    Engine.dispose() alone forgets the connections in use: the old pool would take them back, open, and be collected
    with them.
    """
    old = engine.pool
    engine.dispose(close=False)
    event.listen(old, "checkin", _close_returned)
    old.dispose()


def _close_returned(dbapi_connection: Any, record: pool.ConnectionPoolEntry) -> None:
    record.close()
