"""Makes a library from the template: `python tools/new_package torngas-geo "Distances on a sphere" [--no-install]`.

Writes packages/torngas-geo with its manifest, README, changelog, licence, a typed module and green tests; adds it to
the workspace (the root pyproject.toml) and to the documentation; then renews poetry.lock and the environment, records
its public API, and runs its tests. With --no-install only the files are written.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAME = re.compile(r"torngas-[a-z][a-z0-9]*")
LICENSE_OF = "torngas-signal"


class Refused(ValueError):
    """The package cannot be made; the message says why."""


def values(name: str, sentence: str) -> dict[str, str]:
    """What the template's placeholders stand for."""
    if not NAME.fullmatch(name):
        raise Refused(f"name: got {name!r}; expected 'torngas-' and one lower-case word, e.g. 'torngas-geo'")
    if not sentence.strip() or "\n" in sentence or '"' in sentence:
        raise Refused(f"sentence: got {sentence!r}; expected one line without double quotes")
    word = name.removeprefix("torngas-")
    return {
        "PACKAGE": name,
        "IMPORT_NAME": name.replace("-", "_"),
        "CLASS": word.capitalize(),
        "SENTENCE": sentence.strip().rstrip("."),
    }


def filled(text: str, names: dict[str, str]) -> str:
    """A template's text with its placeholders replaced."""
    for placeholder, value in names.items():
        text = text.replace(placeholder, value)
    return text


def write_package(root: Path, names: dict[str, str]) -> Path:
    """Writes the package's files; raises Refused where there is one of this name."""
    target = root / "packages" / names["PACKAGE"]
    if target.exists():
        raise Refused(f"packages/{names['PACKAGE']} is there already")
    for path in sorted((HERE / "template").rglob("*.in")):
        copy = target / filled(path.relative_to(HERE / "template").as_posix(), names).removesuffix(".in")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(filled(path.read_text(encoding="utf-8"), names), encoding="utf-8")
    shutil.copyfile(root / "packages" / LICENSE_OF / "LICENSE", target / "LICENSE")
    return target


def add_to_workspace(root: Path, name: str) -> None:
    """Adds the package to the development environment, before the framework, which stands last."""
    path = root / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    entry = f'{name} = {{ path = "packages/{name}", develop = true }}\n'
    path.write_text(re.sub(r"(?m)^torngas = \{", entry + "torngas = {", text, count=1), encoding="utf-8")


def add_to_documentation(root: Path, name: str) -> None:
    """Adds a guide that shows the README, and its place in the navigation."""
    guide = root / "packages/torngas/docs/guides" / f"{name}.md"
    guide.write_text(f"# {name}\n\n<!-- README of {name} -->\n", encoding="utf-8")
    path = root / "tools/docs/mkdocs.yml"
    text = path.read_text(encoding="utf-8")
    entry = f"      - {name}: guides/{name}.md\n"
    path.write_text(text.replace("  - In production:\n", f"{entry}  - In production:\n", 1), encoding="utf-8")


def install(root: Path, name: str) -> int:
    """Renews lock and environment, records the public API, runs the package's tests; answers the first bad status."""
    for command in (
        ["tools/poetry", "lock"],
        ["tools/poetry", "sync"],
        [".venv/bin/python", "tools/api", "--write", name],
        [".venv/bin/python", "-m", "pytest", "-q", f"packages/{name}"],
    ):
        print(f"$ {' '.join(command)}", flush=True)
        status = subprocess.run(command, cwd=root, check=False).returncode
        if status:
            return status
    (root / ".venv" / ".ready").touch()
    return 0


def main(argv: list[str]) -> int:
    """Makes the package."""
    parser = argparse.ArgumentParser(
        prog="tools/new_package", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", help="the distribution, e.g. torngas-geo")
    parser.add_argument("sentence", help="what it does, in one line")
    parser.add_argument("--no-install", action="store_true", help="write the files only")
    parser.add_argument("--root", type=Path, default=HERE.parents[1], help="the repository (default: this one)")
    args = parser.parse_args(argv)
    root = args.root.resolve()
    try:
        target = write_package(root, values(args.name, args.sentence))
    except Refused as error:
        print(f"tools/new_package: {error}", file=sys.stderr)
        return 2
    add_to_workspace(root, args.name)
    add_to_documentation(root, args.name)
    print(f"made {target.relative_to(root)}; add a row to the tables of README.md and packages/torngas/docs/index.md")
    return 0 if args.no_install else install(root, args.name)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
