"""Development: notes in memory, no pages but the documentation's."""

from pathlib import Path

PROJECT_PATH = Path(__file__).resolve().parent.parent

DEBUG = True
INSTALLED_APPS = ("notes", "accounts", "orders", "torngas.api", "torngas.observe")
OPENAPI = {
    "title": "Notes",
    "version": "1.0.0",
    "description": "A small API: notes in the memory of one process.",
    "tags": {
        "notes": "Reading and writing notes.",
        "feedback": "A form.",
        "accounts": "Logging in and out.",
        "orders": "Placing orders, once, and changing them.",
    },
}

MIDDLEWARE_CLASSES = (
    "torngas.observe.profiling.ProfilingMiddleware",  # Server-Timing, and a line for each slow request
    "torngas_middleware.RequestIdMiddleware",
    "torngas.middleware.accesslog.AccessLogMiddleware",
    "torngas.observe.metrics.MetricsMiddleware",  # shown at /metrics
    "torngas.observe.tracing.TracingMiddleware",  # spans go where the program sends OpenTelemetry's
    "torngas.httpmodule.httpmodule.HttpModuleMiddleware",
)

TORNADO_CONF = {
    "xsrf_cookies": False,  # a typed body must be JSON, which no other site's form can send
    "default_handler_class": "base.Nowhere",
}

LOGGING_DIR = PROJECT_PATH / "logs"

HEALTH_CONFIG = {"timeout": 2, "checks": {"notes": "notes.health.can_search"}}
SLOW_REQUEST_SECONDS = 0.5
