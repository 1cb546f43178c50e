"""The attributes of the cookie, and the rules that tie them together."""

import pytest

from torngas_session import ConfigurationError, SessionConfig, SignedCookieStore, logout

KEY = "k" * 32


async def line(serve, manager, via, path="/put", browser=None, **options):
    site = serve(manager, via, server={"xheaders": True})
    site["/put"], site["/out"] = lambda handler: handler.session.update(a=1), logout
    browser = browser or site.browser()
    answer = await browser.get("/put", **options)
    if path == "/out":
        answer = await browser.get("/out", **options)
    return answer.headers["Set-Cookie"], {part.strip() for part in answer.headers["Set-Cookie"].split(";")[1:]}


async def test_the_defaults_are_httponly_lax_and_gone_with_the_browser(serve, manage, via):
    _, attributes = await line(serve, manage(), via)
    assert attributes == {"HttpOnly", "SameSite=Lax", "Path=/"}


async def test_under_https_the_cookie_is_secure(serve, manage, via):
    _, attributes = await line(serve, manage(), via, headers={"X-Scheme": "https"})
    assert attributes == {"HttpOnly", "SameSite=Lax", "Path=/", "Secure"}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("secure", [True, False])
async def test_secure_is_obeyed_where_it_is_given(serve, manage, via, scheme, secure):
    _, attributes = await line(serve, manage(secure=secure), via, headers={"X-Scheme": scheme})
    assert ("Secure" in attributes) is secure


@pytest.mark.parametrize("path", ["/put", "/out"])
async def test_domain_path_and_flags_are_the_same_when_it_is_deleted(serve, manage, via, path):
    manager = manage(
        session_name="sid", cookie_domain="example.com", cookie_path="/", secure=True, samesite="strict", httponly=False
    )
    text, attributes = await line(serve, manager, via, path)
    attributes = {part for part in attributes if not part.startswith("expires")}
    assert attributes == {"Domain=example.com", "Path=/", "Secure", "SameSite=Strict"}
    assert text.startswith("sid=")
    assert text.startswith('sid="";') is (path == "/out")


@pytest.mark.parametrize("path", ["/put", "/out"])
@pytest.mark.parametrize("in_cookie", [False, True])
async def test_partitioned_is_sent_and_deleted_as_such(serve, manage, via, path, in_cookie):
    manager = manage(SignedCookieStore() if in_cookie else None, partitioned=True, secure=True, samesite="None")
    text, attributes = await line(serve, manager, via, path)
    assert {"Partitioned", "Secure", "SameSite=None", "HttpOnly", "Path=/"} <= attributes
    assert text.count("Partitioned") == 1


async def test_a_lifetime_is_sent_as_max_age_and_expires(serve, manage, via):
    _, attributes = await line(serve, manage(expires=90), via)
    assert "Max-Age=90" in attributes
    assert any(part.startswith("expires=") for part in attributes)


async def test_no_end_is_sent_as_what_browsers_keep_at_most(serve, manage, via):
    _, attributes = await line(serve, manage(expires=None), via)
    assert f"Max-Age={400 * 86400}" in attributes


async def test_the_cookie_ends_with_the_absolute_timeout(serve, manage, via):
    _, attributes = await line(serve, manage(expires=900, absolute_timeout=50), via)
    assert "Max-Age=50" in attributes


async def test_the_host_prefix_is_accepted_with_what_it_demands(serve, manage, via):
    text, attributes = await line(serve, manage(session_name="__Host-sid", secure=True), via)
    assert text.startswith("__Host-sid=")
    assert attributes == {"HttpOnly", "SameSite=Lax", "Path=/", "Secure"}


@pytest.mark.parametrize(
    "options",
    [
        {"session_name": "__Host-sid"},
        {"session_name": "__Host-sid", "secure": False},
        {"session_name": "__host-sid", "secure": False},
        {"session_name": "__Host-sid", "secure": True, "cookie_path": "/app"},
        {"session_name": "__Host-sid", "secure": True, "cookie_domain": "example.com"},
        {"session_name": "__Secure-sid"},
        {"samesite": "None"},
        {"partitioned": True},
        {"samesite": "sometimes"},
        {"session_name": "a b"},
        {"session_name": "a;b"},
        {"session_name": ""},
        {"cookie_path": "app"},
        {"cookie_path": "/; Secure"},
        {"cookie_domain": "a.com; HttpOnly"},
        {"cookie_domain": "a.com\r\nX: y"},
    ],
)
def test_what_browsers_would_refuse_is_refused_here(options):
    with pytest.raises(ConfigurationError, match="expected"):
        SessionConfig(secret_key=KEY, **options)
