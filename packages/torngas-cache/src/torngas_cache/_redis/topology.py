"""How clients of redis-py are made for one server, for a service that sentinels watch, and for a cluster.

A topology only makes clients; who keeps and closes them is `servers`. Making the synchronous client of a cluster asks
a node for the cluster's layout, all others touch the network with their first command.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

from torngas_cache._redis.driver import asynchronous, connections, driver, load, no_retry, twin
from torngas_cache._redis.options import Address, RedisOptions
from torngas_cache.errors import CacheConfigError

__all__ = ["ClusterTopology", "DirectTopology", "SentinelTopology", "Topology"]

# Options of `redis.Redis` that are really a choice of the connection's class.
_TLS = "ssl"

UNLIMITED = 2**31
"""Connections of a pool: as many as there are threads. Late releases of redis-py refuse the 101st thread by default."""


class Topology(Protocol):
    """Makes clients, one per call; the caller owns them."""

    @property
    def name(self) -> str:
        """For messages; without secrets."""
        raise NotImplementedError

    def client(self) -> Any:
        """A client of `redis`."""

    def aclient(self) -> Any:
        """A client of `redis.asyncio`, for the running loop."""

    def close(self, client: Any, /) -> None:
        """Closes the connections of a client that `client` made."""

    async def aclose(self, client: Any, /) -> None:
        """Closes the connections of a client that `aclient` made, in its loop."""

    def pool(self, client: Any, /) -> Any:
        """The pool of a client that `client` made; of a cluster, one node's."""


class DirectTopology:
    """One server."""

    def __init__(self, options: RedisOptions, address: Address) -> None:
        self._options = options
        self._address = address
        self.name = address.name
        self._pool_class = load("RedisCache OPTIONS['POOL_CLASS']", options.pool_class)
        self._kwargs = options.connection_kwargs(address)
        self._parser = _parser(options)

    def client(self) -> Any:
        """A client over a pool of its own."""
        pool_class = self._pool_class or connections(is_async=False).ConnectionPool
        return driver().Redis(connection_pool=self._pool(pool_class, is_async=False))

    def aclient(self) -> Any:
        """A client over a pool of its own; a pool class of the user's serves the synchronous client only."""
        default = connections(is_async=True).ConnectionPool
        pool_class = twin(self._pool_class, default) if self._pool_class else default
        return asynchronous().Redis(connection_pool=self._pool(pool_class, is_async=True))

    def close(self, client: Any) -> None:
        """Closes the client's pool."""
        client.connection_pool.disconnect()

    async def aclose(self, client: Any) -> None:
        """Closes the client's pool."""
        await client.connection_pool.disconnect()

    def pool(self, client: Any) -> Any:
        """The client's pool."""
        return client.connection_pool

    def _pool(self, pool_class: Any, is_async: bool) -> Any:
        kwargs = _finished(self._kwargs, self._parser, is_async)
        if self._pool_class is None:
            kwargs = {"max_connections": UNLIMITED, **kwargs}
        module = connections(is_async)
        tls = kwargs.pop(_TLS, False)
        address = self._address
        if address.url:
            return pool_class.from_url(address.url, **kwargs)
        if address.path:
            kwargs = {"connection_class": module.UnixDomainSocketConnection, "path": address.path, **kwargs}
        else:
            default = module.SSLConnection if tls else module.Connection
            kwargs = {"connection_class": default, "host": address.host, "port": address.port, **kwargs}
        return pool_class(**kwargs)


