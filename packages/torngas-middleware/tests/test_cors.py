"""Preflights and shared responses, as the Fetch standard has them."""

import pytest
from tornado.web import RequestHandler

from torngas_middleware import CORS, Application, CORSMiddleware

ORIGIN = "https://app.example"


class Page(RequestHandler):
    def get(self):
        self.set_header("Vary", "Accept")
        self.write("x")

    def put(self):
        raise ZeroDivisionError

    def options(self):
        self.write("options")


def build(**options):
    return Application([("/", Page)], middlewares=[CORSMiddleware(**options)], xsrf_cookies=False)


async def preflight(server, origin=ORIGIN, method="PUT", headers=None, path="/"):
    sent = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers is not None:
        sent["Access-Control-Request-Headers"] = headers
    return await server.fetch(path, method="OPTIONS", headers=sent)


def granted(response):
    return {k: v for k, v in response.headers.get_all() if k.startswith("Access-Control-")}


async def test_a_preflight_is_answered_in_place_of_the_method(serve):
    server = serve(build(origins=[ORIGIN], headers=["X-Token"], credentials=True, max_age=60))
    response = await preflight(server, headers="x-token, x-other")
    assert (response.code, response.body) == (204, b"")
    assert granted(response) == {
        "Access-Control-Allow-Origin": ORIGIN,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
        "Access-Control-Allow-Headers": "x-token",
        "Access-Control-Max-Age": "60",
    }
    assert response.headers["Vary"] == "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://app.example",
        ORIGIN + ":444",
        "null",
        "HTTPS://APP.EXAMPLE",
        "https://app.example.evil",
    ],
)
async def test_another_origin_gets_no_permission(serve, origin):
    server = serve(build(origins=[ORIGIN], credentials=True))
    refused = await preflight(server, origin)
    assert granted(refused) == {}
    plain = await server.fetch("/", headers={"Origin": origin})
    assert (plain.code, plain.body, granted(plain)) == (200, b"x", {})
    assert plain.headers["Vary"] == "Accept, Origin"


async def test_a_shared_response(serve):
    server = serve(build(origins=[ORIGIN], credentials=True, expose=["X-Total"]))
    response = await server.fetch("/", headers={"Origin": ORIGIN})
    assert granted(response) == {
        "Access-Control-Allow-Origin": ORIGIN,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "X-Total",
    }
    assert response.headers["Vary"] == "Accept, Origin"


async def test_every_origin(serve):
    server = serve(build(origins=["*"], headers=["*"]))
    response = await server.fetch("/", headers={"Origin": "https://any.example"})
    assert granted(response) == {"Access-Control-Allow-Origin": "*"}
    assert response.headers["Vary"] == "Accept"
    asked = granted(await preflight(server, headers="X-A, x-b, bad name, \u00fc"))
    assert (asked["Access-Control-Allow-Origin"], asked["Access-Control-Allow-Headers"]) == ("*", "X-A, x-b")


async def test_without_an_origin_nothing_is_granted_but_caches_are_told(serve):
    response = await serve(build(origins=[ORIGIN])).fetch("/")
    assert granted(response) == {}
    assert response.headers["Vary"] == "Accept, Origin"


@pytest.mark.parametrize(("path", "method"), [("/", "PUT"), ("/nowhere", "GET"), ("/", "DELETE")])
async def test_errors_are_shared_too(serve, caplog, path, method):
    """Otherwise a script cannot tell a 500 from a network failure."""
    server = serve(build(origins=[ORIGIN]))
    response = await server.fetch(path, method=method, headers={"Origin": ORIGIN}, allow_nonstandard_methods=True)
    assert response.code >= 400
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN


async def test_a_preflight_of_an_unknown_path(serve):
    assert (await preflight(serve(build(origins=[ORIGIN])), path="/nowhere")).code == 204


@pytest.mark.parametrize("sent", [{}, {"Origin": ORIGIN}, {"Access-Control-Request-Method": "PUT"}])
async def test_other_options_requests_reach_the_handler(serve, sent):
    response = await serve(build(origins=[ORIGIN])).fetch("/", method="OPTIONS", headers=sent)
    assert response.body == b"options"


async def test_null_only_where_it_is_listed(serve):
    response = await serve(build(origins=["null"])).fetch("/", headers={"Origin": "null"})
    assert response.headers["Access-Control-Allow-Origin"] == "null"


def test_credentials_never_go_with_every_origin():
    with pytest.raises(ValueError, match=r"CORS.origins: got '\*' together with credentials"):
        CORS(origins=["*"], credentials=True)
    with pytest.raises(ValueError, match="credentials"):
        CORSMiddleware(CORS(origins=["*"]), credentials=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"origins": ["https://app.example/"]},
        {"origins": ["app.example"]},
        {"origins": ["https://*.example\r\nX: y"]},
        {"origins": ORIGIN},
        {"methods": ["GET, PUT"]},
        {"methods": "GET"},
        {"headers": ["X-A\r\n"]},
        {"expose": [""]},
        {"max_age": -1},
    ],
    ids=repr,
)
def test_what_cannot_be_meant_is_refused(wrong):
    with pytest.raises(ValueError, match=f"CORS.{next(iter(wrong))}: got "):
        CORSMiddleware(**wrong)
