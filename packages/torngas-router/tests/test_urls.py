"""Url, route and include: what they make of what was written."""

import sys
import types

import pytest
import tornado.web
from tornado.web import RequestHandler, URLSpec

from torngas_router import RouteTable, Url, UrlError, include, path, route


class Page(RequestHandler):
    pass


@pytest.fixture
def handlers():
    """A module `shop.handlers.pages` with the class Page, importable while the test runs."""
    names = ("shop", "shop.handlers", "shop.handlers.pages")
    for name in names:
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = []
    sys.modules["shop.handlers.pages"].Page = Page
    yield sys.modules["shop.handlers.pages"]
    for name in names:
        del sys.modules[name]


def patterns(entries):
    return [entry.pattern for entry in entries]


def names(entries):
    return [entry.name for entry in entries]


def test_a_handler_is_relative_to_the_prefix(handlers):
    u = Url("shop.handlers", abc="abc")
    assert RouteTable([u(r"/x", "pages.Page")]).match("/x").route.handler_class is Page


def test_without_a_prefix_the_handler_is_a_full_path(handlers):
    assert RouteTable([Url()("/x", "shop.handlers.pages.Page")]).match("/x").route.handler_class is Page
    assert RouteTable([path("/x", "shop.handlers.pages.Page")]).match("/x").route.handler_class is Page


def test_a_handler_is_imported_when_the_table_is_built_and_not_before():
    declared = Url("nowhere")("/x", "pages.Page")
    with pytest.raises(UrlError, match=r"nowhere\.pages\.Page"):
        RouteTable([declared])


def test_all_arguments_may_be_given_by_position_and_by_name(u):
    by_position = u("/x", Page, {"a": 1}, "x")
    by_name = u(name="x", pattern="/x", handler=Page, kwargs={"a": 1})
    for declared in (by_position, by_name):
        assert (declared.pattern, declared.handler, declared.kwargs, declared.name) == ("/x", Page, {"a": 1}, "x")


def test_kwargs_of_the_route_win_over_the_url_over_the_include():
    u = Url(who="url", url=1)
    (inner,) = include("/in", [u("/x", Page, {"who": "route"})], kwargs={"who": "include", "url": 0, "include": 1})
    assert inner.kwargs == {"who": "route", "url": 1, "include": 1}
    assert u.kwargs == {"who": "url", "url": 1}


def test_an_include_takes_kwargs_as_url_does(u):
    assert include("/in", [u("/x", Page)], abc="abc")[0].kwargs == {"abc": "abc"}


def test_route_opens_lists_of_entries(u):
    a, b, c = u("/a", Page), u("/b", Page), u("/c", Page)
    assert route(a, [b], (c,)) == [a, b, c]
    assert route() == []


def test_route_keeps_tornados_tuples_as_entries():
    table = RouteTable(route(("/a", Page), ["/b", Page, {"x": 1}], [("/c", Page, {}, "c"), URLSpec("/d", Page)]))
    assert [table.match(f"/{name}").route.pattern for name in "abcd"] == ["/a", "/b", "/c", "/d$"]
    assert table.reverse("c") == "/c"


@pytest.mark.parametrize(
    ("prefix", "pattern", "joined"),
    [
        ("/in", "^/a/?", "/in/a/?"),
        ("/in/", "/a/?", "/in/a/?"),
        ("/in", "a/?", "/in/a/?"),
        ("", "/a", "/a"),
        ("/", "/a", "/a"),
        ("/", "photo/upload/?", "/photo/upload/?"),
        ("/in", "", "/in/"),
        ("/in", "/", "/in/"),
        ("/in", "/?", "/in/?"),
        ("/in", "^/$", "/in/$"),
        ("in", "/a", "/in/a"),
        (r"/(\d+)", r"/([a-z]+)", r"/(\d+)/([a-z]+)"),
    ],
)
def test_one_slash_stands_between_prefix_and_path(u, prefix, pattern, joined):
    assert patterns(include(prefix, [u(pattern, Page)])) == [joined]


def test_includes_nest_and_names_grow_from_outside(u):
    inner = include("/p", [u("/a", Page, name="A"), u("/b", Page)], prefix_name="p")
    middle = include("/m", [inner, u("/c", Page, name="C")])
    outer = route(include("/o", middle, prefix_name="o"), u("/d", Page, name="D"))
    assert patterns(outer) == ["/o/m/p/a", "/o/m/p/b", "/o/m/c", "/d"]
    assert names(outer) == ["o-p-A", None, "o-C", "D"]


