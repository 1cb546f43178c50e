"""`cache_response` with Tornado's handlers over real connections."""

import asyncio

import pytest

from torngas_cache import cache_response, create_cache

tornado_web = pytest.importorskip("tornado.web", reason="cache_response is for Tornado")
from tornado.httpclient import AsyncHTTPClient  # noqa: E402
from tornado.httpserver import HTTPServer  # noqa: E402
from tornado.testing import bind_unused_port  # noqa: E402


class Counting(tornado_web.RequestHandler):
    """Every answer says how many there were."""

    calls = 0

    def initialize(self, behavior=None):
        self.behavior = behavior

    def count(self):
        type(self).calls += 1
        return self.calls


@pytest.fixture
async def serve(name):
    """serve(Handler) -> fetch(path, **options)"""
    client, servers = AsyncHTTPClient(force_instance=True), []

    def start(handler):
        handler.calls = 0
        socket, port = bind_unused_port()
        server = HTTPServer(tornado_web.Application([("/.*", handler)], cookie_secret="of this test"))
        server.add_socket(socket)
        servers.append(server)

        def fetch(path="/", **options):
            return client.fetch(f"http://127.0.0.1:{port}{path}", raise_error=False, **options)

        return fetch

    yield start
    client.close()
    for server in servers:
        server.stop()
        await server.close_all_connections()


@pytest.fixture
def cache(name):
    return create_cache("locmem", name)


@pytest.fixture
def page(cache):
    """A handler whose method is `work`, cached by these options."""

    def make(work, **options):
        class Page(Counting):
            @cache_response(60, cache=cache, **options)
            async def get(self, *args):
                result = work(self)
                if result is not None:
                    await result

            @cache_response(60, cache=cache, **options)
            def head(self, *args):
                self.write("head")

            @cache_response(60, cache=cache, **options)
            def post(self, *args):
                self.write(f"post {self.count()}")

        return Page

    return make


async def test_an_answer_is_given_again(serve, page):
    def work(handler):
        handler.set_header("Content-Type", "text/x-test")
        handler.add_header("X-Many", "1")
        handler.add_header("X-Many", "2")
        handler.write(f"answer {handler.count()}")

    fetch = serve(page(work))
    first, second = await fetch("/a?b=1"), await fetch("/a?b=1")
    for response in (first, second):
        assert response.body == b"answer 1"
        assert response.headers["Content-Type"] == "text/x-test"
        assert response.headers.get_list("X-Many") == ["1", "2"]
        assert response.headers["Cache-Control"] == "max-age=60"
        assert response.headers.get_list("Etag") == [first.headers["Etag"]]
    assert second.headers["Age"] == "0"
    assert "Age" not in first.headers
    assert (await fetch("/a?b=2")).body == b"answer 2"


async def test_who_has_it_gets_304(serve, page):
    fetch = serve(page(lambda handler: handler.write(f"answer {handler.count()}")))
    first = await fetch()
    again = await fetch(headers={"If-None-Match": first.headers["Etag"]})
    assert again.code == 304
    assert again.body == b""
    assert (await fetch(headers={"If-None-Match": '"another"'})).body == b"answer 1"


@pytest.mark.parametrize("way", ["write", "finish", "finish with chunk", "await finish"])
async def test_every_way_to_end_is_understood(serve, page, way):
    def work(handler):
        text = f"answer {handler.count()}"
        if way == "finish with chunk":
            handler.finish(text)
            return None
        handler.write(text)
        return {"write": lambda: None, "finish": lambda: handler.finish() and None, "await finish": handler.finish}[
            way
        ]()

    fetch = serve(page(work))
    assert [(await fetch()).body for _ in range(3)] == [b"answer 1"] * 3


async def test_requests_at_the_same_time_join(serve, page):
    async def slow(handler):
        number = handler.count()
        await asyncio.sleep(0.05)
        handler.write(f"answer {number}")

    fetch = serve(page(slow))
    responses = await asyncio.gather(*(fetch() for _ in range(8)))
    assert [response.body for response in responses] == [b"answer 1"] * 8


def _cookie(handler):
    handler.set_cookie("a", "b")


def _cookie_header(handler):
    handler.set_header("Set-Cookie", "a=b")


def _private(handler):
    handler.set_header("Cache-Control", "private, max-age=5")


def _no_store(handler):
    handler.set_header("Cache-Control", "no-store")


def _vary(handler):
    handler.set_header("Vary", "Cookie")


def _not_found(handler):
    handler.set_status(404)


def _flushed(handler):
    handler.write("part ")
    handler.flush()


