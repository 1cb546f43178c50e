"""The session as a mapping."""

import pytest

from torngas_session import MissingKeyError, NoSessionError, Session, SessionError


@pytest.fixture
def inside(manage, serve, via):
    """Runs a function with a fresh session inside a handler."""

    async def run(function):
        site = serve(manage(), via)
        site["/"] = lambda handler: (function(handler.session), None)[1]
        answer = await site.browser().get("/")
        assert answer.code == 200, "the function failed, see the log"

    return run


async def test_a_missing_key_is_none_and_require_raises(inside):
    def check(session):
        assert session["x"] is None
        assert session.get("x", 1) == 1
        for error in (MissingKeyError, KeyError, SessionError):
            with pytest.raises(error):
                session.require("x")
        session["x"] = None
        assert session.require("x") is None
        assert "x" in session

    await inside(check)


async def test_it_is_a_mapping_that_changes(inside):
    def check(session):
        session.update({"a": 1}, b=2)
        assert dict(session) == session == {"a": 1, "b": 2}
        assert list(session) == list(session.keys()) == ["a", "b"]
        assert list(session.values()) == [1, 2]
        assert list(session.items()) == [("a", 1), ("b", 2)]
        assert session.setdefault("a", 9) == 1
        assert session.setdefault("c", 3) == 3
        assert session.pop("c") == 3
        assert session.pop("c", 7) == 7
        assert session.popitem() == ("a", 1)
        assert (len(session), bool(session)) == (1, True)
        del session["b"]
        assert session.is_empty()
        for missing in (lambda: session.pop("b"), lambda: session.__delitem__("b"), session.popitem):
            with pytest.raises(KeyError):
                missing()

    await inside(check)


@pytest.mark.parametrize("key", [1, None, b"bytes", ("a",)])
async def test_a_key_is_a_str(inside, key):
    """JSON would turn 1 into "1" without a word."""

    def check(session):
        with pytest.raises(TypeError, match="expected a str"):
            session[key] = 1
        assert not session.modified

    await inside(check)


async def test_what_is_known_about_it(inside):
    def check(session):
        assert isinstance(session, Session)
        assert (session.accessed, session.modified) == (False, False)
        assert session.is_new
        assert session.accessed
        identity = session.session_id
        session["a"] = 1
        assert session.modified
        assert session.session_id == identity
        session.modified = False
        assert not session.modified
        session.flush()
        assert session.session_id != identity
        assert session.get_expire() == 0
        session.set_expire(5)
        assert session.get_expire() == 5

    await inside(check)


async def test_an_unsaved_change_is_not_saved_after_modified_was_set_false(manage, serve, via):
    site = serve(manage(), via)

    def page(handler):
        handler.session["a"] = 1
        handler.session.modified = False

    site["/"] = page
    assert "Set-Cookie" not in (await site.browser().get("/")).headers


async def test_the_id_told_in_a_request_is_that_of_the_next_one(manage, serve, via):
    site = serve(manage(), via)

    def put(handler):
        handler.session["a"] = 1
        return handler.session.session_id

    site["/put"], site["/id"] = put, lambda handler: [handler.session.session_id, handler.session.is_new]
    browser = site.browser()
    assert await browser.json("/id") != await browser.json("/id")
    identity = await browser.json("/put")
    assert await browser.json("/id") == [identity, False]


async def test_an_explicit_save_is_there_for_the_next_request_already(store, manage, serve, via):
    manager = manage(store)
    site = serve(manager, via)

    async def page(handler):
        handler.session["a"] = 1
        await handler.session.asave()
        async with manager.edit(handler.session.session_id) as stored:
            seen = dict(stored)
        handler.session["b"] = 2
        return seen

    site["/"], site["/dump"] = page, lambda handler: dict(handler.session)
    browser = site.browser()
    assert await browser.json("/") == {"a": 1}
    assert await browser.json("/dump") == {"a": 1, "b": 2}


async def test_without_a_manager_there_is_no_session(manage, serve):
    """An AttributeError, so that getattr with a default works."""
    site = serve(manage(), "mixin")
    del site.application.settings["session_manager"]
    site.application.settings["session_manager"] = None
    seen = []

    def check(handler):
        with pytest.raises(NoSessionError, match="expected SessionMiddleware"):
            handler.session.get("a")
        seen.append(getattr(handler, "session", "none"))

    handler_class = site.application.wildcard_router.rules[-1].target
    handler_class = type("Bare", (handler_class,), {"prepare": lambda self: None})
    site.application.add_handlers(".*", [("/bare", handler_class)])
    site["/bare"] = check
    await site.browser().get("/bare")
    assert seen == ["none"]
