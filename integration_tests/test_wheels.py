"""The files that are published: built from the packages, opened, and judged as `make isolated` judges them."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = sorted(path.parent.name for path in (ROOT / "packages").glob("*/pyproject.toml"))


def load(name: str) -> ModuleType:
    """A module of tools/isolated, under a name that nobody else uses."""
    alias = f"torngas_tools_isolated{name}"
    if alias not in sys.modules:
        spec = importlib.util.spec_from_file_location(alias, ROOT / "tools" / "isolated" / f"{name}.py")
        assert spec
        assert spec.loader
        sys.modules[alias] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[alias]


artifacts: Any = load("_artifacts")
requirements: Any = load("_requirements")


def copy(name: str, folder: Path) -> Path:
    """The package without what its tests and examples leave behind."""
    leftovers = shutil.ignore_patterns("__pycache__", "tests", "examples", "docs")
    return Path(shutil.copytree(ROOT / "packages" / name, folder / name, ignore=leftovers))


@pytest.mark.promise(32)
@pytest.mark.parametrize("name", PACKAGES)
def test_promise_32_the_wheel_can_be_published(name, tmp_path):
    """No path, no exact version in the metadata; py.typed, the licence, no tests; the sdist builds the same wheel."""
    built = artifacts.build(copy(name, tmp_path), tmp_path / "dist")
    assert artifacts.problems(built) == []


@pytest.mark.promise(32)
def test_promise_32_the_framework_asks_for_ranges_of_all_libraries(tmp_path):
    built = artifacts.build(copy("torngas", tmp_path), tmp_path / "dist")
    found = requirements.applicable(artifacts.metadata(built.wheel).get_all("Requires-Dist"), [], "3.11.0")
    siblings = {one.name: str(one.specifier) for one in found if one.name.startswith("torngas-")}
    assert sorted(siblings) == [name for name in PACKAGES if name != "torngas"]
    assert set(siblings.values()) == {"<2,>=1.0"}


def spoil(name: str, folder: Path, old: str, new: str) -> Any:
    package = copy(name, folder)
    manifest = package / "pyproject.toml"
    text = manifest.read_text()
    assert old in text
    manifest.write_text(text.replace(old, new, 1))
    return package


@pytest.mark.parametrize(
    ("requirement", "complaint"),
    [
        ("torngas-signal @ file:///tmp/signal", "a path or address"),
        ("tornado==6.6.1", "one exact version"),
    ],
)
def test_a_requirement_that_may_not_be_published_is_found(requirement, complaint, tmp_path):
    package = spoil("torngas-signal", tmp_path, "dependencies = []", f'dependencies = ["{requirement}"]')
    (problem,) = artifacts.problems(artifacts.build(package, tmp_path / "dist"))
    assert complaint in problem


def test_a_wheel_without_py_typed_or_with_tests_is_found(tmp_path):
    package = copy("torngas-signal", tmp_path)
    (package / "src/torngas_signal/py.typed").unlink()
    (package / "src/torngas_signal/tests").mkdir()
    (package / "src/torngas_signal/tests/test_it.py").write_text("")
    found = artifacts.problems(artifacts.build(package, tmp_path / "dist"))
    assert [problem.split()[0] for problem in found] == ["torngas_signal/py.typed", "torngas_signal/tests/test_it.py"]


def test_an_sdist_that_builds_another_wheel_is_found(tmp_path):
    package = copy("torngas-signal", tmp_path)
    built = artifacts.build(package, tmp_path / "dist")
    with zipfile.ZipFile(built.wheel, "a") as archive:
        archive.writestr("torngas_signal/extra.py", "")
    assert "only the wheel has torngas_signal/extra.py" in artifacts.sdist_problems(built)


def test_what_nobody_declares_is_seen():
    """Only what is reached by requirements that apply, with the extras that they ask for."""
    installed = {
        "torngas": {"requires": ["torngas-cache (>=1.0,<2)", "mako>=1; extra == 'mako'", "a; python_version < '3'"]},
        "torngas-cache": {"requires": ["redis[hiredis]>=5; extra == 'redis'"]},
        "redis": {"requires": ["hiredis; extra == 'hiredis'"]},
    }
    assert requirements.declared("torngas", installed, "3.12.1") == {"torngas", "torngas-cache"}
    installed["torngas"]["requires"][0] = "torngas_cache[redis]"
    names = {"torngas", "torngas-cache", "redis", "hiredis"}
    assert requirements.declared("torngas", installed, "3.12.1") == names


def test_lowest_is_the_first_release_in_the_range():
    (one,) = requirements.applicable(["tornado>=6.6.1,<7"], [], "3.11.0")
    assert requirements.lowest([one], lambda name: ["7.0", "6.10", "6.6.1", "6.6", "6.7"]) == ["tornado==6.6.1"]
    with pytest.raises(LookupError, match=r"tornado<7,>=6\.6\.1: the index has no release in this range"):
        requirements.lowest([one], lambda name: ["6.0"])
