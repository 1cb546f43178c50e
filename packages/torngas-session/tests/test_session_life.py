"""One visitor's way through several requests, on every store, by mixin and by middleware."""

import asyncio
import logging

import pytest

from torngas_session import login, logout


def dump(handler):
    return dict(handler.session)


async def test_values_come_back_in_the_next_request(store, via, manage, serve, put):
    site = serve(manage(store), via)
    site["/put"], site["/dump"] = put("a", [1, "ü", None]), dump
    browser = site.browser()
    await browser.get("/put")
    assert await browser.json("/dump") == {"a": [1, "ü", None]}
    assert await site.browser().json("/dump") == {}


@pytest.mark.promise(17)
async def test_promise_17_fifty_concurrent_writers_on_distinct_keys_all_survive(store, via, manage, serve, put):
    """All fifty have loaded the session before the first of them saves it."""
    site = serve(manage(store), via)
    arrived, everybody = [], asyncio.Event()

    def writer(key):
        async def action(handler):
            handler.session[key] = key
            arrived.append(key)
            if len(arrived) == 50:
                everybody.set()
            await everybody.wait()
            return True

        return action

    site["/put"], site["/dump"] = put("begin", 1), dump
    for number in range(50):
        site[f"/{number}"] = writer(str(number))
    browser = site.browser()
    await browser.get("/put")
    browser.http.close()
    browser.http = type(browser.http)(force_instance=True, max_clients=60)
    answers = await asyncio.gather(*(browser.get(f"/{number}") for number in range(50)))
    assert {answer.code for answer in answers} == {200}
    assert await browser.json("/dump") == {"begin": 1, **{str(number): str(number) for number in range(50)}}


@pytest.mark.promise(18)
async def test_promise_18_a_slow_writer_cannot_bring_a_logged_out_session_back(store, via, manage, serve):
    """The slow request loads before the logout and saves after it: it succeeds, and nothing comes back."""
    manager = manage(store)
    site = serve(manager, via)
    inside, go = asyncio.Event(), asyncio.Event()

    async def slow(handler):
        handler.session["slow"] = 1
        inside.set()
        await go.wait()
        return True

    site["/login"] = lambda handler: login(handler, "ada")
    site["/logout"], site["/slow"], site["/dump"] = logout, slow, dump
    site["/id"] = lambda handler: [handler.session.session_id, handler.session.user]
    browser = site.browser()
    await browser.get("/login")
    old = dict(browser.cookies)
    identity, user = await browser.json("/id")
    assert user == "ada"
    waiting = asyncio.ensure_future(browser.get("/slow", cookies=old))
    await inside.wait()
    answer = await browser.get("/logout")
    assert "Max-Age" not in answer.headers["Set-Cookie"]
    assert browser.cookies == {}
    go.set()
    late = await waiting
    assert late.code == 200
    assert "Set-Cookie" not in late.headers
    assert await browser.json("/dump", cookies=old) == {}
    assert await manager.asessions_of("ada") == []
    async with manager.edit(identity) as gone:
        assert gone.is_new


@pytest.mark.promise(18)
async def test_promise_18_logout_leaves_no_row(manage, serve, via, rows, clock):
    manager = manage()
    site = serve(manager, via)
    site["/login"], site["/logout"] = lambda handler: login(handler, "ada"), logout
    browser = site.browser()
    await browser.get("/login")
    assert len(rows(manager.store)) == 1
    await browser.get("/logout")
    assert manager.store._entries == {}


async def test_deleting_the_documented_way_logs_out_for_good(manage, serve, via, rows, put):
    """`del session['userid']` empties the session: the record and the cookie go, as of a logout."""
    manager = manage()
    site = serve(manager, via)
    site["/put"] = put("userid", 7)

    def remove(handler):
        del handler.session["userid"]

    site["/out"] = remove
    browser = site.browser()
    await browser.get("/put")
    await browser.get("/out")
    assert browser.cookies == {}
    assert rows(manager.store) == []


async def test_emptying_keeps_what_another_request_added_meanwhile(manage, serve, via):
    manager = manage()
    site = serve(manager, via)

    async def remove(handler):
        del handler.session["a"]
        async with manager.edit(handler.session.session_id) as other:
            other["b"] = 2
        return True

    site["/put"] = lambda handler: handler.session.update(a=1)
    site["/remove"], site["/dump"] = remove, dump
    browser = site.browser()
    await browser.get("/put")
    await browser.get("/remove")
    assert await browser.json("/dump") == {"b": 2}


