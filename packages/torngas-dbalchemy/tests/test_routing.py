"""Which server a statement goes to."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Select, delete, func, insert, literal_column, select, text, union, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, aliased, mapped_column, relationship, selectinload
from sqlalchemy.schema import ForeignKey
from sqlalchemy.types import String

from torngas_dbalchemy import Consistency, Model
from torngas_dbalchemy.statements import is_read

OFF = Consistency(mode="off")


class Author(Model):
    __tablename__ = "routing_author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    books: Mapped[list[Book]] = relationship(back_populates="author")


class Book(Model):
    __tablename__ = "routing_book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(40))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("routing_author.id"))
    author: Mapped[Author | None] = relationship(back_populates="books")


@pytest.fixture
def stored(connector, cluster, log):
    """One author on both servers, and an empty log."""
    with connector.get_conn().begin() as session:
        session.add(Author(name="ann", books=[Book(title="first")]))
    cluster.catch_up()
    log.entries.clear()


READS = {
    "query": lambda session: session.query(Author).all(),
    "select": lambda session: session.scalars(select(Author)).all(),
    "get": lambda session: session.get(Author, 1),
    "core": lambda session: session.execute(select(Author.__table__)).all(),
    "union": lambda session: session.execute(union(select(Author.id), select(Book.id))).all(),
    "cte": lambda session: session.execute(select(select(Author.id).cte())).all(),
    "text": lambda session: session.execute(text("SELECT name FROM routing_author")).all(),
    "count": lambda session: session.query(Author).count(),
    "exists": lambda session: session.scalar(select(select(Author).exists())),
    "function": lambda session: session.scalar(select(func.max(Author.id))),
}


@pytest.mark.promise(26)
@pytest.mark.parametrize("read", READS)
def test_promise_26_reads_go_to_the_replica(connector, stored, log, read):
    """A SELECT in any form is executed by the replica."""
    with connector.get_conn().session() as session:
        READS[read](session)
    assert set(log.roles) == {"replica"}


WRITES = {
    "add": lambda session: (session.add(Author(name="new")), session.flush()),
    "change": lambda session: (setattr(session.get(Author, 1), "name", "x"), session.flush()),
    "insert": lambda session: session.execute(insert(Author).values(name="new")),
    "insert many": lambda session: session.execute(insert(Author), [{"name": "a"}, {"name": "b"}]),
    "update": lambda session: session.execute(update(Author).where(Author.id == 1).values(name="x")),
    "update, fetched": lambda session: session.execute(
        update(Author).where(Author.id == 1).values(name="x"), execution_options={"synchronize_session": "fetch"}
    ),
    "delete": lambda session: session.execute(delete(Book)),
    "query.update": lambda session: session.query(Author).filter(Author.id == 1).update({"name": "x"}),
    "query.delete": lambda session: session.query(Book).delete(),
    "bulk": lambda session: session.bulk_insert_mappings(Author, [{"name": "b"}]),
    "text": lambda session: session.execute(text("UPDATE routing_author SET name = 'x'")),
    "text with a comment": lambda session: session.execute(text("/* note */ DELETE FROM routing_book")),
    "connection": lambda session: session.connection().exec_driver_sql("UPDATE routing_author SET name = 'x'"),
    "delete object": lambda session: (session.delete(session.get(Book, 1)), session.flush()),
}


@pytest.mark.promise(26)
@pytest.mark.parametrize("write", WRITES)
def test_promise_26_writes_go_to_the_primary(connector, stored, log, write):
    """No changing statement, in any form, reaches the replica."""
    with connector.get_conn().session() as session:
        WRITES[write](session)
        session.commit()
    assert all(statement.upper().startswith("SELECT") for statement in log.of("replica"))
    assert log.of("primary")


@pytest.mark.promise(26)
def test_promise_26_row_locks_go_to_the_primary(connector, stored, log):
    """FOR UPDATE and FOR SHARE lock rows where they can be written, in queries, by key and nested."""
    with connector.get_conn().session() as session:
        session.query(Author).with_for_update().all()
        session.rollback()
        session.get(Author, 1, with_for_update=True)
        session.rollback()
        session.execute(select(Book.id).where(Book.author_id.in_(select(Author.id).with_for_update()))).all()
        session.rollback()
        session.scalars(select(Author).with_for_update(read=True)).all()
    assert set(log.roles) == {"primary"}


@pytest.mark.promise(26)
@pytest.mark.xdist_group("postgres")
def test_promise_26_dml_in_ctes_goes_to_the_primary(postgres_cluster, tools):
    """A SELECT that inserts, updates or deletes in a CTE, at any depth, is a write."""
    from torngas_dbalchemy import Connector

    connector = Connector(postgres_cluster.config(), limits=tools.LIMITS)
    with tools.prepared(connector, postgres_cluster), connector.get_conn().session() as session:
        log = tools.StatementLog(connector)
        made = insert(Author).values(name="cte").returning(Author.id).cte("made")
        session.execute(select(made.c.id)).all()
        session.rollback()
        session.execute(select(Author.id).where(Author.id.in_(select(made.c.id)))).all()
        session.rollback()
        session.execute(select(Author.id).add_cte(made)).all()
        session.rollback()
        session.execute(select(Author.name).where(Author.id == made.c.id)).all()
        session.rollback()
        session.execute(select(func.max(made.c.id))).all()
        session.rollback()
        session.execute(
            text("WITH made AS (INSERT INTO routing_author (name) VALUES ('t') RETURNING id) SELECT * FROM made")
        )
        session.rollback()
        assert set(log.roles) == {"primary"}
        assert len(log.entries) == 6


LOCK = select(Author.id).with_for_update()
JUDGED = {
    "a listing": (select(Author).where(Author.id > 3).order_by(Author.name.desc()).limit(3).offset(2), True),
    "a join": (select(Author).join(Author.books).options(selectinload(Author.books)), True),
    "groups": (select(func.count(Author.id)).group_by(Author.name).having(func.max(Author.id) > 1), True),
    "an alias": (select(aliased(Author)), True),
    "a subquery": (select(select(Author.id).subquery()), True),
    "a recursive CTE": (select(
        (base := select(Author.id).cte(recursive=True)).union_all(select(base.c.id + 1).where(base.c.id < 9))
    ), True),
    "a lock": (LOCK, False),
    "a lock in a condition": (select(Author).where(Author.id.in_(LOCK)), False),
    "a lock in a column's source": (select(LOCK.subquery().c.id), False),
    "a lock compared with": (select(Author).where(Author.id == LOCK.subquery().c.id), False),
    "a lock in an order": (select(Author).order_by(LOCK.scalar_subquery()), False),
    "a lock in a limit": (select(Author).limit(LOCK.scalar_subquery()), False),
    "a lock in an aggregate": (select(func.max(LOCK.subquery().c.id)), False),
    "a lock in a join": (select(Author).join(found := LOCK.subquery(), found.c.id == Author.id), False),
    "a writing function": (select(func.nextval("s")), False),
    "a writing function in a condition": (select(Author).where(Author.id == func.nextval("s")), False),
    "a writing function in an aggregate": (select(func.max(func.nextval("s"))), False),
    "a literal column that writes": (select(literal_column("pg_advisory_lock(1)")), False),
    "a literal column": (select(literal_column("name || '!'")).select_from(Author), True),
    "an insert's rows": (select(insert(Author).values(name="x").returning(Author.id).cte().c.id), False),
    "a lock of a union": (union(select(Author.id), LOCK), False),
}  # fmt: skip


@pytest.mark.promise(26)
@pytest.mark.parametrize("case", JUDGED)
def test_promise_26_statements_are_judged_by_all_their_parts(case):
    """Wherever a lock, a write or a writing function stands, the statement is no read; judged again, it is the same."""
    statement, reads = JUDGED[case]
    assert [is_read(statement), is_read(statement)] == [reads, reads]
    if isinstance(statement, Select):
        assert is_read(statement.limit(1)) is reads or statement._limit_clause is not None
        assert is_read(select(statement.subquery())) is reads


@pytest.mark.promise(26)
def test_promise_26_the_replica_account_may_not_write(connector, cluster, stored):
    """The tests would notice a wrong turn: the replica refuses a write."""
    replica = connector.get_conn().replicas.servers[0].engine
    with replica.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(insert(Author).values(name="refused"))


def test_everything_in_a_write_transaction_is_on_the_primary(connector, stored, log):
    """After a write, reads of the transaction see it: they stay on the primary until it ends."""
    with connector.get_conn().session() as session:
        session.add(Author(name="bob"))
        assert session.query(Author).count() == 2
        session.get(Author, 1)
        assert set(log.roles) == {"primary"}


def test_a_rolled_back_write_binds_nobody(connector, stored, log):
    """What was rolled back is not waited for."""
    with connector.get_conn().session() as session:
        session.add(Author(name="bob"))
        session.flush()
        session.rollback()
        log.entries.clear()
        assert session.query(Author).count() == 1
        assert log.roles == ["replica"]


def test_a_savepoint_does_not_end_the_write_transaction(connector, stored, log):
    with connector.get_conn().session() as session:
        with session.begin_nested():
            session.add(Author(name="bob"))
        log.entries.clear()
        assert session.query(Author).count() == 2
        assert set(log.roles) == {"primary"}


def test_using_master_reads_from_the_primary(connector, stored, log):
    """With and without the call, by query, by statement and by key; later reads are on the replica again."""
    session = Author.session.using_master()
    session.query(Author).all()
    Author.session.using_master.scalars(select(Author)).all()
    session.get(Author, 1)
    session.execute(select(Author.name)).all()
    assert set(log.roles) == {"primary"}
    log.entries.clear()
    Author.Q.all()
    assert log.roles == ["replica"]


def test_using_master_refreshes_what_the_replica_gave(connector, cluster, log):
    """An object that was read from a lagging replica is not written back stale."""
    with connector.get_conn().begin() as session:
        session.add(Author(id=1, name="old"))
    cluster.catch_up()
    if cluster.name != "sqlite":
        cluster.pause()
    try:
        with connector.get_conn("default").primary.engine.begin() as connection:
            connection.execute(update(Author).values(name="new"))
        with connector.scope():
            assert Author.Q.one().name == "old"
            assert Author.session.using_master().query(Author).one().name == "new"
        with connector.scope():
            author = Author.Q.one()
            assert Author.session.using_master().get(Author, 1) is author
            assert author.name == "new"
    finally:
        if cluster.name != "sqlite":
            cluster.resume()


def test_a_lazy_load_follows_its_session(connector, stored, log):
    with connector.scope():
        author = Author.Q.one()
        assert [book.title for book in author.books] == ["first"]
    assert set(log.roles) == {"replica"}


def test_without_replicas_everything_is_on_the_primary(tmp_path):
    from torngas_dbalchemy import Database

    database = Database(f"sqlite:///{tmp_path / 'one.db'}")
    database.create_db()
    with database.session() as session:
        session.add(Author(name="ann"))
        session.commit()
        assert session.query(Author).one().name == "ann"
    database.connector.close()


async def test_asynchronous_sessions_route_alike(connector, cluster, stored, log):
    """The same rules on asynchronous drivers."""
    log.watch_async(connector)
    async with connector.get_conn().asession() as session:
        assert len((await session.scalars(select(Author))).all()) == 1
        assert log.roles == ["replica"]
        session.add(Author(name="bob"))
        await session.commit()
        log.entries.clear()
        await session.execute(update(Author).values(name="x"), execution_options={"synchronize_session": "fetch"})
        assert set(log.roles) == {"primary"}
        await session.rollback()
    await connector.aclose()


async def test_aget_reads_inside_and_outside_a_request(connector, stored):
    outside = await Author.aget(1)
    assert outside is not None
    assert outside.name == "ann"
    async with connector.scope():
        first, second = await asyncio.gather(Author.aget(1), Author.aget(1))
        assert first is not second, "two tasks never share an asynchronous session"
    await connector.aclose()
