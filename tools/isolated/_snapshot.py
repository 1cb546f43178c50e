"""What is examined: the commit that is checked out, or the tracked files as they stand, copied into a folder."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path


def _git(root: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True).stdout


def is_checkout(root: Path) -> bool:
    """Whether `root` belongs to a git checkout (a downloaded archive does not)."""
    return shutil.which("git") is not None and (root / ".git").exists()


def committed(root: Path, target: Path) -> str:
    """Copies the commit that is checked out; answers what that was, in words."""
    with tarfile.open(fileobj=io.BytesIO(_git(root, "archive", "--format=tar", "HEAD"))) as archive:
        archive.extractall(target, filter="data")
    revision = _git(root, "rev-parse", "--short", "HEAD").decode().strip()
    changed = _git(root, "status", "--porcelain", "--untracked-files=no").decode().splitlines()
    rest = f" (without {len(changed)} uncommitted changes; --working-tree takes them)" if changed else ""
    return f"commit {revision}{rest}"


def working_tree(root: Path, target: Path) -> str:
    """Copies the files as they stand: the tracked ones of a checkout, all but hidden ones elsewhere."""
    if is_checkout(root):
        names = _git(root, "ls-files", "-z").decode().split("\0")
        found = [root / name for name in names if name]
    else:
        parts = ("packages", "tools", "pyproject.toml")
        found = [
            path for part in parts for path in ([root / part] if (root / part).is_file() else (root / part).rglob("*"))
        ]
    for path in found:
        if path.is_file() and "__pycache__" not in path.parts:
            copy = target / path.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
    return "the working tree"
