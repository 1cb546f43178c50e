"""The documentation's pages: their Python runs or at least compiles, and what fills them in is there."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "packages/torngas/docs"
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(block, id=f"{path.relative_to(PAGES).with_suffix('')}-{number}")
    for path in sorted(PAGES.rglob("*.md"))
    for number, block in enumerate(FENCE.findall(path.read_text(encoding="utf-8")))
]


def load(name: str) -> ModuleType:
    alias = f"torngas_tools_docs{name}"
    if alias not in sys.modules:
        spec = importlib.util.spec_from_file_location(alias, ROOT / "tools" / "docs" / f"{name}.py")
        assert spec
        assert spec.loader
        sys.modules[alias] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[alias]


sources: Any = load("_sources")
linkcheck: Any = load("_linkcheck")
reference: Any = load("_reference")


@pytest.mark.parametrize("block", BLOCKS)
def test_a_python_example_runs(block, tmp_path):
    """As a program of its own; what would serve for ever runs up to that line."""
    (tmp_path / "conf.py").write_text("DEBUG = True\n")
    program = block.split("server.parse_command()")[0]
    compile(block, "example", "exec")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program.replace('__name__ == "__main__"', "False")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", sorted(PAGES.rglob("*.md")), ids=lambda path: str(path.relative_to(PAGES)))
def test_a_page_can_be_filled_in(path):
    """Every `<!-- README of … -->` names a README, or a section, that exists."""
    filled = sources.filled(path.read_text(encoding="utf-8"), ROOT / "packages", 1)
    assert "<!-- README" not in filled


def test_an_unknown_section_names_those_that_are_there():
    with pytest.raises(sources.SourceError, match=r"torngas-signal/README.md has no section 'Nowhere'; it has: "):
        sources.readme(ROOT / "packages", "torngas-signal", "Nowhere", "")


def test_every_setting_is_in_the_reference():
    from torngas import global_settings

    page = sources.settings_page(Path(global_settings.__file__).read_text(encoding="utf-8"))
    for name in vars(global_settings):
        if name.isupper():
            assert f"## {name} " in page


def test_a_setting_shows_its_comment_and_its_default():
    (one,) = sources.settings("# Seconds to wait;\n# 0 never.\nWAIT: float = 3.5\nignored = 1\n")
    assert (one.name, one.description, one.default) == ("WAIT", "Seconds to wait; 0 never.", "3.5")


def test_every_public_module_is_in_the_reference():
    page = reference.page(ROOT / "packages", "torngas-signal")
    assert "::: torngas_signal.namespace" in page
    assert "torngas_signal._" not in page


def test_the_link_check_finds_what_is_wrong(tmp_path):
    (tmp_path / "index.html").write_text(
        '<a href="other.html#there">ok</a> <a href="other.html#gone">x</a> <a href="missing.html">x</a>'
        '<script src="https://cdn.example/x.js"></script> <a href="https://example.org/">fine</a>'
    )
    (tmp_path / "other.html").write_text('<h1 id="there">x</h1><link rel="stylesheet" href="//fonts.example/a.css">')
    assert sorted(linkcheck.problems(tmp_path)) == [
        "index.html: dead link missing.html",
        "index.html: fetches https://cdn.example/x.js from the network",
        "index.html: no anchor for other.html#gone",
        "other.html: fetches //fonts.example/a.css from the network",
    ]
