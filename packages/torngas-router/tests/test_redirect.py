"""Redirect helpers never send a browser to another host."""

import asyncio
import re
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.web import RequestHandler

from torngas_router import (
    Application,
    LocalRedirectHandler,
    Url,
    addslash,
    is_local_url,
    local_url,
    path,
    removeslash,
)

ELSEWHERE = [
    *("//evil.example", "///evil.example", "////evil.example", "//evil.example/%2e%2e", "//user@evil.example", "//"),
    *(
        "/\\evil.example",
        "\\/evil.example",
        "\\\\evil.example",
        "/\\/evil.example",
        "/\\\\evil.example",
        "\\evil.example",
    ),
    *("/%2fevil.example", "/%2Fevil.example", "%2f%2fevil.example", "/%5cevil.example", "%5c%5cevil.example", "/%5C"),
    *("/%252fevil.example", "/%25252f%2fevil.example", "/%255cevil.example", "/%252525252fevil.example"),
    *(
        "/\t/evil.example",
        "/\r/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "//evil\t.example",
    ),
    *("/%09/evil.example", "/%0d%0a/evil.example", "/\x00/evil.example", "\x01//evil.example", "/a\r\nSet-Cookie: x=1"),
    *("http:evil.example", "http:/evil.example", "http://evil.example", "https:evil.example", "HTTP://evil.example"),
    *(
        "http:\\\\evil.example",
        "http:///evil.example",
        "http:\\/evil.example",
        "ht\ttp://evil.example",
        "http://evil\\@x",
    ),
    *("javascript:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "ftp://evil.example", "x:y", "mailto:a@b"),
    *("https://host.example@evil.example", "https://host.example\\@evil.example", "https://host.example.evil.example"),
    *("https://host.example:8080/", "https://evil.example/https://host.example", "https://evil.example#host.example"),
    *("", "evil.example", "?next=//evil.example", "#x", ".", "./x", "../x", "*"),
]
LOCAL = [
    "/",
    "/a",
    "/a/b?c=d#e",
    "/a//b",
    "/?next=//evil.example",
    "/#//evil.example",
    "/a%2f%2fb",
    "/a\\b",
    "/@x",
    "/%41",
    "/é",
]


def browser_goes_to(location: str) -> str:
    """The host that a browser asks when https://host.example/page answers with this Location (WHATWG URL)."""
    location = re.sub("[\t\r\n]", "", location.strip("".join(map(chr, range(33)))))
    scheme = re.match(r"(?i)https?:(?=.)", location)
    if scheme and not re.match(r"(?i)https:[^/\\]", location):  # a special scheme eats any number of slashes
        return re.split(r"[/\\?#]", location[scheme.end() :].lstrip("/\\"), maxsplit=1)[0].rpartition("@")[2]
    head, mark, rest = re.match(r"([^?#]*)([?#]?)(.*)", location, re.DOTALL).groups()
    head = head.replace("\\", "/")
    if head.startswith("//"):
        return head.lstrip("/").partition("/")[0].rpartition("@")[2]
    return urlsplit(urljoin("https://host.example/page", head + mark + rest)).netloc


@pytest.mark.promise(6)
@pytest.mark.parametrize("url", ELSEWHERE)
def test_promise_06_no_url_of_the_corpus_is_local(url):
    """What any browser or proxy could take for another host is replaced."""
    assert not is_local_url(url)
    assert not is_local_url(url, hosts=["host.example"])
    assert local_url(url, "/home") == "/home"


@pytest.mark.parametrize("url", LOCAL)
def test_a_path_from_the_root_is_local(url):
    assert is_local_url(url)
    assert local_url(url) == url


def test_nothing_is_no_url():
    assert local_url(None) == "/"
    assert not is_local_url(None)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("https://host.example", True),
        ("http://HOST.example/a?b#c", True),
        ("https://host.example?x", True),
        ("https://host.example:8443/a", False),
        ("https://other.example:8443/a", True),
        ("//host.example/a", False),
    ],
)
def test_named_hosts_may_be_reached_by_whole_urls(url, local):
    assert is_local_url(url, hosts=["Host.example", "other.example:8443"]) is local


