"""Order, return values, clear() and early finishes: every hook, every position, sync and async, against an oracle."""

import pytest
import tornado.web
from tornado.template import DictLoader

from torngas_middleware import Application, MiddlewareHandlerMixin

FORWARD, REVERSED = ("A", "B", "C"), ("C", "B", "A")
ORDER = {
    "call": FORWARD,
    "request": FORWARD,
    "render": REVERSED,
    "exception": REVERSED,
    "response": REVERSED,
    "endcall": REVERSED,
}
PHASES = ("call", "request", "on_prepare", "method", "render", "response", "endcall", "complete")


def success():
    events = []
    for phase in PHASES:
        events += [f"{name}.{phase}" for name in ORDER[phase]] if phase in ORDER else [phase]
    return events


def is_hook(event):
    return "." in event


def after_true(events, where):
    """A true return value takes the rest of the same hook away."""
    index, kind = events.index(where), where.partition(".")[2]
    return [e for i, e in enumerate(events) if i <= index or not e.endswith("." + kind)]


def after_clear(events, where):
    """clear() takes every later hook away."""
    index = events.index(where)
    return [e for i, e in enumerate(events) if i <= index or not is_hook(e)]


def after_finish(events, where):
    """A finished response takes the rest of the request hooks, the method and what it renders away."""
    kept = after_true(events, where)
    return [e for e in kept if e != "method" and not e.endswith(".render")]


def build(events, where, action, is_async, recorder, render=True):
    class Page(MiddlewareHandlerMixin, tornado.web.RequestHandler):
        def get(self):
            events.append("method")
            self.render("page.html")

        def on_prepare(self):
            events.append("on_prepare")

        def complete_finish(self):
            events.append("complete")

    name, _, kind = where.partition(".")
    middlewares = [recorder(n, events, {kind: action} if n == name else {}, is_async) for n in FORWARD]
    loader = DictLoader({"page.html": "body"})
    return Application([("/", Page)], middlewares=middlewares, template_loader=loader, template_path="matrix")


CASES = [f"{name}.{kind}" for kind in ORDER if kind != "exception" for name in FORWARD]
modes = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


@modes
async def test_success_runs_every_hook_in_order(serve, until, recorder, is_async):
    """Requests go in as declared, everything else comes back reversed, complete_finish is last."""
    events = []
    server = serve(build(events, "A.none", None, is_async, recorder))
    response = await server.fetch()
    await until(lambda: events[-1] == "complete")
    assert (response.code, response.body, events) == (200, b"body", success())


@modes
@pytest.mark.parametrize("where", CASES)
async def test_true_skips_the_rest_of_the_same_hook_only(serve, until, recorder, where, is_async):
    events = []
    server = serve(build(events, where, lambda *args: 1, is_async, recorder))
    response = await server.fetch()
    await until(lambda: events[-1] == "complete")
    assert (response.code, response.body) == (200, b"body")
    assert events == after_true(success(), where)


@modes
@pytest.mark.parametrize("answer", [0, "", [], False, None], ids=repr)
async def test_a_false_return_value_changes_nothing(serve, until, recorder, answer, is_async):
    events = []
    for where in ("B.call", "B.request", "B.render", "B.response", "B.endcall"):
        events.clear()
        server = serve(build(events, where, lambda *args: answer, is_async, recorder))
        await server.fetch()
        await until(lambda: events[-1] == "complete")
        assert events == success()


@modes
@pytest.mark.parametrize("where", CASES)
async def test_clear_ends_every_later_hook(serve, until, recorder, where, is_async):
    events = []
    server = serve(build(events, where, lambda subject, clear, *rest: clear(), is_async, recorder))
    response = await server.fetch()
    await until(lambda: events[-1] == "complete")
    assert (response.code, response.body) == (200, b"body")
    assert events == after_clear(success(), where)


@modes
@pytest.mark.parametrize("where", CASES)
async def test_clear_does_not_reach_the_next_request(serve, until, recorder, where, is_async):
    """It is the request's, although the connection is the same."""
    events, first = [], []

    def action(subject, clear, *rest):
        if not first:
            first.append(1)
            clear()

    server = serve(build(events, where, action, is_async, recorder))
    await server.fetch()
    await until(lambda: events[-1] == "complete")
    events.clear()
    await server.fetch()
    await until(lambda: events and events[-1] == "complete")
    assert events == success()


@modes
@pytest.mark.parametrize("answer", [None, 1])
@pytest.mark.parametrize("name", FORWARD)
async def test_finish_in_process_request_ends_the_phase(serve, until, recorder, name, answer, is_async):
    """With or without a true return value: no further request hook, no method; response and endcall run for all."""
    events = []

    def action(handler, clear):
        handler.finish("early")
        return answer

    server = serve(build(events, f"{name}.request", action, is_async, recorder))
    response = await server.fetch()
    await until(lambda: "complete" in events)
    assert (response.code, response.body) == (200, b"early")
    assert sorted(events) == sorted(after_finish(success(), f"{name}.request"))
    assert [e for e in events if e.endswith(".endcall")] == ["C.endcall", "B.endcall", "A.endcall"]


