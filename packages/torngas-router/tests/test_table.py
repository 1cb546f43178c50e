"""RouteTable: kwargs, methods, hosts, replacing, other kinds of entries."""

import gc
import threading
import weakref

import pytest
import tornado.web
from tornado.httpserver import HTTPServer
from tornado.routing import AnyMatches, HostMatches, PathMatches, Rule, RuleRouter
from tornado.web import ErrorHandler, RequestHandler, StaticFileHandler

from torngas_router import Application, MethodNotAllowedHandler, RouteTable, Url, UrlError, path, route


class Page(RequestHandler):
    pass


class Other(RequestHandler):
    pass


class Knowing(RequestHandler):
    """A handler class of a framework, which reads the kwargs itself."""

    @property
    def _url_kwargs(self):
        return self.request._url_kwargs


async def test_url_kwargs_are_fresh_in_every_request(echo, serve):
    declared = Url(shared="url")("/x", echo, {"own": "route"})
    fetch = await serve(Application([declared, Url()("/y", echo)]))
    first, second = (await fetch("/x")).body, (await fetch("/x")).body
    assert first == second
    assert b'"url_kwargs": {"shared": "url", "own": "route"}' in first
    assert b'"url_kwargs": {}' in (await fetch("/y")).body
    assert declared.kwargs == {"shared": "url", "own": "route"}


def test_kwargs_are_never_passed_to_initialize(ask):
    delegate = ask([Url(a=1)("/x", Page, {"b": 2}), Url(a=1).path("/y/<int:n>", Page)], "/x")
    assert (delegate.handler_kwargs, delegate.request._url_kwargs) == ({}, {"a": 1, "b": 2})


def test_a_class_that_knows_url_kwargs_is_used_as_it_is(ask, u):
    assert ask([u("/x", Knowing)], "/x").handler_class is Knowing


def test_any_other_class_gets_one_subclass_that_looks_like_it(ask, u):
    first, second = (ask([u("/x", Page), u("/y", Page)], text).handler_class for text in ("/x", "/y"))
    assert first is second
    assert first.__mro__[1] is Page
    assert (first.__name__, first.__qualname__, first.__module__) == ("Page", Page.__qualname__, Page.__module__)


def test_the_subclass_lives_no_longer_than_its_users(ask, u):
    class Passing(RequestHandler):
        pass

    watched = weakref.ref(ask([u("/x", Passing)], "/x").handler_class)
    del Passing
    gc.collect()
    assert watched() is None


def test_the_request_knows_its_route(ask, u):
    found = ask([u("/a/?", Page, name="a", methods=["GET"])], "/a/").request.route
    assert (found.pattern, found.name, found.handler_class, found.methods) == ("/a/?", "a", Page, {"GET", "HEAD"})
    assert ask([("/b", Page, {}, "b")], "/b").request.route.name == "b"
    assert not hasattr(ask([u("/a", Page)], "/b").request, "route")


def test_each_method_finds_its_route_and_none_is_a_405(ask, u):
    urls = [u("/x", Page, methods=["get"]), u("/x", Other, methods=("POST", "PUT"), kwargs={"a": 1}), u("/y", Page)]
    assert issubclass(ask(urls, "/x").handler_class, Page)
    assert issubclass(ask(urls, "/x", "HEAD").handler_class, Page)
    assert issubclass(ask(urls, "/x", "PUT").handler_class, Other)
    refused = ask(urls, "/x", "DELETE")
    assert refused.handler_kwargs == {"allow": "GET, HEAD, POST, PUT"}
    assert ask(urls, "/z", "DELETE").handler_class is ErrorHandler


def test_a_later_route_takes_what_methods_refuse(ask, u):
    urls = [u("/x", Page, methods="GET"), u("/(.*)", Other)]
    assert issubclass(ask(urls, "/x", "POST").handler_class, Other)


async def test_a_405_names_the_allowed_methods(echo, serve, u):
    fetch = await serve(Application([u("/x", echo, methods=["GET"])], xsrf_cookies=True))
    response = await fetch("/x", "POST")
    assert (response.code, response.headers["Allow"]) == (405, "GET, HEAD")


async def test_an_application_may_bring_its_own_405_page(echo, serve, u):
    class Refused(MethodNotAllowedHandler):
        def write_error(self, status_code, **kwargs):
            self.write(f"{status_code}, but {self.allow}")

    fetch = await serve(Application([u("/x", echo, methods=["GET"])], method_not_allowed_handler_class=Refused))
    assert (await fetch("/x", "POST")).body == b"405, but GET, HEAD"


