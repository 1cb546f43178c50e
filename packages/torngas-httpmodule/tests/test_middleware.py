"""HttpModuleMiddleware inside of a chain of middlewares."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from tornado.web import Application, RequestHandler

from torngas_httpmodule import HttpModuleMiddleware

PHASES = ("begin_request", "begin_render", "begin_response", "complete_response")
HOOKS = ("process_request", "process_render", "process_response", "process_endcall")


def handler_on(application, path="/", **attributes):
    request = SimpleNamespace(path=path, host_name="x", headers={})
    return SimpleNamespace(application=application, request=request, _finished=False, **attributes)


def test_without_modules_it_has_no_hook_of_a_request():
    middleware = HttpModuleMiddleware()
    assert not any(hasattr(middleware, hook) for hook in HOOKS)


def test_it_has_the_hooks_that_its_modules_need(recorder):
    module = recorder("A")
    del module.begin_render, module.complete_response
    middleware = HttpModuleMiddleware([module])
    assert [hook for hook in HOOKS if hasattr(middleware, hook)] == ["process_request", "process_response"]


def test_the_phases_reach_the_modules(recorder, trace):
    middleware = HttpModuleMiddleware([recorder("A")], {"^/x": [recorder("B")]})
    app = Application([("/x", RequestHandler)])
    middleware.process_init(app)
    handler = handler_on(app, "/x")
    assert middleware.process_request(handler, lambda: None) is None
    middleware.process_render(handler, lambda: None, "page.html", name=1)
    middleware.process_response(handler, lambda: None, [])
    middleware.process_endcall(handler, lambda: None)
    assert trace == [
        f"{m}.{h}" for h in ("begin_request", "begin_render", "begin_response", "complete_response") for m in "AB"
    ]


def test_clear_reaches_the_middlewares_and_ends_the_phase(recorder, trace):
    cleared = []
    middleware = HttpModuleMiddleware([recorder("A", begin_request=lambda handler, clear: clear()), recorder("B")])
    app = Application([])
    middleware.process_init(app)
    middleware.process_request(handler_on(app), lambda: cleared.append(1))
    assert (cleared, trace) == ([1], ["A.begin_request"])


def test_a_true_value_of_a_module_is_not_one_of_the_middleware(recorder):
    """Else a module would end the phase of the middlewares behind."""
    middleware = HttpModuleMiddleware([recorder("A", begin_request=lambda handler, clear: True)])
    app = Application([])
    middleware.process_init(app)
    assert not middleware.process_request(handler_on(app), lambda: None)


async def test_it_answers_an_awaitable_only_where_a_module_does(recorder, trace):
    async def later(handler, clear):
        trace.append("awaited")

    app = Application([])
    plain, waiting = HttpModuleMiddleware([recorder("A")]), HttpModuleMiddleware([recorder("B", begin_request=later)])
    for one in (plain, waiting):
        one.process_init(app)
    assert plain.process_request(handler_on(app), lambda: None) is None
    awaitable = waiting.process_request(handler_on(app), lambda: None)
    assert awaitable is not None
    await awaitable
    assert trace[-1] == "awaited"


def test_one_object_serves_two_applications_with_objects_of_their_own(recorder):
    middleware = HttpModuleMiddleware([recorder("A")])
    apps = [Application([]), Application([])]
    for app in apps:
        middleware.process_init(app)
    first, second = (middleware.plan(app).chains(None, "/").request[0].__self__ for app in apps)
    assert first is not second


def test_the_plan_can_be_listed(recorder):
    middleware = HttpModuleMiddleware([recorder("A")])
    app = Application([])
    assert [use.declared for use in middleware.plan(app).describe()] == ["common"]
    middleware.process_init(app)
    assert [use.declared for use in middleware.plan(app).describe()] == ["common"]


@pytest.mark.parametrize("finished", [True, False])
def test_a_finished_response_ends_begin_request(recorder, trace, finished):
    app = Application([])
    middleware = HttpModuleMiddleware([recorder("A"), recorder("B")])
    middleware.process_init(app)
    handler = handler_on(app)
    handler._finished = finished
    middleware.process_request(handler, lambda: None)
    assert trace == (["A.begin_request"] if finished else ["A.begin_request", "B.begin_request"])