@modes
async def test_a_finished_response_skips_the_handlers_prepare(serve, until, recorder, is_async):
    """It would write to a response that is gone; on_prepare runs, as it always did."""
    events = []

    class Handler(MiddlewareHandlerMixin, tornado.web.RequestHandler):
        def prepare(self):
            events.append("prepare")

        def on_prepare(self):
            events.append(("on_prepare", self._finished))

    early = recorder("A", events, {"request": lambda handler, clear: handler.send_error(403)}, is_async, ("request",))
    server = serve(Application([("/", Handler)], middlewares=[early]))
    assert (await server.fetch()).code == 403
    await until(lambda: len(events) == 2)
    assert events == ["A.request", ("on_prepare", True)]


@modes
@pytest.mark.parametrize("name", FORWARD)
async def test_redirect_in_process_request(serve, until, recorder, name, is_async):
    events = []
    action = lambda handler, clear: handler.redirect("/login")  # noqa: E731
    server = serve(build(events, f"{name}.request", action, is_async, recorder))
    response = await server.fetch()
    await until(lambda: "complete" in events)
    assert (response.code, response.headers["Location"]) == (302, "/login")
    assert "method" not in events


@modes
async def test_an_awaitable_is_awaited_before_the_next_step(serve, recorder, until, is_async):
    """Plain functions that return futures count as async, too."""
    import asyncio

    events = []

    class Future:
        def process_request(self, handler, clear):
            future = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_later(0.01, lambda: (events.append("late"), future.set_result(None)))
            return future

    class Handler(tornado.web.RequestHandler):
        def get(self):
            events.append("method")

    server = serve(Application([("/", Handler)], middlewares=[Future(), recorder("B", events, hooks=("request",))]))
    await server.fetch()
    assert events == ["late", "B.request", "method"]


@modes
async def test_on_prepare_runs_after_the_hooks_and_after_prepare(serve, recorder, is_async):
    events = []

    class Handler(MiddlewareHandlerMixin, tornado.web.RequestHandler):
        async def prepare(self):
            events.append("prepare")

        async def on_prepare(self):
            events.append("on_prepare")

        def get(self):
            events.append("method")

    server = serve(Application([("/", Handler)], middlewares=[recorder("A", events, None, is_async, ("request",))]))
    await server.fetch()
    assert events == ["A.request", "prepare", "on_prepare", "method"]


async def test_on_prepare_and_complete_finish_need_no_middleware(serve, until):
    events = []

    class Handler(MiddlewareHandlerMixin, tornado.web.RequestHandler):
        def on_prepare(self):
            events.append("on_prepare")

        def prepare(self):
            events.append("prepare")

        def on_finish(self):
            events.append("on_finish")

        def complete_finish(self):
            events.append("complete")

    server = serve(Application([("/", Handler)]))
    assert (await server.fetch()).code == 405
    await until(lambda: "complete" in events)
    assert events == ["prepare", "on_prepare", "on_finish", "complete"]


async def test_process_init_runs_once_in_declared_order():
    events = []

    class Init:
        def __init__(self, name):
            self.name = name

        def process_init(self, application):
            events.append((self.name, type(application).__name__, application.settings["answer"]))

    Application([], middlewares=[Init("A"), Init("B")], answer=42)
    assert events == [("A", "Application", 42), ("B", "Application", 42)]


@modes
async def test_each_render_runs_process_render_with_its_arguments(serve, recorder, is_async):
    seen = []

    class Render:
        def process_render(self, handler, clear, template_name, **kwargs):
            seen.append((template_name, kwargs))

    class Handler(tornado.web.RequestHandler):
        def get(self):
            self.render_string("a.html", x=1)
            self.render("b.html", y=2)

    loader = DictLoader({"a.html": "{{ x }}", "b.html": "{{ y }}"})
    server = serve(Application([("/", Handler)], middlewares=[Render()], template_loader=loader, template_path="r"))
    assert (await server.fetch()).body == b"2"
    assert seen == [("a.html", {"x": 1}), ("b.html", {"y": 2})]


async def test_templates_are_found_beside_the_handler(serve, tmp_path, monkeypatch):
    """Without template_path Tornado looks beside the file that renders; process_render must not get in between."""
    import importlib.util

    (tmp_path / "beside.html").write_text("found")
    (tmp_path / "rendering.py").write_text(
        "from tornado.web import RequestHandler\n"
        "class Page(RequestHandler):\n"
        "    def get(self):\n"
        "        self.render('beside.html')\n"
    )
    spec = importlib.util.spec_from_file_location("rendering", tmp_path / "rendering.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    class Render:
        def process_render(self, handler, clear, template_name, **kwargs):
            pass

    server = serve(Application([("/", module.Page)], middlewares=[Render()]))
    assert (await server.fetch()).body == b"found"
