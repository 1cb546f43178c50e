"""Rotation of keys, and what a serializer may be made to do."""

import json
import os
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torngas_session import (
    ConfigurationError,
    ConfigurationTypeError,
    MemoryStore,
    SessionConfig,
    SessionError,
    SessionSerializationError,
    SignedCookieStore,
)
from torngas_session.serializers import JsonSerializer

NEW, OLD, OLDER = "n" * 32, "o" * 32, b"p" * 32


@pytest.fixture(params=["memory", "cookie"])
def shared(request, clock):
    return MemoryStore(clock=clock) if request.param == "memory" else SignedCookieStore()


def dump(handler):
    return dict(handler.session)


@pytest.mark.promise(21)
@pytest.mark.parametrize("serializer", ["json", "pickle"])
async def test_promise_21_new_signs_old_verifies_removed_fails(shared, manage, serve, via, put, serializer):
    def site_with(secret, *former):
        site = serve(manage(shared, secret_key=secret, fallback_keys=former, serializer=serializer), via)
        site["/put"], site["/dump"] = put("a", 1), dump
        return site

    old = site_with(OLD).browser()
    await old.get("/put")
    both = site_with(NEW, OLDER, OLD).browser()
    both.cookies = dict(old.cookies)
    assert await both.json("/dump") == {"a": 1}, "an old key verifies"
    assert await site_with(NEW).browser().json("/dump", cookies=old.cookies) == {}, "a removed one fails"
    await both.get("/put")
    assert both.cookies != old.cookies
    assert await site_with(NEW).browser().json("/dump", cookies=both.cookies) == {"a": 1}, "the new one signs"
    assert await site_with(OLD).browser().json("/dump", cookies=both.cookies) == {}


@pytest.mark.promise(21)
@pytest.mark.parametrize("wrong", ["a bare key", b"a bare key", 7, {"a", "b"}])
def test_promise_21_a_bare_string_as_list_of_keys_is_refused(wrong):
    """It would become keys of one letter."""
    for error in (ConfigurationTypeError, TypeError, ValueError, SessionError):
        with pytest.raises(error, match="fallback_keys"):
            SessionConfig(secret_key=NEW, fallback_keys=wrong)


@pytest.mark.promise(21)
async def test_promise_21_the_flash_cookies_keys_rotate(manage, serve):
    """Tornado's own rotation: cookie_secret is a dict, key_version says which one signs."""

    def site_with(secrets, version):
        site = serve(manage(), "plain", cookie_secret=secrets, key_version=version)
        site["/flash"] = lambda handler: handler.flash("hello")
        site["/show"] = lambda handler: handler.get_flashed_messages()
        return site

    from_old = site_with({1: "a" * 32}, 1).browser()
    await from_old.get("/flash")
    both = site_with({1: "a" * 32, 2: "b" * 32}, 2)
    without = site_with({2: "b" * 32}, 2)
    assert await both.browser().json("/show", cookies=from_old.cookies) == [["message", "hello"]]
    assert await without.browser().json("/show", cookies=from_old.cookies) == []
    from_new = both.browser()
    await from_new.get("/flash")
    assert await without.browser().json("/show", cookies=from_new.cookies) == [["message", "hello"]]


async def test_another_session_version_ends_every_session(shared, manage, serve, via, put):
    browsers = []
    for version in ("1", "2"):
        site = serve(manage(shared, session_version=version), via)
        site["/put"], site["/dump"] = put("a", 1), dump
        browsers.append(site.browser())
    await browsers[0].get("/put")
    assert await browsers[1].json("/dump", cookies=browsers[0].cookies) == {}
    assert await browsers[0].json("/dump") == {"a": 1}


async def test_a_cookie_of_another_name_proves_nothing(shared, manage, serve, via, put):
    """Two sessions side by side, with one secret: the value of one is no value of the other."""
    sites = [serve(manage(shared, session_name=name), via) for name in ("shop", "admin")]
    for site in sites:
        site["/put"], site["/dump"] = put("a", 1), dump
    shop = sites[0].browser()
    await shop.get("/put")
    assert await sites[1].browser().json("/dump", cookies={"admin": shop.cookies["shop"]}) == {}


