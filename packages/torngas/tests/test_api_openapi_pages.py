"""Where the document is served and printed: /openapi.json, /docs, `torngas openapi`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from tornado.web import Application as TornadoApplication

import torngas.api
from torngas import include, route
from torngas.api import OpenAPI, documentation_routes, endpoint
from torngas.application import Application
from torngas.cli import cli
from torngas.handler import ApiHandler
from torngas.settings_manager import Settings
from torngas.testing import Client
from torngas_router import path


class Hello(ApiHandler):
    @endpoint(tags=["greeting"])
    def get(self, name: str = "world") -> dict[str, str]:
        """Say hello."""
        return {"hello": name}


@pytest.fixture(scope="module")
def client():
    settings = Settings({"DEBUG": True, "OPENAPI": {"title": "Hello", "servers": ["/", "https://api.example.com/v1"]}})
    routes = route(path("/hello", Hello), *documentation_routes())
    with Client(Application(routes, project_settings=settings, xsrf_cookies=True)) as made:
        yield made


def test_the_document_is_served(client):
    response = client.get("/openapi.json")
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == OpenAPI(client.application, title="Hello", servers=["/", "https://api.example.com/v1"])


def test_who_has_the_document_gets_304(client):
    first = client.get("/openapi.json")
    again = client.get("/openapi.json", headers={"If-None-Match": first.headers["Etag"]})
    assert (again.status_code, again.body) == (304, b"")


def test_the_document_is_made_once_per_application():
    calls = []

    def build(application):
        calls.append(application)
        return OpenAPI(application, title=f"number {len(calls)}")

    routes = documentation_routes(build=build)
    applications = [Application(routes), Application(routes)]
    for _ in range(2):
        for number, application in enumerate(applications, 1):
            with Client(application) as one:
                assert one.get("/openapi.json").json()["info"]["title"] == f"number {number}"
    assert calls == applications


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline = 0

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.found += [given[name] for name in ("src", "href", "data-document") if given.get(name)]
        self.inline += tag == "style" or (tag == "script" and "src" not in given)
        self.inline += any(name.startswith("on") or name == "style" for name in given)


def test_the_page_fetches_nothing_from_elsewhere(client):
    page = client.get("/docs")
    links = Links()
    links.feed(page.text)
    assert links.inline == 0
    assert set(links.found) == {"#operations", "data:,", "docs/docs.css", "docs/docs.js", "openapi.json"}
    for name in ("docs.css", "docs.js"):
        asset = client.get(f"/docs/{name}")
        assert asset.status_code == 200
        assert "://" not in asset.text.replace("http://localhost", "")
        assert asset.headers["X-Content-Type-Options"] == "nosniff"
    assert client.get("/docs/docs.css").headers["Content-Type"].startswith("text/css")
    assert client.get("/docs/docs.js").headers["Content-Type"].startswith("text/javascript")


def test_the_pages_policy_lets_only_its_own_files_run(client):
    policy = dict(
        part.strip().partition(" ")[::2] for part in client.get("/docs").headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == "'self' https://api.example.com"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"


def test_the_script_makes_no_markup_of_text():
    source = (Path(torngas.api.__file__).parent / "assets" / "docs.js").read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", source)


@pytest.mark.parametrize("name", ["other.js", "docs.html", "..%2fdocs.js", "docs.js%00"])
def test_other_assets_do_not_exist(client, name):
    assert client.get(f"/docs/{name}").status_code == 404


def test_the_page_sets_the_xsrf_cookie_that_its_forms_send(client):
    client.cookies.clear()
    client.get("/docs")
    assert "_xsrf" in client.cookies


def test_below_a_prefix_links_stay_relative():
    routes = include("/v1", documentation_routes(openapi="/schema/openapi.json", docs="/help/docs"))
    with Client(Application(routes)) as client:
        page = client.get("/v1/help/docs").text
        assert 'data-document="../schema/openapi.json"' in page
        assert 'src="docs/docs.js"' in page
        assert client.get("/v1/help/docs/docs.js").status_code == 200
        assert client.get("/v1/schema/openapi.json").json()["paths"] == {}


def test_plain_tornado_applications_have_it_too():
    with Client(TornadoApplication([(r"/hello", Hello), *documentation_routes()])) as client:
        assert list(client.get("/openapi.json").json()["paths"]) == ["/hello"]
        assert client.get("/docs").status_code == 200


FILES = {
    "conf.py": """
        DEBUG = True
        INSTALLED_APPS = ("greeting", "torngas.api")
        OPENAPI = {"title": "Greetings", "version": "3.0.0"}
        TORNADO_CONF = {"cookie_secret": "of the tests"}
        MIDDLEWARE_CLASSES = ()
    """,
    "empty.py": """
        from conf import *
        INSTALLED_APPS = ("torngas.api",)
    """,
    "wrong.py": """
        from conf import *
        OPENAPI = {"titel": "Greetings"}
    """,
    "greeting/__init__.py": "",
    "greeting/urls.py": """
        from typing import Annotated
        from torngas import Url, route
        from torngas.api import Query, endpoint
        from torngas.handler import ApiHandler

        class Hello(ApiHandler):
            @endpoint()
            def get(self, name: Annotated[str, Query(max_length=9)] = "world") -> dict[str, str]:
                "Say hello."
                return {"hello": name}

        urls = route(Url()("/hello/?", Hello))
    """,
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("openapi")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(textwrap.dedent(text))
    return folder


def torngas_openapi(project: Path, *arguments: str, settings: str = "conf") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "torngas", "openapi", f"--settings={settings}", *arguments],
        cwd=project,
        env={name: value for name, value in os.environ.items() if not name.startswith("TORNGAS_")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_prints_the_document(project):
    done = torngas_openapi(project)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["info"] == {"title": "Greetings", "version": "3.0.0"}
    assert list(document["paths"]) == ["/hello"]
    assert done.stdout.count("\n") > 20


def test_compact_is_one_line(project):
    done = torngas_openapi(project, "--compact")
    assert done.stdout.count("\n") == 1
    assert json.loads(done.stdout)["openapi"] == "3.1.0"


def test_check_says_whether_there_is_something(project):
    done = torngas_openapi(project, "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "openapi: 1 path\n")
    nothing = torngas_openapi(project, "--check", settings="empty")
    assert nothing.returncode == 1
    assert nothing.stderr.startswith("Error: openapi: got no typed methods")


def test_a_wrong_setting_is_one_message_and_status_1(project):
    done = torngas_openapi(project, settings="wrong")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: OPENAPI: got the keys ['titel']; expected some of")


@pytest.mark.parametrize(
    ("argument", "message"), [("--indent=3", "No such option"), ("extra", "unexpected extra argument")]
)
def test_a_wrong_call_is_one_message_and_status_2(argument, message):
    result = CliRunner().invoke(cli, ["openapi", argument])
    assert result.exit_code == 2
    assert message in result.output
