"""routes: everything about every route."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from torngas.cli._samples import sample_path
from torngas_router import RouteTable, Url, path

FILES = {
    "conf.py": """
        DEBUG = True
        INSTALLED_APPS = ("posts",)
        MIDDLEWARE_CLASSES = (
            "torngas.middleware.accesslog.AccessLogMiddleware",
            "torngas.httpmodule.httpmodule.HttpModuleMiddleware",
        )
        COMMON_MODULES = ("modules.Counted",)
        ROUTE_MODULES = {"^/staff/[0-9]+": ["modules.StaffOnly"], "Front": ["!modules.Counted"]}
        TORNADO_CONF = {"cookie_secret": "of the tests"}
    """,
    "modules.py": """
        from torngas.httpmodule import BaseHttpModule

        class Counted(BaseHttpModule):
            def begin_request(self, handler): pass

        class StaffOnly(BaseHttpModule):
            def begin_request(self, handler): pass
    """,
    "posts/__init__.py": "",
    "posts/handlers.py": """
        from torngas.handler import WebHandler

        class Front(WebHandler):
            def get(self): pass

        class Post(WebHandler):
            def get(self, number): pass
            async def delete(self, number): pass
    """,
    "posts/urls.py": """
        from torngas import Url, route

        u = Url("posts.handlers")
        urls = route(
            u(r"/?", "Front", name="Front"),
            u(r"/posts/([^/]+)", "Post", name="Post"),
            u(r"/posts/([0-9]+)", "Post"),
            u(r"/staff/([0-9]+)/?", "Post", name="Staff"),
        )
    """,
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("routes")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(textwrap.dedent(text))
    return folder


def _routes(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "torngas", "routes", "--settings=conf", *arguments],
        cwd=project,
        env={name: value for name, value in os.environ.items() if not name.startswith("TORNGAS_")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def found(project):
    done = _routes(project, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_patterns_names_and_handlers_in_declared_order(found):
    assert [(one["pattern"], one["name"], one["handler"]) for one in found] == [
        ("/?", "Front", "posts.handlers.Front"),
        ("/posts/([^/]+)", "Post", "posts.handlers.Post"),
        ("/posts/([0-9]+)", None, "posts.handlers.Post"),
        ("/staff/([0-9]+)/?", "Staff", "posts.handlers.Post"),
    ]


def test_methods_are_those_that_the_handler_has(found):
    assert found[0]["methods"] == ["GET"]
    assert found[1]["methods"] == ["GET", "DELETE"]


def test_middlewares_are_listed_outermost_first_without_the_frameworks_own(found):
    assert found[0]["middlewares"] == [
        "torngas_middleware.accesslog.AccessLogMiddleware",
        "torngas_httpmodule.middleware.HttpModuleMiddleware",
    ]


def test_modules_are_those_of_the_route(found):
    assert [one["modules"] for one in found] == [
        [],
        ["modules.Counted"],
        ["modules.Counted"],
        ["modules.Counted", "modules.StaffOnly"],
    ]


def test_a_shadowed_route_names_what_stands_before_it(found):
    assert [one["shadowed_by"] for one in found] == [None, None, "/posts/([^/]+)", None]
    assert found[2]["origin"].endswith("urls.py:8")


def test_people_get_a_table(project):
    done = _routes(project)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["METHODS", "PATTERN", "NAME", "HANDLER", "MODULES"]
    assert lines[2].split() == ["GET,DELETE", "/posts/([^/]+)", "Post", "posts.handlers.Post", "Counted"]
    assert lines[3].endswith("shadowed by /posts/([^/]+)")
    assert "  torngas_middleware.accesslog.AccessLogMiddleware" in lines


def test_a_path_is_answered_with_its_route(project):
    done = _routes(project, "--path=/posts/7")
    assert done.returncode == 0
    assert "/posts/([^/]+) (Post), declared at" in done.stdout
    assert "posts.handlers.Post" in done.stdout


def test_a_path_that_meets_no_route_is_status_1(project):
    done = _routes(project, "--path=/nowhere")
    assert done.returncode == 1
    assert "GET /nowhere meets no route" in done.stderr


def test_settings_that_do_not_import_are_one_message(project):
    done = _routes(project, "--settings=missing")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: settings module: got 'missing'")
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback(project):
    done = subprocess.run(
        [sys.executable, "-m", "torngas", "--debug", "routes", "--settings=missing"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.parametrize(
    "pattern", ["/", "/?", r"/posts/(\d+)/?", r"/(\w+)\.html", "/a/(?P<year>[0-9]{4})", "^/x/([^/]*)/y$", r"/(?:a|b)?"]
)
def test_a_sample_path_meets_its_route(pattern):
    from tornado.web import RequestHandler

    table = RouteTable([Url()(pattern, RequestHandler)])
    (info,) = table.describe()
    assert table.match(sample_path(info)) is not None


@pytest.mark.parametrize("pattern", ["/user/<int:uid>/", "/at/<date>", "/<slug:one>/<uuid:two>", "/files/<path:rest>"])
def test_a_sample_of_a_typed_path_meets_its_route(pattern):
    from tornado.web import RequestHandler

    table = RouteTable([path(pattern, RequestHandler)])
    (info,) = table.describe()
    assert table.match(sample_path(info)) is not None
