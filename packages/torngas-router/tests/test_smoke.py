import json

import tornado.testing
import tornado.web
import torngas_router
from torngas_router import Application, Url, include, path, route


class Echo(tornado.web.RequestHandler):
    def get(self, *args, **kwargs):
        self._url_kwargs["seen"] = 1
        self.write(json.dumps([args, kwargs, self._url_kwargs, self.request.route.name]))


u = Url(a=1)
ENTRIES = route(
    u(r"/x/(\d+)", Echo, name="x"),
    include("/in", [u("^/y/?", Echo, {"b": 2}, "y")], prefix_name="o"),
    path("/t/<int:n>/", Echo, name="t"),
)


class Smoke(tornado.testing.AsyncHTTPTestCase):
    def get_app(self):
        return Application(ENTRIES)

    def body(self, url):
        return json.loads(self.fetch(url).body)

    def test_all(self):
        assert self.body("/x/12") == [["12"], {}, {"a": 1, "seen": 1}, "x"]
        assert self.body("/in/y/") == [[], {}, {"a": 1, "b": 2, "seen": 1}, "o-y"]
        assert self.body("/t/7/") == [[], {"n": 7}, {"seen": 1}, "t"]
        assert self.fetch("/none").code == 404


class PlainSmoke(Smoke):
    def get_app(self):
        return tornado.web.Application(ENTRIES)


def test_all_is_sorted():
    assert sorted(torngas_router.__all__) == torngas_router.__all__
