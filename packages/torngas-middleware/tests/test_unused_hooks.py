"""A hook that no middleware implements costs nothing: no call, no allocation, no task, no coroutine."""

import asyncio
import sys

import pytest
import tornado.web
from tornado.httputil import HTTPConnection, HTTPHeaders, RequestStartLine

from torngas_middleware import Application
from torngas_middleware import __file__ as package_file

HOME = package_file.removesuffix("__init__.py")


class Connection(HTTPConnection):
    """Takes a response without a socket."""

    context = None

    def __init__(self):
        self.done = asyncio.get_running_loop().create_future()

    def set_close_callback(self, callback):
        pass

    def write_headers(self, start_line, headers, chunk=None):
        return self.done

    def write(self, chunk):
        return self.done

    def finish(self):
        if not self.done.done():
            self.done.set_result(None)


async def request(application):
    connection = Connection()
    delegate = application.start_request(None, connection)
    delegate.headers_received(RequestStartLine("GET", "/", "HTTP/1.1"), HTTPHeaders({"Host": "x"}))
    delegate.finish()
    await connection.done


class Page(tornado.web.RequestHandler):
    def get(self):
        self.write("x")


class Recorded:
    """Functions of the package that a request calls, and everything else that it makes."""

    def __init__(self):
        self.ours = []
        self.tasks = 0

    def __call__(self, frame, event, arg):
        if event == "call" and frame.f_code.co_filename.startswith(HOME):
            self.ours.append(frame.f_code.co_qualname)


async def record(application):
    await request(application)
    recorded = Recorded()
    loop = asyncio.get_running_loop()

    def factory(loop, coroutine, **options):
        recorded.tasks += 1
        return asyncio.Task(coroutine, loop=loop, **options)

    loop.set_task_factory(factory)
    sys.setprofile(recorded)
    try:
        await request(application)
        await asyncio.sleep(0)
    finally:
        sys.setprofile(None)
        loop.set_task_factory(None)
    return recorded


CONTEXT = [
    "MiddlewareApplication.start_request",
    "RequestDelegate.__init__",
    "RequestDelegate.headers_received",
    "RequestDelegate._begin",
    "HTTPServerRequest.__init__",
    "MiddlewareApplication.find_handler",
    "MiddlewareApplication.get_handler_delegate",
    "ContextDelegate.finish",
    "MiddlewareApplication.log_request",
]


async def test_without_middlewares_only_the_context_is_made():
    recorded = await record(Application([("/", Page)]))
    assert (recorded.ours, recorded.tasks) == (CONTEXT, 1)


PARTS = {
    "process_call": {"MiddlewareApplication._run_call", "Exchange.keep_in"},
    "process_request": {"RequestPart"},
    "process_render": {"RenderPart"},
    "process_exception": {"ExceptionPart"},
    "process_response": {"ResponsePart"},
    "process_endcall": {"EndPart", "RequestPart"},
}


@pytest.mark.parametrize("hook", PARTS)
async def test_each_hook_brings_its_own_part_only(hook):
    """And no task beside the one that Tornado makes."""
    middleware = type("M", (), {hook: lambda self, *args, **kwargs: None})()
    recorded = await record(Application([("/", Page)], middlewares=[middleware]))
    extra = {name.partition(".")[0] for name in recorded.ours if name not in CONTEXT}
    parts = {name for name in extra if name.endswith("Part")} - {"Part"}
    assert parts <= PARTS[hook]
    assert recorded.tasks == 1


async def test_nothing_is_made_where_no_hook_is_async():
    """Five middlewares with every hook, all plain functions: no coroutine, no task, one state object."""

    class Every:
        def process_call(self, request, clear): ...
        def process_request(self, handler, clear): ...
        def process_response(self, handler, clear, chunk): ...
        def process_endcall(self, handler, clear): ...

    recorded = await record(Application([("/", Page)], middlewares=[Every() for _ in range(5)]))
    assert recorded.tasks == 1
    later = [name for name in recorded.ours if "later" in name or "Steps" in name or "spawn" in name]
    assert later == []


async def test_no_allocation_per_unused_hook():
    """The blocks that a request allocates in our files do not grow with middlewares that have other hooks."""
    import tracemalloc

    class Init:
        def process_init(self, application): ...

        def process_render(self, handler, clear, template_name, **kwargs): ...

    async def blocks(application):
        for _ in range(20):
            await request(application)
        tracemalloc.start()
        try:
            before = tracemalloc.take_snapshot()
            held = [application.start_request(None, Connection()) for _ in range(100)]
            for delegate in held:
                delegate.headers_received(RequestStartLine("GET", "/", "HTTP/1.1"), HTTPHeaders({"Host": "x"}))
                delegate.finish()
            await asyncio.sleep(0)
            ours = tracemalloc.Filter(True, HOME + "*")
            after = tracemalloc.take_snapshot().filter_traces([ours])
            return sum(d.count_diff for d in after.compare_to(before.filter_traces([ours]), "filename"))
        finally:
            tracemalloc.stop()

    none = await blocks(Application([("/", Page)]))
    ten = await blocks(Application([("/", Page)], middlewares=[Init() for _ in range(10)]))
    assert ten <= none
