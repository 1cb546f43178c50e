"""Pages by place, against slices of the whole list."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import itertools
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Enum, Numeric, String, func, select, text
from sqlalchemy.orm import Mapped, aliased, mapped_column

from torngas_dbalchemy import ConfigError, CursorError, Database, Model, PageNotFound, apaginate_keyset, paginate_keyset
from torngas_dbalchemy.cursors import CursorSigner

KEY = "a key of the tests"


class Color(enum.Enum):
    RED = "r"
    BLUE = "b"


class Post(Model):
    __tablename__ = "keyset_post"
    id: Mapped[int] = mapped_column(primary_key=True)
    score: Mapped[int | None]
    name: Mapped[str | None] = mapped_column(String(20))
    color: Mapped[Color | None] = mapped_column(Enum(Color))
    price: Mapped[decimal.Decimal | None] = mapped_column(Numeric(8, 2))
    made: Mapped[dt.datetime | None]


def _posts():
    posts = []
    for number in range(1, 38):
        posts.append(
            Post(
                id=number,
                score=None if number % 4 == 0 else number % 3,
                name=None if number % 5 == 0 else f"n{number % 7}",
                color=[None, Color.RED, Color.BLUE][number % 3],
                price=None if number % 6 == 0 else decimal.Decimal(number % 4) / 4,
                made=None if number % 7 == 0 else dt.datetime(2026, 1, 1 + number % 5, number % 3),
            )
        )
    return posts


ORDERS = {
    "key": [],
    "nullable": [Post.score],
    "down": [Post.score.desc()],
    "mixed": [Post.score.desc(), Post.name.asc()],
    "nulls first": [Post.score.asc().nulls_first(), Post.id.desc()],
    "nulls last": [Post.score.desc().nulls_last(), Post.name.nulls_first()],
    "odd nulls": [Post.score.nulls_last(), Post.name.desc().nulls_first()],
    "types": [Post.made.desc(), Post.price, Post.id.desc()],
    "expression": [func.coalesce(Post.score, -1).desc(), func.lower(Post.name)],
}


def _walk(session, statement, size, forward=True):
    """All pages one after the other; backwards from the end."""
    pages, cursor = [], None
    page = paginate_keyset(session, statement, per_page=size, key=KEY)
    while forward or page.has_next:
        pages.append(page.items)
        if not page.has_next:
            return pages
        page = paginate_keyset(session, statement, per_page=size, cursor=page.next_cursor, key=KEY)
    pages = [page.items]
    while cursor := page.prev_cursor:
        page = paginate_keyset(session, statement, per_page=size, cursor=cursor, key=KEY)
        pages.insert(0, page.items)
    return pages


def _server_order(statement, name, dialect):
    """The whole list in the order that the pages promise (MySQL knows no NULLS FIRST)."""
    from torngas_dbalchemy.ordering import order_of

    return statement.order_by(None).order_by(*order_of(statement, dialect).clauses(dialect))


@pytest.mark.parametrize("order", ORDERS)
def test_pages_join_to_the_whole_list_on_every_database(connector, cluster, order):
    """Forwards and backwards, every row once, in order, whatever the directions and NULLs."""
    with connector.get_conn().begin() as session:
        session.add_all(_posts())
    cluster.catch_up()
    with connector.get_conn().session() as session:
        statement = select(Post.id).order_by(*ORDERS[order])
        dialect = connector.get_conn().engine.dialect
        whole = session.scalars(_server_order(statement, order, dialect)).all()
        if "nulls" not in order or cluster.name != "mariadb":
            prefix = session.scalars(
                statement.order_by(Post.id.desc() if order in ("down", "odd nulls") else Post.id)
            ).all()
            assert prefix == whole, "the order itself is the query's own"
        assert len(whole) == 37
        for size in (5, 37):
            assert list(itertools.chain(*_walk(session, statement, size))) == whole
            assert list(itertools.chain(*_walk(session, statement, size, forward=False))) == whole


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('keyset') / 'x.db'}")
    database.create_db()
    with database.begin() as session:
        session.add_all(_posts())
    yield database
    database.connector.close()


@pytest.fixture
def session(db):
    with db.session() as found:
        yield found


_TERMS = st.lists(
    st.tuples(
        st.sampled_from([Post.score, Post.name, Post.price, Post.made, Post.id]),
        st.booleans(),
        st.sampled_from([None, "first", "last"]),
    ),
    max_size=3,
    unique_by=lambda term: term[0].key,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_TERMS, st.integers(1, 12))
def test_any_order_and_size(session, terms, size):
    """Any mixture of directions and places of NULL, against the list in one piece."""
    clauses = []
    for column, down, nulls in terms:
        clause = column.desc() if down else column.asc()
        clauses.append({None: clause, "first": clause.nulls_first(), "last": clause.nulls_last()}[nulls])
    statement = select(Post.id).order_by(*clauses)
    last_down = terms[-1][1] if terms else False
    whole = session.scalars(statement.order_by(Post.id.desc() if last_down else Post.id)).all()
    assert list(itertools.chain(*_walk(session, statement, size))) == whole
    assert list(itertools.chain(*_walk(session, statement, size, forward=False))) == whole


def test_rows_that_come_and_go_do_not_shift_pages(db):
    with db.session() as session:
        first = paginate_keyset(session, select(Post).order_by(Post.id), per_page=5, key=KEY)
        session.delete(session.get(Post, 3))
        session.add(Post(id=0))
        session.flush()
        second = paginate_keyset(session, select(Post).order_by(Post.id), per_page=5, cursor=first.next_cursor, key=KEY)
        assert [post.id for post in second] == [6, 7, 8, 9, 10]
        session.rollback()


def test_objects_rows_and_aliases(session):
    statement = select(Post).order_by(Post.name)
    page = paginate_keyset(session, statement, per_page=3, key=KEY)
    assert all(isinstance(post, Post) for post in page)
    rows = paginate_keyset(session, select(Post.id, Post.name).order_by(Post.name.desc()), per_page=2, key=KEY)
    assert rows.items[0].name == "n6"
    assert len(rows.items[0]) == 2
    other = aliased(Post)
    assert len(paginate_keyset(session, select(other).order_by(other.score), per_page=3, key=KEY)) == 3
    pair = select(Post, other).outerjoin(other, other.id == Post.score).order_by(other.name)
    assert sum(len(part) for part in _walk(session, pair, 7)) == 37
    table = Post.__table__
    assert len(paginate_keyset(session, select(table).order_by(table.c.score), per_page=3, key=KEY)) == 3


def test_a_cursor_is_bound_to_key_and_order(session):
    statement = select(Post).order_by(Post.name)
    cursor = paginate_keyset(session, statement, per_page=3, key=["new", KEY]).next_cursor
    assert paginate_keyset(session, statement, cursor=cursor, key=["newest", "new"]).items
    with pytest.raises(CursorError, match="changed or is not ours"):
        paginate_keyset(session, statement, cursor=cursor, key=KEY)
    with pytest.raises(CursorError, match="another order"):
        paginate_keyset(session, select(Post).order_by(Post.name.desc()), cursor=cursor, key="new")


@pytest.mark.parametrize("cursor", ["x", "ä", "A" * 5000, "AAAA", "=", "%00"])
def test_a_broken_cursor(session, cursor):
    statement = select(Post).order_by(Post.id)
    with pytest.raises(PageNotFound):
        paginate_keyset(session, statement, cursor=cursor, key=KEY)
    page = paginate_keyset(session, statement, cursor=cursor, key=KEY, error_out=False, per_page=2)
    assert [post.id for post in page] == [1, 2]


def test_every_changed_byte_is_noticed():
    signer = CursorSigner(KEY)
    cursor = signer.encode("after", "order", [1, None, "x"])
    for place in range(len(cursor)):
        changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        if changed[:-1] == cursor[:-1] and place == len(cursor) - 1:
            continue  # the last character's spare bits
        with pytest.raises(CursorError):
            signer.decode(changed, "order")


VALUES = [
    None, True, 5, -(2**70), "text", 0.1, float("inf"), decimal.Decimal("1.10"), b"\0\xff", uuid.UUID(int=7),
    dt.datetime(2026, 1, 2, 3, 4, 5, 6, dt.UTC), dt.date(2026, 1, 2), dt.time(1, 2, 3), dt.timedelta(-1, 2, 3),
]  # fmt: skip


def test_every_plain_value_survives_the_cursor():
    signer = CursorSigner(KEY)
    _, found = signer.decode(signer.encode("after", "o", VALUES), "o")
    assert found == VALUES
    assert list(map(type, found)) == list(map(type, VALUES))
    with pytest.raises(TypeError, match="got object"):
        signer.encode("after", "o", [object()])


def test_enumerations_are_read_by_name(session):
    statement = select(Post.id).order_by(Post.color.desc())
    assert len(list(itertools.chain(*_walk(session, statement, 6)))) == 37


def test_an_empty_list_and_sizes(session):
    empty = paginate_keyset(session, select(Post).where(Post.id < 0), key=KEY)
    assert (empty.items, empty.has_next, empty.has_prev, bool(empty), len(empty)) == ([], False, False, True, 0)
    with pytest.raises(PageNotFound):
        paginate_keyset(session, select(Post), per_page="x", key=KEY)
    assert paginate_keyset(session, select(Post), per_page=500, max_per_page=7, key=KEY).per_page == 7


@pytest.mark.parametrize(
    "statement",
    [
        select(Post.score, func.count()).group_by(Post.score),
        select(Post).order_by(text("score")),
        select(func.count()),
        select(Post).order_by("score"),
    ],
    ids=["grouped", "text", "no key", "name"],
)
def test_what_cannot_be_paged_is_refused(session, statement):
    with pytest.raises(ValueError, match=r"paginate_keyset: got"):
        paginate_keyset(session, statement, key=KEY)


def test_without_a_key_the_process_signs(session):
    page = paginate_keyset(session, select(Post), per_page=3)
    assert paginate_keyset(session, select(Post), per_page=3, cursor=page.next_cursor).items[0].id == 4
    with pytest.raises(CursorError):
        paginate_keyset(session, select(Post), cursor=page.next_cursor, key=KEY)
    for empty in ("", [], [""]):
        with pytest.raises(ConfigError):
            paginate_keyset(session, select(Post), key=empty)


async def test_asynchronous_pages(db):
    async with db.asession() as session:
        page = await apaginate_keyset(session, select(Post).order_by(Post.name), per_page=4, key=KEY)
        after = await paginate_keyset(session, select(Post).order_by(Post.name), cursor=page.next_cursor, key=KEY)
        assert len(after) == 20
    await db.aclose()
