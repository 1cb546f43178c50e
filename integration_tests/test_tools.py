"""The repository's own tools: who may know whom, private servers, builds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run(tool: str, *arguments: str, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools" / tool), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)


@pytest.fixture
def tree(tmp_path):
    """A checkout of two libraries and the framework; `tree(source)` checks a source of torngas-a."""
    for name, import_name in (("torngas-a", "torngas_a"), ("torngas-b", "torngas_b"), ("torngas", "torngas")):
        folder = tmp_path / "packages" / name / "src" / import_name
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("")
        (tmp_path / "packages" / name / "pyproject.toml").write_text(
            f'[project]\nname = "{name}"\ndependencies = ["tornado>=6"]\n'
            '[project.optional-dependencies]\nx = ["redis>=5"]\n[tool.torngas]\noptional-imports = ["brotli"]\n'
        )
    (tmp_path / "packages/torngas/src/torngas/cache.py").write_text("")
    (tmp_path / "tools").mkdir()

    def check(source: str, path: str = "packages/torngas-a/src/torngas_a/code.py") -> str:
        (tmp_path / path).write_text(source)
        done = run("check_boundaries", "--root", str(tmp_path))
        assert done.returncode == bool("code.py" in done.stdout), done.stdout + done.stderr
        return done.stdout

    return check


@pytest.mark.parametrize(
    "source",
    [
        "import torngas_b",
        "from torngas_b import x",
        "import torngas.cache",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torngas_b",
        "def f():\n    import torngas_b.deep",
        "PATH = 'torngas_b.deep.Thing'",
        "PATH = 'torngas.cache.Thing'",
        "import requests",
        "import pytest",
    ],
)
def test_a_library_that_knows_what_it_may_not_is_refused(tree, source):
    assert "packages/torngas-a/src/torngas_a/code.py:" in tree(source)


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio, torngas_a, tornado.web, redis, brotli",
        "from . import other",
        '"""Works with torngas_b.deep.Thing and torngas.cache."""',
        "NAME = 'torngas.accesslog'",
        "NAME = 'torngas_a.deep'",
    ],
)
def test_what_it_may_know_is_let_through(tree, source):
    assert "nothing found" in tree(source)


def test_tools_import_none_of_ours(tree):
    assert "tools/code.py:1: imports torngas_a" in tree("import torngas_a", "tools/code.py")


def test_this_repository_keeps_its_boundaries():
    done = run("check_boundaries")
    assert done.returncode == 0, done.stdout


def test_services_explain_themselves_and_refuse_what_they_do_not_know():
    done = run("services", "--help")
    assert (done.returncode, "standard input" in done.stdout) == (0, True)
    done = run("services", "no-such-server")
    assert (done.returncode, "no-such-server" in done.stderr) == (2, True)


def test_a_missing_program_is_named_with_the_command_that_installs_it(tmp_path):
    code = "import _server; _server.EXTRA_PATHS = (); import runpy; runpy.run_path('__main__.py', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.argv = ['services', 'redis']; sys.path.insert(0, '.'); {code}"],
        cwd=ROOT / "tools/services",
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "redis-server is not installed; 'make services'" in done.stderr


def test_servers_end_with_their_standard_input(redis_server):
    program = subprocess.Popen(
        [sys.executable, str(ROOT / "tools/services"), "redis"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    place = json.loads(program.stdout.readline())["redis"]
    assert place["port"] != redis_server["port"]
    program.communicate(timeout=30)
    with pytest.raises(ProcessLookupError):
        os.kill(place["pid"], 0)


def test_the_framework_is_built_with_ranges_and_never_with_paths(tmp_path):
    done = run("build", "torngas", "--to", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("METADATA"))
        required = [line for line in archive.read(name).decode().splitlines() if line.startswith("Requires-Dist")]
    assert "Requires-Dist: torngas-cache (>=1.0,<2)" in required
    assert not any("@" in line or "file:" in line or "==" in line.partition(";")[0] for line in required)
