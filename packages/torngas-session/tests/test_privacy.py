"""What leaves the server: cookies, headers, log lines, and what does not."""

import json
import logging
from pathlib import Path

import pytest
from tornado.web import HTTPError

import torngas_session
from torngas_session import MemoryStore, SignedCookieStore, StoreError, login, logout

NAME = "__TORNADOSSID"
READS = {
    "getitem": lambda s: s["x"],
    "get": lambda s: s.get("x"),
    "in": lambda s: "x" in s,
    "len": len,
    "iteration": list,
    "bool": bool,
    "keys": lambda s: s.keys() and None,
    "values": lambda s: s.values() and None,
    "items": lambda s: s.items() and None,
    "equality": lambda s: s == {},
    "is_empty": lambda s: s.is_empty(),
    "session_id": lambda s: bool(s.session_id),
    "is_new": lambda s: s.is_new,
    "user": lambda s: s.user,
    "get_expire": lambda s: s.get_expire(),
    "pop": lambda s: s.pop("x", None),
    "modified = False": lambda s: setattr(s, "modified", False),
}
WRITES = {
    "setitem": lambda s: s.__setitem__("x", 1),
    "setdefault": lambda s: s.setdefault("x", 1),
    "update": lambda s: s.update(x=1),
    "clear": lambda s: s.clear(),
    "set_expire": lambda s: s.set_expire(5),
    "cycle_key": lambda s: s.cycle_key(),
    "flush": lambda s: s.flush(),
    "expired": lambda s: s.expired(),
    "modified = True": lambda s: setattr(s, "modified", True),
}


@pytest.mark.promise(22)
@pytest.mark.parametrize("name", [*READS, *WRITES])
async def test_promise_22_any_access_sets_vary(manage, serve, via, name):
    site = serve(manage(), via)
    site["/"] = lambda handler: ({**READS, **WRITES}[name](handler.session), None)[1]
    answer = await site.browser().get("/")
    assert answer.headers.get("Vary") == "Cookie"


@pytest.mark.promise(22)
@pytest.mark.parametrize(
    ("before", "after"),
    [("Accept-Encoding", "Accept-Encoding, Cookie"), ("accept, cookie", "accept, cookie"), ("*", "*")],
)
async def test_promise_22_vary_is_added_to_what_stands_there(manage, serve, via, before, after):
    site = serve(manage(), via)

    def page(handler):
        handler.session["x"]
        handler.set_header("Vary", before)

    site["/"] = page
    answer = await site.browser().get("/")
    assert answer.headers["Vary"] == after


@pytest.mark.promise(22)
async def test_promise_22_an_error_page_varies_too(manage, serve, via):
    site = serve(manage(), via)

    def page(handler):
        handler.session["x"]
        raise HTTPError(403)

    site["/"] = page
    answer = await site.browser().get("/")
    assert (answer.code, answer.headers["Vary"]) == (403, "Cookie")


@pytest.mark.promise(23)
async def test_promise_23_an_untouched_session_costs_no_header_and_no_call(manage, serve, via, counting, put):
    site = serve(manage(counting, rolling=True, expires=100, idle_timeout=10), via)
    site["/untouched"], site["/put"] = lambda handler: 1, put("a", 1)
    site["/asked"] = lambda handler: [handler.session.accessed, handler.session.modified]
    browser = site.browser()
    await browser.get("/put")
    counting.calls.clear()
    for path in ("/untouched", "/asked"):
        answer = await browser.get(path)
        assert "Set-Cookie" not in answer.headers
        assert "Vary" not in answer.headers
    assert await browser.json("/asked") == [False, False]
    assert counting.calls == []


@pytest.mark.promise(23)
async def test_promise_23_an_asynchronous_store_is_not_read_for_an_untouched_session(manage, serve, async_dict_store):
    """By the mixin, and by the middleware with preload=False; with a middleware that reads ahead, without a cookie."""
    site = serve(manage(async_dict_store, preload=False), "middleware")
    site["/untouched"] = lambda handler: 1
    site["/use"] = lambda handler: handler.session["x"]
    assert (await site.browser().get("/untouched")).code == 200
    assert async_dict_store.entries == {}


