"""Servers that are gone, frozen or failed over, and requests that are cancelled."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from sqlalchemy import String, event, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, mapped_column

from torngas_dbalchemy import Connector, DatabaseUnavailable, DBAlchemyError, Model


class Thing(Model):
    __tablename__ = "faults_thing"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))


@pytest.fixture
def served(server_cluster, tools):
    """A connector to real servers with one row."""
    connector = Connector(server_cluster.config(), limits=tools.LIMITS)
    with tools.prepared(connector, server_cluster):
        with connector.get_conn().begin() as session:
            session.add(Thing(name="one"))
        server_cluster.catch_up()
        yield connector


def _names():
    return [thing.name for thing in Thing.Q.all()]


def _add(connector, name="new"):
    with connector.get_conn().begin() as session:
        session.add(Thing(name=name))


def test_a_gone_replica_does_not_stop_reads(served, server_cluster):
    """Reads continue on the primary; the replica is left out until it answers, and then takes reads again."""
    replicas = served.get_conn().replicas
    with served.scope():
        assert _names() == ["one"]
    server_cluster.replica.refuse()
    for _ in range(3):
        with served.scope():
            assert _names() == ["one"]
    assert not replicas.is_healthy(replicas.servers[0])
    server_cluster.replica.heal()
    deadline = time.monotonic() + 90
    while not replicas.is_healthy(replicas.servers[0]):
        replicas.choose()
        assert time.monotonic() < deadline
    with served.scope():
        assert _names() == ["one"]


def test_a_gone_primary_is_a_clear_and_quick_error(served, server_cluster):
    """Writes fail at once with the address and without the password; after its return they work again."""
    server_cluster.primary.refuse()
    start = time.monotonic()
    with pytest.raises(DatabaseUnavailable, match=r"DATABASE_CONNECTION\['default'\] primary") as caught:
        _add(served)
    assert time.monotonic() - start < 4
    assert isinstance(caught.value, DBAlchemyError | OperationalError | ConnectionError)
    assert server_cluster.places["primary"]["password"] not in str(caught.value)
    with served.scope():
        assert _names() == ["one"], "reads go on"
    server_cluster.primary.heal()
    _add(served)


def test_a_killed_pooled_connection_is_replaced(served, server_cluster):
    """ "Server has gone away": the next request works, on the primary and on the replica."""
    _add(served, "two")
    with served.scope():
        Thing.Q.all()
    for role in ("primary", "replica"):
        server_cluster.kill_connections(role)
    _add(served, "three")
    with served.scope():
        Thing.Q.all()
    replicas = served.get_conn().replicas
    assert replicas.is_healthy(replicas.servers[0])


def test_a_failed_over_server_is_found_again(served, server_cluster):
    """All connections end at once, as when another machine takes the address over."""
    _add(served, "two")
    server_cluster.primary.cut()
    server_cluster.replica.cut()
    _add(served, "three")
    with served.scope():
        Thing.Q.all()


def test_a_connection_lost_in_the_middle_fails_only_that_request(served, server_cluster):
    with pytest.raises(OperationalError), served.get_conn().session() as session:
        session.add(Thing(name="lost"))
        session.flush()
        server_cluster.primary.cut()
        session.commit()
    _add(served, "kept")


def test_a_frozen_replica_does_not_hold_reads(served, server_cluster):
    """SIGSTOP of the real process: its pooled connection does not answer in time, and the primary does."""
    with served.scope():
        assert _names() == ["one"]
    with server_cluster.frozen("replica"):
        start = time.monotonic()
        with served.scope():
            assert _names() == ["one"]
        assert time.monotonic() - start < 5
        replicas, asking = served.get_conn().replicas, []
        event.listen(replicas.servers[0].engine, "do_connect", lambda *_: asking.append(threading.current_thread()))
        with served.scope():
            assert _names() == ["one"]
        assert not replicas.is_healthy(replicas.servers[0])
        assert threading.current_thread() not in asking, "it is left out now: only a probe may ask it"


def test_a_frozen_primary_is_a_quick_error(served, server_cluster):
    _add(served, "two")
    with server_cluster.frozen("primary"):
        start = time.monotonic()
        with pytest.raises(OperationalError):
            _add(served, "three")
        assert time.monotonic() - start < 6
    _add(served, "four")


async def test_frozen_servers_do_not_hold_asynchronous_sessions(served, server_cluster):
    """The same for asynchronous drivers: pooled and new connections have their time."""
    async with served.get_conn().asession() as session:
        assert len((await session.scalars(select(Thing))).all()) == 1
    with server_cluster.frozen("replica"):
        start = time.monotonic()
        async with served.get_conn().asession() as session:
            assert len((await session.scalars(select(Thing))).all()) == 1
        assert time.monotonic() - start < 5
    await served.aclose()


async def test_asynchronous_sessions_survive_killed_connections(served, server_cluster):
    for _ in range(2):
        async with served.get_conn().asession() as session:
            session.add(Thing(name="two"))
            await session.commit()
            (await session.scalars(select(Thing))).all()
        server_cluster.kill_connections("primary")
        server_cluster.kill_connections("replica")
    await served.aclose()


@pytest.mark.xdist_group("postgres")
def test_servers_killed_for_good(tools):
    """kill -9: without the replica reads continue, without the primary reads continue and writes fail clearly."""
    with tools.servers("postgres-replica") as places:
        cluster = tools.ServerCluster("postgres", "postgresql+psycopg", places)
        connector = Connector(cluster.config(), limits=tools.LIMITS)
        with tools.prepared(connector, cluster):
            _add(connector, "one")
            cluster.catch_up()
            with connector.scope():
                assert _names() == ["one"]
            tools.kill(places["primary"]["pid"])
            with pytest.raises(DatabaseUnavailable):
                _add(connector)
            with connector.scope():
                assert _names() == ["one"]
            tools.kill(places["replica"]["pid"])
            with pytest.raises(OperationalError), connector.scope():
                _names()
        cluster.refuse_all()


# Short, because a server may finish the query of a client that has gone.
SLOW = {"postgres": "SELECT pg_sleep(0.1)", "mariadb": "SELECT SLEEP(0.05)"}
CANCELLED, AT_ONCE = 1000, 20


@pytest.mark.promise(28)
async def test_promise_28_cancelling_mid_query_returns_every_connection(server_cluster, tools, recwarn):
    """1,000 requests are cancelled while the server works; no connection stays out, and nothing is left to the GC."""
    connector = Connector(server_cluster.direct(), {"pool_size": AT_ONCE, "max_overflow": 0})
    database, cancelled = connector.get_conn(), []

    async def request(begun):
        async with connector.scope():
            connection = await Thing.asession.connection()
            begun.set()
            await connection.execute(text(SLOW[server_cluster.name]))

    async def user():
        while len(cancelled) < CANCELLED:
            begun = asyncio.Event()
            task = asyncio.ensure_future(request(begun))
            await asyncio.wait_for(begun.wait(), 20)
            await asyncio.sleep(0)
            task.cancel()
            (outcome,) = await asyncio.gather(task, return_exceptions=True)
            if outcome is not None:
                cancelled.append(outcome)

    with tools.prepared(connector, server_cluster):
        await asyncio.gather(*(user() for _ in range(AT_ONCE)))
        assert {type(outcome) for outcome in cancelled} == {asyncio.CancelledError}
        for server in (database.primary, *database.replicas.servers):
            assert server.async_engine.pool.checkedout() == 0
        async with database.asession() as session:
            await session.execute(select(Thing))
        await connector.aclose()
    assert not [warning for warning in recwarn if "garbage" in str(warning.message)]


@pytest.mark.promise(28)
async def test_promise_28_blocking_work_whose_request_is_gone_returns_its_connection(connector):
    """The handler is cancelled while its work still runs in a thread; the work's end gives the connection back."""
    import contextvars

    loop, begun, go_on = asyncio.get_running_loop(), threading.Event(), threading.Event()

    def work():
        Thing.Q.all()
        begun.set()
        go_on.wait(10)
        Thing.Q.all()

    async def request():
        async with connector.scope():
            await loop.run_in_executor(None, contextvars.copy_context().run, work)

    task = asyncio.ensure_future(request())
    await loop.run_in_executor(None, begun.wait, 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    go_on.set()
    await loop.shutdown_default_executor()
    del task
    for server in (connector.get_conn().primary, *connector.get_conn().replicas.servers):
        assert server.engine.pool.checkedout() == 0
