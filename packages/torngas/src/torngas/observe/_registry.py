"""The instruments of one application on prometheus-client, alone or shared by several processes."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from torngas.exception import ConfigError
from torngas.observe._config import required
from torngas.observe._tally import Tallies
from torngas.wiring.dotted import named

if TYPE_CHECKING:
    from torngas.observe.metrics import MetricsConfig

__all__ = ["FOLDER_VARIABLE", "Exposition", "Instruments", "Series"]

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_ATTEMPTS = 5
_GAUGES = {
    "in_progress": ("http_requests_in_progress", "Requests that are being answered.", ()),
    "pool_in_use": ("db_pool_connections_in_use", "Connections that the pool handed out.", ("database", "server")),
    "pool_size": ("db_pool_size", "Connections that the pool keeps at most.", ("database", "server")),
    "pool_overflow": ("db_pool_overflow", "Connections that are open beyond that.", ("database", "server")),
}
_SIZES = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)

Look = Callable[[], Iterable[tuple[tuple[str, ...], float]]]
"""Answers label values and value of each series of a gauge."""

Series = tuple[Callable[[float], None], Callable[[float], None] | None]
"""What counts a request by its seconds, and what measures the bytes of its body; None where nothing does."""


class Instruments:
    """Counters, histograms and gauges.

    Gauges are not counted up and down: they are looked at when somebody asks, and where several processes share them
    every `refresh` seconds, since only one of the processes is asked.

    Raises:
        ConfigError: prometheus-client is missing, or was imported before its folder was known.
    """

    def __init__(self, config: MetricsConfig) -> None:
        self.client = required("prometheus_client", "metrics", "MetricsMiddleware")
        self.folder = _shared_folder()
        self.shared = bool(self.folder)
        self.registry = _registry(self.client, config.registry, self.shared)
        self._refresh_seconds = config.refresh
        self._looks: list[tuple[Any, Look]] = []
        self._timer: asyncio.TimerHandle | None = None
        own = self._own = {"namespace": config.namespace, "registry": self.registry}
        try:
            self._make(config, own)
        except ValueError as error:
            raise ConfigError(
                f"METRICS_CONFIG: got {dict(own)} ({error}); expected, of two applications with one registry, a "
                "namespace for each"
            ) from error
        self._writes = {name: self._session.labels(name).inc for name in ("save", "delete")}

    def _make(self, config: MetricsConfig, own: dict[str, Any]) -> None:
        labels = ("method", "route")
        counter, histogram = self.client.Counter, self.client.Histogram
        self._tallies: Tallies | None = None
        if not self.shared:
            self._tallies = Tallies(config.namespace, config.buckets)
            self.registry.register(self._tallies)
        else:
            self._requests = counter("http_requests_total", "Requests that are over.", (*labels, "status"), **own)
            self._durations = histogram(
                "http_request_duration_seconds", "How long they took.", labels, buckets=tuple(config.buckets), **own
            )
        self._sizes = None
        if config.response_size:
            self._sizes = histogram("http_response_size_bytes", "Sizes of bodies sent.", labels, buckets=_SIZES, **own)
        self._cache = counter("cache_requests_total", "Entries asked for.", ("alias", "result"), **own)
        self._session = counter("session_writes_total", "Writes to the session store.", ("operation",), **own)

    def request_series(self, method: str, route: str, status: int, *, timed: bool) -> Series:
        """What counts a request of these labels by its duration, and what measures it where that is wanted."""
        measure = None if self._sizes is None else self._sizes.labels(method, route).observe
        if self._tallies is not None:
            tally = self._tallies.tally(method, route, status)
            return tally.add if timed else tally.add_untimed, measure
        count = self._requests.labels(method, route, status).inc
        observe = self._durations.labels(method, route).observe if timed else None

        def add(seconds: float) -> None:
            count()
            if observe is not None:
                observe(seconds)

        return add, measure

    def cache_series(self, alias: str) -> tuple[Callable[[float], None], Callable[[float], None]]:
        """What counts the hits of an alias, and the misses."""
        return self._cache.labels(alias, "hit").inc, self._cache.labels(alias, "miss").inc

    def session_write(self, operation: str) -> None:
        """Counts one."""
        self._writes[operation]()

    def look(self, name: str, look: Look) -> None:
        """Makes a gauge of what `look` answers."""
        metric, text, labels = _GAUGES[name]
        gauge = self.client.Gauge(metric, text, labels, multiprocess_mode="livesum", **self._own)
        self._looks.append((gauge, look))

    def refresh(self) -> None:
        """Writes every gauge."""
        for gauge, look in self._looks:
            for labels, value in look():
                (gauge.labels(*labels) if labels else gauge).set(value)

    def start(self) -> None:
        """Refreshes from now on, on the running loop, until `stop`."""
        self.refresh()
        self._timer = asyncio.get_running_loop().call_later(self._refresh_seconds, self.start)

    def stop(self) -> None:
        """Ends what `start` began; idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Exposition:
    """The numbers as text."""

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments

    @property
    def registry(self) -> Any:
        """The `CollectorRegistry` of this application; of this process only, where several share their numbers."""
        return self._instruments.registry

    def refresh(self) -> None:
        """Looks at the gauges; for the loop's thread."""
        self._instruments.refresh()

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Body and content type for an Accept header; for any thread."""
        from prometheus_client.exposition import choose_encoder

        encode, content_type = choose_encoder(accept)
        if not self._instruments.shared:
            return encode(self.registry), content_type
        for _ in range(_ATTEMPTS - 1):
            try:
                return encode(self._together()), content_type
            except (struct.error, FileNotFoundError):  # a process that begins, or ends, is just making its files
                continue
        return encode(self._together()), content_type

    def _together(self) -> Any:
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = self._instruments.client.CollectorRegistry()
        MultiProcessCollector(registry, self._instruments.folder)  # type: ignore[no-untyped-call]
        return registry


def _shared_folder() -> str:
    folder = os.environ.get(FOLDER_VARIABLE, "")
    if folder:
        from prometheus_client import values

        if not getattr(values.ValueClass, "_multiprocess", False):
            raise ConfigError(
                f"MetricsMiddleware: got {FOLDER_VARIABLE}={folder!r} after prometheus_client was imported; expected "
                "it in the environment from the start, as `--processes` gives it to the workers"
            )
    return folder


def _registry(client: Any, given: Any, shared: bool) -> Any:
    if given is not None:
        return named("METRICS_CONFIG['registry']", given, "a CollectorRegistry or its dotted path")
    registry = client.CollectorRegistry(auto_describe=True)
    if not shared:
        client.ProcessCollector(registry=registry)
    return registry