def _user(handler):
    handler.current_user = "somebody"


@pytest.mark.parametrize(
    "trait",
    [_cookie, _cookie_header, _private, _no_store, _vary, _not_found, _flushed, _user],
    ids=lambda f: f.__name__,
)
async def test_what_is_for_one_request_only_is_not_kept(serve, page, trait):
    def work(handler):
        trait(handler)
        handler.write(f"answer {handler.count()}")

    fetch = serve(page(work))
    bodies = [(await fetch()).body for _ in range(2)]
    assert [body[-8:] for body in bodies] == [b"answer 1", b"answer 2"]


async def test_requests_that_join_an_answer_that_is_not_kept_get_their_own(serve, page):
    async def work(handler):
        number = handler.count()
        await asyncio.sleep(0.02)
        handler.set_cookie("number", str(number))
        handler.write(f"answer {number}")

    fetch = serve(page(work))
    responses = await asyncio.gather(*(fetch() for _ in range(4)))
    assert sorted(response.body for response in responses) == [f"answer {number}".encode() for number in range(1, 5)]


async def test_authorized_requests_pass_by_unless_asked(serve, page):
    def work(handler):
        handler.write(f"answer {handler.count()}")

    authorized = {"Authorization": "Bearer x"}
    fetch = serve(page(work))
    assert (await fetch()).body == b"answer 1"
    assert (await fetch(headers=authorized)).body == b"answer 2"
    assert (await fetch()).body == b"answer 1"
    fetch = serve(page(work, authorized=True, vary=["authorization"], key=lambda handler: "asked"))
    assert (await fetch(headers=authorized)).body == b"answer 1"
    assert (await fetch(headers=authorized)).body == b"answer 1"
    assert (await fetch(headers={"Authorization": "Bearer y"})).body == b"answer 2"


async def test_cookies_are_left_out_where_asked(serve, page):
    def work(handler):
        handler.set_cookie("a", "b")
        handler.write(f"answer {handler.count()}")

    fetch = serve(page(work, cookies=True))
    first, second = await fetch(), await fetch()
    assert (first.body, second.body) == (b"answer 1", b"answer 1")
    assert "Set-Cookie" in first.headers
    assert "Set-Cookie" not in second.headers


async def test_answers_vary_by_the_named_headers(serve, page):
    fetch = serve(page(lambda handler: handler.write(f"answer {handler.count()}"), vary=["Accept-Language"]))
    first = await fetch(headers={"Accept-Language": "en"})
    assert first.headers["Vary"] == "Accept-Language"
    assert (await fetch(headers={"Accept-Language": "zh"})).body == b"answer 2"
    again = await fetch(headers={"Accept-Language": "en"})
    assert again.body == b"answer 1"
    assert again.headers["Vary"] == "Accept-Language"


async def test_other_methods_pass_by_and_head_is_separate(serve, page):
    fetch = serve(page(lambda handler: handler.write(f"answer {handler.count()}")))
    assert (await fetch(method="POST", body="")).body == b"post 1"
    assert (await fetch(method="POST", body="")).body == b"post 2"
    head = await fetch(method="HEAD")
    assert (head.code, head.body) == (200, b"")
    assert (await fetch()).body == b"answer 3"


async def test_an_error_is_answered_as_ever_and_not_kept(serve, page):
    def work(handler):
        if handler.count() == 1:
            raise tornado_web.HTTPError(503)
        handler.write("fine")

    fetch = serve(page(work))
    assert (await fetch()).code == 503
    assert (await fetch()).body == b"fine"


async def test_an_old_answer_helps_over_an_error(serve, page, name, clock):
    store = create_cache("locmem", name + "-stale", clock=clock)

    class Page(Counting):
        @cache_response(10, cache=store, stale_if_error=1000)
        def get(self, *args):
            if self.count() > 1:
                self.write("half an answer")
                raise LookupError("upstream")
            self.write("good")

    fetch = serve(Page)
    assert (await fetch()).body == b"good"
    clock.advance(11)
    assert (await fetch()).body == b"good"
    assert Page.calls == 2


async def test_the_handlers_own_cache_control_stays(serve, page):
    def work(handler):
        handler.set_header("Cache-Control", "public, max-age=5")
        handler.write("answer")

    fetch = serve(page(work))
    for _ in range(2):
        assert (await fetch()).headers.get_list("Cache-Control") == ["public, max-age=5"]


def test_one_string_is_not_taken_for_a_list_of_headers():
    with pytest.raises(TypeError, match="vary"):
        cache_response(60, vary="Cookie")
