"""A tenth library from the template: every check that the nine others pass, it passes as it was made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("pyproject.toml", "tools/docs/mkdocs.yml", "packages/torngas-signal/LICENSE")


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """The files that the tool touches, in a folder of their own, after it ran."""
    root = tmp_path_factory.mktemp("workspace")
    for name in COPIED:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, root / name)
    (root / "packages/torngas/docs/guides").mkdir(parents=True)
    shutil.copytree(ROOT / "tools/check_boundaries", root / "tools/check_boundaries")
    done = make(root, "torngas-geo", "Distances on a sphere.")
    assert done.returncode == 0, done.stderr
    return root


def make(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools/new_package"), *arguments, "--no-install", "--root", str(root)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def check(root: Path, *command: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(root / "packages/torngas-geo/src"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *command], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_tests_are_green(repository):
    check(repository, "-m", "pytest", "-q", "-p", "no:cacheprovider", "packages/torngas-geo")


def test_it_is_clean(repository):
    check(repository, "-m", "ruff", "check", "--no-cache", "packages/torngas-geo")
    check(repository, "-m", "ruff", "format", "--no-cache", "--check", "packages/torngas-geo")
    check(repository, "-m", "mypy", "--cache-dir", os.devnull, "packages/torngas-geo/src")
    check(repository, "tools/check_boundaries", "torngas-geo")


def test_no_placeholder_is_left(repository):
    for path in (repository / "packages/torngas-geo").rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            text = path.read_text(encoding="utf-8")
            assert not any(word in text for word in ("IMPORT_NAME", "PACKAGE", "SENTENCE", "CLASS")), path


def test_workspace_and_documentation_know_it(repository):
    manifest = tomllib.loads((repository / "pyproject.toml").read_text())
    assert manifest["tool"]["poetry"]["dependencies"]["torngas-geo"]["path"] == "packages/torngas-geo"
    assert "      - torngas-geo: guides/torngas-geo.md\n" in (repository / "tools/docs/mkdocs.yml").read_text()
    assert "<!-- README of torngas-geo -->" in (repository / "packages/torngas/docs/guides/torngas-geo.md").read_text()


@pytest.mark.parametrize(
    ("name", "sentence", "message"),
    [
        ("torngas-geo", "Again", "is there already"),
        ("geo", "x", "expected 'torngas-' and one lower-case word"),
        ("torngas-Geo", "x", "expected 'torngas-' and one lower-case word"),
        ("torngas-new", 'A "quoted" word', "one line without double quotes"),
    ],
)
def test_what_cannot_be_made_is_refused(repository, name, sentence, message):
    before = (repository / "pyproject.toml").read_text()
    done = make(repository, name, sentence)
    assert done.returncode == 2
    assert message in done.stderr
    assert (repository / "pyproject.toml").read_text() == before
