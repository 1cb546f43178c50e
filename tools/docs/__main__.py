"""Builds the documentation into dist/docs: `python tools/docs [--to FOLDER] [--check-only]`.

The pages of packages/torngas/docs, with the READMEs, changelogs, settings, promises and API filled in from where
they are kept. Strict: a warning, a dead link, a missing anchor or anything fetched from the network ends with
status 1. The tools live in a virtual environment of their own, .docs-venv, from tools/docs/requirements.txt.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import _linkcheck
import _promises
import _reference
import _sources

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PACKAGES = ROOT / "packages"
PAGES = PACKAGES / "torngas" / "docs"
WORK = ROOT / ".cache" / "docs"


def environment() -> Path:
    """The documentation's own virtual environment, made or renewed when its requirements changed; its Python."""
    folder, wanted = ROOT / ".docs-venv", (HERE / "requirements.txt").read_bytes()
    stamp, digest = folder / ".ready", hashlib.sha256(wanted).hexdigest()
    python = folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != digest:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", str(HERE / "requirements.txt")], check=True)
        (folder / ".gitignore").write_text("*\n")
        stamp.write_text(digest)
    return python


def write_pages(target: Path) -> list[int]:
    """Writes all pages, generated ones included; answers the numbers of promises without a test."""
    for path in PAGES.rglob("*"):
        copy = target / path.relative_to(PAGES)
        if path.suffix == ".md":
            copy.parent.mkdir(parents=True, exist_ok=True)
            depth = len(copy.relative_to(target).parts) - 1
            text = path.read_text(encoding="utf-8").replace("<!-- speed -->", _sources.speed(PACKAGES))
            copy.write_text(_sources.filled(text, PACKAGES, depth), encoding="utf-8")
        elif path.suffix in {".svg", ".png", ".css"}:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    return write_reference(target / "reference")


def write_reference(target: Path) -> list[int]:
    """Writes the generated reference; answers the numbers of promises without a test."""
    texts, shown = _promises.promises(PAGES / "promises.toml"), _promises.tests(ROOT)
    defaults = (PACKAGES / "torngas/src/torngas/global_settings.py").read_text(encoding="utf-8")
    written = {"settings": _sources.settings_page(defaults), "promises": _promises.page(texts, shown)}
    for package in packages():
        written[f"api/{package}"] = _reference.page(PACKAGES, package)
        changes = (PACKAGES / package / "CHANGELOG.md").read_text(encoding="utf-8")
        written[f"changes/{package}"] = changes.replace("# Changelog", f"# Changes of {package}", 1)
    for name, text in written.items():
        path = target / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return _promises.missing(texts, shown)


def packages() -> list[str]:
    """The distributions, by name."""
    return sorted(path.parent.name for path in PACKAGES.glob("*/pyproject.toml"))


def write_configuration(folder: Path) -> Path:
    """Writes mkdocs.yml with its placeholders filled in."""
    text = (HERE / "mkdocs.yml").read_text(encoding="utf-8")
    sources = [str(PACKAGES / package / "src") for package in packages()]
    listed = {kind: [{name: f"reference/{kind}/{name}.md"} for name in packages()] for kind in ("api", "changes")}
    for placeholder, value in (("packages", sources), ("api", listed["api"]), ("changes", listed["changes"])):
        text = text.replace(f"{{{placeholder}}}", json.dumps(value))
    path = folder / "mkdocs.yml"
    path.write_text(text, encoding="utf-8")
    return path


def build(site: Path) -> list[str]:
    """Builds the site; answers what is wrong with it."""
    shutil.rmtree(WORK, ignore_errors=True)
    (WORK / "pages").mkdir(parents=True)
    untested = write_pages(WORK / "pages")
    configuration = write_configuration(WORK)
    command = [
        str(environment()),
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--quiet",
        "-f",
        str(configuration),
        "-d",
        str(site),
    ]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    if subprocess.run(command, check=False, env=quiet).returncode:
        return ["mkdocs refused (above)"]
    (site / "404.html").unlink(missing_ok=True)  # of use only at the root of a server
    for number in untested:
        print(f"promise {number} has no test yet")
    return _linkcheck.problems(site)


def main(argv: list[str]) -> int:
    """Builds what is asked for and answers 1 if something is wrong."""
    parser = argparse.ArgumentParser(
        prog="tools/docs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--to", type=Path, default=ROOT / "dist" / "docs", metavar="FOLDER")
    parser.add_argument("--check-only", action="store_true", help="check a site that was built before")
    args = parser.parse_args(argv)
    site = args.to.resolve()
    try:
        found = _linkcheck.problems(site) if args.check_only else build(site)
    except _sources.SourceError as error:
        found = [str(error)]
    for line in found:
        print(f"tools/docs: {line}", file=sys.stderr)
    if not found:
        count, shown = len(list(site.rglob("*.html"))), os.path.relpath(site)
        print(f"{count} pages: open {shown}/index.html, or python3 -m http.server -d {shown} (search needs a server)")
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
