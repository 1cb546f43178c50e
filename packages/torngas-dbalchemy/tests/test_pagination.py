"""Pages by number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import String, event, func, select
from sqlalchemy.orm import Mapped, Query, aliased, joinedload, mapped_column, relationship, with_loader_criteria
from sqlalchemy.schema import ForeignKey

from torngas_dbalchemy import (
    AsyncPagination,
    Database,
    DBAlchemyError,
    Model,
    PageNotFound,
    Pagination,
    apaginate,
    paginate,
)


class Row(Model):
    __tablename__ = "page_row"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20))
    tags: Mapped[list[Tag]] = relationship()


class Tag(Model):
    __tablename__ = "page_tag"
    id: Mapped[int] = mapped_column(primary_key=True)
    row_id: Mapped[int] = mapped_column(ForeignKey("page_row.id"))


class Animal(Model):
    __tablename__ = "page_animal"
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "animal"}
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))


class Dog(Animal):
    __mapper_args__ = {"polymorphic_identity": "dog"}


@pytest.fixture
def db(tmp_path):
    """25 rows."""
    database = Database(f"sqlite:///{tmp_path / 'pages.db'}")
    database.create_db()
    with database.begin() as session:
        session.add_all(Row(id=number, name=f"n{number % 5}") for number in range(1, 26))
    yield database
    database.remove()
    database.connector.close()


@pytest.fixture
def session(db):
    with db.session() as found:
        yield found


ORDERED = select(Row).order_by(Row.id)


def _ids(page):
    return [row.id for row in page]


def test_a_page_in_the_middle(session):
    page = paginate(session, ORDERED, page=2, per_page=10)
    assert _ids(page) == list(range(11, 21))
    assert (page.page, page.per_page, page.total, page.pages, len(page)) == (2, 10, 25, 3, 10)
    assert (page.has_prev, page.prev_num, page.has_next, page.next_num) == (True, 1, True, 3)
    assert (page.first, page.last) == (11, 20)


def test_the_ends(session):
    first, last = (paginate(session, ORDERED, page=number, per_page=10) for number in (1, 3))
    assert (first.has_prev, first.prev_num) == (False, None)
    assert (last.has_next, last.next_num, _ids(last)) == (False, None, [21, 22, 23, 24, 25])
    assert _ids(first.next()) == _ids(last.prev()) == list(range(11, 21))
    with pytest.raises(PageNotFound):
        last.next(error_out=True)


def test_defaults_and_the_other_order_of_arguments(session):
    """20 per page; session and statement come either way, by position or by name."""
    for page in (
        paginate(session, ORDERED),
        paginate(ORDERED, session=session),
        paginate(select=ORDERED, session=session),
        paginate(session, ORDERED, 1, 20),
    ):
        assert (page.page, page.per_page, len(page.items)) == (1, 20, 20)
    for wrong in (
        (ORDERED,),
        (ORDERED, ORDERED),
        ("session", ORDERED),
        (session, "SELECT 1"),
        (session, ORDERED, 1, 2, 3),
    ):
        with pytest.raises(TypeError, match="expected a session"):
            paginate(*wrong)


def test_numeric_strings(session):
    page = paginate(session, ORDERED, page="2", per_page="7")
    assert (page.page, page.per_page) == (2, 7)


@pytest.mark.parametrize("page", ["x", "", "1.5", 0, -1, "0", "-3", 4, "9" * 30, "²", True, 1.5])
def test_a_wrong_page_is_not_found(session, page):
    """Garbage, below 1, or empty behind the first."""
    with pytest.raises(PageNotFound) as caught:
        paginate(session, ORDERED, page=page, per_page=10)
    assert caught.value.status_code == 404
    assert isinstance(caught.value, LookupError)
    assert isinstance(caught.value, DBAlchemyError)
    assert paginate(session, ORDERED, page=page, per_page=10, default="none") == "none"


@pytest.mark.parametrize(("page", "got"), [("x", 1), (0, 1), (-5, 1), (99, 3), ("2", 2)])
def test_without_error_out_the_nearest_page(session, page, got):
    assert paginate(session, ORDERED, page=page, per_page=10, error_out=False).page == got


@pytest.mark.parametrize(("per_page", "got"), [("x", 20), (0, 20), (-5, 20), (1000, 25), (5, 5)])
def test_without_error_out_a_sane_size(session, per_page, got):
    assert paginate(session, ORDERED, per_page=per_page, max_per_page=25, error_out=False).per_page == got


def test_a_wrong_size_is_not_found_and_a_large_one_is_cut(session):
    with pytest.raises(PageNotFound, match="per_page"):
        paginate(session, ORDERED, per_page=0)
    assert paginate(session, ORDERED, per_page=10**6).per_page == 100
    assert paginate(session, ORDERED, per_page=10**6, max_per_page=None).per_page == 10**6


def test_an_empty_table_has_an_empty_first_page(session):
    page = paginate(session, ORDERED.where(Row.id < 0))
    assert (page.items, page.total, page.pages, page.first, page.last) == ([], 0, 0, 0, 0)
    assert page
    assert list(page.iter_pages()) == []


@pytest.mark.parametrize("count", [False, "none"])
def test_without_a_count_nothing_is_counted(db, session, count):
    """One row more tells whether there is a next page."""
    statements = []
    event.listen(db.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    page = paginate(session, ORDERED, page=2, per_page=10, count=count)
    assert (page.total, page.pages, page.has_next, page.next_num, len(page)) == (None, 0, True, 3, 10)
    assert not paginate(session, ORDERED, page=3, per_page=10, count=count).has_next
    assert len(statements) == 2


def test_an_unknown_count_is_refused(session):
    with pytest.raises(ValueError, match="got 'some'"):
        paginate(session, ORDERED, count="some")


def test_estimates(connector, cluster):
    """The planner's number on servers that have one, the exact one elsewhere."""
    with connector.get_conn().begin() as session:
        session.add_all(Row(id=number, name="n") for number in range(1, 201))
    cluster.catch_up()
    if cluster.name != "sqlite":
        cluster.ask("primary", "ANALYZE page_row" if cluster.name == "postgres" else "ANALYZE TABLE page_row")
        cluster.catch_up()
    with connector.get_conn().session() as session:
        page = paginate(session, ORDERED, page=2, per_page=10, count="estimate")
        assert 100 <= page.total <= 400
        assert page.has_next
        assert 100 <= session.query(Row).order_by(Row.id).paginate(2, 10, count="estimate").total <= 400
        assert paginate(session, ORDERED.where(Row.id < 0), count="estimate").total == 0
        last = paginate(session, ORDERED, page=20, per_page=10, count="estimate")
        assert last.total >= 200, "never less than what was seen"


