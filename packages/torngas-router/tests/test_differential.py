"""Property: whatever the table and whatever the path, the answer is that of Tornado's own linear scan."""

import os
import re
import warnings

import pytest
import tornado.web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.routing import AnyMatches, HostMatches, PathMatches, Rule, RuleRouter
from tornado.web import ErrorHandler, RequestHandler, URLSpec

from torngas_router import Application, RouteTable, Url, UrlError

EXAMPLES = int(os.environ.get("TORNGAS_ROUTER_EXAMPLES", "800"))
PATHS = 40
HANDLERS = [type(f"Handler{number}", (RequestHandler,), {}) for number in range(16)]
u = Url()

FRAGMENTS = (
    *("a", "b", "ab", "aa", "1", "/", "/", "/", "/a", "/b/", "/ab", "/a/b", "/?", "a?", "b*", "a+", "a{2}", "a{", "é"),
    *(r"(\d+)", "([^/]+)", "([^/]*)", "(?P<N>[^/]+)", r"(?P<N>\d+)", "(.*)", ".*", ".+", ".", "(?:a|b)", "(a|b)"),
    *("[ab]", "[^/]", "[a/]", "[]|a]", "[^]|]", r"[\]|]", "a|b", "/a|/b", "|", r"\.", r"\/", r"\-", r"\w+", r"\b", "$"),
    *("^", r"\Z", "(?=a)", "(?!a)", "(?<=/)", "(?i:A)", "(?#c|(x)", "(a(b)?)", "((a)|b)", "(a)?", "%2F", "%41"),
    *(r"(a)\1", r"\$", r"\n", "\n", "(?x: a )", "(?P<N>a)?", "(/)?", "((?:/a)+)", r"\A", "(", "]", "}", r"\d", "-"),
)
TEXTS = (
    "a",
    "b",
    "ab",
    "aa",
    "1",
    "12",
    "/",
    "/",
    "/",
    "/a",
    "/b/",
    "/ab",
    "%2F",
    "%41",
    "A",
    ".",
    "\n",
    "é",
    "%",
    "|",
)
FLAGS = (re.IGNORECASE, re.MULTILINE, re.DOTALL, re.VERBOSE, re.ASCII)


def numbered(fragments):
    """Group names must be unique in one pattern."""
    return "".join(fragment.replace("<N>", f"<n{at}>") for at, fragment in enumerate(fragments))


pieces = st.lists(st.sampled_from(FRAGMENTS), max_size=5)
sources = st.builds(
    lambda start, middle, end: start + numbered(middle) + end,
    st.sampled_from(("/", "/", "/", "/", "", "^/", "/a/", "/ab", "(?i)/", "^^", "(?s)")),
    pieces,
    st.sampled_from(("", "", "", "/?", "$", "/?$", r"\$", "([^/]+)", "/")),
)
plain = st.builds("/{}/{}".format, st.sampled_from("ab"), st.sampled_from(("", "a", "b", r"(\d+)", "a/?", ".*")))
flags = st.lists(st.sampled_from(FLAGS), max_size=2).map(lambda chosen: sum(set(chosen), re.RegexFlag(0)))
paths = st.builds(
    lambda start, rest: start + "".join(rest),
    st.sampled_from(("/", "/", "/", "")),
    st.lists(st.sampled_from(TEXTS), max_size=6),
)
KINDS = ("u", "u", "u", "u", "tuple", "tuple", "list", "URLSpec", "compiled", "Rule", "host", "nested", "router", "any")
items = st.tuples(st.sampled_from(KINDS), st.one_of(sources, sources, plain), flags, st.integers(0, len(HANDLERS) - 1))


def is_good(item):
    return tornado_of([item]) is not None


tables = st.lists(items.filter(is_good), min_size=1, max_size=12)


class Plain(PathMatches):
    """A matcher that is none of Tornado's own."""


def entries(table, ours):
    """The table for us or for Tornado, which knows no u()."""
    return [entry(*item, ours) for item in table]


