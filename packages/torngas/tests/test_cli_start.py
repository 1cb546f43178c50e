"""startproject and startapp: what they make runs, and passes its own tests."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from torngas.cli import cli
from torngas.cli.start import _with_app


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("TORNGAS_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["startproject", "shop"])
    assert done.exit_code == 0, done.output
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path / "shop"


def test_the_tree_is_the_documented_one(made):
    assert {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()} == {
        ".gitignore",
        "README.md",
        "home/__init__.py",
        "home/handlers/__init__.py",
        "home/handlers/index.py",
        "home/urls.py",
        "httpmodules/__init__.py",
        "logs/.gitkeep",
        "middlewares/__init__.py",
        "pytest.ini",
        "requirements.txt",
        "runserver.py",
        "settings/__init__.py",
        "settings/settings.py",
        "settings/settings_online.py",
        "statics/style.css",
        "templates/base.html",
        "templates/home/index.html",
        "tests/test_home.py",
    }


def test_no_placeholder_is_left(made):
    for path in made.rglob("*"):
        if path.is_file():
            assert "$" not in path.read_text(), path
            assert "@name@" not in path.as_posix()


def test_other_sites_cannot_post_and_every_project_has_a_secret_of_its_own(made, tmp_path):
    settings = (made / "settings/settings.py").read_text()
    assert '"cross_origin_protection": True' in settings
    CliRunner().invoke(cli, ["startproject", "other", str(tmp_path / "other")])
    assert settings.replace("shop", "other") != (tmp_path / "other/settings/settings.py").read_text()


def test_its_tests_pass(made):
    done = _run(made, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def _answer(port: int, program: subprocess.Popen[str]) -> str:
    while program.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as response:
                return response.read().decode()
        except ConnectionError:
            time.sleep(0.02)
        except OSError as error:
            if not isinstance(getattr(error, "reason", None), ConnectionError):
                raise
            time.sleep(0.02)
    raise AssertionError(program.stdout and program.stdout.read())


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.parametrize("program", [["runserver.py", "--address=127.0.0.1"], ["-m", "torngas", "runserver"]], ids=str)
def test_it_runs_at_once(made, program):
    port = _free_port()
    running = subprocess.Popen(
        [sys.executable, *program, f"--port={port}"],
        cwd=made,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert "shop runs" in _answer(port, running)
    finally:
        running.send_signal(signal.SIGTERM)
        output, _ = running.communicate(timeout=20)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert running.returncode == 0
    # The processor's time, and not the clock's: a busy machine changes nothing about what the first answer takes.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2
    assert f"http://127.0.0.1:{port}/" in output
    assert "Traceback" not in output
    assert "GET / HTTP/1.1" in (made / "logs/torngas_access_log.log").read_text()


@pytest.mark.parametrize("name", ["9lives", "a b", "a/b", "class", "", "naïve", "--x"])
def test_a_project_with_a_bad_name_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["startproject", name])
    assert done.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/mine.txt").write_text("mine")
    done = CliRunner().invoke(cli, ["startproject", "shop"])
    assert done.exit_code == 1
    assert "'shop', which is not empty" in done.stderr
    assert [path.name for path in (tmp_path / "shop").iterdir()] == ["mine.txt"]


def test_an_app_is_installed_served_and_tested(made):
    done = CliRunner().invoke(cli, ["startapp", "blog_posts"])
    assert done.exit_code == 0, done.output
    assert 'INSTALLED_APPS = ("home", "blog_posts")' in (made / "settings/settings.py").read_text()
    assert (made / "blog_posts/README.md").is_file()
    tested = _run(made, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "3 passed" in tested.stdout, tested.stdout


def test_an_app_needs_a_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["startapp", "blog"])
    assert done.exit_code == 1
    assert "expected a project's" in done.stderr


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("json", 2, "the name of an installed module"),
        ("tornado", 2, "the name of an installed module"),
        ("my-app", 2, "expected 'my_app'"),
        ("home", 1, "here already"),
    ],
)
def test_an_app_with_a_bad_name_is_refused(made, name, status, said):
    done = CliRunner().invoke(cli, ["startapp", name])
    assert done.exit_code == status
    assert said in done.stderr
    assert name == "home" or not (made / name).exists()


def test_settings_that_cannot_be_edited_are_left_alone(made):
    settings = made / "settings/settings.py"
    text = settings.read_text().replace('INSTALLED_APPS = ("home",)', 'INSTALLED_APPS = tuple(["home"])')
    settings.write_text(text)
    done = CliRunner().invoke(cli, ["startapp", "blog"])
    assert done.exit_code == 0
    assert "add 'blog' to INSTALLED_APPS" in done.output
    assert settings.read_text() == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("INSTALLED_APPS = ()\n", 'INSTALLED_APPS = ("new",)\n'),
        ("INSTALLED_APPS = []\n", 'INSTALLED_APPS = ["new"]\n'),
        ('INSTALLED_APPS = ["a", "b"]  # ours\n', 'INSTALLED_APPS = ["a", "b", "new"]  # ours\n'),
        ('INSTALLED_APPS = (\n    "a",\n)\n', 'INSTALLED_APPS = (\n    "a",\n    "new",\n)\n'),
        ('INSTALLED_APPS = ("ä", "b")\n', 'INSTALLED_APPS = ("ä", "b", "new")\n'),
        ('INSTALLED_APPS = (\n    "a"\n)\n', None),
        ("INSTALLED_APPS = apps()\n", None),
        ("DEBUG = True\n", None),
        ("INSTALLED_APPS = (\n", None),
    ],
)
def test_installed_apps_is_edited_where_it_is_written_plainly(before, after):
    assert _with_app(before, "new") == after
