"""Application: all that tornado.web.Application takes, and its order of hosts, static files and handlers."""

import pytest
import tornado.web
from tornado.routing import HostMatches
from tornado.web import ErrorHandler, RequestHandler, StaticFileHandler

from torngas_router import Application, ApplicationMixin, RouteTable, route


class Page(RequestHandler):
    pass


class Other(RequestHandler):
    pass


class Missing(RequestHandler):
    pass


def test_it_takes_what_tornados_takes(ask):
    application = Application([("/x", Page)], "host", [], debug=False, own=1, default_handler_class=Missing)
    assert (application.default_host, application.transforms, application.settings["own"]) == ("host", [], 1)
    assert ask(application, "/none").handler_class is Missing
    assert ask(Application(), "/x").handler_class is ErrorHandler
    assert Application(compress_response=True).transforms == [tornado.web.GZipContentEncoding]


def test_it_takes_a_table_and_shares_it_with_others(ask, u):
    table = RouteTable([u("/x", Page)])
    first, second = Application(table), Application(table)
    assert first.table is second.table is table
    assert ask(first, "/x").application is first
    assert ask(second, "/x").application is second


def test_static_files_come_before_the_routes_and_stay_when_these_are_replaced(ask, u, tmp_path):
    application = Application([u("/(.*)", Page)], static_path=str(tmp_path))
    for _ in range(2):
        assert ask(application, "/static/a.js").handler_class is StaticFileHandler
        assert ask(application, "/favicon.ico").handler_class is StaticFileHandler
        assert issubclass(ask(application, "/a").handler_class, Page)
        application.table.replace([u("/(.*)", Page)])


@pytest.mark.parametrize("default_host", [None, "b.org"])
@pytest.mark.parametrize("host", ["a.org", "b.org", "c.org"])
@pytest.mark.parametrize("path", ["/x", "/y", "/z", "/static/x", "/none"])
def test_hosts_are_asked_in_tornados_order(ask, u, tmp_path, path, host, default_host):
    """The same answers as Tornado's application with the same calls."""
    answers = []
    for kind in (Application, tornado.web.Application):
        application = kind([("/y", Other)], default_host, static_path=str(tmp_path))
        application.add_handlers("a.org", [("/x", Page, {}, "x")])
        application.add_handlers("b.org", [("/x", Other), ("/z", Page), ("/static/x", Page)])
        delegate = ask(application, path, host=host)
        answers.append((delegate.handler_class, delegate.handler_kwargs, application.reverse_url("x")))
    assert answers[0] == answers[1]


def test_add_handlers_takes_routes_and_refuses_methods(ask, u):
    application = Application([u("/x", Other)])
    application.add_handlers("a.org", route(u("/x", Page, methods=["PUT"]), u("/y", Page, {"a": 1}, methods=["PUT"])))
    assert issubclass(ask(application, "/x", "PUT", "a.org").handler_class, Page)
    assert issubclass(ask(application, "/x", "GET", "a.org").handler_class, Other)
    assert ask(application, "/y", "GET", "a.org").handler_kwargs == {"allow": "PUT"}
    assert ask(application, "/y", "PUT", "a.org").request._url_kwargs == {"a": 1}
    assert ask(application, "/y", "PUT", "b.org").handler_class is ErrorHandler


def test_rules_added_to_tornados_own_routers_are_found_last(ask, u):
    application = Application([u("/x", Page)])
    application.wildcard_router.add_rules([("/x", Other), ("/y", Other, {}, "y")])
    assert issubclass(ask(application, "/x").handler_class, Page)
    assert ask(application, "/y").handler_class is Other
    assert application.reverse_url("y") == "/y"


def test_every_delegate_comes_from_get_handler_delegate(ask, u):
    """What another library overrides there sees each request once, with Tornado's arguments."""
    calls = []

    class Watching(tornado.web.Application):
        def get_handler_delegate(self, request, target_class, target_kwargs=None, path_args=None, path_kwargs=None):
            calls.append((target_class.__name__, target_kwargs, path_args, path_kwargs))
            return super().get_handler_delegate(request, target_class, target_kwargs, path_args, path_kwargs)

    class Mixed(ApplicationMixin, Watching):
        pass

    application = Mixed([u("/x", Page), u("/x/(.)", Page), ("/y/(?P<n>.)", Other, {"k": 1}), (HostMatches("h"), [])])
    for path in ("/x", "/x/a", "/y/b", "/none"):
        ask(application, path)
    assert calls == [
        ("Page", None, None, None),
        ("Page", None, [b"a"], {}),
        ("Other", {"k": 1}, [], {"n": b"b"}),
        ("ErrorHandler", {"status_code": 404}, None, None),
    ]


def test_kwargs_for_initialize_of_tornados_forms_stay_there(ask):
    delegate = ask([("/x", Page, {"k": 1}), ("/y/(.)", Page, {"k": 2})], "/y/a")
    assert (delegate.handler_class, delegate.handler_kwargs, delegate.request._url_kwargs) == (Page, {"k": 2}, {})


async def test_it_serves(echo, serve, u):
    fetch = await serve(Application([u(r"/x/(\d+)", echo, name="x"), u.path("/<name>", echo)]))
    assert b'"args": ["7"]' in (await fetch("/x/7")).body
    assert b'"name": "str J\\u00fcrgen"' in (await fetch("/J%C3%BCrgen")).body
    assert (await fetch("/a/b")).code == 404
    assert (await fetch("/x/7", "PUT")).code == 405


async def test_a_streamed_body_reaches_its_handler(serve, u):
    @tornado.web.stream_request_body
    class Upload(RequestHandler):
        size = 0

        def data_received(self, chunk):
            self.size += len(chunk)

        def post(self):
            self.write(f"{self.size} {self._url_kwargs}")

    fetch = await serve(Application([u("/up", Upload, {"a": 1})]))
    assert (await fetch("/up", "POST", body=b"x" * 200_000)).body == b"200000 {'a': 1}"
