"""Idempotency keys: what is sent twice runs once, whatever goes wrong meanwhile."""

from __future__ import annotations

import asyncio
import json
import logging
import time

import pytest
from tornado.simple_httpclient import HTTPStreamClosedError
from tornado.web import Finish, HTTPError

from torngas.api.idempotency import IdempotencyMixin
from torngas.application import Application
from torngas.auth import AuthMixin, BasicAuth, requires
from torngas.handler import ApiHandler, WebHandler
from torngas.testing import Client
from torngas_cache import CacheHandler, caches, create_cache
from torngas_middleware import CompressionMiddleware, RequestIdMiddleware

pytestmark = pytest.mark.xdist_group("torngas_redis")


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["memory", "redis"])
async def cache(request, clock):
    if request.param == "memory":
        made = create_cache("locmem", request.node.name, clock=clock)
    else:
        server = request.getfixturevalue("redis_server")
        made = create_cache("redis", f"{server['host']}:{server['port']}", key_prefix=f"{request.node.name}")
    yield made
    await made.aclose()


@pytest.fixture
async def memory(request, clock):
    made = create_cache("locmem", request.node.name, clock=clock)
    yield made
    made.close()


def payments(cache, work=None, **attributes):
    """A handler class that counts what really ran."""

    class Payments(IdempotencyMixin, ApiHandler):
        idempotency_cache = cache
        runs = []

        async def post(self):
            type(self).runs.append(self.request.body)
            if work is not None:
                await work(self)
            else:
                self.set_header("Location", f"/payments/{len(self.runs)}")
                self.set_header("X-Several", "1")
                self.add_header("X-Several", "2")
                self.set_cookie("secret", "of-this-visitor")
                self.write({"run": len(self.runs)}, status=201)

        def get(self):
            self.runs.append(b"get")

        put = get

    for name, value in attributes.items():
        setattr(Payments, name, value)
    return Payments


def key(name="k1", **headers):
    return {"Idempotency-Key": name, **headers}


def serving(kind, **options):
    return Client(Application([("/", kind), ("/other", kind)], **options))


async def test_the_second_request_gets_the_stored_response_and_nothing_runs(cache):
    kind = payments(cache)
    async with serving(kind) as client:
        first = await client.apost("/", json={"amount": 5}, headers=key())
        second = await client.apost("/", json={"amount": 5}, headers=key())
    assert len(kind.runs) == 1
    assert (second.status_code, second.body, second.reason) == (201, first.body, "Created")
    assert second.headers["Location"] == "/payments/1"
    assert second.headers.get_list("X-Several") == ["1", "2"]
    assert second.headers["Content-Type"] == first.headers["Content-Type"]
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert "Set-Cookie" in first.headers
    assert "Set-Cookie" not in second.headers


async def test_of_fifty_at_once_exactly_one_runs(cache):
    release = asyncio.Event()

    async def work(handler):
        await release.wait()
        handler.write("done")

    kind = payments(cache, work)
    async with serving(kind) as client:
        waiting = {asyncio.ensure_future(client.apost("/", data=b"x", headers=key())) for _ in range(50)}
        refused = []
        while len(refused) < 49:
            done, waiting = await asyncio.wait(waiting, timeout=30, return_when=asyncio.FIRST_COMPLETED)
            assert done, "the others were not answered while one was running"
            refused += [one.result() for one in done]
        release.set()
        (ran,) = [await one for one in waiting]
        again = await client.apost("/", data=b"x", headers=key())
    assert len(kind.runs) == 1
    assert {one.status_code for one in refused} == {409}
    assert {one.headers["Retry-After"] for one in refused} == {"1"}
    assert (ran.status_code, ran.body, again.body) == (200, b"done", b"done")


