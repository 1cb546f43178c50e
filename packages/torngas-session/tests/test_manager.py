"""Administration, conflicts, and the session without a request."""

import asyncio
import logging

import pytest

from torngas_session import SessionConflictError, SignedCookieStore, UnsupportedByStoreError, login, logout


async def logged_in(site, *users):
    browsers = []
    for user in users:
        site[f"/login/{user}"] = lambda handler, user=user: login(handler, user)
        browser = site.browser()
        await browser.get(f"/login/{user}")
        browsers.append(browser)
    return browsers


def who(handler):
    return handler.session.user


async def test_sessions_are_listed_and_revoked(store, via, manage, serve):
    manager = manage(store)
    site = serve(manager, via)
    site["/who"], site["/id"] = who, lambda handler: handler.session.session_id
    one, two, other = await logged_in(site, "ada", "ada", "bob")
    ids = [await browser.json("/id") for browser in (one, two)]
    assert await manager.asessions_of("ada") == ids
    assert await manager.arevoke(ids[0]) is True
    assert await manager.arevoke(ids[0]) is False
    assert await one.json("/who") is None
    assert await two.json("/who") == "ada"
    assert await manager.asessions_of("ada") == [ids[1]]
    assert await manager.arevoke_all("ada") == 1
    assert await two.json("/who") is None
    assert await other.json("/who") == "bob"
    assert await manager.asessions_of("ada") == []


async def test_others_are_revoked_and_the_own_session_lives(store, via, manage, serve):
    manager = manage(store)
    site = serve(manager, via)

    async def revoke(handler):
        return await handler.session.arevoke_others()

    site["/who"], site["/revoke"] = who, revoke
    one, two, three = await logged_in(site, "ada", "ada", "ada")
    assert await two.json("/revoke") == 2
    assert [await browser.json("/who") for browser in (one, two, three)] == [None, "ada", None]


async def test_plain_calls_do_the_same_where_nothing_waits(manage, serve, via):
    manager = manage()
    site = serve(manager, via)
    site["/revoke"], site["/who"] = lambda handler: handler.session.revoke_others(), who
    one, two = await logged_in(site, 1, 1)
    assert len(manager.sessions_of(1)) == 2
    assert manager.sessions_of("1") == [], "a str is another user than an int"
    assert await two.json("/revoke") == 1
    assert manager.revoke_all(1) == 1
    assert await one.json("/who") is None


async def test_the_list_outlives_sessions_that_are_renewed_for_long(manage, serve, via, clock):
    """A browser session is used for weeks, half a day apart; it can still be revoked."""
    manager = manage()
    site = serve(manager, via)
    site["/who"] = who
    [browser] = await logged_in(site, "ada")
    for _ in range(100):
        clock.now += 43_200
        assert await browser.json("/who") == "ada"
    assert manager.revoke_all("ada") == 1


async def test_a_logout_leaves_the_list(manage, serve, via):
    manager = manage()
    site = serve(manager, via)
    site["/out"] = logout
    one, _ = await logged_in(site, "ada", "ada")
    await one.get("/out")
    assert len(manager.sessions_of("ada")) == 1


async def test_a_cookie_store_says_that_it_cannot(manage):
    manager = manage(SignedCookieStore())
    for call in (lambda: manager.sessions_of("a"), lambda: manager.revoke("a"), lambda: manager.revoke_all("a")):
        with pytest.raises(UnsupportedByStoreError, match="expected a store on the server"):
            call()


def racing(site, key):
    """A page that saves `key` after both of two requests have loaded."""
    arrived, both = [], asyncio.Event()

    async def action(handler):
        mine = f"{key}{len(arrived)}"
        handler.session["same"] = mine
        handler.session[mine] = 1
        arrived.append(mine)
        if len(arrived) == 2:
            both.set()
        await both.wait()

    site["/race"], site["/dump"] = action, lambda handler: dict(handler.session)
    site["/put"] = lambda handler: handler.session.update(a=1)


