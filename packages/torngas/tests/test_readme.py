"""The README's example serves."""

from __future__ import annotations

import re
from pathlib import Path


def test_the_example_serves(project):
    text = (Path(__file__).parents[1] / "README.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    project.write("runserver.py", example)
    project.write("conf.py", "DEBUG = False\n")
    project.start()
    assert project.get("/hello/ada") == "Hello, ada!"
