import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_the_examples_of_the_readme_run():
    """One after the other, in one module, as a reader would try them."""
    names = {"__name__": "readme"}
    for block in BLOCKS:
        exec(compile(block, str(README), "exec"), names)
    assert names["typed"].name == "typed"


@pytest.mark.parametrize("limit", [120])
def test_the_readme_is_short(limit):
    assert len(README.read_text(encoding="utf-8").splitlines()) <= limit