def test_an_include_by_its_dotted_path(handlers, u):
    handlers.URLS = route(u("/a", Page, name="a"))
    assert patterns(include("/in", "shop.handlers.pages.URLS")) == ["/in/a"]


def test_an_include_keeps_methods_host_typed_parts_and_tornados_forms():
    u = Url()
    inner = [
        u("/a", Page, methods=["get"], host="a.org"),
        u.path("/b/<int:n>", Page),
        ("/c", Page, {"x": 1}),
        URLSpec("/d/(.*)", Page),
    ]
    a, b, c, d = include("/in", inner)
    assert (a.methods, a.host) == (frozenset({"GET", "HEAD"}), "a.org")
    table = RouteTable([a, b, c, d])
    assert table.match("/in/b/7").kwargs == {"n": 7}
    assert table.match("/in/c").route.target_kwargs == {"x": 1}
    assert table.match("/in/d/x").args == (b"x",)


def test_typed_parts_in_the_prefix_of_an_include(u):
    table = RouteTable(include("/<int:year>", [u.path("/<slug:title>", Page), u(r"/(?P<page>\d+)/x", Page)]))
    assert table.match("/2026/hello").kwargs == {"year": 2026, "title": "hello"}
    assert table.match("/2026/7/x").kwargs == {"year": 2026, "page": b"7"}
    assert table.match("/x/hello") is None


def test_a_dot_in_the_prefix_of_typed_paths_is_a_regular_expression_only_with_regular_expressions(u):
    table = RouteTable(include("/v1", [u.path("/a.b", Page)]))
    assert table.match("/v1/a.b") is not None
    assert table.match("/v1/aXb") is None


def test_an_alternation_is_included_as_a_whole(u):
    table = RouteTable(include("/in", [u("/a|/b", Page, name="ab")]))
    assert [table.match(text) is not None for text in ("/in/a", "/in/b", "/b", "/a", "/in/c")] == [1, 1, 0, 0, 0]


def test_an_alternation_in_a_prefix_is_one_too(u):
    table = RouteTable(include("/de|/en", [u("/a", Page)]))
    assert [table.match(text) is not None for text in ("/de/a", "/en/a", "/de", "/en")] == [True, True, False, False]


def test_flags_of_a_compiled_expression_stay_within_it(u):
    import re

    table = RouteTable(include("/In", [u(re.compile("/a$", re.IGNORECASE), Page)]))
    assert [table.match(text) is not None for text in ("/In/a", "/In/A", "/in/a", "/In/ab")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("entries", [[], (), None, 7, {}, "nowhere.URLS", "json", [None], [1], ["/x"], [("/a",)]])
def test_a_wrong_or_empty_include_is_refused_with_its_place(entries):
    with pytest.raises(UrlError, match=r"test_urls\.py:\d+: .*got .*expected .*\. [A-Z]"):
        RouteTable(include("/in", entries))


@pytest.mark.parametrize(("prefix", "pattern"), [("/in$", "/a"), ("/(", "/a|/b"), ("/(a)", r"/(b)\1"), (None, "/a")])
def test_a_prefix_that_would_change_the_meaning_is_refused(u, prefix, pattern):
    with pytest.raises(UrlError, match=r"test_urls\.py:\d+: include"):
        include(prefix, [u(pattern, Page)])


def test_the_list_serves_a_plain_tornado_application(u, ask):
    urls = route(
        u(r"/a/(\d+)", Page, {"k": 1}, "a", methods=["GET"]),
        include("/in", [u.path("/<int:n>", Page, name="n", host="localhost")]),
    )
    application = tornado.web.Application(urls)
    delegate = ask(application, "/a/7")
    assert issubclass(delegate.handler_class, Page)
    assert (delegate.path_args, delegate.request.route.name, delegate.request._url_kwargs) == ([b"7"], "a", {"k": 1})
    assert ask(application, "/a/7", "POST").handler_class is tornado.web.ErrorHandler
    assert ask(application, "/in/7").path_kwargs["n"].decode() == 7
    assert ask(application, "/in/x").handler_class is tornado.web.ErrorHandler
    assert ask(application, "/in/7", host="other").handler_class is tornado.web.ErrorHandler
    assert application.reverse_url("a", 7) == "/a/7"
