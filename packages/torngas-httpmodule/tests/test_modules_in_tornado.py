"""Modules in a plain Tornado application, by `install` and the mixin, over a real server."""

from __future__ import annotations

import asyncio
import gc

import pytest
from tornado.web import Application, RequestHandler, URLSpec

from torngas_httpmodule import BaseHttpModule, HttpModuleError, HttpModuleMixin, ModuleConfigError, install

PHASES = ("begin_request", "begin_render", "begin_response", "complete_response")


@pytest.fixture
def main(trace, tmp_path):
    (tmp_path / "page.html").write_text("page {{ name }}")

    class Main(HttpModuleMixin, RequestHandler):
        def get_template_path(self):
            return str(tmp_path)

        def get(self):
            trace.append("get")
            self.render("page.html", name="x")

    return Main


def of(trace, hook):
    return [entry.partition(".")[0] for entry in trace if entry.endswith("." + hook)]


async def test_phases_run_in_order_and_modules_in_declared_order_in_every_phase(fetch, trace, recorder, main):
    app = Application([("/", main)])
    install(app, common=[recorder("A"), recorder("B")], routes={"^/$": [recorder("C")]})
    assert (await fetch(app)).body == b"page x"
    assert trace.index("get") == 3
    for hook in PHASES:
        assert of(trace, hook) == ["A", "B", "C"]


async def test_a_true_return_value_ends_the_phase_only(fetch, trace, recorder, main):
    app = Application([("/", main)])
    install(app, common=[recorder("A", begin_request=lambda *a: 1), recorder("B")])
    await fetch(app)
    assert of(trace, "begin_request") == ["A"]
    assert of(trace, "begin_response") == ["A", "B"]
    assert "get" in trace


@pytest.mark.parametrize("hook", PHASES)
async def test_clear_ends_the_phase_and_all_later_ones(fetch, trace, recorder, main, hook):
    app = Application([("/", main)])
    install(app, common=[recorder("A", **{hook: lambda handler, clear, *a: clear()}), recorder("B")])
    assert (await fetch(app)).code == 200
    place = PHASES.index(hook)
    for index, phase in enumerate(PHASES):
        assert of(trace, phase) == (["A", "B"] if index < place else ["A"] if index == place else [])


async def test_finishing_in_begin_request_stops_the_handler_and_the_remaining_modules(fetch, trace, recorder, main):
    app = Application([("/", main)])
    install(app, common=[recorder("A", begin_request=lambda handler, clear: handler.finish("no")), recorder("B")])
    assert (await fetch(app)).body == b"no"
    assert "get" not in trace
    assert of(trace, "begin_request") == ["A"]
    assert of(trace, "complete_response") == ["A", "B"]


async def test_begin_request_may_be_async_and_is_awaited_in_order(fetch, trace, recorder, main):
    async def later(handler, clear):
        await asyncio.sleep(0)
        trace.append("A.awaited")

    app = Application([("/", main)])
    install(app, common=[recorder("A", begin_request=later), recorder("B")])
    await fetch(app)
    assert trace[:4] == ["A.begin_request", "A.awaited", "B.begin_request", "get"]


async def test_an_async_module_may_finish(fetch, trace, recorder, main):
    async def refuse(handler, clear):
        handler.send_error(403)

    app = Application([("/", main)])
    install(app, common=[recorder("A", begin_request=refuse), recorder("B")])
    assert (await fetch(app)).code == 403
    assert of(trace, "begin_request") == ["A"]


@pytest.mark.parametrize("hook", ["begin_render", "begin_response"])
async def test_other_hooks_may_not_be_async(fetch, recorder, main, hook, caplog):
    async def later(*args):
        raise AssertionError("never awaited")

    app = Application([("/", main)])
    install(app, common=[recorder("A", **{hook: later})])
    assert (await fetch(app)).code == 500
    assert HttpModuleError.__name__ in caplog.text
    gc.collect()


async def test_chunks_can_be_edited_and_the_length_follows(fetch, recorder, main):
    def edit(handler, clear, chunk):
        chunk[0] = chunk[0].upper()
        handler.write(" more")

    app = Application([("/", main)])
    install(app, common=[recorder("A", begin_response=edit)])
    response = await fetch(app)
    assert response.body == b"PAGE X more"
    assert response.headers["Content-Length"] == "11"


