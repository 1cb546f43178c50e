"""runserver, shell, diffsettings, cache, sessions: commands that need a project."""

from __future__ import annotations

import os
import pty
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from torngas.cli import cli
from torngas_cache import create_cache
from torngas_session import SessionManager

SETTINGS = """
    DEBUG = True
    INSTALLED_APPS = ("posts",)
    MIDDLEWARE_CLASSES = ("torngas.middleware.session.SessionMiddleware",)
    TORNADO_CONF = {"cookie_secret": "of the tests"}
    CACHES = {
        "default": {"BACKEND": "file", "LOCATION": "cached"},
        "pages": {"BACKEND": "file", "LOCATION": "cached_pages"},
        "memory": {"BACKEND": "locmem"},
    }
    SESSION = {"secret_key": "of the sessions", "session_cache_alias": "default"}
    MAIL = {"host": "mail.example.com", "password": "hunter2", "port": 25}
    STRIPE_KEY = "sk_live_1"
"""
MODELS = """
    import json
    from torngas_dbalchemy import Model
    from sqlalchemy import Column, Integer

    class Post(Model):
        __tablename__ = "posts"
        id = Column(Integer, primary_key=True)
"""


@pytest.fixture
def project(tmp_path):
    for name, text in {
        "conf.py": SETTINGS,
        "posts/__init__.py": "",
        "posts/urls.py": "from torngas import Url, route\nfrom torngas.handler import WebHandler\n"
        "urls = route(Url()('/', WebHandler, name='Front'))\n",
        "posts/models.py": MODELS,
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text))
    return tmp_path


def _torngas(project: Path, *arguments: str, stdin: str | None = None, **environ: str):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TORNGAS_")}
    return subprocess.run(
        [sys.executable, "-m", "torngas", *arguments],
        cwd=project,
        env={**kept, "TORNGAS_APP_SETTINGS": "conf", **environ},
        input=stdin,
        stdin=None if stdin is not None else subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_runserver_refuses_an_unknown_option(project):
    done = _torngas(project, "runserver", "--prot=1")
    assert done.returncode == 1
    assert "--help lists them" in done.stderr
    assert "Traceback" not in done.stderr


def test_runserver_refuses_a_port_that_is_none(project):
    done = _torngas(project, "runserver", "--port=http")
    assert done.returncode == 2
    assert "'http' is not a valid integer" in done.stderr


def test_runserver_refuses_what_is_no_option(project):
    done = _torngas(project, "runserver", "8000")
    assert done.returncode == 2
    assert "expected options only" in done.stderr


def test_runserver_says_that_a_port_is_in_use(project):
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = _torngas(project, "runserver", f"--port={other.getsockname()[1]}")
    assert done.returncode == 1
    assert "is in use; stop the other program" in done.stderr


def test_shell_has_settings_caches_models_and_the_application_at_hand(project):
    code = (
        "cache.set('a', 1); print(settings.MAIL.host, caches['default'].get('a'), Post.__tablename__, "
        "application.reverse_url('Front'), type(connector).__name__)"
    )
    database = '{"default": {"connections": [{"ROLE": "master", "URL": "sqlite:///app.db"}]}}'
    done = _torngas(project, "shell", "-c", code, TORNGAS_DATABASE_CONNECTION=database)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "mail.example.com 1 posts / Connector\n"


def test_shell_offers_only_what_the_models_module_made(project):
    done = _torngas(project, "shell", "-c", "print('json' in dir(), 'Column' in dir(), 'Model' in dir())")
    assert done.stdout == "False False False\n"


def test_shell_runs_a_program_from_standard_input(project):
    assert _torngas(project, "shell", stdin="print(1 + 1)\n").stdout == "2\n"


def test_shell_answers_status_1_to_an_error(project):
    done = _torngas(project, "shell", "-c", "1/0")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_shell_needs_settings_that_import(project):
    done = _torngas(project, "shell", "-c", "1", TORNGAS_APP_SETTINGS="missing")
    assert done.returncode == 1
    assert "got 'missing', which does not import" in done.stderr


def _typed(project: Path, *arguments: str, lines: bytes) -> str:
    """Types lines into the command on a pseudo-terminal, and answers all that it showed."""
    terminal, program_side = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-m", "torngas", *arguments, "--settings=conf"],
        stdin=program_side,
        stdout=program_side,
        stderr=program_side,
        cwd=project,
        env={**os.environ, "TERM": "dumb", "PYTHON_COLORS": "0"},
    )
    os.close(program_side)
    os.write(terminal, lines)
    shown = b""
    while True:
        try:
            shown += os.read(terminal, 4096)
        except OSError:  # the program has ended
            break
    os.close(terminal)
    assert program.wait(30) == 0, shown
    return shown.decode()


def test_shell_is_pythons_own_where_there_is_no_other(project):
    shown = _typed(project, "shell", "--plain", lines=b"print('tables:', Post.__tablename__)\nexit()\n")
    assert "at hand: Post, application, cache, caches, settings" in shown
    assert "tables: posts\r\n" in shown


def test_shell_is_ipython_where_it_is_installed(project):
    (project / "IPython.py").write_text(
        "def start_ipython(argv, user_ns): print('IPython knows', sorted(user_ns)[:2])\n"
    )
    assert "IPython knows ['Post', 'application']" in _typed(project, "shell", lines=b"")


