"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake: where, what was got, what was expected; no secret is part of it."""

    text: str
    is_error: bool = False
