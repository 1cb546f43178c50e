"""Strict headers on every response, unless the handler knows better."""

import re

import pytest
from tornado.web import RequestHandler, StaticFileHandler

from torngas_middleware import Application, SecurityHeaders, SecurityHeadersMiddleware

DEFAULTS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Page(RequestHandler):
    def get(self):
        self.write(getattr(self, "csp_nonce", "none"))

    def post(self):
        raise ZeroDivisionError


class Own(RequestHandler):
    def get(self):
        self.set_header("X-Frame-Options", "DENY")
        self.set_header("Content-Security-Policy", "default-src *")
        self.clear_header("Referrer-Policy")


def build(tmp_path, *args, **options):
    handlers = [("/", Page), ("/own", Own), ("/static/(.*)", StaticFileHandler, {"path": str(tmp_path)})]
    return Application(handlers, middlewares=[SecurityHeadersMiddleware(*args, **options)])


@pytest.mark.parametrize(("path", "method"), [("/", "GET"), ("/", "POST"), ("/nowhere", "GET"), ("/static/f", "GET")])
async def test_every_response_has_them(serve, caplog, tmp_path, path, method):
    (tmp_path / "f").write_text("file")
    server = serve(build(tmp_path))
    response = await server.fetch(path, method=method, allow_nonstandard_methods=True)
    for name, value in DEFAULTS.items():
        assert response.headers.get_list(name) == [value], name
    assert "'nonce-" in response.headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in response.headers


async def test_the_nonce_is_the_requests_own(serve, tmp_path):
    server = serve(build(tmp_path))
    first, second = await server.fetch(), await server.fetch()
    for response in (first, second):
        nonce = re.search(r"'nonce-([\w-]{22})'", response.headers["Content-Security-Policy"])[1]
        assert response.body.decode() == nonce
    assert first.body != second.body


async def test_without_a_placeholder_there_is_no_nonce(serve, tmp_path):
    server = serve(build(tmp_path, csp="default-src 'none'"))
    response = await server.fetch()
    assert (response.body, response.headers["Content-Security-Policy"]) == (b"none", "default-src 'none'")


async def test_what_the_handler_decides_stays(serve, tmp_path):
    response = await serve(build(tmp_path)).fetch("/own")
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Content-Security-Policy"] == "default-src *"
    assert "Referrer-Policy" not in response.headers


async def test_hsts_is_sent_over_https_only(serve, tmp_path):
    server = serve(build(tmp_path, hsts="max-age=60"), protocol="https")
    assert (await server.fetch()).headers["Strict-Transport-Security"] == "max-age=60"


async def test_none_leaves_a_header_out(serve, tmp_path):
    options = SecurityHeaders(csp=None, frame_options=None)
    response = await serve(build(tmp_path, options, opener_policy=None)).fetch()
    absent = {"Content-Security-Policy", "X-Frame-Options", "Cross-Origin-Opener-Policy"}
    assert absent.isdisjoint(response.headers)
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("field", ["csp", "hsts", "frame_options", "referrer_policy", "opener_policy"])
@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "\x00", 42])
def test_a_value_that_is_no_header_is_refused(field, value):
    with pytest.raises(ValueError, match=f"SecurityHeaders.{field}: got "):
        SecurityHeadersMiddleware(**{field: value})
