"""The README's examples run as they stand."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pytest


def _readme() -> str:
    path = Path(__file__).resolve().parents[1] / "README.md"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    from importlib.metadata import metadata

    return str(metadata("torngas-dbalchemy").get_payload())


BLOCKS = re.findall(r"```python\n(.*?)```", _readme(), re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_the_readme_runs(number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType("readme_of_dbalchemy")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # where annotations are looked up
    exec(compile(BLOCKS[number], f"README block {number + 1}", "exec"), vars(module))


def test_the_readme_has_examples():
    assert BLOCKS
