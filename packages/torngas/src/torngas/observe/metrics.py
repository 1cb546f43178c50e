"""Numbers about requests, caches, pools and sessions for Prometheus: a middleware that counts, a handler that shows.

    MIDDLEWARE_CLASSES = ("torngas.observe.metrics.MetricsMiddleware", …)
    INSTALLED_APPS = ("torngas.observe", …)                    # /metrics

| metric | kind, labels |
|---|---|
| `http_requests_total` | counter: method, route (its pattern), status |
| `http_request_duration_seconds` | histogram: method, route; from the request's head to the end of its response |
| `http_requests_in_progress` | gauge |
| `http_response_size_bytes` | histogram: method, route; with `response_size` |
| `cache_requests_total` | counter: alias, result (`hit`, `miss`) |
| `session_writes_total` | counter: operation (`save`, `delete`) |
| `db_pool_connections_in_use`, `db_pool_size`, `db_pool_overflow` | gauges: database, server |

Labels are bounded: a method that HTTP does not know is `OTHER`, a request without a route `unmatched`. A client that
left before its response began is status 499, as in the access log. A WebSocket is one request of status 101, whose
duration is none of the histogram's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tornado.web import Application, HTTPError, RequestHandler

from torngas.exception import ConfigError
from torngas.observe._config import configured
from torngas.observe._registry import Exposition, Instruments, Series
from torngas.observe.watch import Work

__all__ = ["DEFAULT_BUCKETS", "MetricsConfig", "MetricsHandler", "MetricsMiddleware"]

DEFAULT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Upper bounds in seconds; those that OpenTelemetry advises for the duration of requests."""

KNOWN_METHODS = frozenset(("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"))
CLIENT_LEFT = 499
SWITCHING_PROTOCOLS = 101
UNMATCHED = "unmatched"
FIRST_PRUNING = 1000
_SETTING = "metrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsConfig:
    """METRICS_CONFIG.

    Attributes:
        namespace: Stands before every name, with an underscore; empty: nothing. Two applications that share a
            registry, or a process among `--processes`, need one each.
        buckets: Upper bounds of the durations in seconds, ascending.
        response_size: Whether the sizes of bodies as they were sent are measured too.
        registry: A `CollectorRegistry` or its dotted path; None makes one for the application alone.
            `"prometheus_client.REGISTRY"` shows the metrics that other code registers there.
        refresh: Seconds after which gauges are written anew where several processes share them, above 0.
    """

    namespace: str = ""
    buckets: tuple[float, ...] | list[float] = DEFAULT_BUCKETS
    response_size: bool = False
    registry: Any = None
    refresh: float = 1.0

    def __post_init__(self) -> None:
        buckets = list(self.buckets)
        if not buckets or sorted(set(buckets)) != buckets:
            raise ConfigError(f"METRICS_CONFIG['buckets']: got {self.buckets!r}; expected ascending seconds")
        if not self.refresh > 0:
            raise ConfigError(f"METRICS_CONFIG['refresh']: got {self.refresh!r}; expected seconds above 0")