async def test_an_error_in_begin_response_is_a_500_and_runs_no_second_time(fetch, trace, recorder, main):
    def fail(handler, clear, chunk):
        raise ValueError("no")

    app = Application([("/", main)])
    install(app, common=[recorder("A", begin_response=fail)])
    assert (await fetch(app)).code == 500
    assert trace.count("A.begin_response") == 1


async def test_keys_by_name_and_by_expression_add_up_each_module_once(fetch, trace, recorder, main):
    a, b, c = recorder("A"), recorder("B"), recorder("C")
    app = Application([URLSpec("/user/(.*)", type("User", (main,), {"get": lambda self, x: None}), name="User")])
    install(app, common=[a], routes={"^/user/": [b, c], "User": [c, a], "/user/8": [b]})
    await fetch(app, "/user/7")
    assert of(trace, "begin_request") == ["A", "B", "C"]


async def test_the_name_is_that_of_the_first_route_that_matches(fetch, trace, recorder, main):
    app = Application([URLSpec("/a", main), URLSpec("/.*", main, name="Rest")])
    install(app, routes={"Rest": [recorder("A")]})
    await fetch(app, "/a")
    assert of(trace, "begin_request") == []
    await fetch(app, "/b")
    assert of(trace, "begin_request") == ["A"]


async def test_the_name_may_come_from_the_request(fetch, trace, recorder):
    """A table of routes leaves the matched one on the request."""

    class Route:
        name = "User"

    class Table:
        def describe(self):
            return [type("Row", (), {"pattern": "/user", "name": "User"})]

    class Main(HttpModuleMixin, RequestHandler):
        def initialize(self):
            self.request.route = Route()

    app = Application([("/user", type("Get", (Main,), {"get": lambda self: None}))])
    app.table = Table()
    install(app, routes={"User": [recorder("A")]})
    await fetch(app, "/user")
    assert of(trace, "begin_request") == ["A"]


async def test_on_a_404_modules_run_only_where_an_expression_matches_the_path(fetch, trace, recorder):
    class NotFound(HttpModuleMixin, RequestHandler):
        def get(self):
            self.send_error(404)

    app = Application([("/x", NotFound), ("/admin/", NotFound)], default_handler_class=NotFound)
    install(app, common=[recorder("Common")], routes={"^/admin/|^/x$": [recorder("Admin")]})
    assert (await fetch(app, "/nowhere")).code == 404
    assert trace == []
    assert (await fetch(app, "/admin/nowhere")).code == 404
    assert of(trace, "begin_request") == ["Common", "Admin"]


async def test_two_applications_have_objects_of_their_own(fetch, main):
    made = []

    class Counting(BaseHttpModule):
        def __init__(self):
            made.append(self)
            self.requests = 0

        def begin_request(self, handler, clear):
            self.requests += 1

    class Deeper(Counting):
        pass

    apps = [Application([("/", main)]) for _ in range(2)]
    for app in apps:
        install(app, common=[Counting, Deeper])
    await fetch(apps[0])
    await fetch(apps[0])
    await fetch(apps[1])
    assert [(type(one).__name__, one.requests) for one in made] == [
        ("Counting", 2),
        ("Deeper", 2),
        ("Counting", 1),
        ("Deeper", 1),
    ]


async def test_a_handlers_own_prepare_runs_after_the_modules(fetch, trace, recorder, main):
    class Own(main):
        async def prepare(self):
            waiting = super().prepare()
            if waiting is not None:
                await waiting
            trace.append("prepare")

    app = Application([("/", Own)])
    install(app, common=[recorder("A")])
    await fetch(app)
    assert trace[:3] == ["A.begin_request", "prepare", "get"]


async def test_without_modules_the_mixin_changes_nothing(fetch, main):
    assert (await fetch(Application([("/", main)]))).body == b"page x"


def test_a_second_install_is_refused(recorder):
    app = Application([])
    install(app, common=[recorder("A")])
    with pytest.raises(ModuleConfigError, match="in one call"):
        install(app, common=[recorder("B")])