def test_a_nested_table_and_a_typed_value_count_for_the_405_too(ask, u):
    inner = [u("/x", Page, methods=["GET"]), u.path("/<int:n>", Page, methods=["PUT"])]
    for urls in ([(AnyMatches(), RouteTable(inner))], [(HostMatches("localhost"), inner)]):
        assert ask(urls, "/x", "POST").handler_kwargs == {"allow": "GET, HEAD"}
        assert ask(urls, "/7", "POST").handler_kwargs == {"allow": "PUT"}
        assert ask(urls, "/a", "POST").handler_class is ErrorHandler


def test_a_route_may_be_for_one_host(ask, u):
    urls = [u("/x", Page, host=r"(www\.)?a\.org"), u("/x", Other)]
    for host, handler in (("a.org", Page), ("www.A.org:8080", Page), ("a.org.b.net", Other), ("xa.org", Other)):
        assert issubclass(ask(urls, "/x", host=host).handler_class, handler), host
    assert ask([u("/x", Page, host="a.org", methods=["GET"])], "/x", "PUT", "b.org").handler_class is ErrorHandler


async def test_static_files_are_an_ordinary_entry(serve, tmp_path, u):
    (tmp_path / "a.txt").write_text("text")
    u = Url(more="kwargs")
    fetch = await serve(Application([u(r"/files/(.*)", StaticFileHandler, {"path": str(tmp_path)}, name="files")]))
    assert (await fetch("/files/a.txt")).body == b"text"
    assert (await fetch("/files/b.txt")).code == 404


async def test_a_websocket_is_an_ordinary_entry(serve, u):
    from tornado.websocket import WebSocketHandler, websocket_connect

    class Chat(WebSocketHandler):
        def open(self, room):
            self.write_message(f"{room} {self._url_kwargs['a']}")

    fetch = await serve(Application([u(r"/chat/(\w+)", Chat, {"a": 1})]))
    connection = await websocket_connect(f"ws://127.0.0.1:{fetch.port}/chat/x")
    assert await connection.read_message() == "x 1"
    connection.close()


def test_match_tells_route_and_arguments(u):
    table = RouteTable([u("/x/?", Page, name="x"), u(r"/(a)?/([^/]+)", Page), u(r"/n/(?P<n>\d+)/", Page)])
    assert table.match("/x").route.name == "x"
    assert table.match("/x/") == (table.match("/x").route, (), {})
    assert table.match("//b%20c").args == (None, b"b c")
    assert table.match("/n/7/").kwargs == {"n": b"7"}
    assert table.match("/nothing") is None


def test_the_shared_match_of_an_exact_path_cannot_be_changed(u):
    match = RouteTable([u("/x", Page)]).match("/x")
    with pytest.raises(TypeError):
        match.kwargs["a"] = 1


def test_match_asks_for_method_and_host_where_they_matter(u):
    table = RouteTable(
        [
            u("/x", Page, methods=["PUT"], name="put"),
            u("/x", Page, host="a.org", name="a"),
            (HostMatches("b.org"), [u("/x", Page, name="b")]),
            Rule(PathMatches("/r/(.)"), RuleRouter([]), name="r"),
        ]
    )
    assert table.match("/x") is None
    assert table.match("/x", "PUT").route.name == "put"
    assert table.match("/x", host="a.org").route.name == "a"
    assert table.match("/x", host="b.org").route.name == "b"
    assert table.match("/r/x").route.name == "r"


def test_replace_swaps_all_routes(ask, u):
    application = Application([u("/x", Page, name="x")])
    application.table.replace(route(u("/y", Other, name="y")))
    assert ask(application, "/x").handler_class is ErrorHandler
    assert issubclass(ask(application, "/y").handler_class, Other)
    assert application.reverse_url("y") == "/y"
    with pytest.raises(KeyError):
        application.reverse_url("x")


def test_a_wrong_replacement_changes_nothing(ask, u):
    application = Application([u("/x", Page)])
    for wrong in ([u("/y", Page), u("/(", Page)], None, [u("/y", Page, name="a"), u("/z", Page, name="a")]):
        with pytest.raises(UrlError):
            application.table.replace(wrong)
    assert issubclass(ask(application, "/x").handler_class, Page)
    assert ask(application, "/y").handler_class is ErrorHandler