def test_pages_on_every_database(connector, cluster):
    with connector.get_conn().begin() as session:
        session.add_all(Row(id=number, name=f"n{number % 5}") for number in range(1, 26))
    cluster.catch_up()
    with connector.scope():
        page = Row.Q.order_by(Row.id).paginate(3, 10)
        assert (_ids(page), page.total) == ([21, 22, 23, 24, 25], 25)
        assert paginate(Row.session, select(Row.name, func.count()).group_by(Row.name), per_page=2).total == 5
        assert paginate(Row.session, select(Row.name).distinct().order_by(Row.name), per_page=2).total == 5


def test_rows_of_several_columns_keep_their_names(session):
    page = paginate(session, select(Row.id, Row.name).order_by(Row.id), per_page=2)
    assert page.items[0].name == "n1"
    assert paginate(session, select(Row.id).order_by(Row.id), per_page=2).items == [1, 2]
    assert paginate(session, select(Row.__table__.c.id), per_page=2, page=2).total == 25


def test_joined_collections_are_counted_once(session):
    session.add_all(Tag(row_id=1) for _ in range(3))
    session.flush()
    page = paginate(session, ORDERED.options(joinedload(Row.tags)), per_page=2)
    assert (_ids(page), page.total, len(page.items[0].tags)) == ([1, 2], 25, 3)
    joined = select(Row).join(Row.tags).order_by(Row.id)
    assert paginate(session, joined.distinct(), per_page=2).total == 1


def test_limited_statements_count_their_window(session):
    assert paginate(session, select(Row).limit(1000), page=1, per_page=5).total == 25
    inner = select(Row.id).where(Row.id <= 12)
    assert paginate(session, select(Row).where(Row.id.in_(inner)).order_by(Row.id), page=2, per_page=5).total == 12


