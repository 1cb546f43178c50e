"""Start-up: every documented form, options, errors, stopping."""

from __future__ import annotations

import socket
import sys

import pytest
import tornado.web
from tornado.httpserver import HTTPServer
from tornado.options import OptionParser

from torngas.application import Application
from torngas.exception import ArgumentError, BaseError, ConfigError
from torngas.settings_manager import Settings
from torngas.webserver import Server

STEPS = """
from torngas.webserver import Server
from tornado.options import define, options
define("your_arg", default="default", help="your command args", type=str)
serv = Server()
serv.parse_command()
print(options.your_arg, flush=True)
assert isinstance(serv.load_urls(), list)
serv.load_application(application=None)
serv.server_start(sockets=None, no_keep_alive=True, backlog=512)
"""
SUBCLASS = """
from torngas.application import Application
from torngas.webserver import Server
class MyApp(Application):
    "custom"
serv = Server()
serv.load_all(application=MyApp, no_keep_alive=True, backlog=512)
assert type(serv.application) is MyApp
serv.start()
"""
SUBCLASS_OF_1_8 = """
from torngas.application import Application
from torngas.webserver import run
class MyApp(Application):
    def __init__(self, handlers=None, default_host="", transforms=None, **settings):
        super().__init__(handlers, default_host, transforms, **settings)
run(MyApp)
"""
INSTANCE = """
from torngas.application import Application
from torngas.handler import WebHandler
from torngas.webserver import run
class Own(WebHandler):
    def get(self):
        self.write("abc")
run(Application([("/", Own)]))
"""
BAD_PATTERN = "from torngas import Url, route\nurls = route(Url('hello.handlers')('/(', 'main.Main'))\n"
PLAIN_TORNADO = "from torngas.webserver import run\nimport tornado.web\nrun(tornado.web.Application())\n"
LOOP = """
from tornado.ioloop import IOLoop
from torngas.webserver import Server
server = Server(IOLoop())
server.load_all()
server.start()
"""


@pytest.mark.parametrize("program", [STEPS, SUBCLASS, SUBCLASS_OF_1_8, INSTANCE, LOOP], ids=range(5))
def test_every_documented_form_of_start_up_serves(project, program):
    project.write("runserver.py", program)
    project.start()
    assert project.get() == "abc"


def test_run_serves_and_sigterm_ends_it_with_status_0(project):
    running = project.start()
    assert project.get() == "abc"
    project.stop(running)
    assert running.returncode == 0


def test_a_users_own_option_is_read(project):
    project.write("runserver.py", STEPS)
    running = project.start("--your_arg=mine")
    assert project.stop(running).startswith("mine")


def test_the_environment_names_the_settings_where_the_command_line_does_not(project):
    project.write(
        "runserver.py",
        "import sys\nsys.argv.remove('--settings=conf')\n" + project.folder.joinpath("runserver.py").read_text(),
    )
    project.start(TORNGAS_APP_SETTINGS="conf")
    assert project.get() == "abc"


def test_with_debug_it_says_what_it_loaded_and_where_it_listens(project):
    running = project.start(TORNGAS_DEBUG="true")
    project.get()
    output = project.stop(running)
    assert f"server started. development server at http://127.0.0.1:{project.port}/" in output
    assert "load apps: hello" in output
    assert "tornado version: " in output


def test_both_urls_and_URLS_are_loaded(project):
    project.write("hello/urls.py", project.folder.joinpath("hello/urls.py").read_text().replace("urls =", "URLS ="))
    project.start()
    assert project.get() == "abc"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"conf.py": "DEBUG = False\n"}, "INSTALLED_APPS: got no app"),
        ({"conf.py": "INSTALLED_APPS = ('hello', 'hello')\n"}, "INSTALLED_APPS: got 'hello' 2 times"),
        ({"conf.py": "INSTALLED_APPS = ('nowhere',)\n"}, "INSTALLED_APPS: got 'nowhere', which is not on sys.path"),
        ({"hello/urls.py": "x = 1\n"}, "hello.urls has neither urls nor URLS"),
        ({"hello/urls.py": "import no_such_module\n"}, "importing hello.urls failed: No module named 'no_such_module'"),
        ({"hello/handlers/main.py": "x = 1\n"}, "Main"),
        (
            {"hello/urls.py": BAD_PATTERN},
            "/(",
        ),
        ({"conf.py": "INSTALLED_APPS = ('hello',)\nDEBUG = False\nMIDDLEWARE_CLASSES = ()\n"}, "cookie_secret"),
        (
            {"runserver.py": PLAIN_TORNADO},
            "Server.load_application: got",
        ),
    ],
)
def test_a_mistake_at_start_up_is_one_clear_line_and_status_1(project, changes, message):
    for name, text in changes.items():
        project.write(name, text)
    done = project.run()
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error:") == 1


