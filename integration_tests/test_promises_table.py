"""The table of promises: 33 of them, and each test that carries a number is found."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def table() -> Any:
    spec = importlib.util.spec_from_file_location("torngas_tools_docs_promises_table", ROOT / "tools/docs/_promises.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_are_33_promises(table):
    assert sorted(table.promises(ROOT / "packages/torngas/docs/promises.toml")) == list(range(1, 34))


def test_a_test_is_found_by_its_name_and_by_its_marker(table, tmp_path):
    folder = tmp_path / "packages/one/tests"
    folder.mkdir(parents=True)
    (folder / "test_it.py").write_text(
        "import pytest\n"
        "async def test_promise_07_by_name(): ...\n"
        "@pytest.mark.promise(8)\ndef test_by_marker(): ...\n"
        "def promise_09_no_test(): ...\n"
    )
    assert table.tests(tmp_path) == {
        7: ["packages/one/tests/test_it.py::test_promise_07_by_name"],
        8: ["packages/one/tests/test_it.py::test_by_marker"],
    }


def test_no_test_carries_a_number_that_nobody_promised(table):
    assert set(table.tests(ROOT)) <= set(range(1, 34))


def test_the_table_says_which_promise_has_no_test(table):
    page = table.page({1: "One.", 2: "Two."}, {1: ["a/test_a.py::test_promise_01_x"]})
    assert "| 1 | One. | a/test_a.py: `test_promise_01_x` |" in page
    assert "| 2 | Two. | **no test yet** |" in page
    assert table.missing({1: "One.", 2: "Two."}, {1: ["x"]}) == [2]
