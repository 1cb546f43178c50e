"""What a distribution declares: which requirements apply, what they bring along, which versions are the lowest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version


def marker_environment(python: str) -> dict[str, str]:
    """The markers' values on this machine under another Python (its full version)."""
    environment: dict[str, Any] = dict(default_environment())
    environment |= {
        "python_full_version": python,
        "implementation_version": python,
        "python_version": ".".join(python.split(".")[:2]),
    }
    return environment


def applicable(lines: Iterable[str], extras: Iterable[str], python: str) -> list[Requirement]:
    """The requirements that apply under a Python with some extras."""
    environment, chosen = marker_environment(python), ["", *extras]
    return [
        requirement
        for requirement in map(Requirement, lines)
        if not requirement.marker
        or any(requirement.marker.evaluate({**environment, "extra": extra}) for extra in chosen)
    ]


def declared(name: str, installed: Mapping[str, Mapping[str, Any]], python: str) -> set[str]:
    """The canonical names of what `name` and whatever it requires declare, itself included."""
    requires = {canonicalize_name(key): value["requires"] for key, value in installed.items()}
    seen: set[tuple[str, str]] = set()
    open_ends: list[tuple[str, str]] = [(canonicalize_name(name), "")]
    while open_ends:
        key, extra = open_ends.pop()
        if (key, extra) in seen:
            continue
        seen.add((key, extra))
        for requirement in applicable(requires.get(key, []), [extra] if extra else [], python):
            target = canonicalize_name(requirement.name)
            open_ends += [(target, ""), *((target, one) for one in requirement.extras)]
    return {key for key, _ in seen}


def lowest(requirements: Iterable[Requirement], versions_of: Callable[[str], Iterable[str]]) -> list[str]:
    """Constraints that hold each requirement at the lowest release that its range admits."""
    pins = []
    for requirement in requirements:
        versions = sorted(map(Version, versions_of(requirement.name)))
        admitted = [version for version in versions if version in requirement.specifier]
        if not admitted:
            raise LookupError(f"{requirement}: the index has no release in this range")
        pins.append(f"{requirement.name}=={admitted[0]}")
    return pins
