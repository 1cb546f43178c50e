"""One distribution, alone: a list of named steps, each of which answers a remark or raises what is wrong."""

from __future__ import annotations

import configparser
import re
import shutil
import signal
import socket
import subprocess
import time
import tomllib
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _artifacts import Built, metadata, problems
from _installer import CommandFailed, Environment, available_versions, clean_environment, run
from _requirements import applicable, declared, lowest
from packaging.utils import canonicalize_name

TEST_TOOLS = ("pytest", "pytest-asyncio", "hypothesis")
IMPORT = """
import importlib, importlib.metadata, pkgutil, sys
name, remedy = sys.argv[1:]
package = importlib.import_module(name)
plugins = {one.value for one in importlib.metadata.entry_points(group="pytest11")}
count = 1
for found in pkgutil.walk_packages(package.__path__, name + "."):
    try:
        importlib.import_module(found.name)
    except Exception as error:
        private = found.name in plugins or any(part.startswith("_") for part in found.name.split("."))
        optional = isinstance(error, ModuleNotFoundError) and not error.name.startswith("torngas")
        if not (private and optional) and remedy not in str(error):
            raise
    count += 1
print(count)
"""


class Wrong(Exception):
    """A step found something; the message says what."""


@dataclass
class Examination:
    """One distribution under one Python with one choice of dependencies (`which`: "newest" or "lowest")."""

    built: Built
    source: Path  # the copy of the repository
    wheels: Path
    siblings: dict[str, str]
    interpreter: str
    python: str  # "3.12", and the full version once it is known
    folder: Path
    which: str = "newest"
    with_tests: bool = True
    lines: list[str] = field(default_factory=list)
    failed: bool = False
    environment: Environment = field(init=False)

    def run(self) -> Examination:
        """Takes each step until one fails."""
        for name, step in self.steps():
            try:
                remark = step()
            except (Wrong, CommandFailed, LookupError) as error:
                self.failed = True
                tail = str(error).splitlines()[-60:]
                self.lines += [f"  {name:<20} FAILED", *(f"      {line}" for line in tail)]
                break
            self.lines.append(f"  {name:<20} ok    {remark}")
        return self

    def steps(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """The steps in order."""
        yield "wheel and sdist", self.artifacts
        yield "installs alone", self.install
        yield "pip check", self.pip_check
        yield "imports", self.imports
        yield "README example", self.readme
        if self.with_tests:
            yield "its own tests", self.tests

    def artifacts(self) -> str:
        """The files as such."""
        if found := problems(self.built):
            raise Wrong("\n".join(found))
        return f"{self.built.wheel.name}, {self.built.wheel.stat().st_size // 1024 + 1} kB; the sdist builds the same"

    def install(self) -> str:
        """The wheel into an empty environment; nothing comes along that nobody declared."""
        self.environment = Environment.make(self.folder / "venv", self.interpreter)
        self.python = str(self.environment.inspect()["python"])
        self.environment.install([str(self.built.wheel)], links=self.wheels, constraints=self.constraints())
        installed: dict[str, Any] = self.environment.inspect()["distributions"]  # type: ignore[assignment]
        allowed = declared(self.built.name, installed, self.python)
        strangers = sorted(name for name in installed if canonicalize_name(name) not in allowed)
        if strangers:
            raise Wrong(f"installed without being declared: {', '.join(strangers)}")
        self._is_this_wheel(installed[self.built.name]["record"])
        names = (f"{name} {found['version']}" for name, found in sorted(installed.items()) if name != self.built.name)
        return ", ".join(names) or "nothing else"

    def _is_this_wheel(self, record: str) -> None:
        lines = set(record.splitlines())
        expected = self._record_of_the_wheel()
        if missing := sorted(expected - lines):
            raise Wrong(f"not the wheel that was built here: {missing[:3]}")

    def _record_of_the_wheel(self) -> set[str]:
        with zipfile.ZipFile(self.built.wheel) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/RECORD"))
            return {line for line in archive.read(name).decode().splitlines() if "RECORD," not in line}

    def constraints(self) -> list[str]:
        """Siblings as built here; with `lowest`, what is declared at its lowest release."""
        pins = [f"{name}=={version}" for name, version in self.siblings.items()]
        if self.which == "lowest":
            lines: list[str] = metadata(self.built.wheel).get_all("Requires-Dist", [])
            theirs = [r for r in applicable(lines, self.extras, self.python) if r.name not in self.siblings]
            short = ".".join(self.python.split(".")[:2])
            pins += lowest(theirs, lambda name: available_versions(name, short))
        return pins

    @property
    def extras(self) -> list[str]:
        """The names of its extras."""
        return metadata(self.built.wheel).get_all("Provides-Extra", [])

    def pip_check(self) -> str:
        """What is installed has what it requires."""
        self.environment.check()
        return ""

    def imports(self) -> str:
        """The package and its modules, isolated (-I), warnings being errors.

        A public module that needs an extra must name the command that installs it; a plugin is imported by its host.
        """
        remedy = f"pip install '{self.built.name}["
        command = [self.environment.python, "-I", "-W", "error", "-c", IMPORT, self.built.import_name, remedy]
        return f"{run(command, timeout=120).split()[-1]} modules"

    def readme(self) -> str:
        """The Python of the README, as one program."""
        text = (self.source / "packages" / self.built.name / "README.md").read_text(encoding="utf-8")
        blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        if not blocks:
            raise Wrong("README.md has no Python example")
        place = self.folder / "readme"
        place.mkdir()
        example = place / "example.py"
        example.write_text("\n\n".join(blocks), encoding="utf-8")
        if f"{self.built.import_name}.webserver" in text:
            return self._serve(example)
        run([self.environment.python, "-I", "-W", "error", str(example)], cwd=place, timeout=120)
        return f"{len(blocks)} block{'s' * (len(blocks) > 1)}"

    def _serve(self, example: Path) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        (example.parent / "conf.py").write_text("DEBUG = True\n")
        command = [
            self.environment.python,
            "-W",
            "error::DeprecationWarning",
            str(example),
            "--address=127.0.0.1",
            f"--port={port}",
        ]
        with subprocess.Popen(
            command,
            cwd=example.parent,
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as server:
            try:
                answer = _answer(f"http://127.0.0.1:{port}/hello/ada", server)
            finally:
                server.send_signal(signal.SIGTERM)
                printed = server.communicate(timeout=30)[0]
        if answer != "Hello, ada!" or server.returncode:
            raise Wrong(f"GET /hello/ada: got {answer!r}; end of the server: {server.returncode}\n{printed}")
        return "served a request, ended with status 0"

    def tests(self) -> str:
        """Its own tests against the installed package, from a folder that has no src."""
        place = self._place_for_tests()
        every = f"{self.built.name}[{','.join(self.extras)}]" if self.extras else self.built.name
        self.environment.install([every, *TEST_TOOLS], links=self.wheels, constraints=self.constraints())
        text = run([
            self.environment.python, "-m", "pytest", "-q", "-c", "pytest.ini", "-p", "no:cacheprovider", "--no-header",
            f"packages/{self.built.name}/tests",
        ], cwd=place)  # fmt: skip
        skipped = [line for line in text.splitlines() if line.startswith("SKIPPED")]
        return "\n".join([text.splitlines()[-1].strip("= "), *(f"      {line}" for line in skipped)])

    def _place_for_tests(self) -> Path:
        place = self.folder / "tests"
        package = place / "packages" / self.built.name
        shutil.copytree(self.source / "packages" / self.built.name, package, ignore=shutil.ignore_patterns("src"))
        shutil.copytree(self.source / "tools" / "services", place / "tools" / "services")
        options = tomllib.loads((self.source / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
        options["markers"] = [*options.get("markers", []), "xdist_group(name): tests that share a server"]
        options.pop("testpaths", None)
        ini = configparser.ConfigParser(interpolation=None)
        ini["pytest"] = {
            key: "\n" + "\n".join(value) if isinstance(value, list) else str(value) for key, value in options.items()
        }
        with (place / "pytest.ini").open("w") as file:
            ini.write(file)
        return place


def _answer(url: str, server: subprocess.Popen[str], patience: float = 20) -> str:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return str(response.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return f"status {error.code}"
        except OSError:
            time.sleep(0.05)
    return "no answer"
