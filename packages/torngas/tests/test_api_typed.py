"""Typed parameters: where they come from, what they are converted to, and all that is wrong with them."""

from __future__ import annotations

import enum
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, TypedDict
from uuid import UUID

import msgspec
import pytest
from tornado.web import Application as TornadoApplication
from tornado.web import RequestHandler

from torngas.api import Cookie, Form, Header, Path, Query, endpoint
from torngas.application import Application
from torngas.decorators.async_execute import async_execute
from torngas.exception import ArgumentError
from torngas.handler import ApiHandler
from torngas.testing import Client
from torngas_router import Url, path

MANY = "a" * 300


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Filters(msgspec.Struct):
    text: str = ""
    tags: list[int] = []
    limit: Annotated[int, msgspec.Meta(le=10)] = 5


@dataclass
class Paging:
    page: int
    per_page: int = 20
    order: list[str] = field(default_factory=list)


class Client7(TypedDict, total=False):
    user_agent: str
    x_version: int


@contextmanager
def serving(handler: type[RequestHandler], pattern: str = "/x") -> Iterator[Client]:
    with Client(Application([path(pattern, handler)]), close_application=True) as client:
        yield client


def handler_of(method: Any) -> type[ApiHandler]:
    return type("Made", (ApiHandler,), {"get": method, "post": method})


def returned(method: Any, url: str = "/x", pattern: str = "/x", **options: Any) -> Any:
    """What the typed method got, if it returns its `locals()` without self."""
    with serving(handler_of(method), pattern) as client:
        response = client.get(url, **options)
        assert response.status_code == 200, response.text
        return response.json()


def errors(method: Any, url: str = "/x", pattern: str = "/x", **options: Any) -> list[tuple[Any, ...]]:
    with serving(handler_of(method), pattern) as client:
        response = client.get(url, **options)
        assert response.headers["Content-Type"] == "application/problem+json"
        problem = response.json()
        assert problem["status"] == response.status_code
        return [
            (response.status_code, one["in"], one["name"], one.get("pointer", ""), one["detail"])
            for one in problem["errors"]
        ]


@pytest.mark.parametrize(
    ("kind", "sent", "got"),
    [
        (int, "-7", -7),
        (int, "1" * 30, int("1" * 30)),
        (float, "1.5", 1.5),
        (bool, "true", True),
        (bool, "0", False),
        (str, "7", "7"),
        (str, "", ""),
        (str, "%C3%A4+b", "ä b"),
        (Decimal, "1.50", "1.50"),
        (UUID, "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000001"),
        (date, "2026-02-28", "2026-02-28"),
        (time, "12:30:00", "12:30:00"),
        (datetime, "2026-02-28T01:02:03Z", "2026-02-28T01:02:03Z"),
        (timedelta, "PT90S", "PT90S"),
        (Color, "red", "red"),
        (Level, "2", 2),
        (Literal["a", "b"], "b", "b"),
        (Literal[1, 2], "2", 2),
        (int | None, "3", 3),
        (int | str, "3", "3"),  # text is what fits best
        (list[int], "3", [3]),
        (set[str], "3", ["3"]),
        (tuple[int, ...], "3", [3]),
        (list[int] | None, "3", [3]),
        (Annotated[str, msgspec.Meta(max_length=1)], "3", "3"),
        (Any, "3", "3"),
    ],
)
def test_query_arguments_are_converted(kind, sent, got):
    assert returned(_typed(kind), f"/x?value={sent}") == got


def _typed(kind: Any, **defaults: Any) -> Any:
    """A method with one parameter, `value`, of this type."""

    def get(self, value):
        return value

    if "default" in defaults:
        get.__defaults__ = (defaults["default"],)
    get.__annotations__ = {"value": kind, "return": Any}
    return endpoint()(get)