@pytest.mark.promise(19)
async def test_promise_19_login_changes_the_id_and_the_old_one_is_dead(store, via, manage, serve, put):
    """Fixation: an attacker plants the cookie of a session of his own, the victim logs in with it."""
    site = serve(manage(store), via)
    site["/put"], site["/login"], site["/dump"] = put("cart", 3), lambda handler: login(handler, 7), dump
    site["/who"] = lambda handler: handler.session.user
    attacker, victim = site.browser(), site.browser()
    await attacker.get("/put")
    victim.cookies = dict(attacker.cookies)
    await victim.get("/login")
    assert victim.cookies != attacker.cookies
    assert await victim.json("/who") == 7
    assert await victim.json("/dump") == {"cart": 3}
    assert await attacker.json("/who") is None
    assert await attacker.json("/dump") == {}


@pytest.mark.promise(19)
@pytest.mark.parametrize("ignore", [True, False])
async def test_promise_19_an_invented_id_is_never_adopted(store, via, manage, serve, put, ignore):
    manager = manage(store, ignore_change_ip=ignore)
    site = serve(manager, via)
    site["/put"] = put("a", 1)
    name = manager.config.session_name
    for invented in ("A" * 32, "A" * 32 + "." + "0" * 64, manager._signer.sign("A" * 32)):
        browser = site.browser()
        browser.cookies = {name: invented}
        await browser.get("/put")
        assert not browser.cookies[name].startswith("A" * 32)


@pytest.mark.promise(19)
async def test_promise_19_ids_have_at_least_128_bits_and_differ(manage, serve, put):
    site = serve(manage())
    site["/put"] = put("a", 1)
    ids = set()
    for _ in range(20):
        browser = site.browser()
        await browser.get("/put")
        ids.add(browser.cookies["__TORNADOSSID"].partition(".")[0])
    assert len(ids) == 20
    assert {len(identity) for identity in ids} == {32}, "32 characters of 6 bits each"


async def test_cycle_key_moves_the_data(store, via, manage, serve, put):
    site = serve(manage(store), via)
    site["/put"], site["/cycle"], site["/dump"] = put("a", 1), lambda handler: handler.session.cycle_key(), dump
    browser = site.browser()
    await browser.get("/put")
    old = dict(browser.cookies)
    await browser.get("/cycle")
    assert browser.cookies != old
    assert await browser.json("/dump") == {"a": 1}
    assert await browser.json("/dump", cookies=old) == {}


async def test_a_save_during_a_rotation_is_not_lost(manage, serve, via):
    """Another request saves between the load and the rotation: its key moves along."""
    manager = manage()
    site = serve(manager, via)

    async def cycle(handler):
        handler.session.cycle_key()
        async with manager.edit(identity) as other:
            other["b"] = 2
        return True

    site["/put"], site["/cycle"], site["/dump"] = lambda handler: handler.session.update(a=1), cycle, dump
    site["/id"] = lambda handler: handler.session.session_id
    browser = site.browser()
    await browser.get("/put")
    identity = await browser.json("/id")
    await browser.get("/cycle")
    assert await browser.json("/dump") == {"a": 1, "b": 2}


async def test_a_rotation_after_a_logout_brings_nothing_back(manage, serve, via, rows):
    manager = manage()
    site = serve(manager, via)

    async def cycle(handler):
        handler.session.cycle_key()
        await manager.arevoke(identity)
        return True

    site["/put"], site["/cycle"] = lambda handler: handler.session.update(a=1), cycle
    site["/id"] = lambda handler: handler.session.session_id
    browser = site.browser()
    await browser.get("/put")
    identity = await browser.json("/id")
    answer = await browser.get("/cycle")
    assert answer.code == 200
    assert "Set-Cookie" not in answer.headers
    assert rows(manager.store) == []


