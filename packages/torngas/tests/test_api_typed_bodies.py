"""The JSON body and the result: read, refused and written by their types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Generic, TypedDict, TypeVar

import msgspec
import pytest

from torngas.api import Body, Problem, endpoint
from torngas.application import Application
from torngas.handler import ApiHandler
from torngas.testing import Client
from torngas_router import path

T = TypeVar("T")
JSON = {"Content-Type": "application/json"}


@dataclass
class Tag:
    name: str
    weight: int = 1


class Note(msgspec.Struct):
    title: Annotated[str, msgspec.Meta(min_length=1)]
    tags: list[Tag] = []
    by_name: dict[str, Tag] = {}
    when: datetime | None = None
    pair: tuple[int, str] | None = None


class Renamed(msgspec.Struct, rename="camel"):
    first_name: str
    last_name: str = ""


class Closed(msgspec.Struct, forbid_unknown_fields=True):
    a: int = 0


class Cat(msgspec.Struct, tag="cat"):
    lives: int


class Dog(msgspec.Struct, tag="dog"):
    name: str


class Point(TypedDict):
    x: int
    y: int


@dataclass
class Page(Generic[T]):
    items: list[T]
    total: int = 0


@dataclass
class Tree:
    name: str
    below: list[Tree] = field(default_factory=list)


@dataclass
class Even:
    number: int

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ValueError("the number must be even")


@contextmanager
def posting(kind: Any, returns: Any = Any, **options: Any) -> Iterator[Client]:
    """A client of a method that answers its body."""

    def post(self, body):
        return body

    post.__annotations__ = {"body": kind, "return": returns}
    handler = type("Made", (ApiHandler,), {"post": endpoint(**options)(post)})
    with Client(Application([path("/x", handler)])) as client:
        yield client


def faults(kind: Any, sent: Any, status: int = 422, **options: Any) -> list[tuple[str, str]]:
    with posting(kind, **options) as client:
        data = sent if isinstance(sent, bytes) else json.dumps(sent)
        response = client.post("/x", data=data, headers=JSON)
        assert response.status_code == status, response.text
        assert {one["in"] for one in response.json()["errors"]} == {"body"}
        return [(one.get("pointer", ""), one["detail"]) for one in response.json()["errors"]]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Note, {"title": "a", "tags": [{"name": "b", "weight": 1}], "by_name": {}, "when": None, "pair": [1, "x"]}),
        (Tag, {"name": "a", "weight": 3}),
        (Point, {"x": 1, "y": 2}),
        (Renamed, {"firstName": "a", "lastName": "b"}),
        (list[Tag], [{"name": "a", "weight": 3}]),
        (dict[str, int], {"a": 1}),
        (Cat | Dog, {"type": "dog", "name": "rex"}),
        (Tag | None, {"name": "a", "weight": 3}),
        (Page[Tag], {"items": [{"name": "a", "weight": 3}], "total": 1}),
        (Tree, {"name": "a", "below": [{"name": "b", "below": []}]}),
        (Annotated[int, Body()], 7),
        (Annotated[list[int], Body(max_length=3)], [1, 2]),
        (Annotated[Any, Body()], {"a": [1, None]}),
    ],
)
def test_models_of_all_kinds_go_in_and_out(kind, value):
    with posting(kind, kind) as client:
        response = client.post("/x", json=value)
        assert response.json() == value
        assert response.headers["Content-Type"] == "application/json"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_defaults_of_dataclasses_are_written_too():
    with posting(Note, Note) as client:
        assert client.post("/x", json={"title": "a", "tags": [{"name": "b"}]}).json()["tags"] == [
            {"name": "b", "weight": 1}
        ]
    with posting(Page[Tag], Page[Tag]) as client:
        assert client.post("/x", json={"items": [{"name": "b"}]}).json() == {
            "items": [{"name": "b", "weight": 1}],
            "total": 0,
        }
    by_name = {"title": "a", "by_name": {"k": {"name": "c"}}}
    with posting(list[Note], list[Note]) as client:
        assert client.post("/x", json=[by_name]).json()[0]["by_name"] == {"k": {"name": "c", "weight": 1}}


@pytest.mark.parametrize(
    ("kind", "sent", "expected"),
    [
        (
            Note,
            {"title": "", "tags": [{"name": 1}, {}, 3], "by_name": {"a/b~": {"name": None}}, "when": "now"},
            [
                ("/title", "Expected `str` of length >= 1"),
                ("/tags/0/name", "Expected `str`, got `int`"),
                ("/tags/1/name", "Required"),
                ("/tags/2", "Expected `object`, got `int`"),
                ("/by_name/a~1b~0/name", "Expected `str`, got `null`"),
                ("/when", "Invalid RFC3339 encoded datetime"),
            ],
        ),
        (Note, {}, [("/title", "Required")]),
        (Note, [], [("", "Expected `object`, got `array`")]),
        (Note, {"title": "a", "pair": ["x", 1]},
         [("/pair/0", "Expected `int`, got `str`"), ("/pair/1", "Expected `str`, got `int`")]),
        (Note, {"title": "a", "pair": [1]}, [("/pair", "Expected `array` of length 2, got 1")]),
        (Renamed, {"first_name": "a"}, [("/firstName", "Required")]),
        (Closed, {"a": 1, "b": 2, "c": 3}, [("/b", "Unknown field"), ("/c", "Unknown field")]),
        (list[Tag], [{"name": "a"}, {"name": 2}, {}],
         [("/1/name", "Expected `str`, got `int`"), ("/2/name", "Required")]),
        (Cat | Dog, {"type": "dog"}, [("/name", "Required")]),
        (Cat | Dog, {"type": "cow"}, [("/type", "Expected one of 'cat', 'dog'")]),
        (Page[Tag], {"items": [{}], "total": "x"},
         [("/items/0/name", "Required"), ("/total", "Expected `int`, got `str`")]),
        (Tree, {"name": "a", "below": [{"below": [{}]}]},
         [("/below/0/name", "Required"), ("/below/0/below/0/name", "Required")]),
        (Point, {"x": "1"}, [("/x", "Expected `int`, got `str`"), ("/y", "Required")]),
        (Even, {"number": 3}, [("", "the number must be even")]),
        (Annotated[list[int], Body(max_length=2)], [1, 2, 3], [("", "Expected `array` of length <= 2")]),
    ],
)  # fmt: skip
def test_every_mistake_of_a_body_is_told_with_its_place(kind, sent, expected):
    assert sorted(faults(kind, sent)) == sorted(expected)


def test_at_most_a_hundred_mistakes_are_told():
    assert len(faults(list[Tag], [{}] * 1000)) == 100


def test_values_are_not_repeated():
    secret = "hunter2-" + "x" * 1000
    found = faults(Note, {"title": 3, "tags": [{"name": {"password": secret}}], "when": secret})
    assert secret[:9] not in json.dumps(found)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"{", "Not JSON: Input data was truncated"),
        (b"{'a': 1}", "Not JSON: JSON is malformed: object keys must be strings (byte 1)"),
        (b'{"title": "a"} x', "Not JSON: JSON is malformed: trailing characters (byte 16)"),
        (b'"\xff"', "Not JSON: the text is not UTF-8"),
        (b"[" * 100_000, "Nested too deeply"),
        (b'{"title": 3, "x"', "Not JSON: Input data was truncated"),
    ],
)
def test_what_is_no_json_is_malformed(body, detail):
    assert faults(Annotated[Any, Body()] if body[:1] == b"[" else Note, body, 400) == [("", detail)]


def test_a_number_out_of_range_is_a_mistake():
    assert faults(dict[str, Any], b'{"a": 1e999}') == [("", "Number out of range")]


def test_a_missing_body_is_an_error_or_the_default():
    assert faults(Note, b"") == [("", "Required")]

    class Handler(ApiHandler):
        @endpoint()
        def post(self, body: Tag | None, n: int = 0) -> dict[str, Any]:
            return {"body": body}

        @endpoint()
        def put(self, body: Tag = Tag("x")) -> Tag:  # noqa: B008
            return body

    with Client(Application([path("/x", Handler)])) as client:
        assert client.post("/x").json() == {"body": None}
        assert client.post("/x", data="null", headers=JSON).json() == {"body": None}
        assert client.put("/x", data="").json() == {"name": "x", "weight": 1}


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("application/vnd.notes+json", 200),
        ("application/problem+json; x=y", 200),
        ("text/plain", 415),
        ("text/json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
def test_only_json_is_taken(kind, status):
    """A form of another site cannot send a JSON content type without asking first, so no other is taken."""
    with posting(Tag) as client:
        response = client.post("/x", data=b'{"name": "a"}', headers={"Content-Type": kind})
        assert response.status_code == status
        if status == 415:
            assert response.json()["errors"][0]["detail"] == "Expected the content type application/json"


def test_unknown_fields_are_refused_on_demand_at_every_depth():
    sent = {"title": "a", "z": 1, "tags": [{"name": "b", "y": 2}], "by_name": {"k": {"name": "c", "x": 3}}}
    with posting(Note) as client:
        assert client.post("/x", json=sent).status_code == 200
    assert sorted(faults(Note, sent, forbid_unknown=True)) == [
        ("/by_name/k/x", "Unknown field"),
        ("/tags/0/y", "Unknown field"),
        ("/z", "Unknown field"),
    ]
    assert faults(Point, {"x": 1, "y": 2, "z": 3}, forbid_unknown=True) == [("/z", "Unknown field")]
    with posting(Cat | Dog, forbid_unknown=True) as client:
        assert client.post("/x", json={"type": "cat", "lives": 9}).status_code == 200


def test_mistakes_of_body_and_arguments_come_together():
    class Handler(ApiHandler):
        @endpoint()
        def post(self, number: int, body: Tag) -> None: ...

    with Client(Application([path("/x", Handler)])) as client:
        found = client.post("/x", json={}).json()["errors"]
        assert [(one["in"], one["name"], one["detail"]) for one in found] == [
            ("query", "number", "Required"),
            ("body", "body", "Required"),
        ]
        mixed = client.post("/x", data=b"{", headers=JSON)
        assert (mixed.status_code, len(mixed.json()["errors"])) == (400, 2)


class Private(Tag):
    password: str = "secret"


class Row:
    """As an ORM's: no dataclass."""

    name = "row"
    weight = 5
    password = "secret"


