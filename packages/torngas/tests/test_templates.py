"""Templates: three engines, the same names, autoescape, per-app folders, errors that name the line."""

from __future__ import annotations

import os
import sys
import traceback

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import UIModule

from torngas.application import Application
from torngas.exception import ConfigError
from torngas.handler import WebHandler
from torngas.settings_manager import Settings
from torngas.wiring.templates import JINJA2, MAKO, build_template_loader, template_folders

ENGINES = {None: "{{ %s }}", JINJA2: "{{ %s }}", MAKO: "${%s}"}
RAW = {None: "{%% raw %s %%}", JINJA2: "{{ %s }}", MAKO: "${%s}"}


def settings_of(folder, engine, **options):
    config = {"template_engine": engine, "cache_directory": None, **options}
    return Settings({"TEMPLATE_CONFIG": config, "TORNADO_CONF": {"template_path": str(folder)}})


@pytest.fixture
async def page(tmp_path):
    """`await page(engine, source, **arguments)`: the rendered page, through a served handler."""
    servers = []

    async def render(engine, source, options=None, **arguments):
        (tmp_path / "page.html").write_text(source)

        class Main(WebHandler):
            def get_current_user(self):
                return "ada"

            def get(self, *args):
                self.render("page.html", **arguments)

        class Greet(UIModule):
            def render(self, name):
                return f"<i>{name}</i>"

        app = Application(
            [("/x/(.*)", Main, {}, "X"), ("/", Main)],
            template_loader=build_template_loader(settings_of(tmp_path, engine, **(options or {}))),
            ui_modules={"Greet": Greet},
            static_path=str(tmp_path),
            xsrf_cookies=True,
            cookie_secret="x",
        )
        server = HTTPServer(app)
        (one,) = bind_sockets(0, "127.0.0.1")
        server.add_socket(one)
        servers.append(server)
        response = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{one.getsockname()[1]}/?q=1", raise_error=False)
        return response.body.decode()

    yield render
    for server in servers:
        server.stop()
        await server.close_all_connections()


@pytest.mark.parametrize("engine", ENGINES)
async def test_every_engine_has_the_same_names(page, engine):
    names = [
        "handler.current_user",
        "request.uri",
        "current_user",
        "locale.code",
        "_('hello')",
        "static_url('page.html')",
        "reverse_url('X', 7)",
        "given",
    ]
    source = "~".join(ENGINES[engine] % name for name in names)
    source += "~" + RAW[engine] % "xsrf_form_html()" + "~" + RAW[engine] % "modules.Greet('bo')"
    got = (await page(engine, source, given="mine")).split("~")
    assert got[:5] == ["ada", "/?q=1", "ada", "en_US", "hello"]
    assert got[5].startswith("/static/page.html?v=")
    assert got[6:8] == ["/x/7", "mine"]
    assert got[8].startswith('<input type="hidden" name="_xsrf"')
    assert got[9] == "<i>bo</i>"


@pytest.mark.parametrize("engine", ENGINES)
async def test_values_are_escaped_unless_switched_off(page, engine):
    assert await page(engine, ENGINES[engine] % "value", value="<b>") == "&lt;b&gt;"


@pytest.mark.parametrize("engine", [JINJA2, MAKO])
async def test_autoescape_can_be_switched_off(page, engine):
    assert await page(engine, ENGINES[engine] % "value", {"autoescape": False}, value="<b>") == "<b>"


@pytest.mark.parametrize(
    ("engine", "options", "source", "expected"),
    [
        (JINJA2, {"trim_blocks": True, "variable_start_string": "<<", "variable_end_string": ">>"}, "<<1+1>>", "2"),
        (MAKO, {"imports": ["import math"]}, "${math.floor(2.5)}", "2"),
    ],
)
async def test_any_other_option_goes_to_the_engine(page, engine, options, source, expected):
    assert await page(engine, source, options) == expected


def test_an_option_that_the_engine_does_not_know_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="TEMPLATE_CONFIG: .*no_such_option"):
        build_template_loader(settings_of(tmp_path, JINJA2, no_such_option=1))


@pytest.mark.parametrize("engine", ["no.such.Loader", "torngas.template.mako_loader.Nothing"])
def test_an_engine_that_does_not_import_is_refused(tmp_path, engine):
    with pytest.raises(ConfigError, match="template_engine"):
        build_template_loader(settings_of(tmp_path, engine))


@pytest.mark.parametrize("engine", [JINJA2, MAKO])
def test_compiled_templates_are_written_below_the_cache_directory(tmp_path, engine):
    (tmp_path / "page.html").write_text("x")
    loader = build_template_loader(settings_of(tmp_path, engine, cache_directory=tmp_path / "made" / "cache"))
    assert loader.load("page.html").generate() == b"x"
    assert [path for path in (tmp_path / "made" / "cache").rglob("*") if path.is_file()]


