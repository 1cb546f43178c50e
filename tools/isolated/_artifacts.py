"""Wheels and sdists: built as a user's pip would, opened, and judged. Each check answers a list of complaints."""

from __future__ import annotations

import email.message
import email.parser
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

BUILD = (
    "import sys, os; from poetry.core.masonry import api; os.chdir(sys.argv[1]);"
    "print(api.build_wheel(sys.argv[2])); print(api.build_sdist(sys.argv[2]) if len(sys.argv) > 3 else '')"
)


class BuildFailed(RuntimeError):
    """The back end refused; the message is what it printed."""


@dataclass(frozen=True)
class Built:
    """The two files of one distribution."""

    name: str
    wheel: Path
    sdist: Path

    @property
    def import_name(self) -> str:
        """The top-level module."""
        return self.name.replace("-", "_")

    @property
    def version(self) -> str:
        """From the wheel's file name."""
        return self.wheel.name.split("-")[1]


def _run_back_end(folder: Path, target: Path, *more: str) -> list[str]:
    command = [sys.executable, "-c", BUILD, str(folder), str(target), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildFailed(done.stderr.strip())
    return done.stdout.split()


def build(package: Path, target: Path) -> Built:
    """Builds the wheel and the sdist of the package in that folder."""
    target.mkdir(parents=True, exist_ok=True)
    wheel, sdist = _run_back_end(package.resolve(), target.resolve(), "sdist")
    return Built(package.name, target / wheel, target / sdist)


def metadata(wheel: Path) -> email.message.Message:
    """The METADATA of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.parser.Parser().parsestr(archive.read(name).decode())


def metadata_problems(wheel: Path) -> list[str]:
    """What no published metadata may have: paths, addresses, pinned versions, missing facts."""
    found = metadata(wheel)
    required: list[str] = found.get_all("Requires-Dist", [])
    problems = [
        f"requires {line!r}: a path or address; expected a name with a range" for line in required if "@" in line
    ]
    problems += [
        f"requires {line!r}: one exact version; expected a range such as '>=1.0,<2'"
        for line in required
        if "==" in line.split(";")[0]
    ]
    for field in ("Name", "Version", "Summary", "License-Expression", "License-File", "Requires-Python"):
        if not found.get(field):
            problems.append(f"metadata has no {field}")
    if found.get("Description-Content-Type", "").split(";")[0] != "text/markdown":
        problems.append("the description is not marked as Markdown")
    if not str(found.get_payload()).strip():
        problems.append("the description (README.md) is empty")
    return problems


def content_problems(wheel: Path, import_name: str) -> list[str]:
    """What a wheel must hold (py.typed, licence) and may not (tests, anything beside the package)."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    problems = [] if f"{import_name}/py.typed" in names else [f"{import_name}/py.typed is missing"]
    if not any(re.search(r"\.dist-info/licenses/LICENSE$", name) for name in names):
        problems.append("the licence is missing")
    for name in names:
        top = name.split("/")[0]
        if top != import_name and not top.endswith(".dist-info"):
            problems.append(f"{name} lies beside the package")
        if re.search(r"(^|/)tests?/.*\.py$|(^|/)(test_\w+|conftest)\.py$|\.pyc$", name):
            problems.append(f"{name} does not belong into a wheel")
    return problems


def _contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sdist_problems(built: Built) -> list[str]:
    """What differs between the wheel and the one that the sdist builds."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(built.sdist) as archive:
            archive.extractall(folder, filter="data")
        (unpacked,) = Path(folder).iterdir()
        try:
            name = _run_back_end(unpacked, Path(folder))[0]
        except BuildFailed as error:
            return [f"the sdist does not build: {error}"]
        first, second = _contents(built.wheel), _contents(Path(folder) / name)
    problems = [f"only the wheel has {name}" for name in sorted(first.keys() - second.keys())]
    problems += [f"only the sdist's wheel has {name}" for name in sorted(second.keys() - first.keys())]
    problems += [
        f"{name} differs in the sdist's wheel" for name in sorted(first) if first[name] != second.get(name, first[name])
    ]
    return problems


def problems(built: Built) -> list[str]:
    """All complaints about one distribution's files."""
    return [
        *metadata_problems(built.wheel),
        *content_problems(built.wheel, built.import_name),
        *sdist_problems(built),
    ]
