"""reverse and reverse_url: what they build, how they quote, what they say."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.routing import URLSpec
from tornado.web import RequestHandler

from torngas_router import Application, ReverseError, RouteTable, UrlError, include, path

ID = uuid.UUID("12345678-1234-5678-1234-567812345678")


class Page(RequestHandler):
    pass


@pytest.fixture
def table(u):
    return RouteTable(
        [
            u("/?", Page, name="root"),
            u("/login/?", Page, name="login"),
            u(r"/n/(\d+)/([a-z]+)/?", Page, name="unnamed"),
            u(r"/g/(?P<a>\d+)/(?P<b>[^/]+)", Page, name="named"),
            u.path("/t/<int:n>/<name>/", Page, name="typed"),
            u.path("/u/<uuid:id>/<slug:s>/<path:rest>", Page, name="more"),
            u.path("/a.b(c)/", Page, name="literal"),
            include("/<int:year>", [u(r"/(?P<page>\d+)", Page, name="mixed")]),
            u(r"/100%/(\d+)/a\.b", Page, name="percent"),
            u(r"/o/(a)?", Page, name="optional"),
            u(r"/alt/(a|b)", Page, name="alternative"),
            u("/x(a(b))", Page, name="nested"),
            u(r"/d/\d+", Page, name="class"),
            URLSpec(r"/spec/(.*)", Page, name="spec"),
            ("/tuple/?", Page, {}, "tuple"),
        ]
    )


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "url"),
    [
        ("root", (), {}, "/"),
        ("login", (), {}, "/login"),
        ("unnamed", (7, "ab"), {}, "/n/7/ab"),
        ("named", (7, "a b/ü"), {}, "/g/7/a%20b/%C3%BC"),
        ("named", (), {"b": "x", "a": 7}, "/g/7/x"),
        ("named", (7,), {"b": "x"}, "/g/7/x"),
        ("typed", (7, "a b/ü%"), {}, "/t/7/a%20b%2F%C3%BC%25/"),
        ("typed", (), {"name": "//evil", "n": "7"}, "/t/7/%2F%2Fevil/"),
        ("more", (ID, "a-b", "c/d e"), {}, f"/u/{ID}/a-b/c/d%20e"),
        ("literal", (), {}, "/a.b(c)/"),
        ("mixed", (2026, 7), {}, "/2026/7"),
        ("mixed", (), {"page": 7, "year": 2026}, "/2026/7"),
        ("percent", (7,), {}, "/100%/7/a.b"),
        ("alternative", ("a",), {}, "/alt/a"),
        ("spec", ("a/b",), {}, "/spec/a/b"),
        ("tuple", (), {}, "/tuple/?"),
    ],
)
def test_a_name_and_values_give_the_quoted_path(table, name, args, kwargs, url):
    assert table.reverse(name, *args, **kwargs) == table.reverse_url(name, *args, **kwargs) == url
    assert Application(table).reverse_url(name, *args, **kwargs) == url


@given(st.integers(0, 10**30), st.text(min_size=1))
def test_what_was_built_leads_back_to_the_values(number, text):
    """Any text that is no lone surrogate survives the way there and back."""
    table = RouteTable([path("/<int:n>/<name>/", Page, name="x")])
    if not text.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in text):
        return
    assert table.match(table.reverse("x", number, text)).kwargs == {"n": number, "name": text}


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "said"),
    [
        ("typed", (7,), {}, r"missing \['name'\]"),
        ("typed", (), {"name": "x"}, r"missing \['n'\]"),
        ("typed", (7, "x", 8), {}, r"left over \[8\]"),
        ("typed", (7, "x"), {"y": 1}, r"left over \['y'\]"),
        ("typed", (7,), {"n": 7, "name": "x"}, r"exactly once"),
        ("unnamed", (7,), {}, r"missing 1.*expected 2 positional values"),
        ("unnamed", (7,), {"b": 1}, r"left over \['b'\]"),
        ("login", (7,), {}, r"left over \[7\]"),
        ("typed", ("x", "y"), {}, r"n='x' .*expected what the converter 'int' accepts"),
        ("typed", (-7, "y"), {}, r"n=-7 .*does not match"),
        ("typed", (7, ""), {}, r"name='' "),
        ("more", (ID, "ä", "x"), {}, r"s='ä' "),
        ("more", ("x", "a", "x"), {}, r"id='x' .*badly formed"),
        ("nested", ("a", "b"), {}, r"too complicated"),
        ("class", (), {}, r"too complicated"),
        ("optional", ("a",), {}, r"too complicated"),
    ],
)
def test_it_says_what_is_missing_or_does_not_fit(table, name, args, kwargs, said):
    with pytest.raises(ReverseError, match=said):
        table.reverse(name, *args, **kwargs)
    with pytest.raises(ReverseError, match=said):
        table.reverse_url(name, *args, **kwargs)


def test_an_unknown_name_is_a_key_error_with_the_nearest_names(table):
    for ask in (table.reverse, Application(table).reverse_url):
        with pytest.raises(
            KeyError, match=r"^reverse\('logn'\): got an unknown name; expected .*\['login'\]"
        ) as caught:
            ask("logn")
        assert isinstance(caught.value, UrlError)
    assert table.reverse_url("logn") is None


async def test_handlers_reverse_with_names_too(serve, u):
    class Link(RequestHandler):
        def get(self, n):
            self.write(self.reverse_url("link", n + 1))

    fetch = await serve(Application([u.path("/<int:n>", Link, name="link")]))
    assert (await fetch("/7")).body == b"/8"