def test_diffsettings_shows_what_is_set_and_hides_secrets(project):
    database = '{"default": {"connections": [{"ROLE": "master", "URL": "mysql://ann:hunter2@db/app"}]}}'
    done = _torngas(project, "diffsettings", TORNGAS_PING_DB="7", TORNGAS_DATABASE_CONNECTION=database)
    assert done.returncode == 0, done.stderr
    assert "PING_DB = 7\n" in done.stdout
    assert "mail.example.com" in done.stdout
    assert "+ STRIPE_KEY = '***'" in done.stdout
    assert "ann:***@db/app" in done.stdout
    for secret in ("hunter2", "of the tests", "of the sessions", "sk_live_1"):
        assert secret not in done.stdout
    assert "SHUTDOWN_TIMEOUT" not in done.stdout


def test_diffsettings_shows_the_defaults_when_asked(project):
    assert "SHUTDOWN_TIMEOUT = 30  # default\n" in _torngas(project, "diffsettings", "--all").stdout


def test_diffsettings_needs_a_settings_module(project):
    done = _torngas(project, "diffsettings", "--settings=nowhere.conf")
    assert done.returncode == 1
    assert "got 'nowhere.conf'" in done.stderr


def _filled(project: Path, folder: str):
    kept = create_cache("file", str(project / folder))
    kept.set("a", 1)
    return kept


def test_cache_clear_empties_the_default_cache_alone(project):
    default, pages = _filled(project, "cached"), _filled(project, "cached_pages")
    done = _torngas(project, "cache", "clear")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "emptied default (FileBasedCache)\n"
    assert default.get("a") is None
    assert pages.get("a") == 1


def test_cache_clear_empties_those_that_are_named(project):
    default, pages = _filled(project, "cached"), _filled(project, "cached_pages")
    assert _torngas(project, "cache", "clear", "pages").returncode == 0
    assert (default.get("a"), pages.get("a")) == (1, None)


def test_cache_clear_all_empties_all_and_tells_what_it_cannot_reach(project):
    default, pages = _filled(project, "cached"), _filled(project, "cached_pages")
    done = _torngas(project, "cache", "clear", "--all")
    assert "memory (LocMemCache) lives in the memory of each server" in done.stdout
    assert (default.get("a"), pages.get("a")) == (None, None)


def test_cache_clear_names_the_aliases_that_there_are(project):
    done = _torngas(project, "cache", "clear", "page")
    assert done.returncode == 1
    assert "got the alias 'page'; expected one of default, pages, memory" in done.stderr


def test_cache_clear_takes_aliases_or_all():
    done = CliRunner().invoke(cli, ["cache", "clear", "--all", "pages"])
    assert done.exit_code == 2
    assert "expected one of them" in done.stderr


def _manager(project: Path) -> SessionManager:
    return SessionManager(create_cache("file", str(project / "cached")), {"secret_key": "of the sessions"})


@pytest.fixture
def logged_in(project):
    """Sessions of ada and 17, made by the application itself."""
    code = """
        from torngas.testing import Client
        for user in ("ada", 17):
            with Client(application) as client:
                client.login(user)
    """
    done = _torngas(project, "shell", "-c", textwrap.dedent(code))
    assert done.returncode == 0, done.stderr
    manager = _manager(project)
    assert len(manager.sessions_of("ada")) == len(manager.sessions_of(17)) == 1
    return manager


def test_sessions_clear_ends_those_of_a_user(project, logged_in):
    done = _torngas(project, "sessions", "clear", "--user=ada")
    assert done.stdout == "ended 1 session of ada\n", done.stderr
    assert logged_in.sessions_of("ada") == []
    assert len(logged_in.sessions_of(17)) == 1


def test_sessions_clear_knows_users_by_number(project, logged_in):
    assert _torngas(project, "sessions", "clear", "--user=17").stdout == "ended 1 session of 17\n"
    assert logged_in.sessions_of(17) == []


def test_sessions_clear_of_somebody_without_sessions_says_so(project, logged_in):
    done = _torngas(project, "sessions", "clear", "--user=bob")
    assert (done.returncode, done.stdout) == (0, "bob has no sessions\n")


def test_sessions_clear_all_asks_before(project, logged_in):
    refused = _torngas(project, "sessions", "clear", "--all", stdin="n\n")
    assert refused.returncode == 1
    assert len(logged_in.sessions_of("ada")) == 1
    assert _torngas(project, "sessions", "clear", "--all", "--yes").returncode == 0
    assert logged_in.sessions_of("ada") == logged_in.sessions_of(17) == []


def test_sessions_clear_removes_what_has_expired_and_leaves_living_sessions_alone(project, logged_in):
    past = create_cache("file", str(project / "cached"), clock=lambda: time.time() - 100)
    past.set("yesterday", {}, 10)
    files = len(list((project / "cached").iterdir()))
    done = _torngas(project, "sessions", "clear")
    assert (done.returncode, done.stdout) == (0, "removed 1 expired session\n")
    assert len(list((project / "cached").iterdir())) == files - 1
    assert len(logged_in.sessions_of("ada")) == 1


def test_sessions_clear_trusts_a_store_that_purges_by_itself(capsys):
    from torngas.cli.sessions import _clear_expired

    _clear_expired(object())
    assert capsys.readouterr().out == "object removes expired sessions by itself; nothing to do\n"


def test_sessions_in_memory_are_out_of_reach(project):
    done = _torngas(project, "sessions", "clear", TORNGAS_SESSION='{"session_cache_alias": "memory"}')
    assert done.returncode == 1
    assert "in the memory of each server" in done.stderr


def test_sessions_clear_needs_the_middleware(project):
    done = _torngas(project, "sessions", "clear", TORNGAS_MIDDLEWARE_CLASSES="[]")
    assert done.returncode == 1
    assert "no SessionMiddleware in MIDDLEWARE_CLASSES" in done.stderr


def test_sessions_clear_takes_a_user_or_all():
    done = CliRunner().invoke(cli, ["sessions", "clear", "--all", "--user=ada"])
    assert done.exit_code == 2
    assert "expected one of them" in done.stderr