@pytest.mark.parametrize(
    ("kind", "sent", "detail"),
    [
        (int, "x", "Expected `int`"),
        (int, "", "Expected `int`"),
        (int, "1.5", "Expected `int`"),
        (int | None, "null", "Expected `int`"),
        (bool, "yes", "Expected `bool`"),
        (date, "5", "Invalid RFC3339 encoded date"),
        (datetime, "5", "Invalid RFC3339 encoded datetime"),
        (UUID, "5", "Invalid UUID"),
        (Color, "<b>", "Expected one of 'red', 'blue'"),
        (Literal["a", "b"], "c", "Expected one of 'a', 'b'"),
        (Annotated[int, Query(ge=3)], "2", "Expected `int` >= 3"),
        (Annotated[int, Query(gt=3)], "3", "Expected `int` >= 4"),
        (Annotated[int, Query(le=3)], "4", "Expected `int` <= 3"),
        (Annotated[int, Query(lt=3)], "3", "Expected `int` <= 2"),
        (Annotated[int, Query(multiple_of=3)], "4", "Expected `int` that's a multiple of 3"),
        (Annotated[str, Query(min_length=2)], "a", "Expected `str` of length >= 2"),
        (Annotated[str, Query(max_length=2)], "abc", "Expected `str` of length <= 2"),
        (Annotated[str, Query(pattern="^a$")], "b", "Expected `str` matching regex '^a$'"),
        (Annotated[int | None, Query(ge=3)], "2", "Expected `int` >= 3"),
        (Annotated[int, msgspec.Meta(ge=3)] | None, "2", "Expected `int` >= 3"),
        (Annotated[list[int], Query(max_length=1)], "1&value=2", "Expected `array` of length <= 1"),
    ],
)
def test_what_does_not_fit_is_told_without_its_value(kind, sent, detail):
    assert errors(_typed(kind), f"/x?value={sent}") == [(422, "query", "value", "", detail)]


def test_of_a_repeated_argument_the_last_counts_and_a_list_gets_all():
    @endpoint()
    def get(self, one: int, all: list[int], none: list[int] | None = None) -> Any:
        return [one, all, none]

    assert returned(get, "/x?one=1&one=2&all=1&all=2") == [2, [1, 2], None]


def test_a_wrong_item_of_a_list_is_pointed_at():
    assert errors(_typed(list[int]), "/x?value=1&value=x&value=y") == [
        (422, "query", "value", "/1", "Expected `int`"),
        (422, "query", "value", "/2", "Expected `int`"),
    ]


def test_absence_is_the_default_or_none_or_an_error():
    mutable = [1]

    @endpoint()
    def get(
        self, a: int = 3, b: int | None = None, c: int | None = 4, d: str | None = "x", e: list[int] = mutable
    ) -> Any:
        assert e is mutable
        return [a, b, c, d]

    assert returned(get) == [3, None, 4, "x"]
    assert returned(_typed(list[int] | None, default=[])) == []
    assert errors(_typed(int)) == [(422, "query", "value", "", "Required")]


def test_a_default_is_not_validated_as_in_python():
    assert returned(_typed(int, default="nothing")) == "nothing"


def test_headers_cookies_and_aliases():
    @endpoint()
    def get(
        self,
        if_none_match: Annotated[str | None, Header()] = None,
        version: Annotated[int, Header(alias="X-Version")] = 0,
        accepted: Annotated[list[str], Header(alias="X-Many")] = [],  # noqa: B006
        theme: Annotated[Literal["light", "dark"], Cookie()] = "light",
        size: Annotated[int, Cookie(alias="the-size"), msgspec.Meta(le=10)] = 1,
        wanted: Annotated[str, Query(alias="q")] = "",
    ) -> Any:
        return [if_none_match, version, accepted, theme, size, wanted]

    headers = {"if-none-match": "x", "x-version": "7", "X-Many": "a", "Cookie": "theme=dark; the-size=3"}
    assert returned(get, "/x?q=y&wanted=n", headers=headers) == ["x", 7, ["a"], "dark", 3, "y"]
    headers = {"X-Version": "seven", "Cookie": "theme=pink; the-size=11"}
    assert errors(get, headers=headers) == [
        (422, "header", "X-Version", "", "Expected `int`"),
        (422, "cookie", "theme", "", "Expected one of 'light', 'dark'"),
        (422, "cookie", "the-size", "", "Expected `int` <= 10"),
    ]


