"""What an exception inside each hook becomes."""

import asyncio
import logging

import pytest
import tornado.web
from tornado.template import DictLoader

from torngas_middleware import Application, HookError, MiddlewareHandlerMixin

modes = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
names = pytest.mark.parametrize("name", ["A", "B", "C"])


def fail(*args):
    raise ZeroDivisionError("hook")


def hooks(events, kind):
    return [e.partition(".")[0] for e in events if e.endswith("." + kind)]


def build(events, name, kind, is_async, recorder, action=fail, failing=False):
    class Page(MiddlewareHandlerMixin, tornado.web.RequestHandler):
        def get(self):
            events.append("method")
            if failing:
                raise ValueError("method")
            self.write("body")
            self.render_string("x.html")

        def complete_finish(self):
            events.append("complete")

    middlewares = [recorder(n, events, {kind: action} if n == name else {}, is_async) for n in "ABC"]
    return Application(
        [("/", Page)], middlewares=middlewares, template_loader=DictLoader({"x.html": ""}), template_path="e"
    )


@modes
@names
async def test_an_exception_in_process_call_becomes_a_500(serve, until, recorder, caplog, name, is_async):
    events = []
    server = serve(build(events, name, "call", is_async, recorder))
    response = await server.fetch()
    await until(lambda: len(hooks(events, "endcall")) == 3)
    assert (response.code, b"500: Internal Server Error" in response.body) == (500, True)
    assert hooks(events, "call") == list("ABC"[: "ABC".index(name) + 1])
    assert hooks(events, "exception") == hooks(events, "response") == hooks(events, "endcall") == list("CBA")
    assert hooks(events, "request") == []
    assert "method" not in events


@modes
@names
async def test_an_exception_in_process_request_becomes_a_500(serve, until, recorder, caplog, name, is_async):
    events = []
    server = serve(build(events, name, "request", is_async, recorder))
    response = await server.fetch()
    await until(lambda: "complete" in events)
    assert response.code == 500
    assert hooks(events, "request") == list("ABC"[: "ABC".index(name) + 1])
    assert hooks(events, "exception") == hooks(events, "response") == hooks(events, "endcall") == list("CBA")
    assert "method" not in events


@modes
@names
async def test_an_exception_in_process_render_becomes_a_500(serve, until, recorder, caplog, name, is_async):
    events = []
    server = serve(build(events, name, "render", is_async, recorder))
    response = await server.fetch()
    await until(lambda: "complete" in events)
    assert response.code == 500
    assert hooks(events, "exception") == hooks(events, "response") == hooks(events, "endcall") == list("CBA")


@modes
@names
async def test_an_exception_in_process_response_becomes_a_500(serve, until, recorder, caplog, name, is_async):
    """Once, through process_exception; only the hooks that did not run yet see the error body."""
    events = []
    server = serve(build(events, name, "response", is_async, recorder))
    response = await server.fetch()
    await until(lambda: "complete" in events)
    assert (response.code, b"500: Internal Server Error" in response.body) == (500, True)
    assert b"body" not in response.body.replace(b"<body>", b"").replace(b"</body>", b"")
    assert hooks(events, "exception") == hooks(events, "response") == hooks(events, "endcall") == list("CBA")


@modes
@names
async def test_an_exception_in_process_exception_leaves_the_others(serve, until, recorder, caplog, name, is_async):
    events = []
    server = serve(build(events, name, "exception", is_async, recorder, failing=True))
    response = await server.fetch()
    await until(lambda: "complete" in events)
    assert response.code == 500
    assert hooks(events, "exception") == hooks(events, "response") == hooks(events, "endcall") == list("CBA")
    assert any(r.name == "torngas_middleware" for r in caplog.records)
    assert any("Uncaught exception GET /" in r.getMessage() for r in caplog.records)


@modes
@names
async def test_an_exception_in_process_endcall_is_logged_and_the_others_run(
    serve, until, recorder, caplog, name, is_async
):
    events = []
    server = serve(build(events, name, "endcall", is_async, recorder))
    response = await server.fetch()
    await until(lambda: "complete" in events)
    assert (response.code, response.body) == (200, b"body")
    assert hooks(events, "endcall") == list("CBA")
    assert hooks(events, "exception") == []
    assert [r.levelname for r in caplog.records if r.name == "torngas_middleware"] == ["ERROR"]


@modes
@pytest.mark.parametrize("kind", ["call", "request", "render", "response"])
async def test_an_http_error_in_a_hook_keeps_its_status(serve, until, recorder, caplog, kind, is_async):
    events = []

    def forbid(*args):
        raise tornado.web.HTTPError(403, reason="Not For You")

    server = serve(build(events, "B", kind, is_async, recorder, forbid))
    response = await server.fetch()
    await until(lambda: len(hooks(events, "endcall")) == 3)
    assert (response.code, response.reason) == (403, "Not For You")
    assert hooks(events, "exception") == list("CBA")


@modes
@pytest.mark.parametrize("kind", ["request", "response"])
async def test_finish_raised_in_a_hook_is_no_error(serve, until, recorder, caplog, kind, is_async):
    events = []

    def stop(handler, *args):
        raise tornado.web.Finish("stopped")

    server = serve(build(events, "B", kind, is_async, recorder, stop))
    response = await server.fetch()
    await until(lambda: "complete" in events)
    assert response.code == 200
    assert response.body.endswith(b"stopped")
    assert hooks(events, "exception") == []
    assert hooks(events, "endcall") == list("CBA")


