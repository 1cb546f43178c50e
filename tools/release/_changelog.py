"""Changelogs in the form of Keep a Changelog: the newest version, what it changes, what it may be called."""

from __future__ import annotations

import re
from dataclasses import dataclass

HEADING = re.compile(r"^## \[?(?P<version>[^\]\s]+)\]?(?: - (?P<date>.+))?$")
VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


class ChangelogError(ValueError):
    """A changelog that a release cannot be made of; the message says what is expected."""


@dataclass(frozen=True)
class Release:
    """One section: its version (None for [Unreleased]), its date if any, and its entries by kind ("Added", …)."""

    version: str | None
    date: str | None
    entries: dict[str, list[str]]

    @property
    def is_open(self) -> bool:
        """Whether it is still written on: [Unreleased], or a version that is called unreleased."""
        return self.version is None or self.date is None or self.date.lower() == "unreleased"


def releases(text: str) -> list[Release]:
    """All sections, newest first."""
    found: list[Release] = []
    kind = ""
    for line in text.splitlines():
        if match := HEADING.match(line):
            version = match["version"]
            found.append(Release(None if version.lower() == "unreleased" else version, match["date"], {}))
            kind = ""
        elif found and line.startswith("### "):
            kind = line.removeprefix("### ").strip()
            found[-1].entries.setdefault(kind, [])
        elif found and kind and line.startswith("- "):
            found[-1].entries[kind].append(line.removeprefix("- "))
        elif found and kind and line.startswith("  ") and found[-1].entries[kind]:
            found[-1].entries[kind][-1] += " " + line.strip()
    return found


def next_version(sections: list[Release], where: str) -> str:
    """The version that the newest section asks for, by semantic versioning.

    A section with a number says it itself. [Unreleased] is a major step if something is removed or an entry begins
    with "Breaking:", a minor one if something is added or changed or deprecated, else a patch.

    Raises:
        ChangelogError: nothing is to be released.
    """
    if not sections or not any(sections[0].entries.values()):
        raise ChangelogError(f"{where}: got no entry in the newest section; expected what this release changes")
    newest = sections[0]
    if newest.version is not None:
        return newest.version
    released = next((one.version for one in sections[1:] if one.version), "0.0.0")
    match = VERSION.fullmatch(released)
    if not match:
        raise ChangelogError(f"{where}: got the version {released!r}; expected three numbers, e.g. '1.2.3'")
    major, minor, patch = (int(number) for number in match.groups())
    if newest.entries.get("Removed") or any(e.startswith("Breaking:") for es in newest.entries.values() for e in es):
        return f"{major + 1}.0.0"
    if any(newest.entries.get(kind) for kind in ("Added", "Changed", "Deprecated")):
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}"


def dated(text: str, version: str, date: str) -> str:
    """The changelog with its newest section named and dated."""
    lines = text.splitlines(keepends=True)
    index = next(number for number, line in enumerate(lines) if HEADING.match(line.rstrip("\n")))
    lines[index] = f"## [{version}] - {date}\n"
    return "".join(lines)