def test_parts_of_the_path_come_by_name():
    @endpoint()
    def get(self, number: int, when: Annotated[date, Path(description="A day.")], q: str = "") -> Any:
        return [number, when, q]

    assert returned(get, "/7/2026-01-02?q=x&number=9", "/<int:number>/<when>") == [7, "2026-01-02", "x"]
    assert errors(get, "/7/never", "/<int:number>/<when>") == [
        (422, "path", "when", "", "Invalid RFC3339 encoded date")
    ]


def test_a_named_part_may_have_another_name_in_the_signature():
    @endpoint()
    def get(self, number: Annotated[int, Path(alias="id")]) -> Any:
        return number

    assert returned(get, "/7", "/<int:id>") == 7


@pytest.mark.parametrize("make", [Application, TornadoApplication])
def test_groups_of_expressions_named_and_by_place(make):
    class Named(ApiHandler):
        @endpoint()
        def get(self, year: int, month: int | None = None) -> Any:
            return [year, month]

    routes = [
        (r"/named/(?P<year>[0-9]+)(?:/(?P<month>[0-9]+))?", Named),
        (r"/placed/([0-9]+)/([0-9]+)", Named),
        (r"/one/([0-9]+)", Named),
        (r"/none", Named),
    ]
    with Client(make(routes)) as client:
        assert client.get("/named/2026/7?month=1").json() == [2026, 7]
        assert client.get("/named/2026").json() == [2026, None]
        assert client.get("/placed/2026/7").json() == [2026, 7]
        assert client.get("/one/2026?month=3").json() == [2026, 3]
        assert client.get("/none?year=1&month=2").json() == [1, 2]


def test_values_of_converters_arrive_as_they_are():
    @endpoint()
    def get(self, one: UUID) -> Any:
        return str(type(one).__name__)

    assert returned(get, "/00000000-0000-4000-8000-000000000001", "/<uuid:one>") == "UUID"


def test_the_rest_of_the_route_goes_to_kwargs():
    @endpoint()
    def get(self, a: int, **rest: Any) -> Any:
        return [a, rest]

    assert returned(get, "/1/2/3", "/<int:a>/<int:b>/<c>") == [1, {"b": 2, "c": "3"}]


def test_a_part_that_the_method_does_not_take_is_a_mistake_of_the_route():
    @endpoint()
    def get(self) -> Any:
        return None

    with serving(handler_of(get), "/<int:number>") as client:
        assert client.get("/7").status_code == 500
    with pytest.raises(ArgumentError, match=r"got a route with \['number'\]; expected parameters of these names"):
        get.__endpoint__.parameters(("number",))


def test_a_model_takes_its_fields_from_the_query():
    @endpoint()
    def get(self, filters: Annotated[Filters, Query()], paging: Annotated[Paging | None, Query()] = None) -> Any:
        return [filters, paging]

    assert returned(get, "/x?text=a&tags=1&tags=2") == [{"text": "a", "tags": [1, 2], "limit": 5}, None]
    assert returned(get, "/x?page=2&order=a&order=b")[1] == {"page": 2, "per_page": 20, "order": ["a", "b"]}
    assert errors(get, "/x?limit=11&tags=1&tags=x&per_page=y") == [
        (422, "query", "tags", "/1", "Expected `int`"),
        (422, "query", "limit", "", "Expected `int` <= 10"),
        (422, "query", "page", "", "Required"),
        (422, "query", "per_page", "", "Expected `int`"),
    ]


class Nullable(msgspec.Struct):
    number: int | None = None
    when: datetime | None = None
    whens: list[datetime] | None = None
    text: Annotated[str, msgspec.Meta(max_length=5)] | None = None

    def __post_init__(self) -> None:
        if self.text == "never":
            raise ValueError("never is not a text")


