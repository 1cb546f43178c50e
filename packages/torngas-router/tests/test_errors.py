"""Mistakes are found when the table is built, and told with their place."""

import re
from collections import OrderedDict

import pytest
from tornado.routing import AnyMatches, Rule
from tornado.web import RequestHandler

from torngas_router import Application, RouteTable, Url, UrlError, include, path

FORM = re.compile(r".*test_errors\.py:\d+: .+: got .+; expected .+\. [A-Z].+\.?", re.DOTALL)


class Page(RequestHandler):
    pass


u = Url("json")
WRONG = OrderedDict(
    bad_pattern=lambda: [u("/(", Page)],
    bad_pattern_after_a_good_start=lambda: [Url()("/long/start/(?P<a", Page)],
    pattern_is_no_text=lambda: [u(7, Page)],
    pattern_is_none=lambda: [u(None, Page)],
    pattern_of_bytes=lambda: [u(re.compile(b"/x"), Page)],
    typed_path_is_compiled=lambda: [path(re.compile("/x"), Page)],
    tuple_of_bytes=lambda: [(re.compile(b"/x"), Page)],
    bad_tuple=lambda: [("/(", Page)],
    mixed_groups=lambda: [Url()("/(a)/(?P<b>c)", Page)],
    unknown_module=lambda: [Url("nowhere.at.all")("/x", "pages.Page")],
    unknown_class=lambda: [u("/x", "decoder.Missing")],
    no_dots=lambda: [Url()("/x", "nowhere")],
    no_handler_class=lambda: [u("/x", "decoder.JSONDecoder")],
    no_handler=lambda: [u("/x", 7)],
    none=lambda: [u("/x", None)],
    tuple_with_unknown_class=lambda: [("/x", "nowhere.Page")],
    rule_with_unknown_class=lambda: [(AnyMatches(), "nowhere.Page")],
    same_name=lambda: [u("/x", Page, name="a"), u("/y", Page, name="a")],
    same_name_by_include=lambda: [*include("/x", [u("/", Page, name="a")]), u("/y", Page, name="a")],
    kwargs_of_the_route=lambda: [Url()("/(?P<a>x)", Page, {"a": 1})],
    kwargs_of_the_url=lambda: [Url(a=1).path("/<a>", Page)],
    kwargs_of_the_include=lambda: include("/x", [path("/<a>", Page)], kwargs={"a": 1}),
    empty_include=lambda: include("/x", []),
    no_methods=lambda: [u("/x", Page, methods=[])],
    odd_methods=lambda: [u("/x", Page, methods=["GET,PUT"])],
    bad_host=lambda: [u("/x", Page, host="(")],
    no_entry=lambda: [7],
    text_as_entry=lambda: ["/x"],
    short_tuple=lambda: [("/x",)],
    long_tuple=lambda: [("/x", Page, {}, "a", "b")],
    odd_tuple=lambda: [(7, Page)],
    empty_tuple=lambda: [()],
    no_list=lambda: 7,
    text=lambda: "routes",
    bad_pattern_in_a_nested_list=lambda: [(AnyMatches(), [("/(", Page)])],
)


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("build", [RouteTable, Application, RouteTable([]).replace])
def test_a_mistake_names_entry_place_expectation_and_remedy(wrong, build):
    with pytest.raises(UrlError) as caught:
        build(wrong())
    assert FORM.fullmatch(str(caught.value)), str(caught.value)


def test_the_place_is_the_line_of_the_entry():
    declared = [
        u("/fine", Page),
        u("/(", Page, name="broken"),
    ]
    line = test_the_place_is_the_line_of_the_entry.__code__.co_firstlineno + 3
    with pytest.raises(UrlError, match=rf"test_errors\.py:{line}: route '/\(', name='broken': got pattern"):
        RouteTable(declared)


def test_the_second_of_two_equal_names_is_told_with_the_place_of_the_first():
    with pytest.raises(UrlError, match=r"route '/y'.*'a' a second time \(first: .*test_errors\.py:\d+: route '/x'"):
        RouteTable([u("/x", Page, name="a"), u("/y", Page, name="a")])


def test_the_cause_is_kept():
    with pytest.raises(UrlError) as caught:
        RouteTable([u("/x", "nowhere.Page")])
    assert isinstance(caught.value.__cause__, ImportError)


def test_nested_tables_may_repeat_a_name():
    inner = RouteTable([u("/in", Page, name="a")])
    assert RouteTable([u("/x", Page, name="a"), Rule(AnyMatches(), inner)]).reverse("a") == "/x"


def test_an_error_of_a_handlers_module_is_not_taken_for_a_missing_one(tmp_path, monkeypatch):
    (tmp_path / "broken_pages.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ZeroDivisionError):
        RouteTable([Url()("/x", "broken_pages.Page")])