def test_empty_and_missing_keys_are_refused():
    for options in ({"secret_key": ""}, {"secret_key": "a", "fallback_keys": [""]}, {}, {"secret_key": None}):
        with pytest.raises(ConfigurationError):
            SessionConfig.from_mapping(options)


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("mac", [b"", b"\0" * 32], ids=["no mac", "wrong mac"])
@pytest.mark.parametrize("in_list", [True, False])
async def test_a_planted_pickle_is_a_miss_and_never_executed(manage, serve, via, put, mac, in_list, tmp_path):
    """Somebody writes into the store; the signature does not fit, so nothing is even decoded."""
    store = MemoryStore()
    site = serve(manage(store, serializer="pickle"), via)
    site["/put"], site["/dump"] = put("a", {1, 2}), lambda handler: sorted(handler.session.get("a", []))
    browser = site.browser()
    await browser.get("/put")
    assert await browser.json("/dump") == [1, 2]
    [key] = store._entries
    fields = pickle.loads(store.get(key)[32:])
    assert fields[0] == {"a": {1, 2}}, "where a good one stands"
    bomb = Bomb(tmp_path / "exploded")
    store.set(key, mac + pickle.dumps([bomb, *fields[1:]] if in_list else bomb), 100)
    assert await browser.json("/dump") == []
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("damaged", ["", "{", "[]", "null", "[1,2,3,4,5,6,7,8,9]", b"\xff\xfe", 7, None])
async def test_a_damaged_record_is_a_miss(manage, serve, via, put, damaged):
    store = MemoryStore()
    site = serve(manage(store), via)
    site["/put"], site["/dump"] = put("a", 1), dump
    browser = site.browser()
    await browser.get("/put")
    [key] = store._entries
    store.set(key, damaged, 100)
    assert await browser.json("/dump") == {}


async def test_msgpack_holds_bytes(manage, serve, via, put):
    pytest.importorskip("msgpack")
    site = serve(manage(serializer="msgpack"), via)
    site["/put"], site["/dump"] = put("a", b"\x00\xff"), lambda handler: list(handler.session["a"])
    browser = site.browser()
    await browser.get("/put")
    assert await browser.json("/dump") == [0, 255]


@pytest.mark.parametrize("in_cookie", [False, True])
async def test_a_value_that_json_does_not_know_is_refused_at_the_save(manage, serve, via, put, in_cookie, caplog):
    """The error names the key and not the value; nothing is stored."""
    caplog.set_level("ERROR", "tornado.application")
    store = SignedCookieStore() if in_cookie else MemoryStore()
    site = serve(manage(store), via)
    site["/put"] = put("basket", {1, 2})
    answer = await site.browser().get("/put")
    assert answer.code == 500
    assert "Set-Cookie" not in answer.headers
    error = caplog.records[0].exc_info[1]
    assert isinstance(error, SessionSerializationError)
    assert "session['basket']" in str(error)
    assert "{1, 2}" not in str(error)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_json_is_written_and_read_as_the_standard_library_does(value):
    serializer = JsonSerializer()
    text = serializer.dumps(value)
    assert text == json.dumps(value, separators=(",", ":"))
    assert serializer.loads(text) == serializer.loads(text.encode()) == value


@pytest.mark.parametrize("text", ["", "{", "nonsense", "1 2"])
def test_what_is_no_json_is_a_value_error(text):
    with pytest.raises(ValueError, match="JSON|Expecting"):
        JsonSerializer().loads(text)


async def test_a_value_that_contains_itself_is_refused_at_the_save(manage, serve, via):
    circle = []
    circle.append(circle)
    site = serve(manage(), via)
    site["/put"] = lambda handler: handler.session.update(circle=circle)
    assert (await site.browser().get("/put")).code == 500


@pytest.mark.parametrize("form", [2, True, "1", None])
async def test_a_record_of_another_form_is_a_miss(manage, serve, via, put, form):
    store = MemoryStore()
    site = serve(manage(store), via)
    site["/put"], site["/dump"] = put("a", 1), dump
    browser = site.browser()
    await browser.get("/put")
    [key] = store._entries
    fields = json.loads(store.get(key))
    store.set(key, json.dumps([*fields[:-1], form]), 100)
    assert await browser.json("/dump") == {}