def test_the_fields_of_a_model_are_converted_as_strictly_as_parameters():
    @endpoint()
    def get(self, one: Annotated[Nullable, Query()]) -> Nullable:
        return one

    now = "2026-01-01T00:00:00Z"
    assert returned(get, f"/x?number=5&when={now}&whens={now}&text=null") == {
        "number": 5, "when": now, "whens": [now], "text": "null",
    }  # fmt: skip
    assert returned(get) == {"number": None, "when": None, "whens": None, "text": None}
    assert errors(get, "/x?number=null&when=5&whens=null&text=toolong") == [
        (422, "query", "number", "", "Expected `int`"),
        (422, "query", "when", "", "Invalid RFC3339 encoded datetime"),
        (422, "query", "whens", "/0", "Invalid RFC3339 encoded datetime"),
        (422, "query", "text", "", "Expected `str` of length <= 5"),
    ]
    assert errors(get, "/x?text=never") == [(422, "query", "", "", "never is not a text")]


def test_a_model_takes_its_fields_from_headers_and_cookies():
    @endpoint()
    def get(self, client: Annotated[Client7, Header()], cookies: Annotated[Paging, Cookie()]) -> Any:
        return [client, cookies]

    headers = {"User-Agent": "test", "X-Version": "3", "Cookie": "page=4"}
    assert returned(get, headers=headers) == [
        {"user_agent": "test", "x_version": 3},
        {"page": 4, "per_page": 20, "order": []},
    ]
    assert errors(get, headers={"X-Version": "x"}) == [
        (422, "header", "x-version", "", "Expected `int`"),
        (422, "cookie", "page", "", "Required"),
    ]


def test_forms_urlencoded_and_multipart():
    @endpoint()
    def post(self, name: Annotated[str, Form()], paging: Annotated[Paging, Form()], q: int = 0) -> Any:
        return [name, paging, q]

    with serving(handler_of(post)) as client:
        form = {"name": "ada", "page": "3"}
        expected = ["ada", {"page": 3, "per_page": 20, "order": []}, 5]
        assert client.post("/x?q=5", data=form).json() == expected
        assert client.post("/x?q=5", data=form, files={"f": ("a.txt", b"text")}).json() == expected
        wrong = client.post("/x", data={"page": "x"}).json()["errors"]
        assert [(one["in"], one["name"], one["detail"]) for one in wrong] == [
            ("form", "name", "Required"),
            ("form", "page", "Expected `int`"),
        ]
        refused = client.post("/x", json={"name": "ada"})
        assert refused.status_code == 415
        assert "application/x-www-form-urlencoded" in refused.json()["errors"][0]["detail"]


def test_unknown_fields_of_a_form_are_refused_on_demand():
    def post(self, name: Annotated[str, Form()], paging: Annotated[Paging | None, Form()] = None) -> Any:
        return name

    form = {"name": "ada", "page": "3", "color": "red"}
    with serving(handler_of(endpoint()(post))) as client:
        assert client.post("/x", data=form).json() == "ada"
    with serving(handler_of(endpoint(forbid_unknown=True)(post))) as client:
        refused = client.post("/x", data=form)
        assert refused.json()["errors"] == [{"in": "form", "name": "color", "detail": "Unknown field"}]
        assert client.post("/x", data={"name": "ada"}).status_code == 200


def test_all_mistakes_are_told_at_once():
    @endpoint(forbid_unknown=True)
    def get(
        self, number: int, a: int, b: Annotated[int, Header()], c: Annotated[int, Cookie()] = 0, d: bool = False
    ) -> Any:
        return None

    assert errors(get, "/x?a=x&d=maybe&z=1", "/<number>", headers={"Cookie": "c=y"}) == [
        (422, "path", "number", "", "Expected `int`"),
        (422, "query", "a", "", "Expected `int`"),
        (422, "header", "b", "", "Required"),
        (422, "cookie", "c", "", "Expected `int`"),
        (422, "query", "d", "", "Expected `bool`"),
        (422, "query", "z", "", "Unknown argument"),
    ]


