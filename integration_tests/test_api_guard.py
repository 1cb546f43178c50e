"""The public API of each package is the recorded one, and a change cannot slip through."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = sorted(path.parent.name for path in (ROOT / "packages").glob("*/pyproject.toml"))


@pytest.mark.parametrize("name", PACKAGES)
def test_the_public_api_is_the_recorded_one(name):
    """If this fails, the message shows the difference and how to record it."""
    done = subprocess.run([sys.executable, str(ROOT / "tools/api"), name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def listing() -> Any:
    spec = importlib.util.spec_from_file_location("torngas_tools_api_listing", ROOT / "tools/api/_listing.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """shelf(source) makes a package of that source and answers its import name."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made = []

    def make(source):
        name = f"torngas_api_guard_{tmp_path.name.strip('_')}_{len(made)}"
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(source)
        made.append(name)
        return name

    yield make
    for name in made:
        sys.modules.pop(name, None)


def test_names_kinds_and_defaults_are_listed_and_private_ones_are_not(listing, shelf):
    name = shelf(
        "__all__ = ['Box', 'open_box', 'LIMIT']\nLIMIT: int = 3\n"
        "def open_box(box: 'Box', *, gently: bool = True) -> None: ...\n"
        "class Box(dict):\n"
        "    def __init__(self, size=1): ...\n"
        "    async def fill(self, *things): ...\n"
        "    def _hidden(self): ...\n"
        "    @property\n    def weight(self): ...\n"
        "def unlisted(): ...\n"
    )
    assert list(listing.listing(name)) == [
        name,
        "  class Box(dict): (size=1)",
        "    async def fill(self, *things)",
        "    property weight",
        "  LIMIT: int",
        "  def open_box(box, *, gently=True)",
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f(a, b=1): ...", "def f(a, b=2): ..."),
        ("def f(a): ...", "def f(a, b): ..."),
        ("def f(a): ...", "async def f(a): ..."),
        ("class f:\n    def m(self): ...", "class f: ..."),
    ],
)
def test_a_change_that_callers_notice_is_seen(listing, shelf, before, after):
    first, second = shelf(f"__all__ = ['f']\n{before}\n"), shelf(f"__all__ = ['f']\n{after}\n")
    assert list(listing.listing(first))[1:] != list(listing.listing(second))[1:]


@pytest.mark.parametrize(
    ("changelog", "is_tagged", "expected"),
    [
        ("# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [1.0.0]\n", True, True),
        ("# Changelog\n\n## [Unreleased]\n\n## [1.0.0]\n\n- Old.\n", True, False),
        ("# Changelog\n\n## [1.0.0]\n\n- New.\n", False, True),
        ("# Changelog\n\n## [1.0.0]\n\n- Old.\n", True, False),
    ],
)
def test_a_change_must_be_told_before_it_is_recorded(changelog, is_tagged, expected):
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'tools/api')!r}); import runpy;"
        f"api = runpy.run_path({str(ROOT / 'tools/api/__main__.py')!r});"
        f"print(api['tells_something']({changelog!r}, {is_tagged!r}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(expected)
