"""Guards the public API: `python tools/api [PACKAGE …]` compares it with integration_tests/api; `--write` records it.

The listing of a package holds each public module's `__all__` names with signatures, classes with their public
members. It is read from the imported packages, so that what users see counts, not where it is written. A change
fails until it is recorded, and `--write` records it only if the package's CHANGELOG.md tells of something that is
not released yet. Answers status 1 where listing and code differ.
"""

from __future__ import annotations

import argparse
import difflib
import re
import subprocess
import sys
from pathlib import Path

import _listing

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT / "integration_tests" / "api"
RELEASED = re.compile(r"^## \[?(\d+\.\d+\.\d+)\]?(?: - (.*))?$", re.MULTILINE)
REMEDY = "If this is meant, tell it in packages/{name}/CHANGELOG.md and run: python tools/api --write {name}"


def packages() -> list[str]:
    """The distributions, by name."""
    return sorted(path.parent.name for path in (ROOT / "packages").glob("*/pyproject.toml"))


def listing(name: str) -> str:
    """The public API of a package, from a fresh interpreter: nothing that somebody else imported counts."""
    command = [sys.executable, "-I", str(Path(_listing.__file__)), name.replace("-", "_")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def difference(name: str) -> str:
    """What changed since it was recorded, as a unified diff; empty if nothing."""
    path = RECORDED / f"{name}.txt"
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = difflib.unified_diff(before.splitlines(), listing(name).splitlines(), "recorded", "now", lineterm="", n=0)
    return "\n".join(lines)


def tells_something(changelog: str, is_tagged: bool) -> bool:
    """Whether a changelog tells of what is not released: in [Unreleased], or as a newest version without a tag."""
    parts = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    newest = parts[0] if parts else ""
    if newest.lower().startswith("[unreleased]"):
        return "\n- " in newest
    return bool(newest) and not is_tagged


def is_tagged(name: str) -> bool:
    """Whether the newest version of the package's changelog has its tag."""
    found = RELEASED.search((ROOT / "packages" / name / "CHANGELOG.md").read_text(encoding="utf-8"))
    tag = f"{name}-v{found[1]}" if found else ""
    done = subprocess.run(["git", "-C", str(ROOT), "tag", "--list", tag], check=False, capture_output=True, text=True)
    return bool(tag) and done.stdout.strip() == tag


def write(name: str) -> str | None:
    """Records the listing; answers why not, if the changelog is silent."""
    if not difference(name):
        return None
    changelog = (ROOT / "packages" / name / "CHANGELOG.md").read_text(encoding="utf-8")
    if not tells_something(changelog, is_tagged(name)):
        return (
            f"packages/{name}/CHANGELOG.md: the newest version is released; add an [Unreleased] section that tells it"
        )
    RECORDED.mkdir(exist_ok=True)
    (RECORDED / f"{name}.txt").write_text(listing(name), encoding="utf-8")
    return None


def main(argv: list[str]) -> int:
    """Compares or records."""
    parser = argparse.ArgumentParser(prog="tools/api", description=__doc__)
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help="default: all")
    parser.add_argument("--write", action="store_true", help="record the API as it is")
    args = parser.parse_args(argv)
    failed = False
    for name in args.packages or packages():
        if args.write:
            problem = write(name)
        elif problem := difference(name):
            problem = f"{name}: its public API is not the recorded one\n{problem}\n{REMEDY.format(name=name)}"
        if problem:
            failed = True
            print(f"tools/api: {problem}", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