def test_replacing_while_others_search_shows_the_old_or_the_new_table(u):
    tables = [[u(f"/{n}/{kind}/(.*)", Page, name=f"{n}") for n in range(20)] for kind in "ab"]
    table = RouteTable(tables[0])
    seen, done = set(), threading.Event()

    def search():
        while not done.is_set():
            # one lookup sees one table: a reversed name of either
            seen.add(table.reverse("7", "x"))
            assert table.match("/7/a/x") or table.match("/7/b/x") or table.match("/7/a/x")

    readers = [threading.Thread(target=search) for _ in range(2)]
    for reader in readers:
        reader.start()
    for turn in range(40):
        table.replace(tables[turn % 2])
    done.set()
    for reader in readers:
        reader.join()
    assert seen <= {"/7/a/x", "/7/b/x"}


async def test_a_table_replaced_while_serving(echo, serve, u):
    application = Application([u("/old", echo)])
    fetch = await serve(application)
    assert [(await fetch(text)).code for text in ("/old", "/new")] == [200, 404]
    application.table.replace([u("/new", echo)])
    assert [(await fetch(text)).code for text in ("/old", "/new")] == [404, 200]


async def test_a_table_serves_alone(echo, serve, u):
    fetch = await serve(RouteTable([u("/x", echo, {"a": 1}), u("/y", echo, methods=["PUT"])]))
    assert (await fetch("/x")).code == 200
    assert [(await fetch(text)).code for text in ("/none", "/y")] == [404, 405]


async def test_a_table_in_a_plain_application(echo, serve, u):
    application = tornado.web.Application([("/plain", echo)], own="settings")
    table = RouteTable([u("/x", echo, {"a": 1}, "x")])
    table.install(application)
    fetch = await serve(application)
    assert b'"url_kwargs": {"a": 1}' in (await fetch("/x")).body
    assert (await fetch("/none")).code == 404
    assert application.reverse_url("x") == "/x"
    assert table.application is application


def test_tables_applications_and_routers_nest(ask, make_request, u):
    foreign = tornado.web.Application([("/foreign", Page)])
    inner = RouteTable([u("/in/(.)", Page, name="in")])
    urls = [
        Rule(PathMatches("/in/.*"), inner),
        Rule(PathMatches("/call"), lambda request: None, name="call"),
        ("/listed.*", [("/listed/(.*)", Other)]),
        Rule(PathMatches("/foreign"), foreign),
        u("/router", RuleRouter([Rule(AnyMatches(), foreign)]), methods=["GET"], name="router"),
        u("/last", Page),
    ]
    application = Application(urls)
    delegate = ask(application, "/in/x")
    assert delegate.application is application
    assert (delegate.request.route.name, delegate.path_args) == ("in", [b"x"])
    assert ask(application, "/listed/a").path_args == [b"a"]
    assert ask(application, "/foreign").application is foreign
    assert ask(application, "/router").application is foreign
    request = make_request("/call")
    application.find_handler(request)
    assert request.route.name == "call"
    assert application.reverse_url("in", "x") == "/in/x"


def test_a_custom_matcher_is_asked_in_its_place_and_only_then(ask, u):
    asked = []

    class Recording(PathMatches):
        def match(self, request):
            asked.append(request.path)
            return super().match(request)

    urls = [u("/first", Page), Rule(Recording("/x"), Other, name="custom"), u("/x", Page), u("/y", Page)]
    assert ask(urls, "/first").handler_class.__mro__[1] is Page
    assert asked == []
    assert ask(urls, "/x").handler_class is Other
    assert issubclass(ask(urls, "/y").handler_class, Page)
    assert asked == ["/x", "/y"]
    assert RouteTable(urls).reverse("custom") == "/x"


def test_what_a_route_was_made_from_is_not_changed(u):
    kwargs, methods, entries = {"a": 1}, ["GET"], [u("/x", Page)]
    declared = u("/y", Page, kwargs, methods=methods)
    RouteTable(entries).replace([declared])
    assert (kwargs, methods, len(entries)) == ({"a": 1}, ["GET"], 1)


def test_one_route_may_be_in_two_tables(u):
    class Upper:
        regex = "[A-Z]+"
        to_python, to_url = staticmethod(str.lower), staticmethod(str.upper)

    shared = path("/<x:x>", Page)
    assert RouteTable([shared], converters={"x": Upper()}).match("/A").kwargs == {"x": "a"}
    with pytest.raises(UrlError):
        RouteTable([shared])


def test_http_server_takes_a_table():
    HTTPServer(RouteTable([]))
