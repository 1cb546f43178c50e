"""METRICS_CONFIG, TRACING_CONFIG, SLOW_REQUEST_SECONDS -> the middlewares that observe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torngas.settings_manager import Settings

if TYPE_CHECKING:
    from torngas.wiring.resources import Resources

__all__ = ["build_metrics", "build_profiling", "build_tracing", "check_observers"]


def build_metrics(kind: Any, settings: Settings, resources: Resources) -> Any:
    """Makes the middleware that counts.

    Raises:
        ConfigError: an option is wrong, or prometheus-client is not installed.
    """
    middleware = kind(settings.METRICS_CONFIG)
    resources.observe(middleware)
    return middleware


def build_tracing(kind: Any, settings: Settings, resources: Resources) -> Any:
    """Makes the middleware that traces; None where TRACING_CONFIG switches it off.

    Raises:
        ConfigError: an option is wrong, or OpenTelemetry's API is not installed.
    """
    from torngas.observe._config import configured
    from torngas.observe.tracing import TracingConfig

    config = configured(TracingConfig, "TRACING_CONFIG", settings.TRACING_CONFIG)
    if not config.enabled:
        return None
    middleware = kind(config)
    resources.observe(middleware)
    return middleware


def build_profiling(kind: Any, settings: Settings, resources: Resources) -> Any:
    """Makes the middleware that measures; None where there is neither DEBUG nor a SLOW_REQUEST_SECONDS.

    Raises:
        ConfigError: SLOW_REQUEST_SECONDS is wrong.
    """
    if not settings.DEBUG and settings.SLOW_REQUEST_SECONDS is None:
        return None
    middleware = kind(timing=settings.DEBUG, slow=settings.SLOW_REQUEST_SECONDS)
    resources.observe(middleware)
    return middleware


def check_observers(settings: Settings) -> None:
    """Refuses options that are wrong.

    Raises:
        ConfigError: names the first.
    """
    if not settings.own & {"HEALTH_CONFIG", "METRICS_CONFIG", "TRACING_CONFIG"}:
        return
    from torngas.observe._config import configured
    from torngas.observe.health import HealthConfig
    from torngas.observe.metrics import MetricsConfig
    from torngas.observe.tracing import TracingConfig

    configured(HealthConfig, "HEALTH_CONFIG", settings.HEALTH_CONFIG)
    configured(MetricsConfig, "METRICS_CONFIG", settings.METRICS_CONFIG)
    configured(TracingConfig, "TRACING_CONFIG", settings.TRACING_CONFIG)
