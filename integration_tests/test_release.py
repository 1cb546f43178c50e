"""The release helper: what it reads from a changelog, what it refuses, and a dry run that changes nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAD = "# Changelog\n\nWords.\n\n"


def copy_of_the_tools(folder: Path, *packages: str) -> Path:
    """A small repository with the tools and some packages, committed."""
    names = ["tools/release", "tools/isolated", *(f"packages/{name}" for name in packages)]
    files = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--", *names], check=True, capture_output=True, text=True
    ).stdout.split()
    for name in files:
        if "/tests/" not in name and (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "All")
    return folder


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def release(folder: Path, *arguments: str, monkey: pytest.MonkeyPatch) -> subprocess.CompletedProcess[str]:
    for role in ("AUTHOR", "COMMITTER"):
        monkey.setenv(f"GIT_{role}_NAME", "t")
        monkey.setenv(f"GIT_{role}_EMAIL", "t@example.org")
    command = [sys.executable, str(folder / "tools/release"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def repository(tmp_path):
    return copy_of_the_tools(tmp_path, "torngas-signal", "torngas")


def changelog(folder: Path, text: str) -> None:
    (folder / "packages/torngas-signal/CHANGELOG.md").write_text(HEAD + text)
    git(folder, "commit", "-qam", "Tell")


@pytest.mark.parametrize(
    ("entries", "version"),
    [
        ("### Fixed\n\n- A thing.\n", "1.0.1"),
        ("### Added\n\n- A thing.\n", "1.1.0"),
        ("### Fixed\n\n- A thing.\n\n### Changed\n\n- A thing.\n", "1.1.0"),
    ],
)
def test_the_version_follows_from_the_changelog(repository, monkeypatch, entries, version):
    changelog(repository, f"## [Unreleased]\n\n{entries}\n## [1.0.0] - 2026-01-01\n\n### Added\n\n- All.\n")
    done = release(repository, "torngas-signal", monkey=monkeypatch)
    assert done.returncode == 0, done.stderr
    assert f"torngas-signal: 1.0.0 -> {version}, tag torngas-signal-v{version}" in done.stdout


def test_a_dry_run_changes_nothing(repository, monkeypatch):
    changelog(repository, "## [1.0.0] - unreleased\n\n### Added\n\n- All.\n")
    assert "dry run" in release(repository, "torngas-signal", monkey=monkeypatch).stdout
    assert git(repository, "status", "--porcelain", "--untracked-files=no") == ""
    assert git(repository, "tag") == ""


def test_executing_writes_commits_and_tags(repository, monkeypatch):
    changelog(repository, "## [Unreleased]\n\n### Added\n\n- B.\n\n## [1.0.0] - 2026-01-01\n\n### Added\n\n- A.\n")
    done = release(repository, "torngas-signal", "--execute", monkey=monkeypatch)
    assert done.returncode == 0, done.stderr
    assert git(repository, "tag") == "torngas-signal-v1.1.0"
    assert 'version = "1.1.0"' in git(repository, "show", "HEAD:packages/torngas-signal/pyproject.toml")
    assert "## [1.1.0] - 2" in git(repository, "show", "HEAD:packages/torngas-signal/CHANGELOG.md")
    again = release(repository, "torngas-signal", monkey=monkeypatch)
    assert again.returncode == 1
    assert "torngas-signal-v1.1.0 is there already" in again.stderr


def test_a_version_that_the_framework_does_not_admit_is_refused(repository, monkeypatch):
    changelog(repository, "## [Unreleased]\n\n### Removed\n\n- B.\n\n## [1.0.0] - 2026-01-01\n\n### Added\n\n- A.\n")
    done = release(repository, "torngas-signal", monkey=monkeypatch)
    assert done.returncode == 1
    assert "which does not admit 2.0.0" in done.stderr


def test_a_silent_changelog_is_refused(repository, monkeypatch):
    changelog(repository, "## [Unreleased]\n\n## [1.0.0] - 2026-01-01\n\n### Added\n\n- A.\n")
    done = release(repository, "torngas-signal", monkey=monkeypatch)
    assert done.returncode == 2
    assert "got no entry in the newest section" in done.stderr


def test_metadata_that_may_not_be_published_is_refused(repository, monkeypatch):
    manifest = repository / "packages/torngas-signal/pyproject.toml"
    manifest.write_text(manifest.read_text().replace("dependencies = []", 'dependencies = ["tornado==6.6.1"]'))
    changelog(repository, "## [1.0.0] - unreleased\n\n### Added\n\n- All.\n")
    done = release(repository, "torngas-signal", monkey=monkeypatch)
    assert done.returncode == 1
    assert "one exact version" in done.stderr


def test_uncommitted_changes_are_refused(repository, monkeypatch):
    changelog(repository, "## [1.0.0] - unreleased\n\n### Added\n\n- All.\n")
    (repository / "packages/torngas-signal/README.md").write_text("x")
    done = release(repository, "torngas-signal", "--execute", monkey=monkeypatch)
    assert done.returncode == 1
    assert "1 uncommitted changes" in done.stderr
    assert git(repository, "tag") == ""


def test_an_unknown_package_names_those_that_are_there(repository, monkeypatch):
    done = release(repository, "torngas-nothing", monkey=monkeypatch)
    assert done.returncode == 2
    assert "there are: torngas, torngas-signal" in done.stderr


def test_every_package_of_this_repository_could_be_released():
    """Metadata, contents, ranges, and what twine says of the built files."""
    names = sorted(path.parent.name for path in (ROOT / "packages").glob("*/pyproject.toml"))
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools/release"), *names], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" -> ") == len(names)
    assert "dry run" in done.stdout
    assert "twine is not installed" not in done.stdout
