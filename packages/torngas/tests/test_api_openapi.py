"""The OpenAPI document: what it says of routes, parameters, bodies, answers and security, and that it is valid."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest
from tornado.web import Application as TornadoApplication

from torngas.api import Body, Cookie, Form, Header, OpenAPI, Path, Query, endpoint
from torngas.api._paths import template_of
from torngas.api.openapi import document_of
from torngas.application import Application
from torngas.exception import ConfigError
from torngas.handler import ApiHandler
from torngas.settings_manager import Settings
from torngas_router import include, path, route


class Color(enum.Enum):
    RED = "red"


@dataclass
class Tag:
    """A word."""

    name: str
    color: Color | None = None


class NewNote(msgspec.Struct):
    title: Annotated[str, msgspec.Meta(min_length=1, description="One line.")]
    tags: list[Tag] = []
    parent: NewNote | None = None


class Note(NewNote, kw_only=True):
    id: int
    written: datetime


class Filters(msgspec.Struct):
    text: Annotated[str | None, msgspec.Meta(description="Part of it.")] = None
    limit: Annotated[int, msgspec.Meta(le=10)] = 5
    needed: list[int] = msgspec.field(default_factory=list)


class Bearer:
    scheme_name = "bearer"
    openapi_scheme: Mapping[str, Any] = {"type": "http", "scheme": "bearer"}


class Session:
    scheme_name = "session"
    openapi_scheme: Mapping[str, Any] = {"type": "apiKey", "in": "cookie", "name": "sid"}


class Notes(ApiHandler):
    @endpoint(tags=["notes"], responses={409: "A conflict.", 206: list[Note], 304: None, 302: "Elsewhere."})
    async def get(
        self,
        page: Annotated[int, Query(ge=1, description="From 1.", examples=[3], deprecated=True)] = 1,
        tag: Annotated[list[str] | None, Query(alias="t")] = None,
        x_version: Annotated[str | None, Header()] = None,
        theme: Annotated[str, Cookie()] = "light",
        color: Color | None = None,
    ) -> list[Note]:
        """List the notes.

        Newest first,
        one page.

        A second paragraph.
        """
        return []

    @endpoint(tags=["notes", "writing"], status=201, forbid_unknown=True, summary="Write", description="A *note*.")
    def post(self, body: Annotated[NewNote, Body(description="What to write.", examples=[{"title": "a"}])]) -> Note:
        raise NotImplementedError

    @endpoint(hidden=True)
    def put(self) -> None: ...

    def delete(self):
        """Plain."""


class One(ApiHandler):
    @endpoint(deprecated=True, operation_id="readOne")
    def get(self, note_id: Annotated[int, Path(description="Its number.", le=100)], when: str = "now") -> Note:
        raise NotImplementedError

    @endpoint()
    def post(self, note_id: int, name: Annotated[str, Form()], filters: Annotated[Filters, Form()]) -> None: ...

    @endpoint()
    def delete(self, note_id: int, filters: Annotated[Filters, Query()]) -> None: ...

    @endpoint()
    def patch(self, note_id: int, body: Tag | None = None) -> bytes:
        return b""

    put = delete


def secured(*security: Any) -> Any:
    def get(self, **parts: Any) -> dict[str, int]:
        return {}

    made = endpoint()(get)
    made.__security__ = security
    return made


@pytest.fixture(scope="module")
def document() -> OpenAPI:
    application = Application(route(path("/notes", Notes, name="Notes"), path("/notes/<int:note_id>", One)))
    return OpenAPI(
        application,
        title="Notes",
        version="2.1.0",
        description="All.",
        servers=["https://example.com/api", {"url": "/", "description": "here"}],
        tags={"writing": "To write.", "unused": "Nothing."},
    )


def of(handler: type, pattern: str = "/x", **options: Any) -> OpenAPI:
    return OpenAPI(Application([path(pattern, handler)]), **options)


def made(**methods: Any) -> type:
    return type("Made", (ApiHandler,), methods)


def test_the_document_is_valid(document):
    validator = pytest.importorskip("openapi_spec_validator")
    validator.validate(json.loads(json.dumps(document)))


def test_info_servers_and_tags(document):
    assert document["openapi"] == "3.1.0"
    assert document["info"] == {"title": "Notes", "version": "2.1.0", "description": "All."}
    assert document["servers"] == [{"url": "https://example.com/api"}, {"url": "/", "description": "here"}]
    assert document["tags"] == [
        {"name": "writing", "description": "To write."},
        {"name": "unused", "description": "Nothing."},
        {"name": "notes"},
    ]


def test_paths_and_methods_are_those_that_are_typed_and_shown(document):
    assert {name: sorted(item) for name, item in document["paths"].items()} == {
        "/notes": ["get", "post"],
        "/notes/{note_id}": ["delete", "get", "patch", "post", "put"],
    }


def test_operation_ids_are_unique_and_telling(document):
    ids = [one["operationId"] for item in document["paths"].values() for one in item.values()]
    assert sorted(ids) == ["delete_one", "get_notes", "patch_one", "post_notes", "post_one", "put_one", "readOne"]


def test_words_come_from_the_docstring_or_the_decorator(document):
    listed, written = document["paths"]["/notes"]["get"], document["paths"]["/notes"]["post"]
    assert listed["summary"] == "List the notes"
    assert listed["description"] == "Newest first, one page.\n\nA second paragraph."
    assert (written["summary"], written["description"]) == ("Write", "A *note*.")
    assert written["tags"] == ["notes", "writing"]
    assert document["paths"]["/notes/{note_id}"]["get"]["deprecated"] is True
    assert "deprecated" not in listed


def test_parameters(document):
    assert document["paths"]["/notes"]["get"]["parameters"] == [
        {
            "name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1, "default": 1},
            "description": "From 1.", "deprecated": True, "examples": {"example1": {"value": 3}},
        },
        {"name": "t", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
        {"name": "x-version", "in": "header", "schema": {"type": "string"}},
        {"name": "theme", "in": "cookie", "schema": {"type": "string", "default": "light"}},
        {"name": "color", "in": "query", "schema": {"$ref": "#/components/schemas/Color"}},
    ]  # fmt: skip
    assert document["paths"]["/notes/{note_id}"]["get"]["parameters"][0] == {
        "name": "note_id", "in": "path", "required": True, "description": "Its number.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 100},
    }  # fmt: skip


def test_the_fields_of_a_model_are_parameters(document):
    found = {one["name"]: one for one in document["paths"]["/notes/{note_id}"]["delete"]["parameters"]}
    assert found["text"]["schema"] == {"type": "string", "description": "Part of it."}
    assert found["limit"]["schema"] == {"type": "integer", "maximum": 10, "default": 5}
    assert found["needed"]["schema"] == {"type": "array", "items": {"type": "integer"}, "default": []}


def test_bodies(document):
    body = document["paths"]["/notes"]["post"]["requestBody"]
    assert body["required"] is True
    assert body["description"] == "What to write."
    assert body["content"]["application/json"]["examples"] == {"example1": {"value": {"title": "a"}}}
    assert document["paths"]["/notes/{note_id}"]["patch"]["requestBody"]["required"] is False


def test_a_closed_body_says_so_at_every_depth_and_answers_stay_open(document):
    schemas = document["components"]["schemas"]
    body = document["paths"]["/notes"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/NewNote.closed"}
    closed = schemas["NewNote.closed"]
    assert closed["additionalProperties"] is False
    assert closed["properties"]["tags"]["items"] == {"$ref": "#/components/schemas/Tag.closed"}
    assert {"$ref": "#/components/schemas/NewNote.closed"} in closed["properties"]["parent"]["anyOf"]
    assert schemas["Tag.closed"]["additionalProperties"] is False
    assert "additionalProperties" not in schemas["Tag"]
    assert "additionalProperties" not in schemas["Note"]


def test_forms(document):
    body = document["paths"]["/notes/{note_id}"]["post"]["requestBody"]
    assert set(body["content"]) == {"application/x-www-form-urlencoded", "multipart/form-data"}
    schema = body["content"]["multipart/form-data"]["schema"]
    assert set(schema["properties"]) == {"name", "text", "limit", "needed"}
    assert schema["required"] == ["name"]


def test_answers(document):
    answers = document["paths"]["/notes"]["get"]["responses"]
    assert list(answers) == ["200", "206", "302", "304", "400", "409", "422"]
    assert answers["200"]["content"]["application/json"]["schema"]["items"] == {"$ref": "#/components/schemas/Note"}
    assert answers["304"] == {"description": "Not Modified"}
    assert answers["302"] == {"description": "Elsewhere."}
    assert answers["409"]["description"] == "A conflict."
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    assert answers["409"]["content"] == answers["422"]["content"] == answers["400"]["content"] == problem
    one = document["paths"]["/notes/{note_id}"]
    assert list(one["delete"]["responses"]) == ["204", "400", "404", "422"]
    assert one["patch"]["responses"]["200"]["content"] == {"application/octet-stream": {}}
    assert list(document["paths"]["/notes"]["post"]["responses"]) == ["201", "400", "415", "422"]


def test_instants_have_a_format_wherever_they_stand():
    class Held(msgspec.Struct):
        when: datetime
        maybe: datetime | None
        by_name: dict[str, list[datetime]]
        note: Note

    def get(self, at):
        raise NotImplementedError

    get.__annotations__ = {"at": datetime | None, "return": list[Held]}
    found = of(made(get=endpoint()(get)))
    properties = found["components"]["schemas"]["Held"]["properties"]
    instant = {"type": "string", "format": "date-time"}
    assert found["paths"]["/x"]["get"]["parameters"][0]["schema"] == instant
    assert properties["when"] == instant
    assert instant in properties["maybe"]["anyOf"]
    assert properties["by_name"]["additionalProperties"]["items"] == instant
    assert found["components"]["schemas"]["Note"]["properties"]["written"] == instant


def test_only_schemas_that_are_named_are_components(document):
    assert sorted(document["components"]["schemas"]) == [
        "Color", "Color.closed", "NewNote", "NewNote.closed", "Note", "ProblemDetails", "Tag", "Tag.closed",
    ]  # fmt: skip


def test_security_of_method_and_class():
    class OfClass(ApiHandler):
        __security__ = ((Session(), ()),)

        @endpoint()
        def get(self) -> None: ...

    application = Application(
        [
            path("/two", made(get=secured((Bearer(), ("notes:read",)), (Session(), ())))),
            path("/class", OfClass),
            path("/open", made(get=secured())),
            path("/none", Notes),
        ]
    )
    found = OpenAPI(application)
    assert found["components"]["securitySchemes"] == {
        "bearer": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": "sid"},
    }
    assert found["paths"]["/two"]["get"]["security"] == [{"bearer": ["notes:read"]}, {"session": []}]
    assert found["paths"]["/class"]["get"]["security"] == [{"session": []}]
    assert "security" not in found["paths"]["/open"]["get"]
    assert {"401", "403"} <= found["paths"]["/two"]["get"]["responses"].keys()
    assert {"401", "403"} <= found["paths"]["/open"]["get"]["responses"].keys()
    assert not {"401", "403"} & found["paths"]["/none"]["get"]["responses"].keys()
    validator = pytest.importorskip("openapi_spec_validator")
    validator.validate(json.loads(json.dumps(found)))


def test_two_schemes_of_one_name_must_be_alike():
    other = Bearer()
    other.openapi_scheme = {"type": "http", "scheme": "basic"}
    with pytest.raises(ConfigError, match=r"got two schemes of the name 'bearer' that differ"):
        of(made(get=secured((Bearer(), ())), post=secured((other, ()))))


def test_other_decorators_add_what_they_know():
    method = secured()
    method.__openapi__ = {
        "parameters": [{"name": "If-Match", "in": "header", "schema": {"type": "string"}}],
        "responses": {"412": {"description": "Changed meanwhile."}},
        "x-cost": 3,
    }
    operation = of(made(get=method))["paths"]["/x"]["get"]
    assert operation["parameters"][0]["name"] == "If-Match"
    assert {"200", "412"} <= operation["responses"].keys()
    assert operation["x-cost"] == 3


def test_declared_operation_ids_must_differ():
    def get(self) -> None: ...

    with pytest.raises(ConfigError, match="got operation_id='same' of two methods"):
        of(made(get=endpoint(operation_id="same")(get), post=endpoint(operation_id="same")(get)))
    kind = made(get=endpoint(operation_id="same")(get))
    twice = OpenAPI(Application([path("/a", kind), path("/b", kind)]))
    assert [item["get"]["operationId"] for item in twice["paths"].values()] == ["same", "same_2"]


def test_operation_ids_that_would_be_alike_get_the_path():
    class Note(ApiHandler):
        @endpoint()
        def get(self, number: int = 0) -> None: ...

    found = OpenAPI(Application([path("/a/<int:number>", Note), path("/b", Note)]))
    assert [item["get"]["operationId"] for item in found["paths"].values()] == ["get_a_number", "get_b"]


def test_the_routes_methods_limit_the_document_and_the_first_route_wins():
    application = Application(
        [path("/x", Notes, methods=["POST"]), path("/x", One, {"note_id": 1}, methods=["GET"]), path("/x", Notes)]
    )
    found = OpenAPI(application)
    assert sorted(found["paths"]["/x"]) == ["get", "post"]
    assert found["paths"]["/x"]["get"]["operationId"] == "readOne"


def test_shadowed_routes_are_left_out():
    found = OpenAPI(Application([(r"/(?P<name>[^/]+)", made(get=secured())), (r"/notes", Notes)]))
    assert list(found["paths"]) == ["/{name}"]


def test_includes_nested_tables_and_plain_tornado():
    inner = [path("/notes/<int:note_id>", One)]
    application = Application([*include("/v1", inner), (r"/v2/.*", Application(inner))])
    assert list(OpenAPI(application)["paths"]) == ["/v1/notes/{note_id}"]
    nested = OpenAPI(Application([*include("/v<int:version>", [path("/notes", made(get=secured()))])]))
    assert list(nested["paths"]) == ["/v{version}/notes"]
    plain = TornadoApplication([(r"/notes", Notes), (r"/notes/(?P<note_id>[0-9]{1,9})/?", One), (r"/old/(\d+)", One)])
    found = OpenAPI(plain)
    assert list(found["paths"]) == ["/notes", "/notes/{note_id}", "/old/{note_id}"]
    parameter = found["paths"]["/old/{note_id}"]["get"]["parameters"][0]
    assert (parameter["name"], parameter["required"], parameter["schema"]["type"]) == ("note_id", True, "integer")


def test_a_part_keeps_what_its_pattern_says():
    class Parts(ApiHandler):
        @endpoint()
        def get(self, one: str, two: UUID, three: str, four: str) -> None: ...

    pattern = "/<slug:one>/<uuid:two>/<path:three>"
    expression = r"/(?P<one>[a-z]+)/(?P<two>.*)/(?P<three>a|b)/(?P<four>\d{4})"
    found = OpenAPI(Application([typed(pattern), (expression, Parts)]))
    first, second = found["paths"].values()
    assert [one["schema"] for one in second["get"]["parameters"]] == [
        {"type": "string", "pattern": "^(?:[a-z]+)$"},
        {"type": "string", "format": "uuid"},
        {"type": "string", "pattern": "^(?:a|b)$"},
        {"type": "string", "pattern": r"^(?:\d{4})$"},
    ]
    assert [one["schema"] for one in first["get"]["parameters"][:3]] == [
        {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$"},
        {"type": "string", "format": "uuid"},
        {"type": "string", "minLength": 1},
    ]


def typed(pattern: str) -> Any:
    class Three(ApiHandler):
        @endpoint()
        def get(self, one: str, two: UUID, three: str) -> None: ...

    return path(pattern, Three)


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [
        ("/", "/"),
        ("/?", "/"),
        ("^/notes/?$", "/notes"),
        (r"/notes\.json", "/notes.json"),
        (r"/(?P<year>[0-9]{4})-(?P<month>[0-9]+)", "/{year}-{month}"),
        (r"/(?:en|de)/(.*)", "/en/{0}"),
        (r"/a(?:/b)?/(c(?:d|e))", "/a/{0}"),
        (r"/(?i:a)/([^/()]+)", "/a/{0}"),
        (r"/x(?!y)z", "/xz"),
        (r"/a|/b", "/a"),
        (r"/n/\d+/x", "/n/1/x"),
        ("/<int:id>.<slug:kind>", "/{id}.{kind}"),
        ("/v1/<uuid:id>/(?P<rest>.*)", "/v1/{id}/{rest}"),
        (r"/nested/((?:a)(?P<in>b))", "/nested/{0}"),
    ],
)
def test_patterns_as_paths(pattern, shown):
    assert template_of(pattern).text(lambda number, part: part.name or str(number)) == shown


def test_the_setting_names_title_and_servers():
    settings = Settings({"DEBUG": True, "OPENAPI": {"title": "Mine", "servers": ["/api"]}})
    application = Application([path("/x", Notes)], project_settings=settings)
    assert document_of(application)["info"]["title"] == "Mine"
    application.project_settings = Settings({"DEBUG": True, "OPENAPI": {"titel": "Mine"}})
    with pytest.raises(ConfigError, match=r"OPENAPI: got the keys \['titel'\]; expected some of"):
        document_of(application)


def test_an_application_without_typed_methods_has_a_valid_document():
    document = OpenAPI(Application())
    assert document["paths"] == {}
    validator = pytest.importorskip("openapi_spec_validator")
    validator.validate(json.loads(json.dumps(document)))


def test_a_reserved_model_name_is_refused():
    kind = msgspec.defstruct("ProblemDetails", [("a", int)])

    def get(self):
        return None

    get.__annotations__ = {"return": kind}
    with pytest.raises(ConfigError, match="got a model of the name 'ProblemDetails'; expected another one"):
        of(made(get=endpoint()(get)))
