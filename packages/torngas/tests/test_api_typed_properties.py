"""For all values: what is sent arrives, what is wrong is refused, and nothing is a server error."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torngas.api import Body, Query, endpoint
from torngas.api._faults import faults_of
from torngas.application import Application
from torngas.handler import ApiHandler
from torngas.testing import Client
from torngas_router import path

QUICK = settings(max_examples=60, derandomize=True, deadline=None)
NUMBERS = st.integers(-(2**80), 2**80)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


class Inner(msgspec.Struct):
    number: Annotated[int, msgspec.Meta(ge=0)]
    names: list[str] = []


@dataclass
class Outer:
    inner: Inner
    more: dict[str, Inner] = field(default_factory=dict)
    either: int | list[Inner] | None = None


class Echo(ApiHandler):
    @endpoint()
    def get(
        self,
        number: int | None = None,
        text: str | None = None,
        texts: Annotated[list[str], Query()] = [],  # noqa: B006
        when: datetime.datetime | None = None,
        day: datetime.date | None = None,
        exact: Decimal | None = None,
        key: UUID | None = None,
        yes: bool | None = None,
    ) -> dict[str, Any]:
        return {name: value for name, value in locals().items() if name != "self" and value not in (None, [])}

    @endpoint()
    def post(self, body: Outer) -> Outer:
        return body

    @endpoint()
    def put(self, body: Annotated[Any, Body()]) -> dict[str, Any]:
        return {"body": body}


@pytest.fixture(scope="module")
def client():
    with Client(Application([path("/x", Echo)])) as made:
        yield made


@QUICK
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "number": NUMBERS,
            "text": TEXTS,
            "texts": st.lists(TEXTS, min_size=1, max_size=3),
            "when": st.datetimes(timezones=st.just(datetime.UTC)),
            "day": st.dates(),
            "exact": st.decimals(allow_nan=False, allow_infinity=False, places=3),
            "key": st.uuids(),
            "yes": st.booleans(),
        },
    )
)
def test_every_value_arrives_as_it_was_sent(client, sent):
    as_text = {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in sent.items()}
    response = client.get(f"/x?{urlencode(as_text, doseq=True)}")
    assert response.status_code == 200, response.text
    assert response.json() == json.loads(msgspec.json.encode(sent))


@QUICK
@given(st.dictionaries(st.sampled_from(["number", "when", "day", "exact", "key", "yes"]), TEXTS, max_size=4))
def test_any_text_is_taken_or_refused_with_its_name(client, sent):
    response = client.get(f"/x?{urlencode(sent)}")
    if response.status_code == 422:
        assert {one["name"] for one in response.json()["errors"]} <= sent.keys()
    else:
        assert response.status_code == 200


@QUICK
@given(JSON_VALUES)
def test_any_json_is_taken_or_refused_with_reasons(client, value):
    response = (
        client.post("/x", json=value)
        if value is not None
        else client.post("/x", data="null", headers={"Content-Type": "application/json"})
    )
    assert response.status_code in (200, 422)
    assert (response.status_code == 422) == bool(faults_of(value, Outer))
    if value is not None:
        assert client.put("/x", json=value).json() == {"body": json.loads(json.dumps(value))}


@QUICK
@given(st.binary(max_size=30))
def test_any_bytes_are_no_server_error(client, body):
    response = client.post("/x", data=body, headers={"Content-Type": "application/json"})
    assert response.status_code in (200, 400, 422)


@QUICK
@given(
    st.builds(lambda **made: made, inner=st.builds(lambda **made: made, number=st.integers(-2, 2)))
    | st.fixed_dictionaries({"inner": JSON_VALUES}, optional={"more": JSON_VALUES, "either": JSON_VALUES})
)
def test_faults_are_found_exactly_where_msgspec_refuses(value):
    try:
        msgspec.convert(value, Outer)
    except msgspec.ValidationError:
        assert faults_of(value, Outer)
    else:
        assert not faults_of(value, Outer)
