"""One id per request: taken if well-formed, else made; in header, context and log records."""

import asyncio
import logging

import pytest
from tornado.web import RequestHandler

from torngas_middleware import Application, RequestIdFilter, RequestIdMiddleware, request_id


class Page(RequestHandler):
    async def get(self):
        in_thread = await asyncio.to_thread(request_id.get)
        self.write({"request": self.request.request_id, "context": request_id.get(), "thread": in_thread})

    def post(self):
        raise ZeroDivisionError


async def test_a_well_formed_id_is_taken(serve):
    import json

    server = serve(Application([("/", Page)], middlewares=[RequestIdMiddleware()]))
    response = await server.fetch("/", headers={"X-Request-ID": "abc-123"})
    assert response.headers["X-Request-ID"] == "abc-123"
    assert json.loads(response.body) == dict.fromkeys(("request", "context", "thread"), "abc-123")
    assert request_id.get() is None


@pytest.mark.parametrize("sent", ["", "a b", "a\tb", "x" * 129, 'a"b', "a,b", "a;b", "<x>", "%0d%0a", "\u00fc"])
async def test_another_one_is_replaced(serve, sent):
    server = serve(Application([("/", Page)], middlewares=[RequestIdMiddleware(make=lambda: "made")]))
    response = await server.fetch("/", headers={"X-Request-ID": sent})
    assert response.headers["X-Request-ID"] == "made"


async def test_two_ids_are_none(serve):
    server = serve(Application([("/", Page)], middlewares=[RequestIdMiddleware(make=lambda: "made")]))
    answer = await server.raw(
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Request-ID: a\r\nX-Request-ID: b\r\nConnection: close\r\n\r\n"
    )
    assert b"X-Request-Id: made" in answer


async def test_every_request_gets_its_own(serve):
    server = serve(Application([("/", Page)], middlewares=[RequestIdMiddleware()]))
    ids = {(await server.fetch()).headers["X-Request-ID"] for _ in range(5)}
    assert len(ids) == 5
    assert all(len(one) == 32 for one in ids)


async def test_an_untrusted_client_cannot_choose_it(serve):
    server = serve(Application([("/", Page)], middlewares=[RequestIdMiddleware(accept=False, header="X-Trace")]))
    assert (await server.fetch("/", headers={"X-Trace": "mine"})).headers["X-Trace"] != "mine"


@pytest.mark.parametrize(("path", "method"), [("/nowhere", "GET"), ("/", "POST"), ("/", "DELETE")])
async def test_error_responses_have_it(serve, caplog, path, method):
    server = serve(Application([("/", Page)], middlewares=[RequestIdMiddleware()]))
    response = await server.fetch(path, method=method, headers={"X-Request-ID": "abc"}, allow_nonstandard_methods=True)
    assert (response.code >= 400, response.headers["X-Request-ID"]) == (True, "abc")


async def test_log_records_have_it(serve, caplog):
    caplog.handler.addFilter(RequestIdFilter())

    class Logs(RequestHandler):
        def get(self):
            logging.getLogger("app").warning("inside")

    server = serve(Application([("/", Logs)], middlewares=[RequestIdMiddleware()]))
    await server.fetch("/", headers={"X-Request-ID": "abc"})
    logging.getLogger("app").warning("outside")
    assert [(r.message, r.request_id) for r in caplog.records if r.name == "app"] == [
        ("inside", "abc"),
        ("outside", "-"),
    ]
