"""Requests counted in plain numbers, and shown to a registry when it is asked: a third of the work per request.

For one process; where several share their numbers each request is written where the others can read it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["Tallies", "Tally"]


class Tally:
    """The requests of one series."""

    __slots__ = ("bounds", "buckets", "count", "seconds")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)
        self.count = 0
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        """One more request, which took so long."""
        self.count += 1
        self.seconds += seconds
        self.buckets[bisect_left(self.bounds, seconds)] += 1

    def add_untimed(self, seconds: float) -> None:
        """One more request, whose duration says nothing."""
        self.count += 1


class Tallies:
    """A collector of tallies, for `CollectorRegistry.register`.

    Args:
        namespace: Stands before the names.
        bounds: Upper bounds of the buckets in seconds.
    """

    def __init__(self, namespace: str, bounds: Sequence[float]) -> None:
        self._prefix = f"{namespace}_" if namespace else ""
        self._bounds = tuple(float(bound) for bound in bounds)
        self._tallies: dict[tuple[str, str, str], Tally] = {}

    def tally(self, method: str, route: str, status: int) -> Tally:
        """The tally of a series; the same one for the same labels."""
        return self._tallies.setdefault((method, route, str(status)), Tally(self._bounds))

    def describe(self) -> Iterator[Any]:
        """What `collect` will yield, so that a registry can refuse names that it has already."""
        return self.collect()

    def collect(self) -> Iterator[Any]:
        """Yields the counter and the histogram."""
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
        from prometheus_client.utils import floatToGoString

        labels = ("method", "route", "status")
        counter = CounterMetricFamily(f"{self._prefix}http_requests", "Requests that are over.", labels=labels)
        together: dict[tuple[str, str], tuple[list[int], float]] = {}
        for key, tally in list(self._tallies.items()):
            counter.add_metric(key, tally.count)
            buckets, seconds = together.get(key[:2], ([0] * len(tally.buckets), 0.0))
            added = [one + more for one, more in zip(buckets, tally.buckets, strict=True)]
            together[key[:2]] = added, seconds + tally.seconds
        yield counter
        histogram = HistogramMetricFamily(
            f"{self._prefix}http_request_duration_seconds", "How long they took.", labels=labels[:2]
        )
        names = [*map(floatToGoString, self._bounds), "+Inf"]
        for route, (buckets, seconds) in together.items():
            if any(buckets):
                histogram.add_metric(route, list(zip(names, _summed(buckets), strict=True)), seconds)
        yield histogram


def _summed(buckets: list[int]) -> Iterator[int]:
    total = 0
    for bucket in buckets:
        total += bucket
        yield total
