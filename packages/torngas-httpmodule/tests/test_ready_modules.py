"""The ready modules, each alone, over a real server."""

from __future__ import annotations

from base64 import b64encode

import pytest
from tornado.web import Application, RequestHandler

from torngas_httpmodule import (
    BasicAuthModule,
    CacheControlModule,
    HttpModuleMixin,
    IPAllowModule,
    IPBlockModule,
    LoginRequiredModule,
    ModuleConfigError,
    RateLimitModule,
    install,
    safe_next,
)


class Main(HttpModuleMixin, RequestHandler):
    def get_current_user(self):
        return self.request.headers.get("X-User")

    def get(self):
        if self.get_argument("cookie", ""):
            self.set_cookie("a", "b")
        if own := self.get_argument("own", ""):
            self.set_header("Cache-Control", own)
        self.set_status(int(self.get_argument("status", "200")))
        self.write(str(self.current_user))

    post = get


def application(*modules, **settings):
    app = Application([("/.*", Main)], **settings)
    install(app, common=modules)
    return app


def basic(user, password, scheme="Basic"):
    return {"Authorization": f"{scheme} " + b64encode(f"{user}:{password}".encode()).decode()}


async def test_basic_auth_lets_the_right_user_in(fetch):
    app = application(BasicAuthModule({"ada": "pass:wörd"}))
    response = await fetch(app, headers=basic("ada", "pass:wörd", "bAsIc"))
    assert (response.code, response.body) == (200, b"ada")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("ada", "wrong"),
        basic("eve", ""),
        basic("", ""),
        basic("ada", "password", "Bearer"),
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + b64encode(b"\xff\xfe").decode()},
        {"Authorization": "Basic " + b64encode(b"ada").decode()},
    ],
)
async def test_basic_auth_asks_everybody_else(fetch, headers):
    response = await fetch(application(BasicAuthModule({"ada": "password"}, realm='a "b"')), headers=headers)
    assert (response.code, response.body) == (401, b"")
    assert response.headers["WWW-Authenticate"] == r'Basic realm="a \"b\"", charset="UTF-8"'


async def test_basic_auth_may_ask_a_function(fetch):
    app = application(BasicAuthModule(lambda user, password: user == password))
    assert (await fetch(app, headers=basic("x", "x"))).code == 200
    assert (await fetch(app, headers=basic("x", "y"))).code == 401


async def test_addresses_are_blocked_and_allowed_by_network(fetch):
    assert (await fetch(application(IPBlockModule(["127.0.0.0/8"])))).code == 403
    assert (await fetch(application(IPBlockModule(["10.0.0.0/8", "::1"])))).code == 200
    assert (await fetch(application(IPAllowModule("127.0.0.1")))).code == 200
    assert (await fetch(application(IPAllowModule(["10.0.0.0/8"])))).code == 403


@pytest.mark.parametrize(
    ("network", "address", "inside"),
    [
        ("10.0.0.0/8", "::ffff:10.1.2.3", True),
        ("2001:db8::/32", "2001:db8::7", True),
        ("fe80::/10", "fe80::1%eth0", True),
        ("2001:db8::/32", "2001:db9::7", False),
        ("0.0.0.0/0", "", False),
    ],
)
def test_ipv6_mapped_scoped_and_missing_addresses(handler_of, network, address, inside):
    handler = handler_of()
    handler.request.remote_ip = address
    blocks = _refuses(IPBlockModule([network]), handler)
    allows = not _refuses(IPAllowModule([network]), handler)
    assert (blocks, allows) == (inside, inside)


def _refuses(module, handler):
    from tornado.web import HTTPError

    try:
        module.begin_request(handler, lambda: None)
    except HTTPError as error:
        return error.status_code == 403
    return False


def test_what_is_no_network_is_refused():
    with pytest.raises(ModuleConfigError, match="IPBlockModule: got 'localhost'"):
        IPBlockModule(["localhost"])


async def test_login_required_redirects_a_visitor_and_admits_a_user(fetch):
    app = application(LoginRequiredModule, login_url="/login?x=1")
    response = await fetch(app, "/account/?a=b&c=d")
    assert (response.code, response.headers["Location"]) == (302, "/login?x=1&next=%2Faccount%2F%3Fa%3Db%26c%3Dd")
    assert (await fetch(app, headers={"X-User": "ada"})).body == b"ada"
    assert (await fetch(app, method="POST", body="")).code == 403


async def test_login_required_never_hands_on_an_address_of_another_host(fetch):
    response = await fetch(application(LoginRequiredModule("/login")), "//evil.example/")
    assert response.headers["Location"] == "/login?next=%2F"


@pytest.mark.promise(6)
@pytest.mark.parametrize(
    "address",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%2fevil.example",
        "/%2Fevil.example",
        "%2f%2fevil.example",
        "/%5cevil.example",
        "/\t/evil.example",
        "/\r\n/evil.example",
        "/%09/evil.example",
        "/%0d%0a/evil.example",
        "http:evil.example",
        "http://evil.example",
        "javascript:alert(1)",
        "///evil.example",
        "",
        " /x",
    ],
)
def test_promise_06_safe_next_stays_on_this_host(address):
    assert safe_next(address) == "/"


@pytest.mark.parametrize("address", ["/", "/account", "/a?next=//x", "/a#b", "/ä", "/a%2fb"])
def test_safe_next_keeps_addresses_of_this_host(address):
    assert safe_next(address, "/default") == address


async def test_cache_control_is_set_where_there_is_none(fetch):
    app = application(CacheControlModule("public", max_age=60, immutable=True))
    assert (await fetch(app)).headers["Cache-Control"] == "public, max-age=60, immutable"
    assert (await fetch(app, "/?own=no-store")).headers["Cache-Control"] == "no-store"
    assert "Cache-Control" not in (await fetch(app, "/?status=404")).headers
    assert "Cache-Control" not in (await fetch(app, "/?cookie=1")).headers
    assert (await fetch(application(CacheControlModule("no-store")))).headers["Cache-Control"] == "no-store"


def test_cache_control_refuses_what_is_no_directive():
    with pytest.raises(ModuleConfigError, match="got 'pubic'"):
        CacheControlModule("pubic")
    with pytest.raises(ModuleConfigError, match="max_age=-1"):
        CacheControlModule(max_age=-1)


async def test_rate_limit_refuses_with_the_time_to_wait_and_recovers(fetch):
    now = [100.0]
    app = application(RateLimitModule(2, per=10, clock=lambda: now[0]))
    assert [(await fetch(app)).code for _ in range(3)] == [200, 200, 429]
    response = await fetch(app)
    assert response.headers["Retry-After"] == "5"
    now[0] += 5
    assert [(await fetch(app)).code for _ in range(2)] == [200, 429]


async def test_rate_limit_counts_by_key_and_remembers_a_bounded_number(fetch):
    now = [0.0]
    module = RateLimitModule(1, per=60, key=lambda handler: handler.get_argument("k"), max_keys=2, clock=lambda: now[0])
    app = application(module)
    assert [(await fetch(app, f"/?k={k}")).code for k in "aabbc"] == [200, 429, 200, 429, 200]
    assert len(module._buckets) == 2


def test_rate_limit_refuses_senseless_numbers():
    with pytest.raises(ModuleConfigError, match="limit=0"):
        RateLimitModule(0)