@pytest.mark.parametrize("other", [{"data": b"other"}, {"path": "/other"}, {"path": "/?x=1"}, {"method": "PATCH"}])
async def test_the_same_key_with_another_request_is_a_422(memory, other):
    kind = payments(memory)
    kind.patch = kind.post
    async with serving(kind) as client:
        await client.apost("/", data=b"body", headers=key())
        method, path = other.get("method", "POST"), other.get("path", "/")
        answer = await client.arequest(method, path, data=other.get("data", b"body"), headers=key())
    assert (answer.status_code, len(kind.runs)) == (422, 1)
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_another_request_with_the_key_of_a_running_one_is_a_422_too(memory):
    started, release = asyncio.Event(), asyncio.Event()

    async def work(handler):
        started.set()
        await release.wait()

    async with serving(payments(memory, work)) as client:
        first = asyncio.ensure_future(client.apost("/", data=b"x", headers=key()))
        await asyncio.wait_for(started.wait(), 30)
        assert (await client.apost("/", data=b"y", headers=key())).status_code == 422
        release.set()
        assert (await first).status_code == 200


@pytest.mark.parametrize("sent", ['"quoted"', "quoted", "8e03978e-40d5-43dd-bc93-6894a57f9324", "x" * 255])
async def test_keys_may_be_structured_strings_or_bare(memory, sent):
    kind = payments(memory)
    async with serving(kind) as client:
        for _ in range(2):
            assert (await client.apost("/", data=b"", headers=key(sent))).status_code == 201
    assert len(kind.runs) == 1


async def test_a_key_is_the_same_with_its_quotes_and_without(memory):
    kind = payments(memory)
    async with serving(kind) as client:
        await client.apost("/", data=b"", headers=key("same"))
        await client.apost("/", data=b"", headers=key('"same"'))
    assert len(kind.runs) == 1


@pytest.mark.parametrize("sent", ["", '""', '"open', "two words", "x" * 256, "\u00fc"])
async def test_what_is_no_key_is_a_400(memory, sent):
    kind = payments(memory)
    async with serving(kind) as client:
        answer = await client.apost("/", data=b"", headers=key(sent))
    assert (answer.status_code, kind.runs) == (400, [])


async def test_without_a_key_every_request_runs_unless_keys_are_required(memory):
    kind = payments(memory)
    async with serving(kind) as client:
        for _ in range(2):
            assert (await client.apost("/", data=b"")).status_code == 201
        assert len(kind.runs) == 2
        kind.idempotency_required = True
        answer = await client.apost("/", data=b"")
        assert (answer.status_code, answer.json()["errors"][0]["name"]) == (400, "Idempotency-Key")
    assert len(kind.runs) == 2


async def test_methods_that_are_idempotent_by_themselves_do_not_look_at_it(memory):
    kind = payments(memory, idempotency_required=True)
    async with serving(kind) as client:
        for _ in range(2):
            await client.aget("/", headers=key())
            await client.aput("/", data=b"", headers=key())
    assert len(kind.runs) == 4


async def test_a_method_that_does_not_exist_is_a_405_whatever_the_key(memory):
    async with serving(payments(memory, idempotency_required=True)) as client:
        await client.apost("/", data=b"", headers=key())
        for headers in (key(), {}):
            assert (await client.apatch("/", data=b"other", headers=headers)).status_code == 405


async def crash(handler):
    raise ValueError("the handler is broken")


async def unavailable(handler):
    raise HTTPError(503)


async def too_fast(handler):
    handler.set_status(429)


async def streamed(handler):
    handler.write("a")
    await handler.flush()
    handler.write("b")


@pytest.mark.parametrize(
    ("work", "status"),
    [(crash, 500), (unavailable, 503), (too_fast, 429), (streamed, 200)],
    ids=["500", "503", "429", "stream"],
)
async def test_failures_and_streams_are_not_kept(cache, work, status):
    kind = payments(cache, work)
    async with serving(kind) as client:
        for runs in (1, 2):
            assert (await client.apost("/", data=b"", headers=key())).status_code == status
            assert len(kind.runs) == runs


async def conflict(handler):
    raise HTTPError(404)


async def finished(handler):
    handler.set_status(202)
    await handler.finish({"by": "finish"})


async def finished_in_passing(handler):
    handler.finish("by finish")


async def ended(handler):
    handler.set_status(402)
    handler.write("no")
    raise Finish


async def empty(handler):
    handler.set_status(204)


async def redirected(handler):
    handler.redirect("/elsewhere", status=303)


