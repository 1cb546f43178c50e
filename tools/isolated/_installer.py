"""Fresh virtual environments: made by uv where it is installed, else by venv and pip, from pip's own index."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

INSPECT = r"""
import json, platform, sys
from importlib.metadata import distributions
print(json.dumps({
    "python": platform.python_version(),
    "distributions": {
        d.metadata["Name"]: {"version": d.version, "requires": d.requires or [], "record": d.read_text("RECORD") or ""}
        for d in distributions()
    },
}))
"""
CLEARED = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP")


class CommandFailed(RuntimeError):
    """A command ended with another status than 0; the message is the command and what it printed."""


def clean_environment() -> dict[str, str]:
    """This process's environment without what would lead a Python elsewhere."""
    return {key: value for key, value in os.environ.items() if key not in CLEARED}


def _shown(command: Sequence[str]) -> str:
    """A command line for people: programs given by -c are cut after their first line."""
    return " ".join(part.strip().split("\n")[0] for part in command)


def run(command: Sequence[str], *, cwd: Path | None = None, timeout: float = 900) -> str:
    """Runs a command and answers what it printed; raises CommandFailed otherwise."""
    try:
        done = subprocess.run(
            command, cwd=cwd, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False, timeout=timeout, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(f"$ {_shown(command)}\nran longer than {timeout:g} s and was ended") from error
    if done.returncode:
        raise CommandFailed(f"$ {_shown(command)}\n{done.stdout.strip()}\n(status {done.returncode})")
    return done.stdout


@cache
def _pip_configuration() -> dict[str, list[str]]:
    """index-url, extra-index-url, find-links and cert as pip itself sees them: files first, environment over them."""
    lines = run([sys.executable, "-m", "pip", "config", "list"]).splitlines()
    found: dict[str, list[str]] = {}
    for prefix in ("global", "install", ":env:"):
        for line in lines:
            if match := re.fullmatch(rf"{prefix}\.([a-z-]+)='(.*)'", line):
                found[match[1]] = match[2].replace("\\n", " ").split()
    return found


def _uv_options() -> list[str]:
    """What makes uv look where pip looks, and choose as pip chooses."""
    configured = _pip_configuration()
    options = ["--index-strategy", "unsafe-best-match"]
    for url in configured.get("index-url", []):
        options += ["--default-index", url]
    for url in configured.get("extra-index-url", []):
        options += ["--index", url]
    for place in configured.get("find-links", []):
        options += ["--find-links", place]
    return options


@dataclass(frozen=True)
class Environment:
    """One virtual environment. `uv` is the program, or None for pip."""

    folder: Path
    uv: str | None = None

    @classmethod
    def make(cls, folder: Path, interpreter: str) -> Environment:
        """An empty environment: not even pip is in it."""
        uv = shutil.which("uv")
        if uv:
            run([uv, "venv", "--quiet", "--no-project", "--python", interpreter, str(folder)])
        else:
            run([interpreter, "-m", "venv", "--without-pip", str(folder)])
        return cls(folder, uv)

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))

    def install(self, requirements: Iterable[str], *, links: Path, constraints: Iterable[str] = ()) -> None:
        """Installs requirements from the index and from the wheels in `links`."""
        limits = self.folder / "constraints.txt"
        limits.write_text("".join(f"{line}\n" for line in constraints))
        options = ["--quiet", "--find-links", str(links), "--constraint", str(limits), *requirements]
        if self.uv:
            run([self.uv, "pip", "install", "--python", self.python, *_uv_options(), *options])
        else:
            self._pip("install", *options)

    def check(self) -> str:
        """`pip check`: whatever is installed has what it requires."""
        if self.uv:
            return run([self.uv, "pip", "check", "--python", self.python])
        return self._pip("check")

    def inspect(self) -> dict[str, object]:
        """The Python's version, and version, requirements and RECORD of each installed distribution."""
        found: dict[str, object] = json.loads(run([self.python, "-I", "-c", INSPECT]))
        return found

    def _pip(self, *arguments: str) -> str:
        return run([sys.executable, "-m", "pip", "--python", self.python, "--disable-pip-version-check", *arguments])


def available_versions(name: str, python: str) -> list[str]:
    """The released versions of a distribution that the index offers for a Python (such as "3.12"), newest first."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    text = run([*pip, "index", "versions", name, "--python-version", python, "--only-binary", ":all:"])
    found = re.search(r"^Available versions: (.*)$", text, re.MULTILINE)
    return found[1].replace(" ", "").split(",") if found else []
