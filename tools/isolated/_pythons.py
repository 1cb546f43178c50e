"""The interpreters of this machine that are new enough: on PATH, and where pyenv and uv put them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PROBE = "import sys, venv, ssl, sqlite3; print(sys.version_info[0], sys.version_info[1], sys.executable)"
OLDEST = (3, 11)


def _candidates() -> Iterator[str]:
    yield sys.executable
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        yield from (
            str(path)
            for path in sorted(Path(folder or ".").glob("python3.*"))
            if re.fullmatch(r"python3\.\d+", path.name)
        )
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from (str(path) for path in sorted(pyenv.glob("versions/3.*/bin/python"), reverse=True))
    if uv := shutil.which("uv"):
        listed = subprocess.run([uv, "python", "find", "--all"], capture_output=True, text=True, check=False)
        yield from (line for line in listed.stdout.splitlines() if listed.returncode == 0 and line)


def _probe(candidate: str) -> tuple[tuple[int, int], str] | None:
    try:
        done = subprocess.run([candidate, "-I", "-c", PROBE], capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    major, minor, executable = done.stdout.strip().split(" ", 2)
    return (int(major), int(minor)), executable


def found() -> dict[str, str]:
    """An interpreter for each version from 3.11 on, by version ("3.12"), oldest first; the running one comes first."""
    versions: dict[tuple[int, int], str] = {}
    for candidate in _candidates():
        probed = _probe(candidate)
        if probed and probed[0] >= OLDEST:
            versions.setdefault(*probed)
    return {f"{major}.{minor}": versions[major, minor] for major, minor in sorted(versions)}