@modes
@names
async def test_a_true_process_exception_skips_the_default_logging(serve, until, recorder, caplog, name, is_async):
    """And the rest of this hook; the response is the 500 as before."""
    events = []
    server = serve(build(events, name, "exception", is_async, recorder, lambda *args: True, failing=True))
    response = await server.fetch()
    await until(lambda: "complete" in events)
    assert response.code == 500
    assert hooks(events, "exception") == list("CBA"["CBA".index("C") : "CBA".index(name) + 1])
    assert not [r for r in caplog.records if "Uncaught exception" in r.getMessage()]


@modes
async def test_an_unhandled_exception_is_logged_as_tornado_does(serve, until, recorder, caplog, is_async):
    events = []
    server = serve(build(events, "A", "none", is_async, recorder, failing=True))
    await server.fetch()
    await until(lambda: "complete" in events)
    logged = [r for r in caplog.records if "Uncaught exception GET /" in r.getMessage()]
    assert len(logged) == 1
    assert logged[0].exc_info[0] is ValueError


@modes
async def test_process_exception_may_write_the_response(serve, until, recorder, caplog, is_async):
    events = []

    def answer(handler, clear, typ, value, tb):
        handler.set_status(418)
        handler.finish(f"{typ.__name__}: {value}")
        return True

    server = serve(build(events, "B", "exception", is_async, recorder, answer, failing=True))
    response = await server.fetch()
    await until(lambda: "complete" in events)
    assert (response.code, response.body) == (418, b"ValueError: method")
    assert hooks(events, "response") == hooks(events, "endcall") == list("CBA")


@modes
async def test_process_exception_answers_a_failed_process_response(serve, until, caplog, is_async, recorder):
    events = []
    first = recorder("A", events, {"response": fail}, is_async, ("response",))
    second = recorder(
        "B", events, {"exception": lambda handler, *args: handler.finish("saved")}, is_async, ("exception",)
    )

    class Page(tornado.web.RequestHandler):
        def get(self):
            self.set_status(201)

    server = serve(Application([("/", Page)], middlewares=[first, second]))
    response = await server.fetch()
    assert (response.code, response.body) == (201, b"saved")


@pytest.mark.parametrize("kind", ["call", "render"])
async def test_an_awaitable_from_a_hook_that_may_not_be_async_raises(serve, until, recorder, caplog, kind):
    """A 500 that says so, and no warning of a coroutine that never ran."""
    events = []

    async def later():
        events.append("never")

    server = serve(build(events, "B", kind, False, recorder, lambda *args: later()))
    response = await server.fetch()
    assert response.code == 500
    errors = [r.exc_info[1] for r in caplog.records if r.exc_info]
    assert [type(e) for e in errors] == [HookError]
    assert "awaitable" in str(errors[0])
    assert "never" not in events


def test_an_awaitable_from_process_init_ends_the_start():
    class Init:
        async def process_init(self, application):
            pass

    with pytest.raises(HookError, match="process_init"):
        Application([], middlewares=[Init()])


async def test_a_hook_whose_awaitable_was_cancelled_elsewhere_is_a_failure(serve, until, caplog):
    """Not the cancellation of the request: the client has its 500, the endcall runs."""
    events = []

    class Cancelled:
        async def process_response(self, handler, clear, chunk):
            future = asyncio.get_running_loop().create_future()
            future.cancel()
            await future

        async def process_endcall(self, handler, clear):
            events.append("end")
            future = asyncio.get_running_loop().create_future()
            future.cancel()
            await future

    class Last:
        def process_endcall(self, handler, clear):
            events.append("last")

    class Page(tornado.web.RequestHandler):
        def get(self):
            self.write("x")

    server = serve(Application([("/", Page)], middlewares=[Last(), Cancelled()]))
    assert (await server.fetch()).code == 500
    await until(lambda: events == ["end", "last"])


async def test_complete_finish_that_fails_is_logged(serve, until, caplog):
    class Page(MiddlewareHandlerMixin, tornado.web.RequestHandler):
        def get(self):
            self.write("x")

        def complete_finish(self):
            raise ZeroDivisionError

    server = serve(Application([("/", Page)]))
    assert (await server.fetch()).body == b"x"
    assert [r.name for r in caplog.records if r.levelno >= logging.ERROR] == ["torngas_middleware"]


@modes
async def test_an_exception_in_on_finish_does_not_lose_the_endcall(serve, until, recorder, caplog, is_async):
    events = []

    class Page(tornado.web.RequestHandler):
        def get(self):
            self.write("x")

        def on_finish(self):
            raise ZeroDivisionError

    server = serve(Application([("/", Page)], middlewares=[recorder("A", events, None, is_async, ("endcall",))]))
    assert (await server.fetch()).body == b"x"
    await until(lambda: events == ["A.endcall"])


@modes
async def test_hooks_that_were_skipped_stay_skipped_when_sending_fails(serve, until, recorder, caplog, is_async):
    """The 500 that replaces what Tornado refused to send does not run the phase again."""
    events = []

    def no_content(handler, *rest):
        handler.set_status(204)  # though there is a body
        return True

    server = serve(build(events, "B", "response", is_async, recorder, no_content))
    assert (await server.fetch()).code == 500
    await until(lambda: "complete" in events)
    assert hooks(events, "response") == ["C", "B"]