@pytest.mark.promise(23)
async def test_promise_23_an_anonymous_visitor_stores_nothing(manage, serve, via, counting):
    site = serve(manage(counting), via)

    def page(handler):
        handler.session["x"]
        handler.session.set_expire(50)
        handler.session["y"] = 1
        del handler.session["y"]
        handler.session.clear()

    site["/"] = page
    answer = await site.browser().get("/")
    assert "Set-Cookie" not in answer.headers
    assert counting.calls == []


async def test_reading_writes_nothing_and_sends_no_cookie(manage, serve, via, counting, put):
    site = serve(manage(counting), via)
    site["/put"], site["/get"] = put("a", 1), lambda handler: handler.session["a"]
    browser = site.browser()
    await browser.get("/put")
    counting.calls.clear()
    answer = await browser.get("/get")
    assert "Set-Cookie" not in answer.headers
    assert counting.calls == ["gets"], "one round trip to load"


async def test_an_uncontended_save_is_one_round_trip(manage, serve, via, counting, put):
    site = serve(manage(counting), via)
    site["/put"] = put("a", 1)
    browser = site.browser()
    await browser.get("/put")
    counting.calls.clear()
    await browser.get("/put")
    assert counting.calls == ["gets", "cas"]


BAD = {
    "damaged": lambda value: value[:-1] + ("0" if value[-1] != "0" else "1"),
    "cut": lambda value: value[:40],
    "oversized": lambda value: value + "a" * 9000,
    "empty": lambda value: '""',
    "foreign": lambda value: "2|1:0|10:1|5:hello|4:d29v|" + "f" * 64,
    "not ascii": lambda value: "\xe4" * 97,
    "dots": lambda value: "." * 97,
}


@pytest.mark.parametrize("kind", list(BAD))
@pytest.mark.parametrize("in_cookie", [False, True])
async def test_a_bad_cookie_is_an_anonymous_session_and_one_log_line(
    manage, serve, via, put, caplog, kind, in_cookie, clock
):
    site = serve(manage(SignedCookieStore() if in_cookie else None), via)
    site["/put"], site["/dump"] = put("a", 1), lambda handler: [dict(handler.session), len(handler.session)]
    browser = site.browser()
    await browser.get("/put")
    caplog.set_level(logging.DEBUG, "torngas_session")
    bad = BAD[kind](browser.cookies[NAME])
    assert await browser.json("/dump", cookies={NAME: bad}) == [{}, 0]
    lines = [record for record in caplog.records if record.name == "torngas_session"]
    assert len(lines) == 1
    assert bad[:20] not in caplog.text


async def test_a_replayed_cookie_is_an_anonymous_session_and_one_log_line(manage, serve, via, put, caplog):
    site = serve(manage(), via)
    site["/put"], site["/out"], site["/dump"] = put("a", 1), logout, lambda handler: dict(handler.session)
    browser = site.browser()
    await browser.get("/put")
    old = dict(browser.cookies)
    await browser.get("/out")
    caplog.set_level(logging.DEBUG, "torngas_session")
    answer = await browser.get("/dump", cookies=old)
    assert json.loads(answer.body) == {}
    assert "Set-Cookie" not in answer.headers, "the browser may hold a newer cookie by now"
    assert len([record for record in caplog.records if record.name == "torngas_session"]) == 1


async def test_a_planted_cookie_beside_the_real_one_hides_nothing(manage, serve, via, put):
    """A sibling host can add a cookie of the same name for the whole domain."""
    site = serve(manage(), via)
    site["/put"], site["/dump"] = put("a", 1), lambda handler: dict(handler.session)
    browser = site.browser()
    await browser.get("/put")
    real = browser.cookies[NAME]
    for line in (f"{NAME}=planted; {NAME}={real}", f"{NAME}={real}; {NAME}=planted"):
        assert await browser.json("/dump", cookies={}, headers={"Cookie": line}) == {"a": 1}


