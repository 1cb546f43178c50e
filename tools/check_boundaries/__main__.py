"""Checks who may know whom: `python tools/check_boundaries [PACKAGE …] [--root FOLDER]`.

A library may import the standard library, itself, and what its pyproject.toml declares (dependencies, extras,
and `[tool.torngas] optional-imports` for what it uses only where somebody else installed it). It may not import
or name a sibling or the framework, under TYPE_CHECKING and in dotted strings neither; docstrings may. Only
benchmarks among the tools may import ours. Prints each violation as `file:line: …` and answers status 1 if any.
"""

from __future__ import annotations

import argparse
import ast
import itertools
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = re.compile(r"torngas(_[a-z]+)?")
DOTTED = re.compile(r"(torngas(?:_[a-z]+)?)((?:\.\w+)*)(?::\w+)?")


@dataclass(frozen=True)
class Package:
    """One distribution: where its code is and which import names it may use."""

    name: str
    folder: Path
    distributions: frozenset[str]
    optional: frozenset[str]

    @property
    def import_name(self) -> str:
        """The top-level module."""
        return self.name.replace("-", "_")

    @classmethod
    def read(cls, folder: Path) -> Package:
        """Reads packages/<name>/pyproject.toml."""
        data = tomllib.loads((folder / "pyproject.toml").read_text())
        project = data["project"]
        extras = project.get("optional-dependencies", {}).values()
        lines = [*project["dependencies"], *itertools.chain.from_iterable(extras)]
        optional = data.get("tool", {}).get("torngas", {}).get("optional-imports", [])
        return cls(project["name"], folder, frozenset(map(_distribution, lines)), frozenset(optional))


def _distribution(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, node.module or ""


def _strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def _names_a_sibling(text: str, package: Package) -> bool:
    found = DOTTED.fullmatch(text)
    if not found or found[1] == package.import_name:
        return False
    packages = package.folder.parent
    if found[1] != "torngas":
        return (packages / found[1].replace("_", "-")).is_dir()
    # "torngas.accesslog" is a logger's name; "torngas.cache…" is a module of the framework.
    first = found[2].split(".")[1] if found[2] else ""
    source = packages / "torngas/src/torngas"
    return bool(first) and ((source / first).is_dir() or (source / f"{first}.py").is_file())


def check(package: Package, known: dict[str, list[str]]) -> Iterator[str]:
    """Yields the violations of one package."""
    for path in sorted(package.folder.glob("src/**/*.py")):
        tree = ast.parse(path.read_text(), str(path))
        where = path.relative_to(package.folder.parents[1])
        for line, module in _imports(tree):
            if problem := _import_problem(module.partition(".")[0], package, known):
                yield f"{where}:{line}: imports {module}: {problem}"
        for line, text in _strings(tree) if package.name != "torngas" else ():
            if _names_a_sibling(text, package):
                yield f"{where}:{line}: names {text!r}; a library knows no sibling, take it as an argument"


def _import_problem(top: str, package: Package, known: dict[str, list[str]]) -> str:
    if top in sys.stdlib_module_names or top == package.import_name or top in package.optional:
        return ""
    distributions = {_distribution(name) for name in known.get(top, [top])}
    if OURS.fullmatch(top):
        distributions = {top.replace("_", "-")}
    if distributions & package.distributions:
        return ""
    if OURS.fullmatch(top):
        return f"{package.name} may not know it"
    return f"{package.folder.name}/pyproject.toml does not declare it"


def check_tools(root: Path) -> Iterator[str]:
    """Yields the tools that import ours; benchmarks must, nothing else may."""
    for path in sorted((root / "tools").glob("**/*.py")):
        if path.is_relative_to(root / "tools/bench"):
            continue
        for line, module in _imports(ast.parse(path.read_text(), str(path))):
            if OURS.fullmatch(module.partition(".")[0]):
                yield f"{path.relative_to(root)}:{line}: imports {module}; tools read and run, they import none of ours"


def main(argv: list[str]) -> int:
    """Checks the named packages, or all."""
    parser = argparse.ArgumentParser(prog="tools/check_boundaries", description=__doc__)
    parser.add_argument("packages", nargs="*")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout; default: this one")
    args = parser.parse_args(argv)
    root = args.root.resolve()
    folders = [root / "packages" / name for name in args.packages] or sorted((root / "packages").iterdir())
    known = {name: list(found) for name, found in packages_distributions().items()}
    packages = [Package.read(folder) for folder in folders]
    problems = [problem for package in packages for problem in check(package, known)] + list(check_tools(root))
    print("\n".join(problems) if problems else f"boundaries: {len(packages)} packages, nothing found")
    return int(bool(problems))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