@pytest.mark.parametrize(
    ("work", "status"),
    [(conflict, 404), (finished, 202), (finished_in_passing, 200), (ended, 402), (empty, 204), (redirected, 303)],
    ids=["404", "202", "200", "402", "204", "303"],
)
async def test_every_other_end_is_kept(cache, work, status):
    kind = payments(cache, work)
    async with serving(kind) as client:
        answers = [await client.apost("/", data=b"", headers=key(), follow_redirects=False) for _ in range(2)]
    assert [one.status_code for one in answers] == [status, status]
    assert answers[0].body == answers[1].body
    assert answers[0].location == answers[1].location
    assert len(kind.runs) == 1


async def test_a_response_is_forgotten_after_its_time(memory, clock):
    kind = payments(memory, idempotency_timeout=100)
    async with serving(kind) as client:
        await client.apost("/", data=b"", headers=key())
        clock.now += 99
        await client.apost("/", data=b"", headers=key())
        assert len(kind.runs) == 1
        clock.now += 1
        await client.apost("/", data=b"", headers=key())
    assert len(kind.runs) == 2


async def dying(handler):
    """As a process that is killed: the connection breaks, and nothing is finished."""
    if len(handler.runs) == 1:
        handler.request.connection.stream.close()
        handler._auto_finish = False
    else:
        handler.write("done")


async def test_the_lock_of_a_crashed_run_expires(memory, clock):
    kind = payments(memory, dying)
    async with serving(kind) as client:
        with pytest.raises(HTTPStreamClosedError):
            await client.apost("/", data=b"", headers=key())
        assert (await client.apost("/", data=b"", headers=key())).status_code == 409
        clock.now += 60
        answer = await client.apost("/", data=b"", headers=key())
    assert (answer.body, len(kind.runs)) == (b"done", 2)


async def test_the_lock_of_a_crashed_run_expires_in_redis_too(request, redis_server):
    cache = create_cache("redis", f"{redis_server['host']}:{redis_server['port']}", key_prefix=request.node.name)
    kind = payments(cache, dying, idempotency_lock=0.2)
    deadline = time.monotonic() + 30
    async with serving(kind) as client:
        with pytest.raises(HTTPStreamClosedError):
            await client.apost("/", data=b"", headers=key())
        while (answer := await client.apost("/", data=b"", headers=key())).status_code == 409:
            assert time.monotonic() < deadline
    assert (answer.body, len(kind.runs)) == (b"done", 2)
    await cache.aclose()


async def test_a_run_that_overstayed_its_lock_does_not_replace_another_s_response(memory, clock):
    started, release = asyncio.Event(), asyncio.Event()

    async def work(handler):
        number = len(handler.runs)
        if number == 1:
            started.set()
            await release.wait()
        handler.write(str(number))

    kind = payments(memory, work)
    async with serving(kind) as client:
        first = asyncio.ensure_future(client.apost("/", data=b"", headers=key()))
        await asyncio.wait_for(started.wait(), 30)
        clock.now += 60
        assert (await client.apost("/", data=b"", headers=key())).body == b"2"
        release.set()
        assert (await first).body == b"1"
        assert (await client.apost("/", data=b"", headers=key())).body == b"2"


async def test_keys_belong_to_their_user(memory):
    class Payments(AuthMixin, IdempotencyMixin, ApiHandler):
        auth = (BasicAuth(lambda user, password: True, blocking=False),)
        idempotency_cache = memory

        @requires()
        def post(self):
            self.write(self.current_user)

    def sender(name):
        return {"Authorization": {"ada": "Basic YWRhOng=", "eve": "Basic ZXZlOng="}[name]}

    async with serving(Payments) as client:
        for name in ("ada", "eve", "ada"):
            assert (await client.apost("/", data=b"", headers=key(**sender(name)))).text == name
        assert (await client.apost("/", data=b"", headers=key())).status_code == 401


@pytest.mark.parametrize(
    ("users", "runs"),
    [
        ((1, "1"), 2),
        ((None, "None"), 2),
        (({"id": 1}, {"id": 1, "name": "changed"}), 1),
        ((type("User", (), {"id": 7})(), type("User", (), {"id": 7})()), 1),
    ],
)
async def test_the_id_of_a_user_counts(memory, users, runs):
    kind = payments(memory)
    async with serving(kind) as client:
        for user in users:
            kind.get_current_user = lambda self, user=user: user
            await client.apost("/", data=b"", headers=key())
    assert len(kind.runs) == runs


