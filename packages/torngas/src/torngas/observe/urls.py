"""`/healthz`, `/readyz` and `/metrics`, for INSTALLED_APPS or to be included.

    INSTALLED_APPS = ("torngas.observe", "blog")
    urls = [*routes("/internal"), …]                           # elsewhere, or not all of them

`/metrics` is a 404 unless MetricsMiddleware is there. None of them asks who is asking: let the proxy in front refuse
`/readyz` and `/metrics` to the world.
"""

from __future__ import annotations

import re
from typing import Any

from torngas.observe.health import LivenessHandler, ReadinessHandler
from torngas.observe.metrics import MetricsHandler
from torngas_router import Url

__all__ = ["routes", "urls"]


def routes(prefix: str = "", *, health: bool = True, metrics: bool = True) -> list[Any]:
    """The routes, named `healthz`, `readyz` and `metrics`.

    Args:
        prefix: What the paths begin with, e.g. "/internal".
        health: Whether those of health are among them.
        metrics: Whether that of the metrics is.
    """
    chosen: list[tuple[str, Any]] = []
    if health:
        chosen += [("healthz", LivenessHandler), ("readyz", ReadinessHandler)]
    if metrics:
        chosen.append(("metrics", MetricsHandler))
    url = Url()
    return [url(f"{re.escape(prefix)}/{name}", handler, name=name) for name, handler in chosen]


urls = routes()
