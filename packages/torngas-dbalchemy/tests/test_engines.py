"""Engines of one server: what closing them leaves behind."""

from __future__ import annotations

import pytest
from sqlalchemy import event

ASK = "SELECT 1"


@pytest.fixture
def closed():
    """The driver connections that were closed on watched engines."""
    return []


def _watch(engine, closed):
    event.listen(engine, "close", lambda dbapi_connection, record: closed.append(dbapi_connection))


def test_a_connection_that_comes_back_after_close_is_closed(connector, closed):
    """A request, or the probe of a sick replica, may outlive the connector; nothing is left to the collector."""
    engine = connector.get_conn().primary.engine
    _watch(engine, closed)
    connection = engine.connect()
    raw = connection.connection.dbapi_connection
    connector.close()
    assert connection.exec_driver_sql(ASK).scalar() == 1, "work in progress is not cut off"
    assert raw not in closed
    connection.close()
    assert closed.count(raw) == 1
    with pytest.raises(engine.dialect.loaded_dbapi.Error):
        raw.cursor().execute(ASK)


async def test_an_asynchronous_connection_that_comes_back_after_close_is_closed(connector, closed):
    """The same in an event loop."""
    engine = connector.get_conn().primary.async_engine
    _watch(engine.sync_engine, closed)
    connection = await engine.connect()
    raw = (await connection.get_raw_connection()).dbapi_connection
    await connector.aclose()
    assert (await connection.exec_driver_sql(ASK)).scalar() == 1, "work in progress is not cut off"
    assert raw not in closed
    await connection.close()
    assert closed.count(raw) == 1


def test_a_closed_server_connects_anew(connector):
    """Closing drops the idle connections only; later ones are pooled as before."""
    engine = connector.get_conn().primary.engine
    for _ in range(2):
        with engine.connect() as connection:
            assert connection.exec_driver_sql(ASK).scalar() == 1
        assert engine.pool.checkedin() == 1
        connector.close()
        connector.close()
        assert engine.pool.checkedin() == 0


async def test_each_engine_shows_those_that_are_and_those_to_come(connector):
    """Whoever listens for SQLAlchemy's events must see every engine, of both kinds, once."""
    server = connector.get_conn().primary
    seen, late = [], []
    server.each_engine(seen.append)
    blocking, asynchronous = server.engine, server.async_engine.sync_engine
    assert server.engine is blocking
    assert seen.count(blocking) == seen.count(asynchronous) == 1
    server.each_engine(late.append)
    assert sorted(map(id, late)) == sorted(map(id, seen))
    await connector.aclose()