def entry(kind, source, flag, number, ours):
    handler = HANDLERS[number]
    if kind == "u":
        return u(source, handler) if ours else (source, handler)
    if kind == "tuple":
        return (source, handler, {"status": number})
    if kind == "list":
        return [source, handler]
    if kind == "URLSpec":
        return URLSpec(source, handler, {"kwarg": 1}, name=None)
    if kind == "compiled":
        compiled = re.compile(source, flag)
        return u(compiled, handler) if ours else URLSpec(compiled, handler)
    if kind == "Rule":
        return Rule(Plain(source), handler)
    if kind == "host":
        return (HostMatches("(?:www.)?example.com"), [(source, handler)])
    if kind == "nested":
        return (source, [(source, handler), ("/a.*", HANDLERS[0])])
    if kind == "router":
        return Rule(PathMatches(source), RuleRouter([Rule(PathMatches("/a.*"), lambda request: None)]))
    return Rule(AnyMatches(), RuleRouter([]))


def answer(application, path, host):
    delegate = application.find_handler(new_request(path, host))
    if not hasattr(delegate, "handler_class"):
        return type(delegate)
    handler = delegate.handler_class
    handler = handler if handler in HANDLERS or handler is ErrorHandler else handler.__mro__[1]
    return handler, delegate.handler_kwargs, delegate.path_args, delegate.path_kwargs


def new_request(path, host):
    line = RequestStartLine("GET", "/", "HTTP/1.1")
    request = HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": host}), connection=CONNECTION)
    request.path = path
    return request


class Connection:
    context = None

    def set_close_callback(self, callback):
        pass


CONNECTION = Connection()


def tornado_of(table):
    """Tornado's application, or None where Tornado itself refuses the table."""
    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            return tornado.web.Application(entries(table, ours=False))
    except (re.error, AssertionError):
        return None


@pytest.mark.promise(8)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(tables, st.lists(paths, min_size=PATHS, max_size=PATHS), st.sampled_from(("x.org", "example.com")))
def test_promise_08_indexed_router_equals_linear_router(table, paths, host):
    """The same handler, the same arguments, the same 404."""
    oracle = tornado_of(table)
    with warnings.catch_warnings(action="ignore", category=FutureWarning):
        ours = Application(entries(table, ours=True))
    literal = [source.replace("?", "").replace("$", "") for _, source, _, _ in table]
    for path in (*paths, *literal):
        assert answer(ours, path, host) == answer(oracle, path, host), path


SEGMENTS = (
    *(
        "([^/]+)",
        r"(\d+)",
        r"\w*",
        "(?:a|b)",
        "[^a]+",
        "[^/a]*",
        "(a|b/)",
        "(a(b)?)",
        "(?:[ab]{1,2})",
        "[.-9]",
        ".",
        "(?=a)",
    ),
    *(
        "a",
        "b",
        "ab",
        "1",
        "a",
        "b",
        "ab",
        "1",
        "a?",
        "ab{2}",
        r"\d",
        r"a\.",
        "",
        "(/b)?",
        "a/?",
        r"\/",
        "[^/]|a",
        "(?=a)",
    ),
)
alike = st.builds(
    lambda first, rest, end: f"/{first}/{'/'.join(rest)}{end}",
    st.sampled_from(("([^/]+)", r"(\d+)", "(?:a|b)", r"\w+", "[ab]*")),
    st.lists(st.sampled_from(SEGMENTS), max_size=4),
    st.sampled_from(("", "", "/?", "/", "$")),
)
texts = st.lists(st.sampled_from(("a", "b", "ab", "1", "", "a.", "abb", "%2F", "c")), max_size=5).map("/".join)


@pytest.mark.promise(8)
@settings(max_examples=EXAMPLES // 4, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.just("u"), alike, st.just(0), st.integers(0, 15)).filter(is_good), min_size=17, max_size=40),
    st.lists(texts.map("/".__add__), min_size=PATHS, max_size=PATHS),
)
def test_promise_08_routes_told_apart_by_later_segments_equal_the_scan(table, paths):
    """Many routes that begin alike: the first segment is a group, later ones are literal here and there."""
    ours, oracle = Application(entries(table, ours=True)), tornado_of(table)
    for path in paths:
        assert answer(ours, path, "x.org") == answer(oracle, path, "x.org"), path