@pytest.mark.parametrize("engine", [JINJA2, MAKO])
def test_what_was_compiled_without_escaping_is_not_used_with_it(tmp_path, engine):
    (tmp_path / "page.html").write_text(ENGINES[engine] % "value")
    for autoescape, text in ((False, b"<b>"), (True, b"&lt;b&gt;"), (False, b"<b>")):
        options = {"cache_directory": tmp_path / "cache", "autoescape": autoescape}
        loader = build_template_loader(settings_of(tmp_path, engine, **options))
        assert loader.load("page.html").generate(value="<b>") == text


@pytest.mark.parametrize("engine", [JINJA2, MAKO])
def test_projects_that_share_a_cache_directory_do_not_share_templates(tmp_path, engine):
    for project in ("one", "two"):
        (tmp_path / project).mkdir()
        (tmp_path / project / "page.html").write_text(project)
        os.utime(tmp_path / project / "page.html", (1, 1))  # older than what the other project compiled
        loader = build_template_loader(settings_of(tmp_path / project, engine, cache_directory=tmp_path / "cache"))
        assert loader.load("page.html").generate() == project.encode()


@pytest.mark.parametrize("engine", [JINJA2, MAKO])
def test_what_was_compiled_is_used_again(tmp_path, engine):
    (tmp_path / "page.html").write_text("x")
    kept = []
    for _ in range(2):
        options = {"cache_directory": tmp_path / "cache"}
        build_template_loader(settings_of(tmp_path, engine, **options)).load("page.html").generate()
        kept.append({path for path in (tmp_path / "cache").rglob("*") if path.is_file()})
    assert kept[0] == kept[1]


def test_a_function_that_decides_on_escaping_keeps_nothing_on_disk(tmp_path):
    (tmp_path / "page.html").write_text("{{ value }}")
    for answer, text in ((False, b"<b>"), (True, b"&lt;b&gt;")):
        options = {"cache_directory": tmp_path / "cache", "autoescape": lambda name, answer=answer: answer}
        loader = build_template_loader(settings_of(tmp_path, JINJA2, **options))
        assert loader.load("page.html").generate(value="<b>") == text


@pytest.mark.parametrize("engine", ENGINES)
def test_the_projects_folder_goes_before_those_of_the_apps(tmp_path, monkeypatch, engine):
    project, app = tmp_path / "templates", tmp_path / "shop_of_a_test"
    for folder in (project, app / "templates"):
        folder.mkdir(parents=True)
    (app / "__init__.py").write_text("")
    (app / "templates" / "both.html").write_text("app")
    (app / "templates" / "own.html").write_text("app's own")
    (project / "both.html").write_text("project")
    monkeypatch.syspath_prepend(str(tmp_path))
    chosen = Settings(
        {
            "INSTALLED_APPS": ("shop_of_a_test",),
            "TEMPLATE_CONFIG": {"template_engine": engine, "cache_directory": None},
            "TORNADO_CONF": {"template_path": str(project)},
        }
    )
    try:
        assert template_folders(chosen) == [project, app / "templates"]
        loader = build_template_loader(chosen)
        assert loader.load("both.html").generate() == b"project"
        assert loader.load("own.html").generate() == b"app's own"
    finally:
        sys.modules.pop("shop_of_a_test", None)


@pytest.mark.parametrize(
    ("engine", "line"), [(None, "page.html:3"), (JINJA2, 'page.html", line 3'), (MAKO, "page.html:3")]
)
async def test_an_error_names_the_templates_line(tmp_path, engine, line):
    (tmp_path / "page.html").write_text("one\ntwo\n" + ENGINES[engine] % "1/0" + "\n")
    app = Application([], template_loader=build_template_loader(settings_of(tmp_path, engine)))
    handler = _handler(app)
    with pytest.raises(ZeroDivisionError) as caught:
        handler.render_string("page.html")
    assert line in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_missing_template_is_an_error_that_names_it(tmp_path, engine):
    loader = build_template_loader(settings_of(tmp_path, engine))
    with pytest.raises(Exception, match=r"none\.html"):
        loader.load("none.html")


@pytest.mark.parametrize("engine", ENGINES)
async def test_two_applications_with_different_engines_over_one_folder(tmp_path, engine):
    """Tornado's own loaders are kept per folder for the process; ours belong to the application."""
    (tmp_path / "page.html").write_text("{{ 1 + 1 }}${1 + 2}")
    shown = {}
    for one in ENGINES:
        app = Application([], template_loader=build_template_loader(settings_of(tmp_path, one)))
        shown[one] = _handler(app).render_string("page.html")
    assert shown == {None: b"2${1 + 2}", JINJA2: b"2${1 + 2}", MAKO: b"{{ 1 + 1 }}3"}


def _handler(app):
    from unittest.mock import Mock

    from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

    request = HTTPServerRequest(
        connection=Mock(), headers=HTTPHeaders({"Host": "x"}), start_line=RequestStartLine("GET", "/", "HTTP/1.1")
    )
    return WebHandler(app, request)