async def test_no_log_line_and_no_repr_shows_an_id(manage, serve, via, put, caplog, counting):
    """Everything is logged at DEBUG; the store fails now and then, with the key in its own message."""
    caplog.set_level(logging.DEBUG)
    site = serve(manage(counting, on_read_error="anonymous"), via)
    site["/put"], site["/login"], site["/out"] = put("a", "secret value"), lambda h: login(h, "ada"), logout
    site["/repr"] = lambda handler: [repr(handler.session), len(handler.session), repr(handler.session)]
    browser = site.browser()
    seen = []
    for path in ("/put", "/login", "/repr", "/out"):
        await browser.get(path)
        seen += [value.partition(".")[0] for value in browser.cookies.values()]
    assert seen
    for identity in seen:
        assert identity not in caplog.text
    assert "secret value" not in caplog.text
    assert KEYS_TEXT not in repr(site.manager.config)
    shown = "".join(map(str, await browser.json("/repr")))
    assert "secret" not in shown


KEYS_TEXT = "k" * 32


@pytest.mark.parametrize("policy", ["raise", "anonymous"])
@pytest.mark.parametrize("blocking", [False, True])
async def test_a_store_that_cannot_be_read(manage, serve, via, counting, put, caplog, policy, blocking):
    """A clear error, or an anonymous session whose changes are then refused: a save would replace the real one."""
    store = counting
    store.blocking = blocking
    site = serve(manage(store, on_read_error=policy), via)
    site["/put"], site["/get"], site["/untouched"] = put("a", 1), lambda h: h.session["a"], lambda h: 1
    browser = site.browser()
    await browser.get("/put")
    before = dict(browser.cookies)
    store.failing = ("gets", "agets")
    caplog.set_level(logging.CRITICAL, "tornado.application")
    assert (await browser.get("/untouched")).code == 200, "a page that needs no session works on"
    assert (await browser.get("/get")).code == (500 if policy == "raise" else 200)
    assert (await browser.get("/put")).code == 500
    store.failing = ()
    assert browser.cookies == before
    assert await browser.json("/get") == 1


@pytest.mark.parametrize("blocking", [False, True])
@pytest.mark.parametrize("existing", [False, True])
async def test_a_store_that_cannot_be_written_gives_a_500(
    manage, serve, via, counting, put, caplog, blocking, existing
):
    counting.blocking = blocking
    site = serve(manage(counting), via)
    site["/put"] = put("a", 1)
    browser = site.browser()
    if existing:
        await browser.get("/put")
    counting.failing = ("cas", "acas")
    caplog.set_level(logging.CRITICAL, "tornado.application")
    answer = await browser.get("/put")
    assert answer.code == 500
    assert "Set-Cookie" not in answer.headers


async def test_a_store_that_refuses_a_new_entry_gives_a_500(manage, serve, via, put, caplog):
    """A cache that swallows its errors says False: a silent loss, were that taken for a conflict."""

    class Refusing(MemoryStore):
        def cas(self, *args):
            return False

    site = serve(manage(Refusing()), via)
    site["/put"] = put("a", 1)
    caplog.set_level(logging.CRITICAL, "tornado.application")
    assert (await site.browser().get("/put")).code == 500


def test_an_error_of_the_store_names_no_key(manage, counting):
    counting.failing = ("gets",)
    with pytest.raises(StoreError) as caught:
        manage(counting).revoke("the-identity")
    assert "the-identity" not in str(caught.value)
    assert "ConnectionError" in str(caught.value)
    assert isinstance(caught.value.__cause__, ConnectionError)


def test_pickle_is_read_in_one_place_only():
    """Behind the serializer that checks signatures."""
    source = Path(torngas_session.__file__).parent
    found = [path.name for path in source.rglob("*.py") if "pickle.loads(" in path.read_text()]
    assert found == ["serializers.py"]


async def test_a_save_repeats_no_cookie_that_the_client_has(manage, serve, via, put):
    """A browser session: the value is the same and there is no lifetime to renew."""
    site = serve(manage(), via)
    site["/put"], site["/expire"] = put("a", 1), lambda handler: handler.set_expire(60)
    browser = site.browser()
    assert "Set-Cookie" in (await browser.get("/put")).headers
    assert "Set-Cookie" not in (await browser.get("/put")).headers
    assert "Max-Age=60" in (await browser.get("/expire")).headers["Set-Cookie"]
    assert "Max-Age=60" in (await browser.get("/put")).headers["Set-Cookie"]