async def test_a_user_without_an_id_is_an_error_that_says_so(memory, caplog):
    kind = payments(memory)
    kind.get_current_user = lambda self: object()
    async with serving(kind) as client:
        assert (await client.apost("/", data=b"", headers=key())).status_code == 500
    assert "override get_idempotency_user" in caplog.text


async def test_middlewares_see_a_replay_as_they_see_every_response(memory):
    """The body is kept as it was written: each client gets it in the encoding that it takes, with an id of its own."""

    async def work(handler):
        handler.write({"text": "x" * 5000})

    kind = payments(memory, work)
    middlewares = [RequestIdMiddleware(), CompressionMiddleware()]
    async with serving(kind, middlewares=middlewares) as client:
        zipped = {"Accept-Encoding": "gzip"}
        answers = [await client.apost("/", data=b"", headers=key(**headers)) for headers in (zipped, {}, zipped)]
    assert {json.loads(one.body)["text"] for one in answers} == {"x" * 5000}
    assert len({one.headers["X-Request-Id"] for one in answers}) == 3
    assert len(kind.runs) == 1


class Early:
    """Sets a header before the method."""

    def __init__(self):
        self.number = 0

    def process_request(self, handler, clear):
        self.number += 1
        handler.set_header("X-Early", str(self.number))


async def test_headers_that_were_set_before_are_those_of_each_request(memory):
    async with serving(payments(memory), middlewares=[Early()]) as client:
        answers = [await client.apost("/", data=b"", headers=key()) for _ in range(2)]
    assert [one.headers.get_list("X-Early") for one in answers] == [["1"], ["2"]]


async def test_a_response_that_cannot_be_stored_is_sent_all_the_same(memory, caplog):
    class Failing:
        def __getattr__(self, name):
            return getattr(memory, name)

        async def acas(self, *args):
            raise ConnectionError("the store is gone")

    kind = payments(Failing())
    with caplog.at_level(logging.ERROR, "torngas.api"):
        async with serving(kind) as client:
            assert (await client.apost("/", data=b"", headers=key())).status_code == 201
            assert (await client.apost("/", data=b"", headers=key())).status_code == 409
    assert "could not be stored" in caplog.text
    assert "k1" not in caplog.text


async def test_a_store_that_neither_takes_nor_has_a_key_is_a_503(memory):
    class Absent:
        async def aadd(self, *args):
            return False

        async def aget(self, *args):
            return None

    kind = payments(Absent())
    async with serving(kind) as client:
        answer = await client.apost("/", data=b"", headers=key())
    assert (answer.status_code, answer.headers["Retry-After"], kind.runs) == (503, "1", [])


async def test_an_alias_names_a_cache_of_the_application():
    handler = CacheHandler({"keys": {"BACKEND": "locmem", "LOCATION": "of idempotency"}})
    kind = payments("keys")
    with caches.using(handler):
        async with serving(kind) as client:
            for _ in range(2):
                await client.apost("/", data=b"", headers=key())
    assert len(kind.runs) == 1


async def test_a_prepare_of_one_s_own_runs_for_what_runs_and_not_for_replays(memory):
    seen = []

    class Base(WebHandler):
        async def prepare(self):
            await asyncio.sleep(0)
            seen.append("prepare")

    class Main(IdempotencyMixin, Base):
        idempotency_cache = memory

        def post(self):
            self.write("done")

    async with serving(Main) as client:
        for _ in range(2):
            assert (await client.apost("/", data=b"", headers=key())).body == b"done"
    assert seen == ["prepare"]


async def test_a_response_that_contradicts_itself_is_still_an_error(memory, caplog):
    async def work(handler):
        handler.set_header("Content-Length", "3")
        handler.write("longer than that")

    async with serving(payments(memory, work)) as client:
        with pytest.raises(HTTPStreamClosedError):
            await client.apost("/", data=b"", headers=key())
    assert "more data than Content-Length" in caplog.text