@pytest.mark.promise(6)
@given(st.text(st.sampled_from("/\\\t\r\n %2f5cFC:.@?#aehtps\x00"), max_size=14))
def test_promise_06_no_browser_leaves_the_host_of_a_local_url(url):
    """A small model of the browsers' URL parser stays on the host for all that is called local."""
    if is_local_url(url):
        assert browser_goes_to(url) == "host.example"


def test_the_model_of_a_browser_is_not_blind():
    assert browser_goes_to("/a/b") == "host.example"
    for url in ("//evil", "/\\evil", "/\t/evil", "http:evil", "https://a@evil/x", " \\\\evil"):
        assert browser_goes_to(url) == "evil", url


class Slash(RequestHandler):
    @addslash
    def get(self, *args):
        self.write("with")

    head = post = get


class NoSlash(RequestHandler):
    @removeslash
    async def get(self, *args):
        self.write("without")

    post = get


async def raw(port: int, target: str, method: str = "GET") -> tuple[int, str | None]:
    """Status and Location of a request line that no client library would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {target} HTTP/1.1\r\nHost: host.example\r\nConnection: close\r\n\r\n".encode("latin1"))
    answer = (await reader.read()).decode("latin1")
    writer.close()
    location = re.search(r"(?im)^location: (.*?)\r$", answer)
    return int(answer.split()[1]) if answer else 0, location and location[1]


TARGETS = [url for url in ELSEWHERE if url.startswith("/") and not re.search(r"[\x00-\x20]", url)]


@pytest.mark.promise(6)
@pytest.mark.parametrize("handler", [Slash, NoSlash])
async def test_promise_06_slash_decorators_stay_on_the_host(serve, handler):
    """Whatever stands in the request line: no redirect, or one to the same host."""
    fetch = await serve(Application([Url()("(.*)", handler)]))
    redirects = 0
    for target in (*TARGETS, *(f"{text}/" for text in TARGETS), "/a", "/a/", "/a/b?c=d", "/a/b/?c=d"):
        code, location = await raw(fetch.port, target)
        assert code in (200, 301, 400, 403), target
        if location is not None:
            redirects += 1
            assert browser_goes_to(location) == "host.example", target
            assert not re.match(r"/(/|\\|%2f|%5c)", location, re.IGNORECASE), target
    assert redirects >= 2


async def test_slashes_are_added_and_removed(serve):
    fetch = await serve(Application([Url()("/a/?", Slash), Url()("/b/*", NoSlash), Url()("/", NoSlash)]))
    asked = ["/a", "/a?x=1", "/a/", "/b/", "/b//?x=1", "/b", "/"]
    assert [await raw(fetch.port, target) for target in asked] == [
        (301, "/a/"),
        (301, "/a/?x=1"),
        (200, None),
        (301, "/b"),
        (301, "/b?x=1"),
        (200, None),
        (200, None),
    ]
    assert [await raw(fetch.port, target, "POST") for target in ("/a", "/b/")] == [(404, None), (404, None)]
    assert await raw(fetch.port, "/a", "HEAD") == (301, "/a/")


@pytest.mark.promise(6)
async def test_promise_06_a_group_cannot_bring_a_host_into_a_redirect(serve):
    """RedirectHandler formats groups into its target; the local one refuses what that makes of them."""
    u = Url()
    fetch = await serve(
        Application(
            [
                u(r"/old/(.*)", LocalRedirectHandler, {"url": "/{0}", "permanent": False}),
                path("/typed/<path:rest>", LocalRedirectHandler, {"url": "/new/{rest}"}),
                u(r"/away", LocalRedirectHandler, {"url": "https://other.example/", "hosts": ["other.example"]}),
            ]
        )
    )
    assert await raw(fetch.port, "/old/a/b?c=d") == (302, "/a/b?c=d")
    assert await raw(fetch.port, "/typed/a") == (301, "/new/a")
    assert await raw(fetch.port, "/away") == (301, "https://other.example/")
    for target in ("/old//evil.example", "/old/%2fevil.example", "/old/\\evil.example", "/old/%5cevil.example"):
        code, location = await raw(fetch.port, target)
        assert (code in (400, 403), location) == (True, None), target  # 400: Tornado was first
