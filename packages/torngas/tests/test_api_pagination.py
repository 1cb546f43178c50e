"""Pages by number and by place, with the links of RFC 8288."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool

from torngas.api.pagination import PaginationMixin
from torngas.application import Application
from torngas.handler import ApiHandler
from torngas.testing import Client


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


@pytest.fixture(scope="module")
def engine():
    made = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    Base.metadata.create_all(made)
    with Session(made) as session:
        session.add_all(Item(id=number, name=f"item {number}") for number in range(1, 46))
        session.commit()
    yield made
    made.dispose()


@pytest.fixture
def client(engine):
    class Items(PaginationMixin, ApiHandler):
        max_per_page = 50

        def get(self):
            with Session(engine) as session:
                count = self.get_query_argument("count", "exact")
                page = self.paginate(session, select(Item).order_by(Item.id), count=count)
                self.write_api(self.page_body(page, [one.id for one in page]))

    class Places(PaginationMixin, ApiHandler):
        def get(self):
            with Session(engine) as session:
                page = self.paginate_keyset(session, select(Item).order_by(Item.id.desc()))
                self.write_api(self.page_body(page, [one.id for one in page]))

    class Empty(PaginationMixin, ApiHandler):
        def get(self):
            with Session(engine) as session:
                page = self.paginate(session, select(Item).where(Item.id < 0))
                self.write_api(self.page_body(page))

    class Listed(PaginationMixin, ApiHandler):
        def get(self):
            self.write_api(self.page_body(self.paginate_list(range(int(self.get_query_argument("size"))))))

    routes = [
        ("/listed", Listed),
        ("/items", Items),
        ("/places", Places),
        ("/empty", Empty),
        ("//evil.example/items", Items),
    ]
    with Client(Application(routes, cookie_secret="of the tests", places=Places)) as made:
        yield made


def links(answer):
    found = re.findall(r'<([^>]*)>; rel="(\w+)"', answer.headers.get("Link", ""))
    return {name: address for address, name in found}


def test_a_page_in_the_middle_has_all_links_and_the_total(client):
    answer = client.get("/items?page=2&per_page=10&colour=red&colour=blue")
    assert answer.json() == {"items": [*range(11, 21)], "per_page": 10, "page": 2, "pages": 5, "total": 45}
    assert answer.headers["X-Total-Count"] == "45"
    rest = "colour=red&colour=blue"
    assert links(answer) == {
        "first": f"/items?{rest}&page=1&per_page=10",
        "prev": f"/items?{rest}&page=1&per_page=10",
        "next": f"/items?{rest}&page=3&per_page=10",
        "last": f"/items?{rest}&page=5&per_page=10",
    }


def test_the_first_page_has_no_previous_and_the_last_no_next(client):
    assert links(client.get("/items")).keys() == {"first", "next", "last"}
    assert links(client.get("/items?page=3")).keys() == {"first", "prev", "last"}


def test_the_default_size_is_the_class_s(client):
    assert len(client.get("/items").json()["items"]) == 20


def test_without_a_count_there_is_no_total_and_no_last_page(client):
    answer = client.get("/items?count=none&page=2")
    assert answer.json() == {"items": [*range(21, 41)], "per_page": 20, "page": 2, "pages": None, "total": None}
    assert "X-Total-Count" not in answer.headers
    assert links(answer).keys() == {"first", "prev", "next"}


def test_an_empty_list_has_one_empty_page(client):
    answer = client.get("/empty")
    assert (answer.status_code, answer.json()["items"], answer.headers["X-Total-Count"]) == (200, [], "0")
    assert links(answer) == {"first": "/empty?page=1&per_page=20", "last": "/empty?page=1&per_page=20"}


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=x", "page"),
        ("page=1.0", "page"),
        ("page=", "page"),
        ("page=%D9%A3", "page"),
        ("page=99999999999999999999", "page"),
        ("page=1&page=2", "page"),
        ("per_page=0", "per_page"),
        ("per_page=51", "per_page"),
        ("per_page=all", "per_page"),
    ],
)
def test_what_is_no_page_is_a_400_that_says_so(client, query, name):
    answer = client.get("/items?" + query)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    (problem,) = answer.json()["errors"]
    assert (problem["in"], problem["name"]) == ("query", name)
    assert "expected" in problem["detail"]


def test_the_maximum_is_allowed_and_named(client):
    assert client.get("/items?per_page=50").status_code == 200
    assert "from 1 to 50" in client.get("/items?per_page=51").json()["detail"]


def test_a_page_beyond_the_last_is_a_404(client):
    answer = client.get("/items?page=4")
    assert (answer.status_code, answer.json()["detail"]) == (404, "there is no page 4 of 20 items each")


def test_a_list_in_memory_has_pages_too(client):
    answer = client.get("/listed?size=45&page=3")
    assert answer.json() == {"items": [*range(40, 45)], "per_page": 20, "page": 3, "pages": 3, "total": 45}
    assert links(answer).keys() == {"first", "prev", "last"}
    assert links(client.get("/listed?size=45")).keys() == {"first", "next", "last"}
    assert client.get("/listed?size=45&page=4").status_code == 404
    assert client.get("/listed?size=0").json()["items"] == []


def test_following_next_by_place_reads_everything_once_and_prev_leads_back(client):
    seen, address, pages = [], "/places?per_page=7", []
    while address:
        answer = client.get(address)
        seen += answer.json()["items"]
        pages.append(answer)
        address = links(answer).get("next")
    assert seen == [*range(45, 0, -1)]
    assert "prev" not in links(pages[0])
    assert client.get(links(pages[-1])["prev"]).json()["items"] == pages[-2].json()["items"]
    assert client.get(links(pages[-1])["first"]).json()["items"] == pages[0].json()["items"]
    assert parse_qs(urlsplit(links(pages[-1])["first"]).query) == {"per_page": ["7"]}


@pytest.mark.parametrize("cursor", ["x", "a.b", "e30.AAAA"])
def test_a_cursor_that_was_made_up_is_a_400(client, cursor):
    answer = client.get("/places", query={"cursor": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["name"]) == (400, "cursor")


def test_cursors_survive_a_restart_and_a_new_secret(client):
    """They are signed with a key that is derived from the setting, and older versions of it still count."""
    cursor = client.get("/places").json()["next"]

    def fresh(secret):
        return Client(Application([("/places", client.application.settings["places"])], cookie_secret=secret))

    with fresh("of the tests") as again, fresh({1: "of the tests", 2: "newer"}) as rotated, fresh("other") as other:
        query = {"cursor": cursor}
        assert again.get("/places", query=query).status_code == 200
        assert rotated.get("/places", query=query).status_code == 200
        assert other.get("/places", query=query).status_code == 400


async def test_with_an_asynchronous_session_they_are_awaited():
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncSession(engine) as session:
        session.add_all(Item(id=number, name="x") for number in range(1, 31))
        await session.commit()

    class Items(PaginationMixin, ApiHandler):
        async def get(self):
            async with AsyncSession(engine) as session:
                statement = select(Item).order_by(Item.id)
                if self.get_query_argument("by", "") == "place":
                    page = await self.paginate_keyset(session, statement)
                else:
                    page = await self.paginate(session, statement)
                self.write_api([one.id for one in page])

    async with Client(Application([("/", Items)], cookie_secret="x")) as client:
        answer = await client.aget("/?page=2")
        assert (answer.json(), answer.headers["X-Total-Count"]) == ([*range(21, 31)], "30")
        assert (await client.aget("/?page=3")).status_code == 404
        places = await client.aget("/?by=place")
        assert (await client.aget(links(places)["next"])).json() == [*range(21, 31)]
        assert (await client.aget("/?by=place&cursor=x")).status_code == 400
    await engine.dispose()


def test_links_stay_on_this_host_and_in_their_brackets(client):
    answer = client.get("//evil.example/items?x=%3E%22%0d%0a")
    for address in links(answer).values():
        assert address.startswith("/evil.example/items?")
    assert '>"' not in answer.headers["Link"].replace('>; rel="', "")


class _Request:
    def __init__(self, uri):
        self.uri = uri


@settings(deadline=None)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=30), st.text(max_size=20))
def test_no_address_and_no_argument_leave_the_link(path, value):
    class Alone(PaginationMixin):
        request = _Request("/" + path)

    address = Alone()._address({"cursor": value})
    assert address.startswith("/")
    assert not address.startswith("//")
    assert not set(address) & set('<>" \r\n')
    assert address.isascii()
    assert parse_qs(urlsplit(address).query, keep_blank_values=True)["cursor"] == [value]
