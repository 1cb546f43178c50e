"""Is a pooled connection still alive? Asked at check-out, and answered within a time limit.

SQLAlchemy's own pre-ping waits for as long as the driver does, which for a frozen server is for ever. Here the
question is bounded where the driver allows it; a connection that does not answer in time is replaced by a new one.
"""

from __future__ import annotations

import asyncio
import select
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DisconnectionError

__all__ = ["Ping", "guard", "limit_handshake"]

Ping = Callable[[Any, float], None]


def guard(engine: Engine, timeout: float) -> None:
    """Makes the engine's pool ask every connection it hands out, waiting `timeout` seconds for the answer."""
    dialect = engine.dialect
    if dialect.driver == "pymysql":
        event.listen(engine, "connect", _forget_handshake_limit)
    ping = (_ASYNC_PINGS if dialect.is_async else _PINGS).get(dialect.driver) or _plain(dialect)

    def ask(dbapi_connection: Any, record: Any, proxy: Any) -> None:
        if "fresh" not in record.info:  # made this moment: nothing can have happened to it
            record.info["fresh"] = False
            return
        try:
            ping(dbapi_connection, timeout)
        except (TimeoutError, OSError) as error:
            raise DisconnectionError("the pooled connection did not answer") from error
        except Exception as error:
            if not isinstance(error, dialect.loaded_dbapi.Error):
                raise
            raise DisconnectionError("the pooled connection is dead") from error

    event.listen(engine, "checkout", ask)


def limit_handshake(engine: Engine, timeout: float) -> None:
    """Bounds new connections of asynchronous MySQL drivers, whose own limit ends before the server's greeting."""
    dialect: Any = engine.dialect
    if not dialect.is_async or dialect.driver not in ("asyncmy", "aiomysql"):
        return
    driver = dialect.loaded_dbapi
    connect = getattr(driver, dialect.driver).connect

    async def bounded(*arguments: Any, **options: Any) -> Any:
        try:
            return await asyncio.wait_for(connect(*arguments, **options), timeout)
        except TimeoutError as error:
            raise driver.OperationalError(2003, f"no greeting within {timeout} seconds") from error

    def use(dialect: Any, record: Any, arguments: Any, options: dict[str, Any]) -> None:
        options["async_creator_fn"] = bounded

    event.listen(engine, "do_connect", use)


def _forget_handshake_limit(dbapi_connection: Any, record: Any) -> None:
    # pymysql has one limit for the handshake and for every later read; a slow query is no dead server.
    dbapi_connection._read_timeout = None


def _plain(dialect: Any) -> Ping:
    def ping(connection: Any, timeout: float) -> None:
        dialect.do_ping(connection)

    return ping


def _pymysql(connection: Any, timeout: float) -> None:
    # pymysql has no limit per call; it reads this attribute before every read of the socket.
    connection._read_timeout = timeout
    try:
        connection.ping(reconnect=False)
    finally:
        connection._read_timeout = None


def _psycopg(connection: Any, timeout: float) -> None:
    """An empty query by libpq's non-blocking calls: it begins no transaction."""
    pgconn = connection.pgconn
    pgconn.send_query(b"")
    deadline = time.monotonic() + timeout
    while True:
        if pgconn.is_busy():
            ready, _, _ = select.select([pgconn.socket], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError("no answer")
            pgconn.consume_input()
        elif pgconn.get_result() is None:
            return


def _awaiting(coroutine: Callable[[Any], Any]) -> Ping:
    def ping(connection: Any, timeout: float) -> None:
        connection.run_async(lambda raw: asyncio.wait_for(coroutine(raw), timeout))

    return ping


async def _ping_asyncmy(raw: Any) -> None:
    await raw.ping(reconnect=False)


async def _ping_psycopg(raw: Any) -> None:
    """As the blocking one: psycopg's own calls would spend 10 seconds on cancelling the question."""
    pgconn = raw.pgconn
    pgconn.send_query(b"")
    while True:
        if pgconn.is_busy():
            await _readable(pgconn.socket)
            pgconn.consume_input()
        elif pgconn.get_result() is None:
            return


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


_PINGS: dict[str, Ping] = {
    "pymysql": _pymysql,
    "psycopg": _psycopg,
}
_ASYNC_PINGS: dict[str, Ping] = {
    "asyncmy": _awaiting(_ping_asyncmy),
    "psycopg": _awaiting(_ping_psycopg),
}
