"""The README's example runs."""

import re
from importlib.metadata import metadata
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[1] / "README.md"
README = FILE.read_text("utf-8") if FILE.exists() else str(metadata("torngas-router").get_payload())


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_every_python_block_runs(block, capsys):
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})
    assert "/posts/<int:pid>/" in capsys.readouterr().out


def test_it_is_short():
    assert len(README.splitlines()) <= 120