@pytest.mark.parametrize(
    "result", [{"name": "row", "weight": 5, "password": "secret"}, Row(), Tag("row", 5), Private("row", 5)]
)
def test_a_result_becomes_its_declared_type_and_nothing_more(result):
    class Handler(ApiHandler):
        @endpoint()
        def get(self) -> Tag:
            return result

        @endpoint()
        def post(self) -> list[Tag]:
            return [result]

    with Client(Application([path("/x", Handler)])) as client:
        assert client.get("/x").json() == {"name": "row", "weight": 5}
        assert client.post("/x").json() == [{"name": "row", "weight": 5}]


def test_a_result_that_does_not_fit_is_an_error_of_the_server(caplog):
    class Handler(ApiHandler):
        @endpoint()
        async def get(self) -> Tag:
            return {"nome": "a"}

    with Client(Application([path("/x", Handler)])) as client:
        response = client.get("/x")
        assert (response.status_code, response.headers["Content-Type"]) == (500, "application/problem+json")
        assert "nome" not in response.text
    assert "get: got a dict; expected what becomes" in caplog.text


class Answers(ApiHandler):
    @endpoint()
    def get(self, how: str) -> None:
        if how == "status":
            self.set_status(202)
        elif how != "nothing":
            self.write(how)

    @endpoint(status=201)
    async def post(self, status: int | None = None) -> Tag | None:
        self.set_header("Location", "/x/7")
        if status:
            self.set_status(status)
        return None if status == 200 else Tag("a")

    @endpoint()
    def put(self, twice: bool = False):
        self.write_api({"a": 1})
        return {"b": 2} if twice else None

    @endpoint()
    def delete(self) -> bytes:
        self.set_header("Content-Type", "image/png")
        return b"png"

    @endpoint()
    def patch(self) -> list[int]:
        self.set_header("Content-Type", "application/vnd.numbers+json")
        return [1]