def test_unknown_arguments_are_refused_on_demand_only():
    def get(self, a: int = 0, filters: Annotated[Filters | None, Query()] = None) -> Any:
        return a

    assert returned(endpoint()(get), "/x?a=1&b=2") == 1
    closed = endpoint(forbid_unknown=True)(get)
    assert returned(closed, "/x?a=1&limit=2") == 1
    assert errors(closed, f"/x?a=1&{MANY}=2") == [(422, "query", "a" * 100, "", "Unknown argument")]


def test_text_that_is_not_utf_8_is_malformed():
    assert errors(_typed(str), "/x?value=%ff") == [(400, "query", "value", "", "Not UTF-8")]

    @endpoint()
    def get(self, filters: Annotated[Filters, Query()], n: int = 0) -> Any:
        return None

    assert errors(get, "/x?text=%ff&n=x") == [
        (400, "query", "text", "", "Not UTF-8"),
        (400, "query", "n", "", "Expected `int`"),
    ]


def test_plain_methods_beside_typed_ones_are_as_they_were():
    class Both(ApiHandler):
        @endpoint()
        def get(self) -> dict[str, int]:
            return {"typed": 1}

        def post(self):
            self.write_api({"typed": 0})

    plain = Both.__dict__["post"]
    assert not hasattr(plain, "__endpoint__")
    assert not hasattr(plain, "__wrapped__")
    with serving(Both) as client:
        assert client.get("/x").json() == {"typed": 1}
        assert client.post("/x").headers["Content-Type"] == "application/json; charset=UTF-8"


def test_async_plain_and_threaded_methods_of_any_request_handler():
    class All(RequestHandler):
        @endpoint()
        async def get(self, n: int) -> int:
            return n + 1

        @endpoint()
        def post(self, n: int) -> int:
            return n + 2

        @endpoint()
        @async_execute
        def put(self, n: int) -> int:
            return n + 3

    for application in (TornadoApplication([("/x", All)]), Application([path("/x", All)])):
        with Client(application) as client:
            assert [getattr(client, verb)("/x?n=1").json() for verb in ("get", "post", "put")] == [2, 3, 4]
            assert client.put("/x?n=x").json()["errors"][0]["name"] == "n"


def test_decorators_stack_on_both_sides():
    import functools

    calls = []

    def noted(method):
        @functools.wraps(method)
        def call(self, *args, **kwargs):
            calls.append((args, kwargs))
            return method(self, *args, **kwargs)

        return call

    class Stacked(ApiHandler):
        @noted
        @endpoint()
        @noted
        def get(self, number: int, q: int = 0) -> int:
            return number + q

    with serving(Stacked, "/<int:number>") as client:
        assert client.get("/1?q=2").json() == 3
    assert calls == [((), {"number": 1}), ((), {"number": 1, "q": 2})]
    assert Stacked.get.__endpoint__.method.__name__ == "get"


def test_annotations_may_name_what_is_defined_later():
    class Later(ApiHandler):
        @endpoint()
        def post(self, body: DefinedLater) -> DefinedLater:
            return body

        @endpoint()
        def get(self) -> Nowhere:  # noqa: F821 - the point
            return None

    with serving(Later) as client:
        assert client.post("/x", json={"a": 1}).json() == {"a": 1}
        assert client.get("/x").status_code == 500
    with pytest.raises(ArgumentError, match=r"get: got an annotation with an unknown name .*'Nowhere'"):
        _ = Later.get.__endpoint__.signature


class DefinedLater(msgspec.Struct):
    a: int


def test_annotations_may_name_what_is_local():
    class Local(msgspec.Struct):
        a: int

    class Handler(ApiHandler):
        @endpoint()
        def post(self, body: Local) -> Local:
            return body

    assert Handler.post.__endpoint__._signature is not None
    with serving(Handler) as client:
        assert client.post("/x", json={"a": 1}).json() == {"a": 1}


def test_members_of_the_class_do_not_hide_names_of_the_module():
    class Handler(ApiHandler):
        date = "a member"

        def list(self):
            return None

        @endpoint()
        def get(self, days: list[date]) -> list[date]:
            return days

    with serving(Handler) as client:
        assert client.get("/x?days=2026-01-02").json() == ["2026-01-02"]


