"""Which test shows which of the promises: found in the tests by name (`test_promise_07_…`) and by marker."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

NAMED = re.compile(r"promise_(\d{2})(?:_|$)")


def promises(path: Path) -> dict[int, str]:
    """The promises by number, from promises.toml."""
    return {int(number): text for number, text in tomllib.loads(path.read_text(encoding="utf-8"))["promises"].items()}


def _marked(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[int]:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.promise":
            yield from (one.value for one in decorator.args if isinstance(one, ast.Constant))


def tests(root: Path) -> dict[int, list[str]]:
    """The tests of each promise, as `file::name` relative to the repository, sorted."""
    found: dict[int, set[str]] = defaultdict(set)
    for path in [*root.glob("packages/*/tests/**/test_*.py"), *root.glob("integration_tests/**/test_*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                numbers = {int(number) for number in NAMED.findall(node.name)} | set(_marked(node))
                for number in numbers:
                    found[number].add(f"{path.relative_to(root).as_posix()}::{node.name}")
    return {number: sorted(names) for number, names in found.items()}


def page(texts: dict[int, str], shown: dict[int, list[str]]) -> str:
    """The table of promises and tests."""
    rows = []
    for number, text in sorted(texts.items()):
        by_file: dict[str, list[str]] = defaultdict(list)
        for name in shown.get(number, []):
            file, test = name.split("::")
            by_file[file].append(f"`{test}`")
        cells = [f"{file}: {', '.join(names)}" for file, names in by_file.items()]
        rows.append(f"| {number} | {text} | {'<br>'.join(cells) or '**no test yet**'} |")
    return "\n".join(
        [
            "# The promises\n",
            f"{len(texts)} things that bit users of other frameworks and libraries, and that do not happen here.",
            "Each has tests that carry its number; this table is generated from them.",
            "`python -m pytest -k promise_07` runs those of one promise.\n",
            "| # | promise | shown by |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def missing(texts: dict[int, str], shown: dict[int, list[str]]) -> list[int]:
    """The numbers of the promises that no test shows."""
    return sorted(set(texts) - set(shown))
