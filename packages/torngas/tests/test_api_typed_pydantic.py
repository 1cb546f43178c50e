"""Models of pydantic, where it is installed: bodies, arguments, results, schemas."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated, Any

import pytest

from torngas.api import OpenAPI, Query, endpoint
from torngas.application import Application
from torngas.handler import ApiHandler
from torngas.testing import Client
from torngas_router import path

pydantic = pytest.importorskip("pydantic")
JSON = {"Content-Type": "application/json"}


class Tag(pydantic.BaseModel):
    name: str = pydantic.Field(min_length=1, alias="tag-name")


class Note(pydantic.BaseModel):
    title: str
    tags: list[Tag] = []
    stars: int = pydantic.Field(default=0, le=5)

    @pydantic.field_validator("title")
    @classmethod
    def no_shouting(cls, value: str) -> str:
        if value.isupper():
            raise ValueError("do not shout")
        return value


class Filters(pydantic.BaseModel):
    text: str | None = None
    page: int = pydantic.Field(1, ge=1)
    ids: list[int] = []


@dataclasses.dataclass
class Plain:
    a: int


class Row:
    title, tags, stars, password = "row", (), 1, "secret"


class Notes(ApiHandler):
    @endpoint()
    def get(self, filters: Annotated[Filters, Query()], q: int = 0) -> Filters:
        return filters

    @endpoint()
    async def post(self, body: Note) -> Note:
        return body

    @endpoint(forbid_unknown=True)
    def put(self, body: list[Note]) -> dict[str, Note]:
        return {one.title: one for one in body}

    @endpoint()
    def patch(self) -> Note:
        return Row()

    @endpoint()
    def delete(self) -> Note:
        return {"stars": "many"}


@pytest.fixture(scope="module")
def client():
    with Client(Application([path("/x", Notes)])) as made:
        yield made


def errors(response: Any, status: int = 422) -> list[tuple[str, str, str]]:
    assert response.status_code == status
    return [(one["in"], one["name"], one.get("pointer", "")) for one in response.json()["errors"]]


def test_bodies_and_results(client):
    sent = {"title": "a", "tags": [{"tag-name": "b"}], "stars": 3}
    assert client.post("/x", json=sent).json() == sent
    assert client.put("/x", json=[sent]).json() == {"a": sent}
    assert client.patch("/x").json() == {"title": "row", "tags": [], "stars": 1}


def test_every_mistake_is_told_without_its_value(client):
    response = client.post("/x", json={"title": "SECRET", "tags": [{"tag-name": ""}, {}], "stars": 9})
    assert errors(response) == [
        ("body", "body", "/title"),
        ("body", "body", "/tags/0/tag-name"),
        ("body", "body", "/tags/1/tag-name"),
        ("body", "body", "/stars"),
    ]
    assert "SECRET" not in response.text
    assert "do not shout" in response.text
    assert response.json()["errors"][2]["detail"] == "Required"


def test_malformed_missing_and_unknown(client):
    assert errors(client.post("/x", data=b"{", headers=JSON), 400) == [("body", "body", "")]
    assert errors(client.post("/x", data=b"")) == [("body", "body", "")]
    assert errors(client.post("/x", data=b"a=1"), 415) == [("body", "body", "")]
    assert errors(client.put("/x", json=[{"title": "a", "color": "red"}])) == [("body", "body", "/0/color")]


def test_a_model_of_query_arguments(client):
    assert client.get("/x?page=2&ids=1&ids=2").json() == {"text": None, "page": 2, "ids": [1, 2]}
    assert errors(client.get("/x?page=0&ids=1&ids=x&q=y")) == [
        ("query", "page", ""),
        ("query", "ids", "/1"),
        ("query", "q", ""),
    ]


def test_a_result_that_does_not_fit_is_an_error_of_the_server(client):
    response = client.delete("/x")
    assert response.status_code == 500
    assert "many" not in response.text


def test_the_document_has_its_schemas(client):
    document = OpenAPI(client.application)
    validator = pytest.importorskip("openapi_spec_validator")
    validator.validate(json.loads(json.dumps(document)))
    schemas = document["components"]["schemas"]
    assert schemas["Tag"]["required"] == ["tag-name"]
    assert schemas["Note.closed"]["additionalProperties"] is False
    parameters = {one["name"]: one["schema"] for one in document["paths"]["/x"]["get"]["parameters"]}
    assert parameters["page"] == {"default": 1, "minimum": 1, "title": "Page", "type": "integer"}
    assert parameters["text"]["type"] == "string"


def test_names_that_both_libraries_use_stay_apart():
    def get(self, body: Any) -> Any: ...

    other = dataclasses.make_dataclass("Tag", [("other", int)])
    get.__annotations__ = {"body": other, "return": Tag}
    document = OpenAPI(Application([path("/x", type("Made", (ApiHandler,), {"post": endpoint()(get)}))]))
    assert document["components"]["schemas"].keys() >= {"Tag", "pydantic.Tag"}
