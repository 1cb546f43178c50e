"""Sessions belong to a request: a context, not a thread; and one thread at a time has a session."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import subprocess
import sys
import threading

import pytest
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from torngas_dbalchemy import ConfigError, Connector, Database, Model, NotConfigured, configure, get_connector
from torngas_dbalchemy.scope import current_scope


class Entry(Model):
    __tablename__ = "scope_entry"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20))


@pytest.fixture
def connector(tmp_path):
    found = Connector({"default": f"sqlite:///{tmp_path / 'x.db'}"})
    found.create_db()
    yield found
    found.remove()
    found.close()


def _checked_out(connector):
    return connector.get_conn().engine.pool.checkedout()


async def test_interleaved_requests_never_share_a_session(connector):
    """Two requests on one loop, in one thread, each between the other's steps."""
    turns, seen = [asyncio.Event(), asyncio.Event()], {}

    async def request(me, other):
        async with connector.scope():
            seen[me] = [Entry.session()]
            Entry.session.add(Entry(name=str(me)))
            turns[other].set()
            await turns[me].wait()
            seen[me].append(Entry.session())
            assert [entry.name for entry in Entry.session.new] == [str(me)]

    await asyncio.gather(request(0, 1), request(1, 0))
    assert seen[0][0] is seen[0][1]
    assert seen[1][0] is seen[1][1]
    assert seen[0][0] is not seen[1][0]


def test_uncommitted_work_is_rolled_back_and_the_connection_comes_back(connector):
    with connector.scope():
        Entry.session.add(Entry(name="lost"))
        Entry.session.flush()
        assert _checked_out(connector) == 1
    assert _checked_out(connector) == 0
    with connector.scope():
        assert Entry.Q.count() == 0


def test_a_request_has_one_session_for_all_its_models(connector):
    with connector.scope():
        assert Entry.Q.session is Entry.session() is connector.scoped_session()()
        assert Entry.session.using_master().registry() is Entry.session()


async def _in_thread(work):
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, contextvars.copy_context().run, work)


async def test_a_session_is_never_used_by_two_threads_at_once(connector):
    """Work of one request in many threads: while one has a session, nobody else gets it."""
    holders, lock, clashes = {}, threading.Lock(), []
    barrier = threading.Barrier(3)

    def work():
        barrier.wait(10)
        session = Entry.session()
        with lock:
            if session in holders:
                clashes.append(session)
            holders[session] = threading.get_ident()
        Entry.Q.all()
        assert Entry.session() is session
        barrier.wait(10)
        with lock:
            del holders[session]

    async with connector.scope():
        mine = Entry.session()
        holders[mine] = threading.get_ident()
        for _ in range(5):
            await asyncio.gather(*(_in_thread(work) for _ in range(3)))
    assert not clashes
    await asyncio.get_running_loop().shutdown_default_executor()  # the threads have let go of their work
    assert _checked_out(connector) == 0


async def test_work_after_work_shares_the_session(connector):
    """What one piece of work has left uncommitted, the next of the same request can commit."""
    async with connector.scope():
        await _in_thread(lambda: Entry.session.add(Entry(name="kept")))
        await _in_thread(lambda: Entry.session.commit())
    with connector.scope():
        assert Entry.Q.one().name == "kept"


async def test_work_that_outlives_its_request_closes_its_own_session(connector):
    """The request ends first; the connection comes back when the work is done, not before."""
    begun, go_on = threading.Event(), threading.Event()

    def work():
        Entry.Q.all()
        begun.set()
        go_on.wait(10)
        assert Entry.Q.all() == []

    async with connector.scope():
        late = asyncio.ensure_future(_in_thread(work))
        await _in_thread(lambda: begun.wait(10))
    assert _checked_out(connector) == 1
    go_on.set()
    await late
    await asyncio.get_running_loop().shutdown_default_executor()
    del late
    gc.collect()
    assert _checked_out(connector) == 0


def test_without_a_scope_the_context_has_one(connector):
    """As in a script: one session until `remove`."""

    def script():
        session = Entry.session()
        Entry.Q.all()
        assert Entry.session() is session
        Entry.session.remove()
        assert Entry.session() is not session
        Entry.Q.all()
        assert _checked_out(connector) == 1

    contextvars.Context().run(script)
    assert _checked_out(connector) == 0, "the context is gone, and its session with it"


def test_scopes_nest(connector):
    with connector.scope():
        outer = Entry.session()
        with connector.scope():
            assert Entry.session() is not outer
        assert Entry.session() is outer


def test_closing_twice_is_closing_once(connector):
    scope = connector.scope().enter()
    Entry.Q.all()
    scope.exit()
    scope.exit()
    assert current_scope() is not scope


async def test_an_asynchronous_session_needs_a_request(connector):
    with pytest.raises(RuntimeError, match="connector.scope"):
        _ = Entry.asession


def test_which_connector_models_use(tmp_path):
    """The scope's, else the configured one, else the only open one."""
    with pytest.raises(NotConfigured, match="got 0 open connectors"):
        _ = Entry.Q
    first = Connector({"default": f"sqlite:///{tmp_path / '1.db'}"})
    assert get_connector() is first
    second = Connector({"default": f"sqlite:///{tmp_path / '2.db'}"})
    with pytest.raises(NotConfigured, match="got 2 open connectors"):
        get_connector()
    with second.scope():
        assert get_connector() is second
    configure(first)
    assert get_connector() is first
    assert Connector.get_conn("default") is first.get_conn("default")
    assert Connector.conn_pool == first.conn_pool
    assert set(Connector.get_session("default")) >= {"master", "slave"}
    configure(None)
    first.close()
    assert get_connector() is second
    second.close()


def test_two_applications_side_by_side(tmp_path):
    """Each with its own configuration, in one process, at the same time."""
    one, two = (Connector({"default": f"sqlite:///{tmp_path / name}"}) for name in ("1.db", "2.db"))
    for connector in (one, two):
        connector.create_db()
    with one.scope():
        Entry.session.add(Entry(name="one"))
        Entry.session.commit()
        with two.scope():
            assert Entry.Q.count() == 0
        assert Entry.Q.count() == 1


def test_get_connector_with_a_class(tmp_path):
    class Mine(Database):
        """An application's own."""

    connector = Connector({"default": f"sqlite:///{tmp_path / '1.db'}"})
    assert isinstance(get_connector(Mine).get_conn(), Mine)
    assert get_connector(Database) is connector
    with pytest.raises(ConfigError, match="expected a subclass"):
        get_connector(int)
    with pytest.raises(ConfigError, match="got alias 'x'; expected one of default"):
        connector.get_conn("x")


def test_importing_and_declaring_configures_nothing():
    """Import is pure: no driver, no engine, no thread, no loop; models are declared without configuration."""
    program = """
import sys, threading
from torngas_dbalchemy import Model
from sqlalchemy import Column, Integer
class User(Model):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
User(id=3)
drivers = {"pymysql", "asyncmy", "psycopg", "aiosqlite", "MySQLdb", "alembic", "tornado", "sqlite3"}
assert not drivers & set(sys.modules), drivers & set(sys.modules)
assert threading.active_count() == 1
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)
