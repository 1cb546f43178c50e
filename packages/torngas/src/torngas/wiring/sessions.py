"""SESSION -> the middleware that gives every request its session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torngas.settings_manager import Settings

if TYPE_CHECKING:
    from torngas.wiring.resources import Resources

__all__ = ["build_session_middleware"]


def build_session_middleware(kind: Any, settings: Settings, resources: Resources) -> Any:
    return kind()
