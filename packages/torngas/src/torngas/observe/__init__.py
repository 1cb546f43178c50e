"""Seen from outside: health checks, metrics, traces, and where the time of a request went.

    INSTALLED_APPS = ("torngas.observe", "blog")               # /healthz, /readyz, /metrics
    MIDDLEWARE_CLASSES = (
        "torngas.observe.metrics.MetricsMiddleware",
        "torngas.observe.tracing.TracingMiddleware",
        "torngas.observe.profiling.ProfilingMiddleware",
        …
    )

Each part stands alone in a module of its own. What is not named in the settings is not imported, and neither caches,
engines, sessions nor templates are looked at unless one of the middlewares is there.
"""
