"""What the pages are made of: READMEs, changelogs and settings, read as text, never imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

INCLUDE = re.compile(r"^<!-- README of ([\w-]+)(?:: (.+?))? -->$", re.MULTILINE)
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|#|mailto:)([^)\s]+)\)")


class SourceError(ValueError):
    """A page asks for something that its source does not have; the message says where and what there is."""


def _changelog_links(text: str, package: str, up: str) -> str:
    def rewritten(match: re.Match[str]) -> str:
        if match[2] == "CHANGELOG.md":
            return f"[{match[1]}]({up}reference/changes/{package}.md)"
        return match[1]

    return LINK.sub(rewritten, text)


def sections(text: str) -> dict[str, str]:
    """The second-level sections of a Markdown text by heading; what stands before the first one is under ''."""
    found: dict[str, str] = {}
    heading, fenced, lines = "", False, []
    for line in [*text.splitlines(), "## "]:
        fenced ^= line.startswith("```")
        if line.startswith("## ") and not fenced:
            found[heading] = "\n".join(lines).strip() + "\n"
            heading, lines = line.removeprefix("## ").strip(), []
        else:
            lines.append(line)
    return found


def readme(packages: Path, package: str, section: str | None, up: str) -> str:
    """A README without its title, or one section of it, with links that work among the pages."""
    path = packages / package / "README.md"
    if not path.is_file():
        raise SourceError(f"no package {package!r}")
    text = path.read_text(encoding="utf-8")
    if section is None:
        body = text.split("\n", 1)[1].strip() + "\n"
    else:
        parts = sections(text)
        if section not in parts:
            raise SourceError(
                f"{package}/README.md has no section {section!r}; it has: {', '.join(filter(None, parts))}"
            )
        body = parts[section]
    return _changelog_links(body, package, up)


def filled(text: str, packages: Path, depth: int) -> str:
    """A page with its `<!-- README of PACKAGE -->` and `<!-- README of PACKAGE: Section -->` lines replaced."""
    up = "../" * depth
    return INCLUDE.sub(lambda match: readme(packages, match[1], match[2], up), text)


def speed(packages: Path) -> str:
    """The section "Speed" of each README that has one."""
    parts = []
    for path in sorted(packages.glob("*/README.md")):
        package, own = path.parent.name, sections(path.read_text(encoding="utf-8"))
        if "Speed" in own:
            parts.append(f"## {package}\n\n{_changelog_links(own['Speed'], package, '')}")
    return "\n".join(parts)


@dataclass(frozen=True)
class Setting:
    """One key of the settings: what its comment says and what its default is, as written."""

    name: str
    description: str
    default: str


def settings(source: str) -> Iterator[Setting]:
    """The upper-case assignments of a module, with the comments right above them."""
    lines = source.splitlines()
    for node in ast.parse(source).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and target.id.isupper() and value is not None:
            first = node.lineno - 1
            start = first
            while start and lines[start - 1].startswith("#"):
                start -= 1
            comment = " ".join(line.lstrip("# ").strip() for line in lines[start:first])
            default = "\n".join(lines[first : node.end_lineno])
            yield Setting(target.id, comment, re.sub(rf"^{target.id}(: [^=]+)? = ", "", default))


def settings_page(source: str) -> str:
    """The settings reference."""
    parts = [
        "# Settings\n",
        "Generated from `torngas.global_settings`. A settings module replaces a key by assigning it; options left out\n"
        "of `SESSION` and `TEMPLATE_CONFIG` keep their defaults. The environment variable `TORNGAS_<KEY>` overrides a\n"
        "key without a change of files (`TORNGAS_DEBUG=false`). An unknown key is a warning that names the nearest\n"
        "known one.\n",
    ]
    for one in settings(source):
        parts.append(f"## {one.name} {{#{one.name}}}\n")
        if one.description:
            parts.append(f"{one.description}\n")
        parts.append(f"```python\n{one.name} = {one.default}\n```\n")
    return "\n".join(parts)
