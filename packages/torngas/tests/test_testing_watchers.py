"""Sessions and logins from outside, captured signals and log lines, counted statements, fixtures of pytest."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import textwrap

import pytest

import torngas.testing
from torngas.application import Application
from torngas.cache import cache
from torngas.handler import WebHandler
from torngas.settings_manager import settings
from torngas.testing import (
    Client,
    NoSessionManagerError,
    assert_num_queries,
    capture_logs,
    capture_signals,
    project_application,
)
from torngas_cache import create_cache
from torngas_middleware import AccessLogMiddleware
from torngas_session import MemoryStore, SessionMiddleware
from torngas_signal import Signal, SignalMiddleware
from torngas_signal.lifecycle import call_finished, handler_started


class Whoami(WebHandler):
    def get(self):
        self.write({"user": self.session.user, "cart": self.session.get("cart")})

    def post(self):
        self.session["cart"] = [1]


def _application(store=None, **options):
    sessions = SessionMiddleware(store or MemoryStore(), {"secret_key": "of the tests", **options})
    return Application(
        [("/", Whoami)], middlewares=[AccessLogMiddleware(), SignalMiddleware(), sessions], cookie_secret="of the tests"
    )


@pytest.fixture(params=["memory", "file"])
def client(request, tmp_path):
    store = MemoryStore() if request.param == "memory" else create_cache("file", str(tmp_path / "sessions"))
    with Client(_application(store)) as made:
        yield made


def test_login_logs_in_and_logout_out(client):
    assert client.get("/").json()["user"] is None
    client.login("ada")
    assert client.get("/").json()["user"] == "ada"
    client.logout()
    assert client.get("/").json()["user"] is None
    assert "__TORNADOSSID" not in client.cookies


def test_login_changes_the_id_as_a_real_one_does(client):
    client.post("/")
    before = client.cookies["__TORNADOSSID"]
    client.login(7)
    assert client.cookies["__TORNADOSSID"] != before
    assert client.get("/").json() == {"user": 7, "cart": [1]}


def test_the_session_is_read_and_changed(client):
    client.post("/")
    with client.session() as session:
        assert session["cart"] == [1]
        session["cart"] = [1, 2]
    assert client.get("/").json()["cart"] == [1, 2]


def test_a_session_begins_without_any_request(client):
    with client.session() as session:
        assert session.is_new
        session["cart"] = [3]
    assert client.get("/").json()["cart"] == [3]


def test_a_failed_block_saves_nothing(client):
    with pytest.raises(ZeroDivisionError), client.session() as session:
        session["cart"] = [1]
        raise ZeroDivisionError
    assert client.get("/").json()["cart"] is None


async def test_sessions_in_the_running_loop(tmp_path):
    store = create_cache("file", str(tmp_path))
    async with Client(_application(store)) as client:
        await client.alogin("ada")
        assert (await client.aget("/")).json()["user"] == "ada"
        async with client.session() as session:
            assert session.user == "ada"
        await client.alogout()
        assert (await client.aget("/")).json()["user"] is None


def test_secure_session_cookies_work_over_https():
    with Client(_application(secure=True), protocol="https") as client:
        client.login("ada")
        assert client.get("/").json()["user"] == "ada"


def test_an_application_without_sessions_says_so():
    with Client(Application([])) as client, pytest.raises(NoSessionManagerError, match="expected SessionMiddleware"):
        client.login("ada")


def test_signals_of_a_request_are_captured_to_the_last(client):
    with capture_signals(handler_started, call_finished) as sent:
        client.get("/")
    assert [one.name for one in sent] == ["handler_started", "call_finished"]
    assert sent[0].signal is handler_started
    assert isinstance(sent[0].payload["handler"], Whoami)
    assert issubclass(sent[0].sender, Whoami)


def test_without_names_all_signals_of_a_request_are_captured(client):
    with capture_signals() as sent:
        client.get("/")
    assert [one.name for one in sent] == ["call_started", "handler_started", "handler_response", "call_finished"]


def test_a_signal_of_your_own_is_captured_and_nothing_after_the_block():
    saved = Signal("saved")
    with capture_signals(saved) as sent:
        saved.send("sender", user="ada")
    saved.send("sender", user="bob")
    assert [(one.sender, one.payload) for one in sent] == [("sender", {"user": "ada"})]


def test_what_runs_after_the_response_has_run_when_the_client_answers():
    done = []

    class Slow:
        async def process_endcall(self, handler, clear):
            for _ in range(100):  # turns of the loop, far more than reading the response takes
                await asyncio.sleep(0)
            done.append(handler.get_status())

    with Client(Application([], middlewares=[Slow()])) as client:
        client.get("/")
        assert done == [404]


def test_log_lines_are_captured(client):
    with capture_logs("torngas.accesslog") as logs:
        client.get("/?page=2")
    assert '"GET /?page=2 HTTP/1.1" 200' in logs.text
    assert [record.name for record in logs.records] == ["torngas.accesslog"]


def test_log_levels_are_opened_and_put_back():
    logger = logging.getLogger("torngas_test_of_levels")
    logger.setLevel(logging.ERROR)
    with capture_logs(logger.name, "INFO") as logs:
        logger.info("seen %s", 1)
        logger.debug("not seen")
    logger.info("too late")
    assert logs.lines == ["seen 1"]
    assert logger.level == logging.ERROR
    assert logger.handlers == []


def test_statements_are_counted():
    from sqlalchemy import create_engine, text

    engine = create_engine("sqlite://")
    with assert_num_queries(2) as statements, engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        connection.execute(text("SELECT 2"))
    assert statements == ["SELECT 1", "SELECT 2"]
    with pytest.raises(AssertionError, match=r"got 1 statements; expected 0\n  1\. SELECT 3"):
        with assert_num_queries(0), engine.connect() as connection:
            connection.execute(text("SELECT 3"))
    with engine.connect() as connection:
        connection.execute(text("SELECT 4"))
    assert len(statements) == 2
    engine.dispose()


def test_an_error_in_the_block_is_not_hidden_by_the_count():
    with pytest.raises(ZeroDivisionError), assert_num_queries(5):
        raise ZeroDivisionError


def test_settings_make_an_application_whose_things_are_the_processs(tmp_path, monkeypatch):
    (tmp_path / "testing_demo_app").mkdir()
    (tmp_path / "testing_demo_app/urls.py").write_text(
        "from torngas.handler import WebHandler\nfrom torngas import Url, route, settings\n"
        "class Show(WebHandler):\n    def get(self): self.write(settings.GREETING)\nurls = route(Url()('/', Show))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    given = {
        "INSTALLED_APPS": ("testing_demo_app",),
        "MIDDLEWARE_CLASSES": (),
        "GREETING": "hello",
        "TORNADO_CONF": {"cookie_secret": "x"},
    }
    with project_application(given) as application, Client(application) as client:
        assert client.get("/").text == "hello"
        assert settings.GREETING == "hello"
        cache.set("a", 1)
        assert application.resources.caches["default"].get("a") == 1
    assert "GREETING" not in settings
    assert cache.get("a") is None


def test_all_is_sorted_complete_and_importable():
    assert torngas.testing.__all__ == sorted(torngas.testing.__all__)
    assert set(torngas.testing.__all__) == set(torngas.testing._HOMES)
    for name in torngas.testing.__all__:
        assert getattr(torngas.testing, name).__module__.startswith("torngas.testing.")
    assert not hasattr(torngas.testing, "nothing")


# pytest


def _pytest(folder, **files: str) -> subprocess.CompletedProcess[str]:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(textwrap.dedent(text))
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("TORNGAS_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly"],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


APP = """
    from torngas import Url, route
    from torngas.handler import WebHandler

    class Main(WebHandler):
        def get(self):
            self.write("main")

    urls = route(Url()("/", Main))
