"""Read by mypy only: right uses pass, and each wrong use is an error that mypy must find."""

import re
from typing import assert_type

from tornado.web import RequestHandler

from torngas_router import (
    Application,
    Match,
    Route,
    RouteInfo,
    RouteTable,
    Url,
    addslash,
    include,
    is_local_url,
    local_url,
    path,
    removeslash,
    route,
)


class Page(RequestHandler):
    @addslash
    def get(self, name: str) -> None:
        self.write(name)

    @removeslash
    async def post(self) -> None:
        self.redirect(local_url(self.get_argument("next", None)))


class Hex:
    regex = "[0-9a-f]+"

    def to_python(self, text: str) -> int:
        return int(text, 16)

    def to_url(self, value: int) -> str:
        return f"{value:x}"


class NoConverter:
    regex = "[0-9a-f]+"


u = Url("app.handlers", section="blog")
assert_type(u("/a", Page, {"k": 1}, "a", methods=["GET"], host="a.org"), Route)
assert_type(u(re.compile("/a"), "pages.Page"), Route)
assert_type(path("/<int:n>", Page, name="n"), Route)
assert_type(include("/in", [u("/a", Page)], "in", {"k": 1}, more=2), list[Route])
table = RouteTable(route(u("/a", Page), ("/b", Page)), converters={"hex": Hex()})
assert_type(table.match("/a", "PUT", host="a.org"), Match | None)
assert_type(table.reverse("a", 1, n=2), str)
assert_type(table.reverse_url("a"), str | None)
assert_type(table.describe(), list[RouteInfo])
assert_type(Application(table, static_path="static").reverse_url("a", n=1), str)
assert_type(is_local_url("/", hosts={"a.org"}), bool)

u(7, Page)  # type: ignore[arg-type]
u("/a", Page, "kwargs")  # type: ignore[arg-type]
u("/a", Page, {}, "a", ["GET"])  # type: ignore[call-arg]
path(re.compile("/a"), Page)  # type: ignore[arg-type]
include(7, [])  # type: ignore[arg-type]
RouteTable(7)  # type: ignore[arg-type]
RouteTable([], converters={"hex": NoConverter()})  # type: ignore[dict-item]
table.match(b"/a")  # type: ignore[arg-type]
table.replace("routes", "more")  # type: ignore[call-arg]
local_url("/", 7)  # type: ignore[arg-type]
