"""A primary and its replicas: writes go to the first, reads to the others while one of them works."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from torngas_cache._redis.cluster import ClusterServer
from torngas_cache._redis.options import RedisOptions
from torngas_cache._redis.pipeline import Command
from torngas_cache._redis.server import BreakerFactory, Server
from torngas_cache._redis.topology import ClusterTopology, DirectTopology, SentinelTopology
from torngas_cache.breaker import CacheUnavailable

__all__ = ["Servers"]


class Servers:
    """All servers of one alias.

    Args:
        options: Where they are.
        new_breaker: Makes a breaker for each.
    """

    def __init__(self, options: RedisOptions, new_breaker: BreakerFactory) -> None:
        self.primary = _primary(options, new_breaker)
        self.replicas = _replicas(options, new_breaker)
        self.is_cluster = options.cluster
        self._turn = itertools.count()

    def read(self, command: Command) -> Any:
        """Sends a reading command to a replica, or to the primary where no replica answers."""
        if self.replicas:
            for replica in self._candidates():
                try:
                    return replica.execute(command)
                except CacheUnavailable:
                    continue
        return self.primary.execute(command)

    async def aread(self, command: Command) -> Any:
        """As `read`."""
        for replica in self._candidates():
            try:
                return await replica.aexecute(command)
            except CacheUnavailable:
                continue
        return await self.primary.aexecute(command)

    def close(self) -> None:
        """Closes what threads use."""
        for server in (self.primary, *self.replicas):
            server.close()

    async def aclose(self) -> None:
        """Closes what the running loop uses."""
        for server in (self.primary, *self.replicas):
            await server.aclose()

    def _candidates(self) -> Sequence[Server]:
        """The replicas, another one first each time."""
        start = next(self._turn) % (len(self.replicas) or 1)
        return (*self.replicas[start:], *self.replicas[:start])


def _primary(options: RedisOptions, new_breaker: BreakerFactory) -> Server:
    if options.cluster:
        return ClusterServer(ClusterTopology(options), new_breaker)
    if options.service:
        return Server(SentinelTopology(options), new_breaker)
    return Server(DirectTopology(options, options.addresses[0]), new_breaker)


def _replicas(options: RedisOptions, new_breaker: BreakerFactory) -> list[Server]:
    if options.cluster:
        return []
    if options.service:
        replicas = SentinelTopology(options, replicas=True)
        return [Server(replicas, new_breaker)] if options.read_replicas else []
    return [Server(DirectTopology(options, address), new_breaker) for address in options.addresses[1:]]