class MetricsMiddleware:
    """Counts requests, each once, however it ends. It belongs to one application.

    Where another middleware ends all later hooks by calling `clear()`, this one is not called either: that request is
    missing in the counters.

    Args:
        config: METRICS_CONFIG, or what it is made of.

    Raises:
        ConfigError: prometheus-client is not installed, or an option is wrong.
    """

    observes = True
    kinds = frozenset(("cache", "session"))

    def __init__(self, config: MetricsConfig | Mapping[str, Any] | None = None) -> None:
        self._config = configured(MetricsConfig, "METRICS_CONFIG", config)
        self._instruments = Instruments(self._config)
        self._in_flight: set[Any] = set()
        self._most = FIRST_PRUNING
        self._series: dict[tuple[str | None, str, int], Series] = {}
        self._reads: dict[str, tuple[Callable[[float], None], Callable[[float], None]]] = {}
        self._starts = self._instruments.shared
        self._instruments.look("in_progress", self._look_at_progress)

    def process_init(self, application: Application) -> None:
        """Lets `/metrics` find the numbers, and looks at the application's pools."""
        application.settings[_SETTING] = Exposition(self._instruments)
        if self._config.response_size:
            from torngas.observe._sizes import Sized

            application.transforms = [*application.transforms, Sized]
        connector = getattr(getattr(application, "resources", None), "connector", None)
        if connector is not None:
            from torngas.observe._pools import look_at_pools

            look_at_pools(connector, self._instruments)
        if (on_shutdown := getattr(application, "on_shutdown", None)) is not None:
            on_shutdown(self._instruments.stop)

    def process_request(self, handler: RequestHandler, clear: Any) -> None:
        """Notes that the request is in progress."""
        self._in_flight.add(clear)
        if len(self._in_flight) > self._most:
            self._prune()
        if self._starts:
            self._starts = False
            self._instruments.start()

    def process_endcall(self, handler: RequestHandler, clear: Any) -> None:
        """Counts it."""
        self._in_flight.discard(clear)
        request: Any = handler.request
        status = handler.get_status()
        if getattr(request, "unanswered", False) and status != SWITCHING_PROTOCOLS:
            status = CLIENT_LEFT
        route = getattr(request, "route", None)
        key = request.method, UNMATCHED if route is None else route.pattern, status
        try:
            add, measure = self._series[key]
        except KeyError:
            add, measure = self._made(*key)
        seconds = request.request_time()
        add(seconds if seconds > 0 else 0.0)  # the wall clock may be set back meanwhile, a sum must not
        if measure is not None:
            measure(getattr(request, "_observed_size", 0))

    def _prune(self) -> None:
        """Forgets the requests whose end is not told, because somebody called `clear()`."""
        self._in_flight = {one for one in self._in_flight if not getattr(one, "cleared", False)}
        self._most = max(FIRST_PRUNING, 2 * len(self._in_flight))

    def _look_at_progress(self) -> list[tuple[tuple[str, ...], float]]:
        self._prune()
        return [((), len(self._in_flight))]

    def _made(self, method: str | None, route: str, status: int) -> Series:
        """The series of these labels, resolved once; the dictionary grows by known methods only."""
        method = method if method in KNOWN_METHODS else "OTHER"
        found = self._series.get((method, route, status))
        if found is None:
            found = self._instruments.request_series(method, route, status, timed=status != SWITCHING_PROTOCOLS)
            self._series[method, route, status] = found
        return found

    def ended(self, work: Work) -> None:
        """Counts what a cache found and what a session wrote."""
        if work.kind == "cache":
            if work.hits or work.misses:
                self._count_reads(work)
        elif work.kind == "session" and work.hits:
            self._instruments.session_write(work.operation)

    def _count_reads(self, work: Work) -> None:
        try:
            hit, miss = self._reads[work.target]
        except KeyError:
            hit, miss = self._reads[work.target] = self._instruments.cache_series(work.target)
        if work.hits:
            hit(work.hits)
        if work.misses:
            miss(work.misses)


class MetricsHandler(RequestHandler):
    """The numbers in Prometheus' text format, or in OpenMetrics' to who asks for that.

    With `--processes` they are those of all workers together. 404 where there is no MetricsMiddleware.
    """

    access_log = False

    async def get(self) -> None:
        """Answers them; collecting happens in a thread."""
        exposition: Exposition | None = self.application.settings.get(_SETTING)
        if exposition is None:
            raise HTTPError(404)
        exposition.refresh()
        accept = ",".join(self.request.headers.get_list("Accept"))
        body, content_type = await asyncio.to_thread(exposition.render, accept)
        self.set_header("Content-Type", content_type)
        self.set_header("Cache-Control", "no-store")
        self.add_header("Vary", "Accept")
        self.write(body)

    head = get

    def compute_etag(self) -> None:
        """None: the numbers change."""

    def _log(self) -> None:
        """Tornado's own line, for applications without the access log's middleware."""
        if self.get_status() >= 400:
            super()._log()