@settings(max_examples=EXAMPLES // 4, deadline=None)
@given(items)
def test_a_pattern_is_refused_exactly_where_tornado_refuses_it(item):
    """Taking an expression apart neither heals nor breaks it."""
    _kind, source, _flags, number = item
    with warnings.catch_warnings(action="ignore", category=FutureWarning):
        if tornado_of([("u", source, None, number)]) is not None:
            RouteTable([u(source, HANDLERS[number])])
        else:
            with pytest.raises(UrlError):
                RouteTable([u(source, HANDLERS[number])])


@pytest.mark.promise(8)
@pytest.mark.parametrize(
    ("patterns", "asked"),
    [
        (["/a|/b", "/ab"], ["/a", "/b", "/ab", "/ac"]),
        (["/a(?#[)|/b", "/a(?#()|/c"], ["/a", "/ax", "/b", "/c"]),
        (["/a[(]|/b", "/a[]|]x|/c", r"/a[^]\]|]|/d"], ["/a(", "/b", "/a]x", "/a|x", "/c", "/d", "/ab"]),
        (["/a(?i)"], []),
        (["(?i)/A", "/a"], ["/a", "/A"]),
        (["/a/?", "/a/", "/a"], ["/a", "/a/", "/a//", "/a\n", "/a/\n"]),
        (["/x/.", "/x/?", "/x/", "/x"], ["/x", "/x/", "/x/a", "/x/\n"]),
        (["/.*", "/a", "/b"], ["/a", "/b", "/c", "a"]),
        (["/[ab]", "/a/?", "/a/"], ["/a", "/a/", "/b"]),
        (["/a/|x", "/a/?", "/a", "/a/?"], ["/a", "/a/", "/a/b", "x"]),
        (["/a$", r"/a\$", "/a$$", r"/a\Z"], ["/a", "/a\n", "/a$", "/a$b"]),
        (["/a+", "/a*", "/ab?", "/a{2}", "/a{,3}b", "/a{"], ["/", "/a", "/aa", "/aaa", "/ab", "/a{", "/aaab"]),
        (["^/a", "^^/b", "^*/c", "/^d", r"\A/e"], ["/a", "/b", "/c", "/d", "/^d", "/e"]),
        (["/user-(\\d+)", "/use(.*)", "/user-1", "/(.*)"], ["/user-1", "/user-x", "/use", "/us", "/user-"]),
        (["/a/b/c/(.)", "/a/(.*)", "/a/b/(.*)", "/(.*)"], ["/a/b/c/d", "/a/b/c/", "/a/b", "/a/", "/a", "/"]),
        ([r"/a(?<=/a)b", r"/a\b.c", "/(a)?(b)?"], ["/ab", "/a.c", "/a-c", "/", "/a", "/b", "/b%20"]),
        (["", "/", "/?", "//", ".*"], ["", "/", "//", "\n", "*"]),
        (["/%C3%A9/(.*)", "/é/(.*)"], ["/%C3%A9/%C3%A9", "/é/é", "/é/%", "/é/%zz+"]),
    ],
)
def test_promise_08_tricky_expressions_answer_as_tornado_does(patterns, asked):
    """Each of these once broke, or would break, a simpler way of taking expressions apart."""
    for flag in (0, *FLAGS):
        for kind in ("u", "compiled"):
            table = [(kind, source, flag, number) for number, source in enumerate(patterns)]
            oracle = tornado_of(table)
            if oracle is None:
                with pytest.raises((UrlError, re.error)):
                    RouteTable(entries(table, ours=True))
                continue
            ours = Application(entries(table, ours=True))
            for path in (*asked, *(f"{text}\nx" for text in asked)):
                assert answer(ours, path, "x.org") == answer(oracle, path, "x.org"), (path, flag, kind)


def test_many_catch_alls_before_and_between_keep_the_order():
    """More inherited candidates than are merged when the table is built."""
    patterns = [f"/a.*{number}" for number in range(80)]
    patterns += [f"/a/b{number}" for number in range(40)] + [f"/a/b(.*){number}" for number in range(80)]
    table = [("u", source, 0, number % len(HANDLERS)) for number, source in enumerate(patterns)]
    ours, oracle = Application(entries(table, ours=True)), tornado_of(table)
    for number in range(100):
        for path in (f"/a/b{number}", f"/a{number}", f"/a/bx{number}", f"/a/b{number}x"):
            assert answer(ours, path, "x.org") == answer(oracle, path, "x.org"), path
