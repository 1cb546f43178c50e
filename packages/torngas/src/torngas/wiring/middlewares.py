"""MIDDLEWARE_CLASSES -> middlewares, those of the framework configured from their settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torngas.settings_manager import Settings
from torngas.wiring.databases import build_database_middleware
from torngas.wiring.dotted import named
from torngas.wiring.modules import build_module_middleware
from torngas.wiring.observers import build_metrics, build_profiling, build_tracing
from torngas.wiring.resources import Resources
from torngas.wiring.sessions import build_session_middleware

__all__ = ["build_middlewares"]

# By the classes' names, so that nothing is imported that is not used. A subclass is somebody else's: it is made
# without arguments.
_CONFIGURED: Mapping[str, Callable[[Any, Settings, Resources], Any]] = {
    "torngas.observe.metrics.MetricsMiddleware": build_metrics,
    "torngas.observe.profiling.ProfilingMiddleware": build_profiling,
    "torngas.observe.tracing.TracingMiddleware": build_tracing,
    "torngas_dbalchemy.middleware.DBAlchemyMiddleware": build_database_middleware,
    "torngas_httpmodule.middleware.HttpModuleMiddleware": build_module_middleware,
    "torngas_session.middleware.SessionMiddleware": build_session_middleware,
}


def build_middlewares(settings: Settings, resources: Resources) -> list[Any]:
    """Answers the middlewares in declared order, as `torngas_middleware.Application` takes them.

    Raises:
        ConfigError: a path does not import, or a setting of a middleware is wrong.
    """
    kinds = [named("MIDDLEWARE_CLASSES", one, "the dotted path of a middleware") for one in settings.MIDDLEWARE_CLASSES]
    built: dict[int, Any] = {}
    # Observers first: what they observe is made by the others.
    for index in sorted(range(len(kinds)), key=lambda index: not getattr(kinds[index], "observes", False)):
        built[index] = _built(kinds[index], settings, resources)
    chosen = [built[index] for index in range(len(kinds)) if built[index] is not None]
    return [*chosen, *(one.innermost for one in chosen if hasattr(one, "innermost"))]


def _built(found: Any, settings: Settings, resources: Resources) -> Any:
    """The middleware; None where the settings switch it off."""
    name = f"{getattr(found, '__module__', '')}.{getattr(found, '__qualname__', '')}"
    build = _CONFIGURED.get(name)
    return found if build is None else build(found, settings, resources)
