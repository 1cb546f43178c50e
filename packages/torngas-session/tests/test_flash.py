"""Flash messages, kept in the session or in Tornado's signed cookie."""

import asyncio

import pytest

from torngas_session import SessionError, SessionTooLargeError


@pytest.fixture(params=["mixin", "middleware", "plain"])
def site(request, serve, manage):
    return serve(manage(), request.param, cookie_secret="c" * 32)


def show(handler):
    return handler.get_flashed_messages()


async def test_messages_survive_a_redirect_in_order_with_their_categories(site):
    def say(handler):
        handler.flash("first")
        handler.flash("second", "error")
        handler.flash({"any": "json"}, "info")
        handler.set_status(302)

    site["/say"], site["/show"] = say, show
    browser = site.browser()
    await browser.get("/say")
    assert await browser.json("/show") == [["message", "first"], ["error", "second"], ["info", {"any": "json"}]]
    assert await browser.json("/show") == []
    assert browser.cookies == {}


async def test_a_message_is_visible_in_its_own_request_and_taken_there(site):
    def say(handler):
        handler.flash("now")
        return show(handler)

    site["/say"], site["/show"] = say, show
    browser = site.browser()
    assert await browser.json("/say") == [["message", "now"]]
    assert await browser.json("/show") == []


async def test_the_first_reading_takes_all_and_a_second_one_gives_the_same(site):
    def twice(handler):
        one = handler.get_flashed_messages(category_filter=["a"])
        return [one, handler.get_flashed_messages(), handler.get_flashed_messages(False, ["b"])]

    def say(handler):
        handler.flash(1, "a")
        handler.flash(2, "b")

    site["/say"], site["/twice"], site["/show"] = say, twice, show
    browser = site.browser()
    await browser.get("/say")
    assert await browser.json("/twice") == [[["a", 1]], [["a", 1], ["b", 2]], [2]]
    assert await browser.json("/show") == []


async def test_what_is_said_after_the_reading_waits_for_the_next_request(site):
    def page(handler):
        handler.flash("before")
        seen = show(handler)
        handler.flash("after")
        return [seen, show(handler)]

    site["/page"], site["/show"] = page, show
    browser = site.browser()
    assert await browser.json("/page") == [[["message", "before"]], [["message", "before"]]]
    assert await browser.json("/show") == [["message", "after"]]


async def test_messages_of_several_requests_add_up(site):
    site["/say"], site["/show"] = lambda handler: handler.flash(handler.get_argument("m")), show
    browser = site.browser()
    await browser.get("/say?m=1")
    await browser.get("/say?m=2")
    assert await browser.json("/show") == [["message", "1"], ["message", "2"]]


async def test_concurrent_messages_in_a_session_are_merged(serve, manage, via):
    site = serve(manage(), via)
    arrived, everybody = [], asyncio.Event()

    async def say(handler):
        handler.flash(len(arrived))
        arrived.append(1)
        if len(arrived) == 5:
            everybody.set()
        await everybody.wait()

    site["/begin"] = lambda handler: handler.session.update(a=1)
    site["/say"], site["/show"] = say, show
    browser = site.browser()
    await browser.get("/begin")
    await asyncio.gather(*(browser.get("/say") for _ in range(5)))
    assert sorted(message for _, message in await browser.json("/show")) == [0, 1, 2, 3, 4]


async def test_reading_varies_by_cookie(site):
    site["/show"] = show
    assert (await site.browser().get("/show")).headers["Vary"] == "Cookie"


async def test_a_forged_cookie_says_nothing(serve, manage):
    site = serve(manage(), "plain", cookie_secret="c" * 32)
    site["/show"] = show
    assert await site.browser().json("/show", cookies={"_flash": "forged"}) == []


async def test_neither_session_nor_secret_is_a_clear_error(serve, manage, caplog):
    site = serve(manage(), "plain")
    site["/say"] = lambda handler: handler.flash("x")
    assert (await site.browser().get("/say")).code == 500
    error = caplog.records[0].exc_info[1]
    assert isinstance(error, SessionError)
    assert "cookie_secret" in str(error)


async def test_messages_that_do_not_fit_a_cookie_are_refused(serve, manage, caplog):
    site = serve(manage(), "plain", cookie_secret="c" * 32)
    site["/say"] = lambda handler: handler.flash("x" * 4000)
    assert (await site.browser().get("/say")).code == 500
    assert isinstance(caplog.records[0].exc_info[1], SessionTooLargeError)
