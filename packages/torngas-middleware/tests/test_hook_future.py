"""Hooks that hand on the future of `finish`, and hooks that await it."""

import asyncio

import pytest
import tornado.web

from torngas_middleware import Application

hooks = pytest.mark.parametrize("kind", ["process_request", "process_response", "process_exception"])


class Page(tornado.web.RequestHandler):
    def get(self):
        self.write("method")
        if self.get_argument("fail", ""):
            raise ZeroDivisionError


@hooks
@pytest.mark.parametrize("other_is_async", [False, True])
async def test_a_hook_may_return_the_future_of_finish(serve, until, recorder, caplog, kind, other_is_async):
    ends = []
    middleware = type("M", (), {kind: lambda self, handler, *rest: handler.finish("early")})()
    other = recorder("O", ends, None, other_is_async, ("response", "endcall"))
    server = serve(Application([("/", Page)], middlewares=[other, middleware]))
    response = await server.fetch("/?fail=1" if kind == "process_exception" else "/")
    assert (response.code, response.body.endswith(b"early")) == (200, True)
    await until(lambda: ends == ["O.response", "O.endcall"])


@hooks
@pytest.mark.parametrize("other_is_async", [False, True])
async def test_a_hook_may_await_finish(serve, until, recorder, caplog, kind, other_is_async):
    """Also where its own end is what the response waits for."""
    ends = []

    async def hook(self, handler, *rest):
        await asyncio.sleep(0)
        await handler.finish("early")
        ends.append(handler._finished)

    middleware = type("M", (), {kind: hook})()
    other = recorder("O", ends, None, other_is_async, ("response", "endcall"))
    server = serve(Application([("/", Page)], middlewares=[other, middleware]))
    response = await server.fetch("/?fail=1" if kind == "process_exception" else "/")
    assert (response.code, response.body.endswith(b"early")) == (200, True)
    await until(lambda: sorted(map(str, ends)) == ["O.endcall", "O.response", "True"])
