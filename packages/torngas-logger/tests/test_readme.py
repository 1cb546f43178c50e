"""The README's examples run."""

import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL) if README.exists() else []


def test_the_readme_has_examples():
    """And at most 120 lines."""
    assert BLOCKS
    assert README.read_text(encoding="utf-8").count("\n") <= 120


@pytest.mark.parametrize("block", BLOCKS)
def test_an_example_of_the_readme_runs(tmp_path, block):
    """In an empty folder, warnings being errors."""
    subprocess.run([sys.executable, "-W", "error", "-c", block], cwd=tmp_path, check=True, timeout=30)
    assert logging.root is logging.getLogger()