"""
CONF = """
    INSTALLED_APPS = ("shop",)
    MIDDLEWARE_CLASSES = ()
    TORNADO_CONF = {"cookie_secret": "of the tests"}
"""


def test_fixtures_serve_plain_and_async_tests(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/urls.py").write_text(textwrap.dedent(APP))
    done = _pytest(
        tmp_path,
        conf__py=CONF,
        pytest__ini="""
            [pytest]
            pythonpath = .
            torngas_settings = conf
            asyncio_mode = auto
            asyncio_default_fixture_loop_scope = function
            filterwarnings = error
        """,
        test_shop__py="""
            def test_plain(torngas_client):
                assert torngas_client.get("/").text == "main"

            async def test_async(torngas_client):
                assert (await torngas_client.aget("/")).text == "main"

            def test_the_application_is_new_each_time(torngas_app, torngas_client):
                assert torngas_client.application is torngas_app
                assert torngas_app.project_settings.source == "conf"

            def test_lines_and_statements(torngas_client, torngas_capture_logs, torngas_assert_num_queries):
                with torngas_capture_logs("tornado.access") as logs, torngas_assert_num_queries(0):
                    torngas_client.get("/nothing")
                assert "404 GET /nothing" in logs.text

            def test_signals(torngas_client, torngas_capture_signals):
                with torngas_capture_signals() as sent:
                    torngas_client.get("/nothing")
                assert sent == []
        """,
    )
    assert "5 passed" in done.stdout, done.stdout


def test_without_settings_the_fixture_says_what_to_do(tmp_path):
    done = _pytest(tmp_path, test_it__py="def test_it(torngas_client): pass\n")
    assert done.returncode == 1
    assert "expected the key in pytest.ini" in done.stdout


def test_an_application_of_your_own_is_what_the_client_speaks_to(tmp_path):
    done = _pytest(
        tmp_path,
        conftest__py="""
            import pytest, tornado.web

            class Own(tornado.web.RequestHandler):
                def get(self):
                    self.write("own")

            @pytest.fixture
            def torngas_app():
                return tornado.web.Application([("/", Own)])
        """,
        test_it__py="def test_it(torngas_client): assert torngas_client.get('/').text == 'own'\n",
    )
    assert "1 passed" in done.stdout, done.stdout


def test_projects_that_do_not_use_it_are_left_alone(tmp_path):
    done = _pytest(
        tmp_path,
        pytest__ini="[pytest]\nfilterwarnings = error\nasyncio_default_fixture_loop_scope = function\n",
        test_it__py="""
            import logging, sys
            import tornado.options

            def test_it(request):
                assert request.config.pluginmanager.has_plugin("torngas")
                assert "torngas.testing.client" not in sys.modules
                assert "torngas.testing.project" not in sys.modules
                assert "settings" not in tornado.options.options
                assert not logging.getLogger("torngas").handlers
        """,
    )
    assert "1 passed" in done.stdout, done.stdout


def test_every_fixture_of_the_plugin_is_prefixed():
    from torngas.testing import plugin

    fixtures = [name for name in plugin.__all__ if not name.startswith("pytest_")]
    assert fixtures
    assert all(name.startswith("torngas_") for name in fixtures)
