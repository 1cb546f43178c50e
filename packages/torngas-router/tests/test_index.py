"""The index: how little is tried, and that this does not grow with the table."""

import time
import tracemalloc

import pytest
from tornado.web import RequestHandler

from torngas_router import RouteTable, Url, route
from torngas_router.literal import Head, branches
from torngas_router.segments import segment_key

u = Url()


class Page(RequestHandler):
    pass


def table_of(size, form="/api/v1/res{}/"):
    starts = [form.format(number) for number in range(size)]
    patterns = [f"{text}list" if at % 2 == 0 else f"{text}([^/]+)" for at, text in enumerate(starts)]
    return RouteTable(route([u(pattern, Page) for pattern in patterns]))


def tried(table, asked):
    return len(table._content.index.candidates(asked))


@pytest.mark.promise(8)
@pytest.mark.parametrize("form", ["/api/v1/res{}/", "/item-{}-", "/{}/", r"/x/y/{}\."])
def test_promise_08_one_candidate_is_tried_however_many_routes_there_are(form):
    """Also where the routes differ in the middle of a segment."""
    for size in (10, 1000):
        table = table_of(size, form)
        last = form.format(size - 1).replace("\\", "") + "7"
        assert table.match(last).route.pattern == form.format(size - 1) + "([^/]+)"
        assert tried(table, last) <= 4
        assert tried(table, "/nothing/here") == 0


@pytest.mark.promise(8)
@pytest.mark.parametrize(
    ("form", "path"),
    [
        ("/([^/]+)/res{}/(.*)", "/acme/res{}/7"),
        (r"/(\d+)/x-[a-z]+/res{}", "/7/x-y/res{}"),
        ("/(?P<lang>de|en)/res{}/?", "/de/res{}"),
    ],
)
def test_promise_08_a_later_segment_tells_routes_apart_that_begin_alike(form, path):
    """The literal text need not come first."""
    for size in (20, 1000):
        table = RouteTable([u(form.format(number), Page) for number in range(size)])
        asked = path.format(size - 1)
        assert table.match(asked).route.pattern == form.format(size - 1)
        assert tried(table, asked) == 1


@pytest.mark.promise(8)
def test_promise_08_a_thousand_routes_cost_at_most_twice_as_much_as_ten():
    """CPU time of a match, the best of many short measurements in turn: the last route, and none."""
    best, tables = {}, {size: table_of(size) for size in (10, 1000)}
    for _ in range(15):
        for size in (10, 1000):
            table = tables[size]
            for asked in (f"/api/v1/res{size - 1}/12345", "/api/v1/nothing/here"):
                start = time.process_time_ns()
                for _ in range(2000):
                    table.match(asked)
                took = time.process_time_ns() - start
                key = size, asked.startswith("/api/v1/res")
                best[key] = min(took, best.get(key, took))
    assert best[1000, True] <= 2 * best[10, True]
    assert best[1000, False] <= 2 * best[10, False]


def test_exact_paths_need_no_search_unless_something_earlier_may_want_them():
    urls = [u("/a/?", Page), u("/b(.*)", Page), u("/b", Page), u("/c", Page, methods=["GET"])]
    index = RouteTable(urls)._content.index
    assert sorted(index.exact) == ["/a", "/a/"]


def test_memory_stays_linear_with_many_catch_alls():
    """2,000 prefixes below 1,000 catch-alls are not merged 2,000,000 times."""
    catch_alls = [u(f"/a.*{number}x", Page) for number in range(1000)]
    tracemalloc.start()
    try:
        table = RouteTable([*catch_alls, *(u(f"/ab/{number}/(.*)", Page) for number in range(2000))])
        size = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert size < 12 * 2**20
    assert table.match("/ab/7/y").route.pattern == "/ab/7/(.*)"
    assert table.match("/ab/7/999x").route.pattern == "/a.*9x"


def test_a_long_path_is_searched_in_no_time():
    table = table_of(1000)
    start = time.process_time()
    for asked in ("/" * 60_000, "/api/v1/" * 8000, "/api/v1/res999/" + "/" * 60_000):
        assert table.match(asked) is None
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize(
    ("source", "head"),
    [
        (r"/user/(\d+)$", Head("/user/", r"(\d+)$")),
        (r"/user/?$", Head("/user", "/?$", ("/user", "/user/"))),
        (r"/a\.b$", Head("/a.b", "$", ("/a.b",))),
        (r"/a\Z", Head("/a", r"\Z", ("/a",))),
        ("/a", Head("/a", "")),
        ("/ab*$", Head("/a", "b*$")),
        ("/ab+?$", Head("/a", "b+?$")),
        ("/a|/b$", Head("", "/a|/b$")),
        (r"/a\d$", Head("/a", r"\d$")),
        ("^/a$", Head("/a", "$", ("/a",))),
        ("/ab??$", Head("/a", "b??$")),
        ("", Head("", "")),
    ],
)
def test_an_expression_is_taken_apart(source, head):
    assert Head.of(source) == head


@pytest.mark.parametrize(
    ("source", "key"),
    [
        ("/([^/]+)/orders/(.*)$", (2, "orders")),
        ("/([^/]+)/orders$", (2, "orders")),
        ("/([^/]+)/orders/?$", (2, "orders")),
        (r"/a-(\d+)/(?P<x>[a-z]*)/b\.c/$", (3, "b.c")),
        ("/(?:de|en)/a{2}/b/(.*)$", (3, "b")),
        ("/([^/]+)/orders", None),
        ("/(.*)/orders/(.*)$", None),
        ("/([^a]+)/orders/$", None),
        ("/[.-9]/orders/$", None),
        ("/(a/b)?/orders/$", None),
        ("/(a|b/)/orders/$", None),
        ("/([^/]+)/+orders/$", None),
        (r"/([^/]+)/x\/orders/$", None),
        (r"/\w+|/x/orders/$", None),
        (r"/([^/]+)/(?=x)orders/$", None),
        ("/([^/]+)/orders.*$", None),
        ("/([^/]+)/$", None),
    ],
)
def test_a_later_segment_is_known_only_if_nothing_before_it_can_match_a_slash(source, key):
    assert segment_key(Head.of(source), 32) == key


@pytest.mark.parametrize(
    ("source", "parts"),
    [("a|b", ["a", "b"]), ("(a|b)", ["(a|b)"]), ("[|]|b", ["[|]", "b"]), (r"a\|b", [r"a\|b"]), ("|", ["", ""])],
)
def test_only_a_top_level_bar_separates(source, parts):
    assert branches(source) == parts
