"""describe() and str(): what is there, and what is never reached."""

import pytest
from tornado.routing import AnyMatches, HostMatches, Rule
from tornado.web import RequestHandler

from torngas_router import RouteTable, Url, path


class Page(RequestHandler):
    pass


def shadows(entries):
    return [info.shadowed_by for info in RouteTable(entries).describe()]


def test_every_route_is_listed_in_order(u):
    first, second = RouteTable(
        [u("/a", Page, {"k": 1}, "a", methods=["get"], host="a.org"), ("/b/(.*)", Page, {"x": 2})]
    ).describe()
    assert (first.pattern, first.name, first.kwargs, first.methods, first.host) == (
        *("/a", "a", {"k": 1}, ("GET", "HEAD"), "a.org"),
    )
    assert first.handler == f"{__name__}.Page"
    assert "test_describe.py:" in first.origin
    assert (second.pattern, second.name, second.kwargs, second.methods) == ("/b/(.*)", None, {"x": 2}, None)
    assert not second.shadowed


def test_nested_tables_are_listed_behind_their_rule(u):
    infos = RouteTable(
        [(HostMatches("a.org"), [("/a", Page)]), Rule(AnyMatches(), RouteTable([u("/b", Page)]))]
    ).describe()
    assert [info.pattern for info in infos] == ["//a.org$", "/a", ".*", "/b"]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("/a", "/a"),
        ("/a/?", "/a/"),
        ("/.*", "/a/(x)"),
        ("/a.*", "/a"),
        ("/a/(.+)", "/a/b"),
        ("/a/(.+)", r"/a/b(\d)"),
        (".*", "(?:x|y)"),
        ("/a/([^/]+)", r"/a/(\d+)"),
        ("/(?P<n>[^/]+)/x", "/([a-z]+)/x"),
        (r"/(\d+)", r"/(\d+)"),
    ],
)
def test_a_route_that_is_never_reached_is_marked(u, earlier, later):
    assert shadows([u(earlier, Page), u("/other", Page), u(later, Page)])[0] is None
    assert shadows([u(earlier, Page), u("/other", Page), u(later, Page)])[2] == earlier


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("/a", "/a/?"),
        ("/a/(.+)", "/a/(.*)"),
        ("/a/(.+)", "/a/?"),
        (r"/a/(\d+)", "/a/([^/]+)"),
        ("/a/([^/]+)", "/a/(.+)"),
        ("/a/([^/]+)", "/a/([^/]*)"),
        ("/a/([^/]+)", "/a/(b/c)"),
        ("/a/([^/]+)", "/a/b/([^/]+)"),
        ("/b/.*", "/a/.*"),
        ("/a.b", "/a.c"),
    ],
)
def test_a_route_that_is_reached_is_not(u, earlier, later):
    assert shadows([u(earlier, Page), u(later, Page)]) == [None, None]


def test_conditions_of_the_earlier_route_leave_room(u):
    assert shadows([u("/a", Page, methods=["GET"]), u("/a", Page)]) == [None, None]
    assert shadows([u("/a", Page, host="a"), u("/a", Page, host="b")]) == [None, None]
    assert shadows([u("/a", Page), u("/a", Page, methods=["GET"], host="a")]) == [None, "/a"]
    assert shadows([u("/a", Page, methods=["GET", "PUT"]), u("/a", Page, methods=["PUT"])]) == [None, "/a"]


def test_typed_parts_shadow_only_their_own_kind():
    assert shadows([path("/<int:a>", Page), path("/<int:b>", Page)]) == [None, None]
    assert shadows([path("/<int:a>", Page), path("/<int:a>", Page, methods=["GET"])]) == [None, "/<int:a>"]


def test_what_is_marked_really_has_no_path(u):
    """Every path of a marked route goes to an earlier one."""
    table = RouteTable([u("/a/([^/]+)", Page, name="one"), u(r"/a/(\d+)", Page, name="two"), u("/a/7", Page, name="3")])
    assert [info.shadowed for info in table.describe()] == [False, True, True]
    assert {table.match(f"/a/{text}").route.name for text in ("7", "77", "x")} == {"one"}


def test_a_table_as_text_is_one_aligned_line_per_route(u):
    lines = str(
        RouteTable([u("/a", Page, methods=["PUT"]), u("/long/path", Page, name="n"), u("/a", Page)])
    ).splitlines()
    assert lines[0].split() == ["PUT", "/a", f"{__name__}.Page", "-"]
    assert lines[1].split() == ["*", "/long/path", f"{__name__}.Page", "n"]
    assert len({line.index(__name__) for line in lines}) == 1
    assert str(RouteTable([u("/a", Page), u("/a", Page)])).endswith("shadowed by /a")


def test_an_empty_table_is_text_too():
    assert str(RouteTable([])) == ""
    assert repr(RouteTable([])) == "<RouteTable of 0 entries>"
    assert repr(Url()("/a", Page)) == f"Route('/a', {Page!r}, kwargs={{}}, name=None)"
