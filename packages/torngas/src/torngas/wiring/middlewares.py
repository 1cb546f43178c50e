"""MIDDLEWARE_CLASSES -> middlewares, those of the framework configured from their settings."""

from __future__ import annotations

from typing import Any

from torngas.settings_manager import Settings

__all__ = ["build_middlewares"]


def build_middlewares(settings: Settings) -> list[Any]:
    """Answers the middlewares in declared order, as `torngas_middleware.Application` takes them.

    Raises:
        ConfigError: a setting of one of them is wrong.
    """
    return list(settings.MIDDLEWARE_CLASSES)