async def test_a_login_succeeds_though_the_visitors_session_vanished(manage, serve, via):
    """Without the old values: they were ended elsewhere."""
    manager = manage()
    site = serve(manager, via)

    async def enter(handler):
        login(handler, "ada")
        handler.session["new"] = 1
        await manager.arevoke(identity)
        return True

    site["/put"], site["/login"], site["/dump"] = lambda handler: handler.session.update(old=1), enter, dump
    site["/id"] = lambda handler: handler.session.session_id
    site["/who"] = lambda handler: handler.session.user
    browser = site.browser()
    await browser.get("/put")
    identity = await browser.json("/id")
    await browser.get("/login")
    assert await browser.json("/dump") == {"new": 1}
    assert await browser.json("/who") == "ada"


async def test_another_users_login_takes_nothing_over(manage, serve, via):
    site = serve(manage(), via)
    site["/ada"], site["/bob"] = lambda handler: login(handler, "ada"), lambda handler: login(handler, "bob")
    site["/put"], site["/dump"] = lambda handler: handler.session.update(secret=1), dump
    browser = site.browser()
    await browser.get("/ada")
    await browser.get("/put")
    await browser.get("/bob")
    assert await browser.json("/dump") == {}


@pytest.mark.parametrize("status", [200, 302, 404])
async def test_other_answers_than_5xx_save(manage, serve, via, status):
    site = serve(manage(), via)

    def page(handler):
        handler.session["a"] = 1
        handler.set_status(status)

    site["/page"], site["/dump"] = page, dump
    browser = site.browser()
    await browser.get("/page")
    assert await browser.json("/dump") == {"a": 1}


@pytest.mark.parametrize("how", ["status", "exception"])
async def test_5xx_saves_nothing(store, via, manage, serve, put, how):
    site = serve(manage(store), via)

    def page(handler):
        handler.session["b"] = 2
        handler.set_status(503)
        if how == "exception":
            raise RuntimeError("the page is broken")

    site["/put"], site["/page"], site["/dump"] = put("a", 1), page, dump
    browser = site.browser()
    await browser.get("/put")
    logging.getLogger("tornado.application").disabled = True
    answer = await browser.get("/page")
    logging.getLogger("tornado.application").disabled = False
    assert answer.code in (500, 503)
    assert "Set-Cookie" not in answer.headers
    assert await browser.json("/dump") == {"a": 1}


async def test_a_logout_holds_though_the_page_fails(manage, serve, via, rows, put):
    manager = manage()
    site = serve(manager, via)

    def page(handler):
        logout(handler)
        handler.set_status(500)

    site["/put"], site["/page"] = put("a", 1), page
    browser = site.browser()
    await browser.get("/put")
    await browser.get("/page")
    assert rows(manager.store) == []


@pytest.mark.promise(5)
async def test_promise_05_a_forwarded_header_is_no_address(manage, serve, via, put):
    """Without xheaders the socket's address counts: neither ends a session nor keeps a stolen one alive."""
    site = serve(manage(), via)
    site["/put"], site["/dump"] = put("a", 1), dump
    browser = site.browser()
    await browser.get("/put")
    for name in ("X-Forwarded-For", "X-Real-Ip", "Forwarded"):
        assert await browser.json("/dump", headers={name: "203.0.113.9"}) == {"a": 1}


@pytest.mark.parametrize(
    ("first", "second", "ignore", "lives"),
    [
        ("192.0.2.1", "192.0.2.1", False, True),
        ("192.0.2.1", "192.0.2.2", False, False),
        ("192.0.2.1", "192.0.2.2", True, True),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2:bbbb::9", False, True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False, False),
        ("::ffff:192.0.2.1", "192.0.2.1", False, True),
    ],
)
async def test_a_changed_address_ends_the_session(manage, serve, via, put, rows, first, second, ignore, lives):
    """Here a trusted proxy (xheaders) tells the address."""
    manager = manage(ignore_change_ip=ignore)
    site = serve(manager, via, server={"xheaders": True})
    site["/put"], site["/dump"] = put("a", 1), dump
    browser = site.browser()
    await browser.get("/put", headers={"X-Real-Ip": first})
    assert await browser.json("/dump", headers={"X-Real-Ip": second}) == ({"a": 1} if lives else {})
    assert len(rows(manager.store)) == lives
    assert await browser.json("/dump", headers={"X-Real-Ip": first}) == ({"a": 1} if lives else {})