OTHER = aliased(Row)
COUNTED = {
    "all": (ORDERED, 25),
    "conditions": (ORDERED.where(Row.id > 3).where(Row.id <= 20), 17),
    "filter_by": (ORDERED.filter_by(name="n1"), 5),
    "an alias": (select(OTHER).where(OTHER.id > 5).order_by(OTHER.id), 20),
    "a subclass in its parent's table": (select(Dog).order_by(Dog.id), 4),
    "the parent": (select(Animal).order_by(Animal.id), 10),
    "an option's criteria": (ORDERED.options(with_loader_criteria(Row, Row.id <= 8)), 8),
    "another table in the conditions": (ORDERED.where(Row.id == Animal.id), 10),
    "exists": (ORDERED.where(select(Animal.id).where(Animal.id == Row.id).exists()), 10),
    "a column": (select(Row.id).order_by(Row.id), 25),
    "a function": (select(func.lower(Row.name)).order_by(Row.id), 25),
    "a join": (select(Row).join(Animal, Animal.id == Row.id).order_by(Row.id), 10),
    "execution options": (ORDERED.execution_options(yield_per=2), 25),
}


@pytest.mark.parametrize("case", COUNTED)
def test_totals_are_those_of_the_rows(session, case):
    """Whatever the statement is, its total is the number of rows that it has without a page."""
    session.add_all([*(Animal() for _ in range(6)), *(Dog() for _ in range(4))])
    session.flush()
    statement, expected = COUNTED[case]
    assert len(session.execute(statement).all()) == expected
    for number in (1, 2):
        page = paginate(session, statement, page=number, per_page=2)
        assert (page.total, len(page)) == (expected, 2)


@pytest.mark.parametrize("page", [1, 2, 3])
def test_equal_numbers_do_not_mix(session, page):
    """Where limit and offset are the same number, and where they were before in another place."""
    for size in (5, 10):
        found = paginate(session, ORDERED, page=page, per_page=size)
        assert _ids(found) == list(range(1, 26))[(page - 1) * size : page * size]
        assert _ids(session.query(Row).order_by(Row.id).limit(size).offset((page - 1) * size)) == _ids(found)
    assert session.query(Row).limit(None).offset(None).count() == 25


def _statements(database):
    found = []
    event.listen(database.engine, "before_cursor_execute", lambda *arguments: found.append(arguments[2]))
    return found


def test_a_plain_count_has_no_subquery(db, session):
    """`SELECT count(*) FROM table WHERE …`, as a person would write it, for statements and queries."""
    statements = _statements(db)
    paginate(session, ORDERED.where(Row.id > 2), per_page=3)
    session.query(Row).filter(Row.id > 2).order_by(Row.id).paginate(1, 3)
    counts = {" ".join(one.split()) for one in statements if "count" in one}
    assert counts == {"SELECT count(*) AS count_1 FROM page_row WHERE page_row.id > ?"}


def test_listeners_see_both_statements_of_a_page(session):
    """A rule that somebody adds to every statement of a session holds for the total too."""

    @event.listens_for(session, "do_orm_execute")
    def only_few(state):
        state.statement = state.statement.options(with_loader_criteria(Row, Row.id <= 12))

    page = paginate(session, ORDERED, page=2, per_page=5)
    assert (_ids(page), page.total) == ([6, 7, 8, 9, 10], 12)
    assert session.query(Row).order_by(Row.id).paginate(2, 5).total == 12


def test_listeners_of_queries_are_heard_by_the_total(session):
    def only_few(query):
        return query.filter(Row.id <= 12)

    event.listen(Query, "before_compile", only_few, retval=True)
    try:
        page = session.query(Row).enable_assertions(False).order_by(Row.id).paginate(1, 5)
    finally:
        event.remove(Query, "before_compile", only_few)
    assert page.total == 12


