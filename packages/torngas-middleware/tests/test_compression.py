"""Compressed bodies, and the ones that are left alone."""

import gzip

import brotli
import pytest
import zstandard
from tornado.web import RequestHandler, StaticFileHandler

from torngas_middleware import Application, CompressionMiddleware, MiddlewareImportError
from torngas_middleware._encoders import accepted

TEXT = b"text to compress, " * 200


def unpack(response):
    name = response.headers.get("Content-Encoding")
    if name == "gzip":
        return gzip.decompress(response.body)
    if name == "br":
        return brotli.decompress(response.body)
    if name == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(response.body)
    return response.body


class Page(RequestHandler):
    def get(self):
        self.set_header("Content-Type", self.get_argument("type", "text/plain"))
        for name in ("Vary", "Etag", "Cache-Control", "Content-Encoding"):
            if value := self.get_argument(name, ""):
                self.set_header(name, value)
        if self.get_argument("cookie", ""):
            self.set_cookie("a", "b")
        self.set_status(int(self.get_argument("status", "200")))
        self.write(TEXT[: int(self.get_argument("length", len(TEXT)))])

    head = get


class Stream(RequestHandler):
    async def get(self):
        self.set_header("Content-Type", "text/plain")
        for start in range(0, len(TEXT), 1000):
            self.write(TEXT[start : start + 1000])
            await self.flush()


@pytest.fixture
def fetch(serve, tmp_path):
    (tmp_path / "f.css").write_bytes(TEXT)
    handlers = [("/", Page), ("/stream", Stream), ("/static/(.*)", StaticFileHandler, {"path": str(tmp_path)})]

    def start(*, accept="gzip", path="/", method="GET", headers=None, **options):
        server = serve(Application(handlers, middlewares=[CompressionMiddleware(**options)]))
        sent = {"Accept-Encoding": accept, **(headers or {})}
        return server.fetch(path, method=method, headers=sent, decompress_response=False)

    return start


@pytest.mark.parametrize("name", ["gzip", "br", "zstd"])
@pytest.mark.parametrize("path", ["/", "/stream", "/static/f.css"])
async def test_the_body_survives(fetch, name, path):
    response = await fetch(accept=name, path=path)
    assert (response.code, response.headers["Content-Encoding"]) == (200, name)
    assert unpack(response) == TEXT
    assert len(response.body) < len(TEXT) / 2
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.headers.get("Content-Length") in (None, str(len(response.body)))


@pytest.mark.parametrize(
    "path",
    [
        "/?length=100",
        "/?type=image/png",
        "/?cookie=1",
        "/?Cache-Control=public,%20no-transform",
        "/?Content-Encoding=identity",
        "/?status=206",
    ],
)
async def test_what_is_left_alone(fetch, path):
    response = await fetch(path=path)
    assert response.headers.get("Content-Encoding") in (None, "identity")
    assert TEXT.startswith(response.body)


async def test_who_accepts_nothing_gets_the_plain_body_and_vary(fetch):
    response = await fetch(accept="", path="/?Vary=Cookie")
    assert (response.body, response.headers["Vary"]) == (TEXT, "Cookie, Accept-Encoding")


async def test_cookies_are_compressed_where_asked(fetch):
    response = await fetch(path="/?cookie=1", with_cookies=True)
    assert unpack(response) == TEXT
    assert response.headers["Content-Encoding"] == "gzip"


async def test_a_strong_etag_becomes_weak_and_matches_again(fetch):
    response = await fetch()
    tag = response.headers["Etag"]
    assert tag.startswith('W/"')
    again = await fetch(headers={"If-None-Match": tag})
    assert (again.code, again.body, again.headers["Etag"]) == (304, b"", tag)
    plain = await fetch(accept="")
    assert plain.headers["Etag"] == tag.removeprefix("W/")


async def test_head_has_the_headers_of_get(fetch):
    got, head = await fetch(), await fetch(method="HEAD")
    for name in ("Content-Length", "Content-Encoding", "Etag", "Vary"):
        assert got.headers[name] == head.headers[name]


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("gzip, br, zstd", "zstd"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("gzip;q=0, *", "zstd"),
        ("*;q=0.1, br;q=0", "zstd"),
        ("GZIP", "gzip"),
        ("gzip;q=0", None),
        ("identity", None),
        ("", None),
        ("gzip;q=nonsense", None),
        (" br ; q=0.8 , gzip ; q=0.9", "gzip"),
    ],
)
def test_the_clients_weights_decide(header, chosen):
    assert accepted(header, ["zstd", "br", "gzip"]) == chosen


def test_an_unknown_encoding_is_refused():
    with pytest.raises(ValueError, match="got 'deflate'; expected some of zstd, br, gzip"):
        CompressionMiddleware(encodings=["deflate"])


def test_a_missing_package_is_named_with_the_remedy(monkeypatch):
    monkeypatch.setattr("torngas_middleware._encoders.find_spec", lambda name: None if name != "zlib" else name)
    with pytest.raises(
        MiddlewareImportError, match=r"br needs brotli: pip install 'torngas-middleware\[compression\]'"
    ):
        CompressionMiddleware(encodings=["br"])
    assert list(CompressionMiddleware()._encoders) == ["gzip"]
