"""Only requests that name one of the hosts."""

import pytest
from tornado.web import RequestHandler

from torngas_middleware import Application, TrustedHostMiddleware

HOSTS = ["example.com", "*.example.org", "[::1]", "127.0.0.1"]


class Page(RequestHandler):
    def get(self):
        self.write("x")


async def status(serve, host, hosts=HOSTS):
    server = serve(Application([("/", Page)], middlewares=[TrustedHostMiddleware(hosts)]))
    line = "" if host is None else f"Host: {host}\r\n"
    version = "1.0" if host is None else "1.1"
    answer = await server.raw(f"GET / HTTP/{version}\r\n{line}Connection: close\r\n\r\n".encode("latin1"))
    return int(answer.split()[1])


@pytest.mark.parametrize(
    "host",
    ["example.com", "EXAMPLE.com:8080", "example.com.", "a.example.org", "a.b.example.org", "[::1]:80", "127.0.0.1:1"],
)
async def test_a_listed_host_is_served(serve, host):
    assert await status(serve, host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.com",
        "example.com.evil.com",
        "evilexample.com",
        "example.org",
        ".example.org",
        "a.example.com",
        "example.com@evil.com",
        "",
        None,
        "[::2]",
    ],
    ids=repr,
)
async def test_another_one_is_a_400(serve, caplog, host):
    assert await status(serve, host) == 400


async def test_a_star_is_every_host(serve):
    assert await status(serve, "anything.example", "*") == 200


async def test_handlers_without_hooks_are_protected_too(serve, caplog):
    application = Application([("/", Page)], middlewares=[TrustedHostMiddleware("a.example")], wrap_all=False)
    assert (await serve(application).fetch()).code == 400


@pytest.mark.parametrize("wrong", ["a*.example", "*example", "http://a", "a b", "a/b", "**.a"])
def test_a_pattern_that_means_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match="TrustedHostMiddleware: got "):
        TrustedHostMiddleware([wrong])