@pytest.mark.promise(26)
def test_promise_26_a_page_is_of_one_server(connector, cluster, log):
    """Items and total of a page are read from the same server, the replica or, if asked for, the primary."""
    with connector.get_conn().begin() as session:
        session.add_all(Row(id=number, name="n") for number in range(1, 26))
    cluster.catch_up()
    pages = {
        "replica": [
            lambda: paginate(Row.session, ORDERED, per_page=5),
            lambda: Row.Q.order_by(Row.id).paginate(1, 5),
            lambda: Row.Q.filter(Row.id.in_(select(Row.id))).paginate(1, 5),
            lambda: paginate(Row.session, select(Row.name).distinct(), per_page=1, error_out=False),
        ],
        "primary": [
            lambda: paginate(Row.session.using_master, ORDERED, per_page=5),
            lambda: paginate(Row.session, ORDERED.with_for_update(), per_page=5),
            lambda: Row.session.using_master().query(Row).order_by(Row.id).paginate(1, 5),
            lambda: paginate(Row.session, ORDERED.execution_options(torngas_primary=True), per_page=5),
        ],
    }
    for role, asked in pages.items():
        for ask in asked:
            log.entries.clear()
            with connector.scope():
                assert ask().total in (1, 25)
            assert set(log.roles) == {role}
            assert len(log.roles) == 2


def test_query_paginate_answers_default_out_of_range(db):
    """As documented for `Model.Q`: no exception, the default."""
    query = Row.Q.order_by(Row.id)
    for page, size in ((0, 10), (-1, 10), (4, 10), ("x", 10), (1, 0), (1, "x")):
        assert query.paginate(page, size, default="nothing") == "nothing"
        assert query.paginate(page=page, per_page=size) is None
    assert query.paginate(99, 10, clamp=True).page == 3
    with pytest.raises(PageNotFound):
        query.paginate(99, 10, error_out=True)
    assert query.paginate(page=1, per_page=10, default=None).total == 25
    assert len(query.paginate(1, 500).items) == 25
    assert query.paginate(1, 500, max_per_page=5).per_page == 5
    empty = Row.Q.filter(Row.id < 0).paginate(1, 10)
    assert (empty.items, empty.total) == ([], 0)
    assert _ids(query.paginate(1, 10).next()) == list(range(11, 21))
    assert Row.Q.filter_by(name="n1").paginate(2, 2).total == 5
    assert Row.Q.limit(7).paginate(1, 5).items


def test_iter_pages_marks_gaps_with_none(session):
    page = paginate(session, ORDERED, page=10, per_page=1)
    assert list(page.iter_pages()) == [1, 2, None, 8, 9, 10, 11, 12, 13, 14, None, 24, 25]
    assert list(page.iter_pages(left_edge=0, left_current=0, right_current=0, right_edge=0)) == [None, 10]


class _List(Pagination):
    def _query_items(self):
        return self._query_args["items"][self._query_offset :][: self._query_limit]

    def _query_count(self):
        return len(self._query_args["items"])


@given(
    st.lists(st.integers(), max_size=40),
    st.integers(1, 12),
    st.integers(1, 9),
    st.sampled_from(["exact", "none"]),
)
def test_pages_are_slices(items, page, size, count):
    """Whatever the sizes, a page is that slice, and its links are right."""
    expected = items[(page - 1) * size : page * size]
    if not expected and page > 1:
        with pytest.raises(PageNotFound):
            _List(page, size, count=count, items=items)
        return
    found = _List(page, size, count=count, items=items)
    assert found.items == expected
    assert found.has_next == (len(items) > page * size)
    if count == "exact":
        assert found.total == len(items)
        shown = [number for number in found.iter_pages() if number is not None]
        assert shown == sorted(set(shown))
        assert not items or page in shown


async def test_asynchronous_pages(db):
    """The same with awaits."""
    async with db.asession() as session:
        page = await apaginate(session, ORDERED, page=2, per_page=10)
        assert isinstance(page, AsyncPagination)
        assert (_ids(page), page.total) == (list(range(11, 21)), 25)
        assert _ids(await page.next()) == [21, 22, 23, 24, 25]
        assert (await page.prev()).page == 1
        assert (await paginate(session, ORDERED)).total == 25
        assert await paginate(session, ORDERED, page="x", default=1) == 1
        with pytest.raises(PageNotFound):
            await apaginate(session, ORDERED, page=9)
    assert (await Row.apaginate(1, per_page=3)).total == 25
    await db.connector.aclose()
