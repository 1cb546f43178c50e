"""Builds wheels and sdists: `python tools/build [PACKAGE …] [--to FOLDER]` (default: all packages, into dist/).

Uses poetry-core in this process, the same back end that pip calls. What it refuses to build: a wheel whose
metadata holds a path or an exact version of a sibling.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import zipfile
from pathlib import Path

from poetry.core.masonry import api

ROOT = Path(__file__).resolve().parents[2]


def build(package: Path, target: Path) -> list[Path]:
    """Builds the wheel and the sdist of one package."""
    target.mkdir(parents=True, exist_ok=True)
    os.chdir(package)  # PEP 517 back ends work in the current folder
    return [target / api.build_wheel(str(target)), target / api.build_sdist(str(target))]


def metadata_problems(wheel: Path) -> list[str]:
    """Answers the requirements that no published wheel may have."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(name).decode().splitlines()
    required = [line.removeprefix("Requires-Dist: ") for line in lines if line.startswith("Requires-Dist: ")]
    return [
        f"{wheel.name}: requires {line!r}" for line in required if "@" in line or re.search(r"torngas[^;]*==", line)
    ]


def main(argv: list[str]) -> int:
    """Builds what is asked for and answers 1 if some metadata may not be published."""
    parser = argparse.ArgumentParser(prog="tools/build", description=__doc__)
    parser.add_argument("packages", nargs="*", help="default: all")
    parser.add_argument("--to", type=Path, default=ROOT / "dist")
    args = parser.parse_args(argv)
    folders = [ROOT / "packages" / name for name in args.packages] or sorted((ROOT / "packages").iterdir())
    target = args.to.resolve()
    built = [path for folder in folders for path in build(folder, target)]
    for path in built:
        print(os.path.relpath(path, ROOT))
    problems = [problem for path in built if path.suffix == ".whl" for problem in metadata_problems(path)]
    print(*problems, sep="\n", end="\n" if problems else "")
    return int(bool(problems))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