@pytest.mark.parametrize("conflict", ["merge", "last", "raise"])
async def test_a_conflict_is_resolved_as_configured(store, manage, serve, via, conflict, caplog):
    site = serve(manage(store, conflict=conflict), via)
    racing(site, "k")
    browser = site.browser()
    await browser.get("/put")
    caplog.set_level(logging.ERROR, "tornado.application")
    codes = sorted(answer.code for answer in await asyncio.gather(browser.get("/race"), browser.get("/race")))
    found = await browser.json("/dump")
    assert codes == ([200, 500] if conflict == "raise" else [200, 200])
    assert len(found) == {"merge": 4, "last": 3, "raise": 3}[conflict]
    assert (found["same"], found["a"]) in [("k0", 1), ("k1", 1)]
    if conflict == "raise":
        errors = [record.exc_info[1] for record in caplog.records if record.exc_info]
        assert [type(error) for error in errors] == [SessionConflictError]


async def test_a_change_inside_a_value_is_saved_when_it_is_told(store, manage, serve, via):
    """Only the keys that differ are written: what another request added meanwhile stays."""
    manager = manage(store)
    site = serve(manager, via)

    async def append(handler):
        handler.session["list"].append(2)
        handler.session.modified = True
        async with manager.edit(handler.session.session_id) as other:
            other["other"] = 1

    site["/put"] = lambda handler: handler.session.update({"list": [1]})
    site["/append"], site["/dump"] = append, lambda handler: dict(handler.session)
    browser = site.browser()
    await browser.get("/put")
    await browser.get("/append")
    assert await browser.json("/dump") == {"list": [1, 2], "other": 1}


async def test_clear_removes_what_others_added_meanwhile(manage, serve, via):
    manager = manage()
    site = serve(manager, via)

    async def clear(handler):
        handler.session.clear()
        handler.session["new"] = 1
        async with manager.edit(handler.session.session_id) as other:
            other["other"] = 1

    site["/put"], site["/clear"] = lambda handler: handler.session.update(a=1), clear
    site["/dump"] = lambda handler: dict(handler.session)
    browser = site.browser()
    await browser.get("/put")
    await browser.get("/clear")
    assert await browser.json("/dump") == {"new": 1}


async def test_an_edit_of_nothing_stores_nothing(manage, rows):
    manager = manage()
    async with manager.edit("no such session") as session:
        session["a"] = 1
        assert session.is_new
    assert rows(manager.store) == []


async def test_an_edit_that_raises_saves_nothing(manage, serve, via):
    manager = manage()
    site = serve(manager, via)
    site["/put"], site["/id"] = lambda handler: handler.session.update(a=1), lambda h: h.session.session_id
    site["/dump"] = lambda handler: dict(handler.session)
    browser = site.browser()
    await browser.get("/put")
    with pytest.raises(RuntimeError):
        async with manager.edit(await browser.json("/id")) as session:
            session["a"] = 2
            raise RuntimeError("changed my mind")
    assert await browser.json("/dump") == {"a": 1}


def test_a_store_without_compare_and_set_is_named_in_the_log(manage, dict_store, caplog):
    manage(dict_store)
    [record] = [record for record in caplog.records if record.name == "torngas_session"]
    assert "within this process only" in record.getMessage()
    assert record.levelno == logging.WARNING


def test_a_store_with_compare_and_set_is_not(manage, caplog):
    manage()
    assert caplog.records == []


@pytest.mark.parametrize("user", [None, True, 1.5, ["a"]])
async def test_login_refuses_what_names_nobody(manage, serve, via, user):
    site = serve(manage(), via)
    seen = []

    def page(handler):
        with pytest.raises(TypeError, match="expected its id"):
            login(handler, user)
        seen.append(1)

    site["/"] = page
    await site.browser().get("/")
    assert seen == [1]


@pytest.mark.parametrize("user", ["a|b", "ü", "", 0, -7, "7", 'x" \\'])
async def test_any_name_of_a_user_comes_back(manage, serve, via, user):
    site = serve(manage(), via)
    site["/login"], site["/who"] = lambda handler: login(handler, user), who
    browser = site.browser()
    await browser.get("/login")
    assert await browser.json("/who") == user
