"""db: migrations from nothing to the newest version and back."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("alembic", reason="pip install 'torngas-dbalchemy[migrations]'")

FILES = {
    "conf.py": """
        DEBUG = True
        INSTALLED_APPS = ("posts",)
        MIDDLEWARE_CLASSES = ()
        TORNADO_CONF = {"cookie_secret": "of the tests"}
        DATABASE_CONNECTION = {"default": {"connections": [{"ROLE": "master", "URL": "sqlite:///app.db"}]}}
    """,
    "posts/__init__.py": "",
    "posts/urls.py": """
        from torngas import Url, route
        from torngas.handler import WebHandler
        urls = route(Url()("/", WebHandler))
    """,
    "posts/models.py": """
        from sqlalchemy import Column, Integer, String
        from torngas_dbalchemy import Model

        class Post(Model):
            __tablename__ = "posts"
            id = Column(Integer, primary_key=True)
            title = Column(String(80))
    """,
}


@pytest.fixture
def project(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text))
    return tmp_path


# One interpreter for several commands: starting it takes longer than they do.
RUN = """
import json, sys
from click.testing import CliRunner
from torngas.cli import cli
done = [CliRunner().invoke(cli, ["db", *one, "--settings=conf"]) for one in json.loads(sys.argv[1])]
print(json.dumps([[one.exit_code, one.stdout, one.stderr] for one in done]))
"""


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def _db(project: Path, *commands: list[str], **environ: str) -> list[Done]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TORNGAS_")}
    output = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(commands)],
        cwd=project,
        env={**kept, **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    return [Done(*one) for one in json.loads(output)]


def _tables(project: Path) -> set[str]:
    with closing(sqlite3.connect(project / "app.db")) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_a_table_is_made_and_unmade_by_migrations(project):
    made, written, upgraded, current, again, unchanged = _db(
        project,
        ["init"],
        ["migrate", "-m", "add posts"],
        ["upgrade"],
        ["current"],
        ["upgrade"],
        ["migrate", "-m", "nothing"],
    )
    assert made.returncode == 0, made.stderr
    assert "made migrations/default/env.py" in made.stdout
    assert written.returncode == 0, written.stderr
    (file,) = (project / "migrations/default/versions").glob("*.py")
    assert file.name.endswith("_add_posts.py")
    assert f"made {file.relative_to(project)}" in written.stdout
    revision = file.name.partition("_")[0]
    assert upgraded.returncode == 0, upgraded.stderr
    assert f"upgrading {revision} add posts" in upgraded.stdout
    assert f"{revision} (head)" in current.stdout
    assert "upgrading: nothing to do" in again.stdout
    assert "no difference between models and database" in unchanged.stdout
    assert _tables(project) == {"posts", "alembic_version"}
    (down,) = _db(project, ["downgrade"])
    assert down.returncode == 0, down.stderr
    assert f"downgrading {revision} add posts" in down.stdout
    assert _tables(project) == {"alembic_version"}


def test_init_keeps_what_is_there(project):
    env = project / "migrations/default/env.py"
    env.parent.mkdir(parents=True)
    env.write_text("# mine\n")
    first, second = _db(project, ["init"], ["init"])
    assert (first.returncode, second.returncode) == (0, 0)
    assert "env.py" not in first.stdout
    assert "is complete already" in second.stdout
    assert env.read_text() == "# mine\n"


def test_an_empty_migration_compares_nothing(project):
    place = "--folder=versions_of_mine"
    _, done = _db(project, ["init", place], ["migrate", "--empty", "-m", "fill in", place])
    assert done.returncode == 0, done.stderr
    (file,) = (project / "versions_of_mine/versions").glob("*.py")
    assert "create_table" not in file.read_text()


def test_commands_before_init_name_it(project):
    for done in _db(project, ["migrate", "-m", "x"], ["upgrade"], ["downgrade"], ["current"]):
        assert done.returncode == 1
        assert "expected a folder made by `torngas db init`" in done.stderr


def test_commands_need_a_database(project):
    commands = ["init"], ["migrate", "-m", "x"], ["upgrade"], ["downgrade"], ["current"]
    for done in _db(project, *commands, TORNGAS_DATABASE_CONNECTION="{}"):
        assert done.returncode == 1
        assert "DATABASE_CONNECTION: got none" in done.stderr


def test_wrong_use_is_one_message(project):
    alias, _, up, down, message = _db(
        project, ["init", "--alias=archive"], ["init"], ["upgrade", "nowhere"], ["downgrade", "nowhere"], ["migrate"]
    )
    assert alias.returncode == up.returncode == down.returncode == 1
    assert "'archive'" in alias.stderr
    for done in (up, down):
        assert done.stderr.startswith("Error: db:")
        assert "nowhere" in done.stderr
    assert message.returncode == 2
    assert "'-m' / '--message'" in message.stderr
