"""Releases packages: `python tools/release PACKAGE … [--execute]`; without --execute it only says what it would do.

The version comes from the newest section of the package's CHANGELOG.md. Checked are: a clean checkout on a commit,
the tag is free, the changelog has entries, the version grows, the ranges of torngas still admit a library's version,
wheel and sdist (metadata, contents, the sdist builds the same wheel), `twine check`. With --execute the version
and the date are written, committed, and tagged `PACKAGE-vVERSION`; pushing the tag publishes it (see
.github/workflows/publish.yml). Nothing is pushed or uploaded from here.
"""

from __future__ import annotations

import argparse
import datetime
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import _changelog
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools" / "isolated"))
import _artifacts  # noqa: E402 - the judge of wheels is shared with tools/isolated

FRAMEWORK = "torngas"


@dataclass(frozen=True)
class Plan:
    """One package's release."""

    name: str
    current: str
    version: str
    folder: Path

    @property
    def tag(self) -> str:
        """The tag that publishes it."""
        return f"{self.name}-v{self.version}"


def git(*arguments: str) -> str:
    """Runs git in the repository."""
    return subprocess.run(
        ["git", "-C", str(ROOT), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def plan(name: str) -> Plan:
    """Reads what is to be released; raises ChangelogError or LookupError."""
    folder = ROOT / "packages" / name
    if not (folder / "pyproject.toml").exists():
        known = ", ".join(sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml")))
        raise LookupError(f"no package {name!r}; there are: {known}")
    current = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    sections = _changelog.releases((folder / "CHANGELOG.md").read_text(encoding="utf-8"))
    return Plan(name, current, _changelog.next_version(sections, f"{name}/CHANGELOG.md"), folder)


def repository_problems(wanted: Plan, tags: set[str]) -> Iterator[str]:
    """What the state of the repository has against this release."""
    if wanted.tag in tags:
        yield f"{wanted.tag} is there already: add an [Unreleased] section to CHANGELOG.md"
    earlier = [Version(tag.rpartition("-v")[2]) for tag in tags if re.fullmatch(rf"{wanted.name}-v[\d.]+", tag)]
    if earlier and Version(wanted.version) <= max(earlier):
        yield f"version {wanted.version} is not above {max(earlier)}"


def range_problems(wanted: Plan, framework: Path) -> Iterator[str]:
    """Requirements of the framework that the new version of a library would fall out of."""
    if wanted.name == FRAMEWORK:
        return
    project = tomllib.loads((framework / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project.get("optional-dependencies", {}).values()
    for line in [*project["dependencies"], *(line for lines in extras for line in lines)]:
        requirement = Requirement(line)
        if requirement.name == wanted.name and not requirement.specifier.contains(wanted.version):
            remedy = f"widen it and release {FRAMEWORK}"
            yield f"{FRAMEWORK} requires {line!r}, which does not admit {wanted.version}: {remedy}"


def prepared(wanted: Plan, folder: Path) -> Path:
    """A copy of the package with the new version and the date written into it."""
    ignored = shutil.ignore_patterns("__pycache__", "tests", "docs", "examples")
    copy = Path(shutil.copytree(wanted.folder, folder / wanted.name, ignore=ignored))
    write(wanted, copy)
    return copy


def write(wanted: Plan, folder: Path) -> None:
    """Writes version and date into pyproject.toml and CHANGELOG.md of a folder."""
    manifest, changelog = folder / "pyproject.toml", folder / "CHANGELOG.md"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(
        re.sub(r'(?m)^version = ".*"$', f'version = "{wanted.version}"', text, count=1), encoding="utf-8"
    )
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    text = changelog.read_text(encoding="utf-8")
    if _changelog.releases(text)[0].is_open:
        changelog.write_text(_changelog.dated(text, wanted.version, today), encoding="utf-8")


def twine_problems(files: list[Path]) -> list[str]:
    """What `twine check --strict` says, where twine is installed."""
    twine = shutil.which("twine", path=str(Path(sys.executable).parent)) or shutil.which("twine")
    if not twine:
        print("  twine is not installed: pip install twine, for the check of the index's own rules")
        return []
    done = subprocess.run([twine, "check", "--strict", *map(str, files)], check=False, capture_output=True, text=True)
    return [done.stdout.strip()] if done.returncode else []


def problems(wanted: Plan, tags: set[str]) -> list[str]:
    """Everything that speaks against this release."""
    found = [*repository_problems(wanted, tags), *range_problems(wanted, ROOT / "packages" / FRAMEWORK)]
    with tempfile.TemporaryDirectory() as folder:
        try:
            built = _artifacts.build(prepared(wanted, Path(folder)), Path(folder) / "dist")
        except _artifacts.BuildFailed as error:
            return [*found, f"does not build: {error}"]
        found += _artifacts.problems(built)
        found += twine_problems([built.wheel, built.sdist])
    return found


def execute(wanted: Plan) -> None:
    """Writes, commits and tags."""
    write(wanted, wanted.folder)
    changed = [str(wanted.folder / name) for name in ("pyproject.toml", "CHANGELOG.md")]
    if git("status", "--porcelain", "--", *changed):
        git("commit", "--only", "-m", f"Release {wanted.name} {wanted.version}", "--", *changed)
    git("tag", "-a", wanted.tag, "-m", f"{wanted.name} {wanted.version}")


def main(argv: list[str]) -> int:
    """Plans, checks, and with --execute does it."""
    parser = argparse.ArgumentParser(
        prog="tools/release", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("packages", nargs="+", metavar="PACKAGE")
    parser.add_argument("--execute", action="store_true", help="write, commit and tag; the default only checks")
    args = parser.parse_args(argv)
    try:
        plans = [plan(name) for name in dict.fromkeys(args.packages)]
    except (_changelog.ChangelogError, LookupError) as error:
        print(f"tools/release: {error}", file=sys.stderr)
        return 2
    changes = git("status", "--porcelain", "--untracked-files=no").splitlines()
    found = [f"the checkout has {len(changes)} uncommitted changes"] if changes and args.execute else []
    tags = set(git("tag", "--list").split())
    for wanted in plans:
        print(f"{wanted.name}: {wanted.current} -> {wanted.version}, tag {wanted.tag}")
        found += [f"{wanted.name}: {line}" for line in problems(wanted, tags)]
    for line in found:
        print(f"tools/release: {line}", file=sys.stderr)
    if found:
        return 1
    if args.execute:
        for wanted in plans:
            execute(wanted)
        print(f"tagged; publish by: git push origin HEAD {' '.join(one.tag for one in plans)}")
    else:
        print("dry run: nothing was changed; --execute writes, commits and tags")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
