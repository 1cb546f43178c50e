"""COMMON_MODULES and ROUTE_MODULES -> the middleware that runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torngas.settings_manager import Settings

if TYPE_CHECKING:
    from torngas.wiring.resources import Resources

__all__ = ["build_module_middleware"]


def build_module_middleware(kind: Any, settings: Settings, resources: Resources) -> Any:
    """Makes the middleware.

    Raises:
        ModuleConfigError: a module or a key is wrong.
    """
    return kind(settings.COMMON_MODULES, settings.ROUTE_MODULES)