def test_debug_shows_the_traceback(project):
    project.write("conf.py", "")
    done = project.run("--debug")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_a_settings_module_that_is_missing_is_named(project):
    project.folder.joinpath("conf.py").unlink()
    done = project.run()
    assert (done.returncode, "settings module: got 'conf'" in done.stderr) == (1, True)


def test_an_unknown_option_ends_the_program(project):
    done = project.run("--no_such_option=1")
    assert done.returncode == 1
    assert "command line: Unrecognized command line option: 'no-such-option'; --help lists them" in done.stderr


def test_a_port_in_use_is_named(project):
    with socket.socket() as other:
        other.bind(("127.0.0.1", project.port))
        other.listen()
        done = project.run()
    assert done.returncode == 1
    assert f"port {project.port} is in use" in done.stderr


async def test_inside_a_running_loop_the_server_accepts_at_once(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["program"])
    server = Server(settings=Settings({"DEBUG": False}))
    server.load_application(Application([("/", tornado.web.RedirectHandler, {"url": "/x"})]))
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        one.setblocking(False)
        httpserver = server.load_httpserver([one])
        assert isinstance(httpserver, HTTPServer)
        from tornado.httpclient import AsyncHTTPClient

        response = await AsyncHTTPClient().fetch(
            f"http://127.0.0.1:{one.getsockname()[1]}/", follow_redirects=False, raise_error=False
        )
        assert response.code == 301
        httpserver.stop()
        await httpserver.close_all_connections()


def test_an_instance_is_used_as_it_is():
    mine = Application([])
    server = Server(settings=Settings({"TORNADO_CONF": {"cookie_secret": "x"}}))
    assert server.load_application(mine) is mine
    assert server.application is mine
    assert "cookie_secret" not in mine.settings


@pytest.mark.parametrize("wrong", [tornado.web.Application, tornado.web.Application(), "app", 5])
def test_what_is_no_application_of_torngas_is_refused(wrong):
    with pytest.raises(ArgumentError, match=r"torngas\.application\.Application"):
        Server(settings=Settings()).load_application(wrong)


def test_a_keyword_that_httpserver_does_not_know_is_refused():
    server = Server(settings=Settings())
    server.load_application(Application([]))
    with pytest.raises(ArgumentError, match="no_such_keyword"):
        server.load_httpserver([], no_such_keyword=1)


def test_steps_out_of_order_are_refused_with_the_remedy():
    with pytest.raises(ArgumentError, match="call load_application"):
        Server(settings=Settings()).load_httpserver()
    with pytest.raises(ArgumentError, match=r"call load_httpserver\(\)"):
        Server(settings=Settings()).start()


def test_an_error_of_start_up_is_both_its_own_class_and_the_programs_end():
    with pytest.raises(ConfigError) as caught:
        Server(settings=Settings()).load_urls()
    assert isinstance(caught.value, BaseError)
    assert isinstance(caught.value, SystemExit)
    assert str(caught.value.code).startswith("error: INSTALLED_APPS")


def test_a_subclass_may_define_options_of_its_own(tmp_path):
    parser = OptionParser()

    class Own(Server):
        options = parser

        def define(self):
            super().define()
            parser.define("colour", default="red")

    server = Own(settings=Settings({"LOGGING_DIR": str(tmp_path), "LOGGING": ()}))
    assert server.parse_command(["program", "--colour=blue", "rest"]) == ["rest"]
    assert parser.colour == "blue"
    assert parser.port == 8000


@pytest.mark.promise(4)
def test_promise_04_no_event_loop_exists_before_serving(in_subprocess):
    """Workers may be started after everything is imported and built, debug included."""
    assert (
        in_subprocess(
            """
        import asyncio
        from torngas.webserver import Server
        from torngas.settings_manager import Settings
        server = Server(settings=Settings({"DEBUG": True, "INSTALLED_APPS": (), "MIDDLEWARE_CLASSES": ()}))
        server.load_application()
        server.load_httpserver([])
        try:
            asyncio.get_event_loop_policy()._local._loop
        except AttributeError:
            pass
        print(asyncio.get_event_loop_policy()._local._loop)
        """
        ).strip()
        == "None"
    )
