"""Timeouts: the server's clock decides, whatever the cookie says."""

import pytest

from torngas_session import SignedCookieStore, login


@pytest.fixture(params=["memory", "cookie", "dict"])
def any_store(request, dict_store):
    """The dict keeps everything for ever, so only the record can end the session."""
    return {"memory": None, "cookie": SignedCookieStore(), "dict": dict_store}[request.param]


def pages(site, put):
    site["/put"], site["/get"] = put("a", 1), lambda handler: handler.session["a"]
    site["/login"] = lambda handler: login(handler, "ada")
    return site.browser()


@pytest.mark.promise(20)
async def test_promise_20_the_idle_timeout_counts_from_the_last_use(any_store, manage, serve, via, put, clock):
    browser = pages(serve(manage(any_store, idle_timeout=100, expires=100_000), via), put)
    await browser.get("/put")
    for _ in range(5):
        clock.now += 98
        assert await browser.json("/get") == 1
    clock.now += 100
    kept = dict(browser.cookies)
    assert await browser.json("/get") is None
    assert await browser.json("/get", cookies=kept) is None


@pytest.mark.promise(20)
async def test_promise_20_the_absolute_timeout_ends_it_whatever_happens(any_store, manage, serve, via, put, clock):
    browser = pages(serve(manage(any_store, absolute_timeout=100, expires=None, rolling=True), via), put)
    await browser.get("/put")
    for _ in range(9):
        clock.now += 11
        assert await browser.json("/get") == 1
        await browser.get("/put")
    clock.now += 1
    assert await browser.json("/get") is None


@pytest.mark.promise(20)
async def test_promise_20_a_kept_cookie_prolongs_nothing(any_store, manage, serve, via, put, clock):
    """A client may keep a cookie as long as it likes: Max-Age is advice, the record decides."""
    browser = pages(serve(manage(any_store, expires=60), via), put)
    await browser.get("/put")
    kept = dict(browser.cookies)
    clock.now += 59
    assert await browser.json("/get", cookies=kept) == 1
    clock.now += 1
    assert await browser.json("/get", cookies=kept) is None


async def test_a_login_begins_the_absolute_timeout_anew(manage, serve, via, put, clock):
    browser = pages(serve(manage(absolute_timeout=100, expires=None), via), put)
    await browser.get("/put")
    clock.now += 90
    await browser.get("/login")
    clock.now += 90
    assert await browser.json("/get") == 1


async def test_a_lifetime_counts_from_the_last_save(manage, serve, via, put, clock):
    browser = pages(serve(manage(expires=100), via), put)
    await browser.get("/put")
    clock.now += 90
    await browser.get("/get")
    await browser.get("/put")
    clock.now += 90
    answer = await browser.get("/get")
    assert answer.body == b"1"
    assert "Set-Cookie" not in answer.headers
    clock.now += 10
    assert await browser.json("/get") is None


async def test_a_rolling_lifetime_counts_from_the_last_use(any_store, manage, serve, via, put, clock):
    browser = pages(serve(manage(any_store, expires=100, rolling=True), via), put)
    await browser.get("/put")
    for _ in range(3):
        clock.now += 99
        answer = await browser.get("/get")
        assert answer.body == b"1"
        assert "Max-Age=100" in answer.headers["Set-Cookie"]
    clock.now += 100
    assert await browser.json("/get") is None


async def test_a_browser_session_is_kept_for_a_day_of_silence(manage, serve, via, put, clock):
    browser = pages(serve(manage(), via), put)
    await browser.get("/put")
    for _ in range(3):
        clock.now += 86_399
        assert await browser.json("/get") == 1
    clock.now += 86_400
    assert await browser.json("/get") is None


@pytest.mark.parametrize("where", ["handler", "session"])
async def test_set_expire_stays_with_the_session(any_store, manage, serve, via, put, clock, where):
    site = serve(manage(any_store, expires=100), via)
    browser = pages(site, put)

    def long(handler):
        (handler if where == "handler" else handler.session).set_expire(1000)
        handler.session["a"] = 1
        return handler.session.get_expire()

    site["/long"] = long
    assert await browser.json("/long") == 1000
    clock.now += 900
    answer = await browser.get("/put")
    assert "Max-Age=1000" in answer.headers["Set-Cookie"]
    clock.now += 999
    assert await browser.json("/get") == 1
    clock.now += 1
    assert await browser.json("/get") is None


async def test_set_expire_zero_none_and_negative(manage, serve, via, put, clock, rows):
    manager = manage(expires=100)
    site = serve(manager, via)
    browser = pages(site, put)
    for seconds, shown in ((0, None), (None, f"Max-Age={400 * 86400}")):
        site["/expire"] = lambda handler, seconds=seconds: handler.set_expire(seconds)
        await browser.get("/put")
        answer = await browser.get("/expire")
        assert (shown or "Path=/") in answer.headers["Set-Cookie"]
        assert ("Max-Age" in answer.headers["Set-Cookie"]) is bool(shown)
    site["/expire"] = lambda handler: handler.set_expire(-1)
    await browser.get("/expire")
    assert browser.cookies == {}
    assert rows(manager.store) == []


async def test_an_absolute_timeout_shortened_later_holds_for_old_sessions(manage, serve, via, put, clock):
    from torngas_session import MemoryStore

    store = MemoryStore(clock=clock)
    browser = pages(serve(manage(store, expires=None), via), put)
    await browser.get("/put")
    clock.now += 500
    other = pages(serve(manage(store, expires=None, absolute_timeout=400), via), put)
    assert await other.json("/get", cookies=browser.cookies) is None