def test_the_public_names_are_sorted_and_complete():
    import inspect

    import torngas.api

    public = {name for name, value in vars(torngas.api).items() if name[0] != "_" and not inspect.ismodule(value)}
    assert torngas.api.__all__ == sorted(torngas.api.__all__)
    assert set(torngas.api.__all__) == public


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ({"a": Annotated[int, Query(), Header()]}, "a: got 2 markers; expected one of"),
        ({"a": Filters, "b": Paging}, "got two JSON bodies; expected one"),
        ({"a": Filters, "b": Annotated[str, Form()]}, "got a JSON body and form fields"),
        ({"a": Annotated[list[Filters], Query()]}, "a: got .* from query; expected a model, a scalar"),
        ({"a": Annotated[Filters | Paging, Query()]}, "a: got .* from query"),
        ({"a": Annotated[dict[str, int], Header()]}, "a: got .* from header"),
        ({"a": Annotated[Application, Query()]}, "a: got .*; expected a type of msgspec's"),
        ({"a": object()}, "a: got .*; expected a type of msgspec's"),
        ({"a": Annotated[str, Query(ge=3)]}, "a: got .*; expected a type of msgspec's"),
        ({"return": Application}, "got the result .*; expected a type of msgspec's"),
    ],
)
def test_mistakes_of_the_declaration_are_told_when_the_class_is_made(annotations, message):
    def get(self, a=None, b=None):
        return None

    get.__annotations__ = annotations
    with pytest.raises(ArgumentError, match=message):
        endpoint()(get)


def test_parameters_without_a_name_for_the_client_are_refused():
    def get(self, *args: int):
        return None

    with pytest.raises(ArgumentError, match=r"got the parameter \*args: 'int'; expected parameters that can be given"):
        endpoint()(get)


def test_annotations_are_read_once(monkeypatch):
    """Requests introspect nothing: signature and hints were read when the class was made."""
    import inspect
    import typing

    from torngas.api import _parameters

    method = _typed(int)
    with serving(handler_of(method)) as client:
        client.get("/x?value=1")

        def refuse(*args: Any, **kwargs: Any) -> Any:
            raise AssertionError("introspected")

        monkeypatch.setattr(_parameters, "get_type_hints", refuse)
        monkeypatch.setattr(inspect, "signature", refuse)
        monkeypatch.setattr(typing, "get_type_hints", refuse)
        assert client.get("/x?value=1").json() == 1


def test_the_url_helpers_routes_work_too():
    class Handler(ApiHandler):
        @endpoint()
        def get(self, number: int) -> Any:
            return [number, self._url_kwargs["section"]]

    u = Url(section="blog")
    with Client(Application([u.path("/<int:number>", Handler)])) as client:
        assert client.get("/7").json() == [7, "blog"]


def test_importing_loads_nothing_optional(in_subprocess):
    output = in_subprocess(
        """
        import sys
        import torngas.api, torngas.api.markers, torngas.api.problem, torngas.api.documentation, torngas.api.urls
        print(sorted({"msgspec", "pydantic", "yaml"} & sys.modules.keys()))
        """
    )
    assert output.strip() == "[]"


def test_without_msgspec_the_error_names_the_extra():
    code = """
import sys
sys.modules["msgspec"] = None
from torngas.api import OpenAPI, Problem, endpoint
from torngas.application import Application
from torngas.exception import ConfigError
for attempt in (lambda: endpoint()(print), lambda: OpenAPI(Application())):
    try:
        attempt()
    except ConfigError as error:
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=os.environ, check=False
    )
    assert done.stdout.splitlines() == [
        "torngas.api.endpoint needs msgspec: pip install 'torngas[api]'",
        "torngas.api.OpenAPI needs msgspec: pip install 'torngas[api]'",
    ], done.stderr


def test_a_datetime_in_the_result_and_utc():
    @endpoint()
    def get(self, when: datetime) -> dict[str, datetime]:
        return {"utc": when.astimezone(UTC)}

    assert returned(get, "/x?when=2026-01-01T00:00:00%2B01:00") == {"utc": "2025-12-31T23:00:00Z"}
