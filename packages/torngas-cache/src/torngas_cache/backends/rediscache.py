"""Redis: one server, a primary with replicas, a service that sentinels watch, or a cluster.

    CACHES = {
        "default": {
            "BACKEND": "torngas_cache.backends.rediscache.RedisCache",
            "LOCATION": "127.0.0.1:6379",
            "OPTIONS": {
                "DB": 0,
                "PARSER_CLASS": "redis.connection.DefaultParser",
                "POOL_KWARGS": {"socket_timeout": 2, "socket_connect_timeout": 2},
                "PING_INTERVAL": 120,
            },
        }
    }

`LOCATION`: `host:port`, the path of a unix socket, or a redis://, rediss:// (TLS) or unix:// URL. With several, the
first takes writes and the others, its replicas, take reads: what was just written may not be there yet. With
`CLUSTER: True` they are nodes to ask for the cluster's layout; with `SENTINEL_SERVICE: "name"` they are sentinels.

redis-py is loaded when a backend is made, and connects with the first command. Clients are safe for threads; every
event loop has an asynchronous client of its own, closed with the loop. A process that forks goes on with both sides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from torngas_cache._keymaking import DEFAULT_TIMEOUT, Timeout
from torngas_cache._outage import OutagePolicy
from torngas_cache._params import Params, split_locations
from torngas_cache._redis.options import RedisOptions
from torngas_cache._redis.primitives_async import AsyncRedisPrimitives
from torngas_cache._redis.server import Server
from torngas_cache._redis.servers import Servers

__all__ = ["RedisCache", "RedisClient"]

DEFAULT_LOCATION = "127.0.0.1:6379"


class RedisClient:
    """Clients of redis-py, configured as a cache is, without a cache's methods.

    Args:
        location: Where the servers are, see the module.
        params: The configuration of the alias. OPTIONS takes
            DB (default 1, a URL: what it says, else 0), PASSWORD, USERNAME;
            POOL_KWARGS, for the connection pool and its connections, by default both socket timeouts are 2 s;
            POOL_CLASS, PARSER_CLASS: classes of redis-py or dotted paths;
            PING_INTERVAL: seconds after which an idle connection is pinged before it is used, 0: never;
            CLUSTER, SENTINEL_SERVICE, SENTINEL_KWARGS, READ_REPLICAS (of a sentinel's service);
            ON_OUTAGE ("raise" or "miss"), BREAKER_WINDOW (seconds, 5), BREAKER_FAILURES (1).
            Names in lower case go to redis-py as they are (`protocol=3`, `ssl=True`, `max_connections=50`).

    Raises:
        CacheConfigError: a wrong option; it is named.
        MissingExtraError: redis-py is not installed.
    """

    blocking: ClassVar[bool] = True
    knows_outages: ClassVar[bool] = True

    def __init__(self, location: Any = DEFAULT_LOCATION, params: Mapping[str, Any] | None = None) -> None:
        read = Params.read(params or {})
        self._connect(location, read.options, read.clock or time.time)

    @property
    def primary(self) -> Server:
        """Where writes go; for the other modules of this library."""
        return self._servers.primary

    @property
    def is_cluster(self) -> bool:
        """Whether the keys are spread over slots."""
        return self._servers.is_cluster

    @property
    def client(self) -> Any:
        """The client of redis-py for the primary (`redis.Redis` or `redis.cluster.RedisCluster`); made on first use."""
        return self._servers.primary.client

    @property
    def aclient(self) -> Any:
        """The same of redis.asyncio, of the running loop.

        Raises:
            RuntimeError: no event loop is running.
        """
        return self._servers.primary.aclient

    def close(self, **_: Any) -> None:
        """Closes the connections of threads; the next call connects again. May be called twice."""
        self._servers.close()

    async def aclose(self, **_: Any) -> None:
        """Closes the connections of the running loop and those of threads. May be called twice."""
        await self._servers.aclose()
        self._servers.close()

    def _connect(self, location: Any, options: dict[str, Any], clock: Callable[[], float]) -> None:
        """Keeps where to connect to; opens nothing."""
        self._policy = OutagePolicy.take(options, clock)
        self._servers = Servers(
            RedisOptions.parse(split_locations(location or DEFAULT_LOCATION), options), self._policy.breaker
        )


class RedisCache(RedisClient, AsyncRedisPrimitives):
    """A cache on redis; the options are those of `RedisClient` and those that all caches have.

    Integers are stored bare, so that `incr` is the server's own and keeps the remaining life. `add` is `SET NX PX`;
    what one command cannot say (`incr` of what exists only, `cas`, releasing a lock) is a script that runs as one.
    Coroutines that call in the same turn of the event loop share one write and one connection. `clear` removes the
    keys with this prefix in batches; `clear(all=True)` empties the database.
    """

    blocking: ClassVar[bool] = True
    knows_outages: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    def __init__(self, location: Any = DEFAULT_LOCATION, params: Mapping[str, Any] | None = None) -> None:
        AsyncRedisPrimitives.__init__(self, params)
        self._connect(location, self._options, self._clock)

    def get_backend_timeout(self, timeout: Timeout = DEFAULT_TIMEOUT) -> float | None:
        """What redis is told: seconds from now; None: never, 0: expired at once."""
        seconds = self._seconds(timeout)
        return None if seconds is None else max(0, seconds)