class SentinelTopology:
    """The primary of a service, or its replicas; the sentinels are asked whenever a connection is made."""

    def __init__(self, options: RedisOptions, *, replicas: bool = False) -> None:
        self._options = options
        self._replicas = replicas
        self.name = f"{options.service} ({'replicas' if replicas else 'primary'}, by sentinel)"
        self._parser = _parser(options)
        _need_hosts("SENTINEL_SERVICE", options)

    def client(self) -> Any:
        """A client that follows the service's fail-overs."""
        driver()
        return self._made(import_module("redis.sentinel").Sentinel, is_async=False)

    def aclient(self) -> Any:
        """The same for coroutines."""
        asynchronous()
        return self._made(import_module("redis.asyncio.sentinel").Sentinel, is_async=True)

    def close(self, client: Any) -> None:
        """Closes the client's pool, and the connections to the sentinels."""
        for one in (client, *client.connection_pool.sentinel_manager.sentinels):
            one.connection_pool.disconnect()

    async def aclose(self, client: Any) -> None:
        """Closes the client's pool, and the connections to the sentinels."""
        for one in (client, *client.connection_pool.sentinel_manager.sentinels):
            await one.connection_pool.disconnect()

    def pool(self, client: Any) -> Any:
        """The client's pool."""
        return client.connection_pool

    def _made(self, sentinel_class: Any, is_async: bool) -> Any:
        options = self._options
        kwargs = _finished(options.connection_kwargs(options.addresses[0]), self._parser, is_async)
        kwargs = {"db": 0, "max_connections": UNLIMITED, **kwargs}
        timeouts = {name: kwargs[name] for name in ("socket_timeout", "socket_connect_timeout")}
        sentinel = sentinel_class(
            [(address.host, address.port) for address in options.addresses],
            sentinel_kwargs={**timeouts, "retry": no_retry(is_async), **options.sentinel_kwargs},
            **kwargs,
        )
        found = sentinel.slave_for if self._replicas else sentinel.master_for
        return found(options.service)


class ClusterTopology:
    """All nodes of a cluster; commands go where their key's slot is."""

    def __init__(self, options: RedisOptions) -> None:
        self._options = options
        self.name = f"cluster of {', '.join(address.name for address in options.addresses)}"
        self._parser = _parser(options)
        _need_hosts("CLUSTER", options)

    def client(self) -> Any:
        """A client that knows the cluster's layout when this returns."""
        driver()
        module = import_module("redis.cluster")
        return module.RedisCluster(**self._arguments(module.ClusterNode, is_async=False))

    def aclient(self) -> Any:
        """A client that learns the layout with its first command, or by `initialize`."""
        asynchronous()
        module = import_module("redis.asyncio.cluster")
        return module.RedisCluster(**self._arguments(module.ClusterNode, is_async=True))

    def close(self, client: Any) -> None:
        """Closes the connections to all nodes."""
        client.close()

    async def aclose(self, client: Any) -> None:
        """Closes the connections to all nodes."""
        await (getattr(client, "aclose", None) or client.close)()  # 5.0.0 has the old name only

    def pool(self, client: Any) -> Any:
        """The pool of some node."""
        return client.get_redis_connection(client.get_random_node()).connection_pool

    def _arguments(self, node: Any, is_async: bool) -> dict[str, Any]:
        options = self._options
        kwargs = _finished(options.connection_kwargs(options.addresses[0]), self._parser, is_async)
        kwargs.pop("db", None)
        if is_async:
            kwargs.pop("parser_class", None)
        for address in options.addresses:
            kwargs = {**_from_url(address), **kwargs}
        return {"startup_nodes": [node(address.host, address.port) for address in options.addresses], **kwargs}


def _finished(kwargs: dict[str, Any], parser: Any, is_async: bool) -> dict[str, Any]:
    """The arguments with the classes of one world in place."""
    kwargs = {"retry": no_retry(is_async), **kwargs}
    if parser is not None:
        kwargs["parser_class"] = twin(parser, connections(is_async=True).DefaultParser) if is_async else parser
    if is_async and (chosen := kwargs.get("connection_class")):
        kwargs["connection_class"] = twin(chosen, connections(is_async=True).Connection)
    return kwargs


def _parser(options: RedisOptions) -> Any:
    """The parser class; names that redis-py has given up (PythonParser, HiredisParser) mean their successors."""
    name = options.parser_class
    driver()
    if isinstance(name, str):
        successors = {
            "redis.connection.HiredisParser": "_HiredisParser",
            "redis.connection.PythonParser": "_RESP2Parser",
        }
        name = f"redis.connection.{successors[name]}" if name in successors else name
    return load("RedisCache OPTIONS['PARSER_CLASS']", name)


def _from_url(address: Address) -> dict[str, Any]:
    """What a URL says besides the place: credentials, TLS, and what its query sets."""
    if not address.url:
        return {}
    kwargs = dict(connections(is_async=False).parse_url(address.url))
    secure = address.url.startswith("rediss:")
    for name in ("host", "port", "db", "connection_class"):
        kwargs.pop(name, None)
    return {**kwargs, _TLS: True} if secure else kwargs


def _need_hosts(option: str, options: RedisOptions) -> None:
    if bad := [address for address in options.addresses if not address.host]:
        raise CacheConfigError(
            f"RedisCache LOCATION: got {bad[0].name!r} with {option}; expected 'host:port', a socket's path cannot "
            "be reached by the other servers."
        )
