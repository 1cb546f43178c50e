"""Typed paths: converted values, and converters of one's own."""

import uuid

import pytest
from tornado.web import RequestHandler

from torngas_router import Application, RouteTable, UrlError, path


class Page(RequestHandler):
    pass


class Hex:
    """Colors."""

    regex = "[0-9a-fA-F]{2,6}"

    def to_python(self, text):
        if len(text) % 2:
            raise ValueError(text)
        return bytes.fromhex(text)

    def to_url(self, value):
        return value.hex()


ID = uuid.UUID("12345678-1234-5678-1234-567812345678")


@pytest.mark.parametrize(
    ("pattern", "asked", "values"),
    [
        ("/user/<int:uid>/", "/user/007/", {"uid": 7}),
        ("/<name>", "/J%C3%BCrgen%2Fx", {"name": "Jürgen/x"}),
        ("/<str:name>.html", "/a.b.html", {"name": "a.b"}),
        ("/<slug:title>", "/a-B_9", {"title": "a-B_9"}),
        ("/<uuid:id>", f"/{ID}", {"id": ID}),
        ("/<uuid:id>", f"/{str(ID).upper()}", {"id": ID}),
        ("/f/<path:rest>", "/f/a/b%20c", {"rest": "a/b c"}),
        ("/<int:year>/<slug:title>", "/2026/x", {"year": 2026, "title": "x"}),
        ("/a.b/(c)/", "/a.b/(c)/", {}),
        ("/<hex:rgb>", "/ff00", {"rgb": b"\xff\x00"}),
    ],
)
def test_values_arrive_converted(pattern, asked, values):
    match = RouteTable([path(pattern, Page)], converters={"hex": Hex()}).match(asked)
    assert match.kwargs == values
    assert [type(value) for value in match.kwargs.values()] == [type(value) for value in values.values()]


@pytest.mark.parametrize(
    ("pattern", "asked"),
    [
        ("/user/<int:uid>/", "/user/x/"),
        ("/user/<int:uid>/", "/user//"),
        ("/user/<int:uid>/", "/user/7"),
        ("/user/<int:uid>/", "/user/-7/"),
        ("/user/<int:uid>/", "/user/7/\n"),
        ("/<int:uid>", "/٣"),
        ("/<int:uid>", "/" + "9" * 5000),
        ("/<name>", "/a/b"),
        ("/<name>", "/%ff"),
        ("/<slug:title>", "/a%20b"),
        ("/<uuid:id>", "/1234"),
        ("/a.b", "/aXb"),
        ("/<hex:rgb>", "/fff"),
        ("/x", "/x\n"),
    ],
)
def test_what_does_not_convert_does_not_match(pattern, asked):
    assert RouteTable([path(pattern, Page)], converters={"hex": Hex()}).match(asked) is None


def test_the_search_goes_on_behind_a_value_that_does_not_convert():
    table = RouteTable(
        [path("/<hex:rgb>", Page, name="hex"), path("/<name>", Page, name="name")], converters={"hex": Hex()}
    )
    assert [table.match(asked).route.name for asked in ("/ff", "/fff", "/xyz")] == ["hex", "name", "name"]


async def test_the_method_of_a_handler_gets_the_values(echo, serve):
    fetch = await serve(Application([path("/<int:n>/<uuid:id>/<name>", echo)]))
    told = (await fetch(f"/7/{ID}/a%20b")).body.decode()
    assert f'"n": "int 7", "id": "UUID {ID}", "name": "str a b"' in told


async def test_a_websocket_gets_them_too(serve):
    from tornado.websocket import WebSocketHandler, websocket_connect

    class Chat(WebSocketHandler):
        def open(self, room):
            self.write_message(f"{room + 1} {self._url_kwargs}")

    fetch = await serve(Application([path("/chat/<int:room>", Chat, {"a": 1})]))
    connection = await websocket_connect(f"ws://127.0.0.1:{fetch.port}/chat/7")
    assert await connection.read_message() == "8 {'a': 1}"
    connection.close()


def test_a_converter_belongs_to_its_table():
    RouteTable([path("/<hex:rgb>", Page)], converters={"hex": Hex()})
    with pytest.raises(UrlError, match=r"unknown converter 'hex'; expected one of int, path, slug, str, uuid\. Give"):
        RouteTable([path("/<hex:rgb>", Page)])


def test_a_table_may_replace_a_builtin_converter_for_itself():
    class Negative:
        regex = "-?[0-9]+"
        to_python, to_url = int, str

    assert RouteTable([path("/<int:n>", Page)], converters={"int": Negative()}).match("/-7").kwargs == {"n": -7}
    assert RouteTable([path("/<int:n>", Page)]).match("/-7") is None


class Capturing(Hex):
    regex = "(a)"


class Broken(Hex):
    regex = "("


@pytest.mark.parametrize("converter", [Hex, object(), Capturing(), Broken(), None, int])
def test_an_unusable_converter_is_refused(converter):
    with pytest.raises(UrlError, match=r"converters\['hex'\]: got .*; expected an object with"):
        RouteTable([], converters={"hex": converter})


@pytest.mark.parametrize("pattern", ["/<int:a>/<int:a>", "/<int:>", "/<a", "/a>", "/<a-b>", "/<float:x>", "/<:a>"])
def test_a_bad_template_is_refused_with_its_place(pattern):
    with pytest.raises(UrlError, match=r"test_paths\.py:\d+: route .*got .*expected .*\. [A-Z]"):
        RouteTable([path(pattern, Page)])


def test_a_converter_that_raises_something_else_is_not_hushed_up():
    class Bad(Hex):
        def to_python(self, text):
            raise KeyError(text)

    with pytest.raises(KeyError):
        RouteTable([path("/<hex:x>", Page)], converters={"hex": Bad()}).match("/ff")
