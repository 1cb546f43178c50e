"""Which handlers the hooks run for, and how little the handlers notice."""

import abc
import gc

import pytest
import tornado.web
from tornado.web import RequestHandler

from torngas_middleware import Application, Manager, MiddlewareApplication, MiddlewareHandlerMixin


class Nothing:
    def process_request(self, handler, clear):
        pass

    def process_response(self, handler, clear, chunk):
        pass

    def process_endcall(self, handler, clear):
        pass

    def process_exception(self, handler, clear, typ, value, tb):
        pass

    def process_render(self, handler, clear, template_name, **kwargs):
        pass


async def test_without_wrap_all_only_the_mixin_has_hooks(serve, until, recorder, caplog):
    """process_call runs for all, as documented."""
    events = []

    class Plain(RequestHandler):
        def get(self):
            self.write("plain")

    class Mixed(MiddlewareHandlerMixin, RequestHandler):
        def get(self):
            self.write("mixed")

    handlers = [("/plain", Plain), ("/mixed", Mixed)]
    server = serve(Application(handlers, middlewares=[recorder("A", events)], wrap_all=False))
    assert (await server.fetch("/plain")).body == b"plain"
    assert (await server.fetch("/nowhere")).code == 404
    assert events == ["A.call", "A.call"]
    events.clear()
    assert (await server.fetch("/mixed")).body == b"mixed"
    assert events == ["A.call", "A.request", "A.response", "A.endcall"]


async def test_a_failing_process_call_has_its_hooks_without_wrap_all_too(serve, recorder, caplog):
    events = []
    fail = recorder("A", events, {"call": lambda *args: 1 / 0})
    server = serve(Application([], middlewares=[fail], wrap_all=False))
    assert (await server.fetch()).code == 500
    assert events == ["A.call", "A.exception", "A.response", "A.endcall"]


async def test_the_class_is_made_once(serve):
    classes = []

    class Handler(RequestHandler):
        def get(self):
            classes.append(type(self))

    server = serve(Application([("/a", Handler), ("/b", Handler)], middlewares=[Nothing()]))
    for path in ("/a", "/b", "/a"):
        await server.fetch(path)
    assert len(set(classes)) == 1


async def test_the_handler_is_what_it_was(serve):
    """Class, name, class attributes: of the user's class; a subclass hook does not hear of ours."""
    seen, made = [], []

    class Base(RequestHandler):
        def __init_subclass__(cls, **kwargs):
            super().__init_subclass__(**kwargs)
            made.append(cls)

    class Handler(Base):
        """Its own docstring."""

        count = 0

        def get(self):
            type(self).count += 1
            seen.append((self.__class__, type(self).__name__, type(self).__module__, type(self).__doc__))
            super(self.__class__, self).set_status(202)

    server = serve(Application([("/", Handler)], middlewares=[Nothing()]))
    assert (await server.fetch()).code == 202
    await server.fetch()
    assert seen[0] == (Handler, "Handler", __name__, "Its own docstring.")
    assert Handler.count == 2
    assert made == [Handler]


async def test_a_class_attribute_can_be_deleted_through_the_handler(serve):
    class Handler(RequestHandler):
        flag = True

        def get(self):
            del type(self).flag

    server = serve(Application([("/", Handler)], middlewares=[Nothing()]))
    assert (await server.fetch()).code == 200
    assert not hasattr(Handler, "flag")


async def test_a_metaclass_of_the_handler_is_kept(serve):
    class Abstract(RequestHandler, abc.ABC):
        @abc.abstractmethod
        def get(self): ...

    class Handler(Abstract):
        def get(self):
            self.write(str(isinstance(self, Abstract)))

    server = serve(Application([("/", Handler)], middlewares=[Nothing()]))
    assert (await server.fetch()).body == b"True"
    assert not isinstance(object(), Abstract)


async def test_overrides_without_super_lose_no_hook(serve, recorder, until, caplog):
    events = []

    class Handler(MiddlewareHandlerMixin, RequestHandler):
        def prepare(self):
            events.append("prepare")

        def on_finish(self):
            events.append("on_finish")

        def finish(self, chunk=None):
            events.append("finish")
            return RequestHandler.finish(self, chunk)

        def get(self):
            self.write("x")

    server = serve(Application([("/", Handler)], middlewares=[recorder("A", events)]))
    await server.fetch()
    assert events == ["A.call", "A.request", "prepare", "A.response", "finish", "on_finish", "A.endcall"]


async def test_two_applications_do_not_know_of_each_other(serve, recorder, hello):
    one, two = [], []
    first = serve(Application([("/", hello)], middlewares=[recorder("A", one)]))
    second = serve(Application([("/", hello)], middlewares=[recorder("B", two)]))
    await first.fetch()
    assert (len(one), two) == (4, [])
    await second.fetch()
    assert (len(one), len(two)) == (4, 4)


async def test_the_mixin_goes_before_another_application_class(serve, recorder, hello):
    events = []

    class Other(tornado.web.Application):
        def find_handler(self, request, **kwargs):
            events.append("find")
            return super().find_handler(request, **kwargs)

    class Both(MiddlewareApplication, Other):
        pass

    server = serve(Both([("/", hello)], middlewares=Manager([recorder("A", events)])))
    assert (await server.fetch()).body == b"hello"
    assert events == ["A.call", "find", "A.request", "A.response", "A.endcall"]


async def test_the_legacy_call_of_an_application_works(serve, recorder, until, hello):
    """`application(request)`, as FallbackHandler uses it."""
    events = []
    inner = Application([("/", hello)], middlewares=[recorder("A", events)])
    outer = tornado.web.Application([("/", tornado.web.FallbackHandler, {"fallback": inner})])
    server = serve(outer)
    assert (await server.fetch()).body == b"hello"
    await until(lambda: "A.endcall" in events)
    assert events == ["A.call", "A.request", "A.response", "A.endcall"]


async def test_a_request_leaves_no_reference_cycle(serve, hello, until):
    """What counting references cannot free waits for the collector, at the cost of every request."""
    server = serve(Application([("/", hello)], middlewares=[Nothing(), Nothing()]))
    await server.fetch()
    kept = []

    class Keep(RequestHandler):
        def get(self):
            import weakref

            kept.append(weakref.ref(self))

    server = serve(Application([("/", Keep)], middlewares=[Nothing(), Nothing()]))
    gc.collect()
    gc.disable()
    try:
        await server.fetch()
        await until(lambda: kept[0]() is None)
    finally:
        gc.enable()


@pytest.mark.parametrize("wrap_all", [True, False])
async def test_settings_reach_tornado(wrap_all):
    application = Application([], "default.host", [], middlewares=[], wrap_all=wrap_all, debug=False, answer=42)
    assert application.settings == {"debug": False, "answer": 42}
    assert application.default_host == "default.host"
