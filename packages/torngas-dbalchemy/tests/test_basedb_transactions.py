"""Transactions of basedb: nested, all or nothing, and of one context."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading

import pytest
import sqlalchemy.exc

from torngas_dbalchemy.basedb import TransactionError, database


@pytest.fixture
def db(cluster):
    parts = cluster.primary_parts()
    given = {"db": parts["DATABASE"], "dbn": parts["DRIVER"].partition("+")[0]}
    if "HOST" in parts:
        given.update(user=parts["UID"], pw=parts["PASSWD"], host=parts["HOST"], port=parts["PORT"])
    found = database(**given)
    found.query("DROP TABLE IF EXISTS btrans")
    found.query("CREATE TABLE btrans (name VARCHAR(20) PRIMARY KEY)")
    yield found
    assert found.engine.pool.checkedout() == 0
    found.close()


def names(db):
    return "".join(row.name for row in db.select("btrans", order="name"))


def add(db, name):
    db.insert("btrans", seqname=False, name=name)


def test_commit_and_rollback(db):
    kept = db.transaction()
    add(db, "a")
    kept.commit()
    undone = db.transaction()
    add(db, "b")
    assert names(db) == "ab"
    undone.rollback()
    undone.rollback()  # again: nothing
    kept.commit()
    assert names(db) == "a"


def test_blocks_commit_or_roll_back(db):
    with db.transaction():
        add(db, "a")
    with pytest.raises(ZeroDivisionError), db.transaction():
        add(db, "b")
        raise ZeroDivisionError
    with db.transaction() as own:
        add(db, "c")
        own.rollback()
    assert names(db) == "a"


def test_transactions_nest(db):
    with db.transaction():
        with db.transaction():  # before any other statement, where SQLite's driver would commit it for good
            add(db, "a")
        with contextlib.suppress(ZeroDivisionError), db.transaction():
            add(db, "b")
            with db.transaction():
                add(db, "c")
            raise ZeroDivisionError
        add(db, "d")
    assert names(db) == "ad"


def test_the_outer_one_takes_the_inner_with_it(db):
    outer = db.transaction()
    with db.transaction():
        add(db, "a")
    outer.rollback()
    assert names(db) == ""
    outer = db.transaction()
    inner = db.transaction()
    add(db, "b")
    outer.commit()  # before the inner one
    inner.rollback()
    assert names(db) == "b"


def test_a_failed_statement_ends_its_level_alone(db):
    with db.transaction():
        add(db, "a")
        with pytest.raises(db.db_module.IntegrityError), db.transaction():
            add(db, "b")
            add(db, "a")
        add(db, "c")
    assert names(db) == "ac"


def test_nothing_goes_on_after_a_failure(db):
    """Rather than committing the rest by itself."""
    with pytest.raises(TransactionError, match="IntegrityError"), db.transaction():
        add(db, "a")
        with pytest.raises(db.db_module.IntegrityError):
            add(db, "a")
        with pytest.raises(TransactionError):
            add(db, "b")
    assert names(db) == ""
    add(db, "c")
    assert names(db) == "c"


def test_a_lost_connection_ends_all_levels(server_cluster):
    parts = server_cluster.primary_parts()
    given = {"user": parts["UID"], "pw": parts["PASSWD"], "host": parts["HOST"], "port": parts["PORT"]}
    with database(dbn=parts["DRIVER"].partition("+")[0], db=parts["DATABASE"], **given) as db:
        outer = db.transaction()
        inner = db.transaction()
        server_cluster.kill_connections("primary")
        with pytest.raises(db.db_module.Error):
            db.query("SELECT 1")
        inner.rollback()
        with pytest.raises(TransactionError):
            outer.commit()
        assert db.query("SELECT 2 AS two")[0].two == 2


def test_other_threads_and_tasks_are_outside(db):
    seen = {}

    async def other():
        return names(db)

    async def main():
        with db.transaction():
            if db.dbname != "sqlite":  # whose file is locked meanwhile
                add(db, "a")
            seen["task"] = await asyncio.create_task(other())
            seen["thread"] = await asyncio.to_thread(names, db)
            seen["count"] = db.engine.pool.checkedout()

    add(db, "z")
    asyncio.run(main())
    assert seen == {"task": "z", "thread": "z", "count": 1}


async def test_interleaved_tasks_have_transactions_of_their_own(db):
    """Each rolls back or commits its own rows only."""
    if db.dbname == "sqlite":
        db.query("PRAGMA journal_mode=WAL")
    begun = [asyncio.Event() for _ in range(2)]

    async def work(index, keep):
        transaction = db.transaction()
        assert names(db) == ""
        begun[index].set()
        await begun[1 - index].wait()
        if keep or db.dbname != "sqlite":  # one writer at a time there
            add(db, str(index))
        (transaction.commit if keep else transaction.rollback)()

    await asyncio.gather(work(0, False), work(1, True))
    assert names(db) == "1"


async def test_a_cancelled_task_rolls_back(db):
    started = asyncio.Event()

    async def work():
        with db.transaction():
            add(db, "a")
            started.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert names(db) == ""


def test_a_dropped_transaction_is_rolled_back(db, caplog):
    """So that a handler that failed before its commit leaves nothing to the next request."""

    def handler():
        transaction = db.transaction()
        add(db, "a")
        return len([transaction])

    with caplog.at_level(logging.WARNING, "torngas_dbalchemy"):
        handler()
    assert "without commit" in caplog.text
    assert names(db) == ""


def test_transactions_of_two_databases_are_independent(db):
    other = database("sqlite://")
    other.query("CREATE TABLE t (a)")
    with db.transaction():
        inner = other.transaction()
        other.insert("t", a=1)
        add(db, "a")
        inner.rollback()
    assert names(db) == "a"
    assert not other.select("t")
    other.close()


def test_a_memory_database_makes_others_wait():
    db = database(dbn="sqlite", pool_timeout=0.01)
    db.query("CREATE TABLE t (a)")
    caught = []

    def other():
        try:
            db.insert("t", a=2)
        except sqlalchemy.exc.TimeoutError as error:
            caught.append(type(error).__name__)

    with db.transaction():
        db.insert("t", a=1)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert caught == ["TimeoutError"]
    assert len(db.select("t")) == 1
    db.close()


def test_the_context_is_visible(db):
    assert db.ctx.transactions == []
    outside = db.ctx.db
    outside.cursor().close()
    outside.close()
    with db.transaction(), db.transaction():
        assert len(db.ctx.transactions) == 2
        add(db, "a")
        cursor = db.ctx.db.cursor()
        cursor.execute("SELECT name FROM btrans")
        assert [tuple(row) for row in cursor.fetchall()] == [("a",)]  # the transaction's own connection
        cursor.close()
    assert db.ctx.transactions == []
