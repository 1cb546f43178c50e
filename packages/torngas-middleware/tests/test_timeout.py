"""504 when the time is up; the handler's task is cancelled, and then the request is over."""

import asyncio

import pytest
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler, websocket_connect

from torngas_middleware import Application, TimeoutMiddleware

modes = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


@modes
async def test_the_client_gets_a_504_and_the_task_is_cancelled(serve, until, recorder, is_async):
    events = []

    class Slow(RequestHandler):
        async def get(self):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                events.append("cancelled")
                await asyncio.sleep(0.01)
                events.append("cleaned up")
                raise

    hooks = ("response", "endcall")
    middlewares = [recorder("A", events, None, is_async, hooks), TimeoutMiddleware(0.02)]
    server = serve(Application([("/", Slow)], middlewares=middlewares))
    response = await server.fetch()
    assert (response.code, b"504: Gateway Timeout" in response.body) == (504, True)
    await until(lambda: "A.endcall" in events)
    assert sorted(events[:2]) == ["A.response", "cancelled"]
    assert events[2:] == ["cleaned up", "A.endcall"]


@modes
async def test_a_handler_in_time_is_not_touched(serve, until, recorder, is_async):
    events, release = [], asyncio.Event()

    class Quick(RequestHandler):
        async def get(self):
            self.finish("quick")
            await release.wait()
            await asyncio.sleep(0)
            events.append("went on")

    middlewares = [recorder("A", events, None, is_async, ("endcall",)), TimeoutMiddleware(0.02)]
    server = serve(Application([("/", Quick)], middlewares=middlewares))
    assert (await server.fetch()).body == b"quick"
    await asyncio.sleep(0.04)
    release.set()
    await until(lambda: events == ["A.endcall", "went on"])


async def test_none_is_no_limit(serve):
    class Page(RequestHandler):
        def get(self):
            self.write("x")

    server = serve(Application([("/", Page)], middlewares=[TimeoutMiddleware(None)]))
    assert (await server.fetch()).body == b"x"


async def test_a_stream_is_broken_off(serve, until, recorder, caplog):
    events = []

    class Endless(RequestHandler):
        async def get(self):
            self.write("begun")
            await self.flush()
            await asyncio.Event().wait()

    middlewares = [recorder("A", events, hooks=("endcall",)), TimeoutMiddleware(0.02)]
    server = serve(Application([("/", Endless)], middlewares=middlewares))
    answer = await server.raw(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
    assert answer.endswith(b"begun")
    await until(lambda: events == ["A.endcall"])


async def test_the_time_of_async_hooks_counts(serve):
    class Waits:
        async def process_request(self, handler, clear):
            await asyncio.Event().wait()

    server = serve(Application([("/", RequestHandler)], middlewares=[TimeoutMiddleware(0.02), Waits()]))
    assert (await server.fetch()).code == 504


async def test_an_accepted_websocket_goes_on(serve):
    class Echo(WebSocketHandler):
        def on_message(self, message):
            self.write_message(message)

    server = serve(Application([("/", Echo)], middlewares=[TimeoutMiddleware(0.02)]))
    connection = await websocket_connect(f"ws://127.0.0.1:{server.port}/")
    await asyncio.sleep(0.04)
    await connection.write_message("still here")
    assert await connection.read_message() == "still here"
    connection.close()


async def test_a_client_that_left_does_not_keep_the_handler(serve, until, recorder):
    """Who waits for ever is cancelled also when nobody waits for the answer."""
    events, started = [], asyncio.Event()

    class Slow(RequestHandler):
        async def get(self):
            started.set()
            await asyncio.Event().wait()

    middlewares = [recorder("A", events, hooks=("endcall",)), TimeoutMiddleware(0.05)]
    server = serve(Application([("/", Slow)], middlewares=middlewares))
    _, writer = await server.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await started.wait()
    writer.close()
    await until(lambda: events == ["A.endcall"])


@pytest.mark.parametrize("wrong", [0, -1, float("nan")])
def test_what_leaves_no_time_is_refused(wrong):
    with pytest.raises(ValueError, match="expected seconds above 0"):
        TimeoutMiddleware(wrong)