@pytest.fixture(scope="module")
def answers():
    with Client(Application([path("/x", Answers)])) as client:
        yield client


def test_none_is_no_content_unless_the_method_answered(answers):
    assert [answers.get(f"/x?how={how}").status_code for how in ("nothing", "status", "text")] == [204, 202, 200]
    assert "Content-Type" not in answers.get("/x?how=nothing").headers
    assert answers.get("/x?how=text").text == "text"


def test_status_and_headers(answers):
    created = answers.post("/x")
    assert (created.status_code, created.headers["Location"]) == (201, "/x/7")
    assert answers.post("/x?status=202").status_code == 202
    assert answers.post("/x?status=200").text == "null"


def test_a_method_may_write_or_return_but_not_both(answers, caplog):
    assert answers.put("/x").json() == {"a": 1}
    response = answers.put("/x?twice=true")
    assert response.status_code == 500
    assert response.json()["title"] == "Internal Server Error"
    assert "got a result, dict, after the response was written" in caplog.text


def test_bytes_and_own_content_types(answers):
    picture = answers.delete("/x")
    assert (picture.body, picture.headers["Content-Type"]) == (b"png", "image/png")
    assert answers.patch("/x").headers["Content-Type"] == "application/vnd.numbers+json"


def test_a_problem_can_be_raised_by_hand():
    class Handler(ApiHandler):
        @endpoint()
        def get(self) -> Tag:
            raise Problem(409, "It was changed.", type="/problems/conflict", version=4)

    with Client(Application([path("/x", Handler)])) as client:
        assert client.get("/x").json() == {
            "type": "/problems/conflict", "title": "Conflict", "status": 409, "detail": "It was changed.", "version": 4,
        }  # fmt: skip
