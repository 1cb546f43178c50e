"""pylibmc in the place of pymemcache: the calls of `ring.Ring` that a cache needs, over libmemcached.

Importing this module loads pylibmc. Placement and failing servers are libmemcached's own (`ketama`, `remove_failed`,
`dead_timeout`); a breaker stands before all servers together.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pylibmc  # pyright: ignore[reportMissingImports]  # there where somebody installed it

from torngas_cache.breaker import CircuitBreaker

__all__ = ["GONE", "MemcacheClientError", "MemcacheError", "Ring", "is_all_down"]

GONE = (
    OSError,
    pylibmc.ConnectionError,
    pylibmc.HostLookupError,
    pylibmc.NoServers,
    pylibmc.ReadError,
    pylibmc.ServerDead,
    pylibmc.ServerDown,
    pylibmc.UnknownReadFailure,
    pylibmc.WriteError,
)
MemcacheError = pylibmc.Error
MemcacheClientError = pylibmc.ClientError

Payload = bytes | int


class Ring:
    """Servers by way of pylibmc, with a client per thread.

    Args:
        servers: `(host, port)` pairs or paths of sockets.
        new_breaker: Makes the breaker.
        options: `timeout` and `connect_timeout` in seconds; `behaviors`, `binary`, `username`, `password` as pylibmc
            has them.
    """

    def __init__(self, servers: Sequence[Any], new_breaker: Callable[[], CircuitBreaker], **options: Any) -> None:
        self._servers = list(servers)
        self._breaker = new_breaker()
        self._timeout = options.pop("timeout")
        behaviors = {
            "cas": True,
            "ketama": True,
            "tcp_nodelay": True,
            "connect_timeout": int(options.pop("connect_timeout") * 1e3),
            "receive_timeout": int(self._timeout * 1e6),
            "send_timeout": int(self._timeout * 1e6),
            "_poll_timeout": int(self._timeout * 1e3),
            **options.pop("behaviors", {}),
        }
        for name in ("allow_unicode_keys", "default_noreply", "no_delay"):
            options.pop(name)
        names = [server if isinstance(server, str) else f"{server[0]}:{server[1]}" for server in servers]
        self._pool = pylibmc.ThreadMappedPool(pylibmc.Client(names, behaviors=behaviors, **options))

    def get(self, key: str) -> Payload | None:
        """The value, or None."""
        return self._run(lambda client: client.get(key))  # type: ignore[no-any-return]  # pylibmc has no types

    def get_many(self, keys: Sequence[str]) -> dict[str, Payload]:
        """The values that are there."""
        return self._run(lambda client: client.get_multi(list(keys)))  # type: ignore[no-any-return]  # as above

    def gets(self, key: str) -> tuple[Payload | None, Any]:
        """The value and its number for `cas`."""
        return self._run(lambda client: client.gets(key))  # type: ignore[no-any-return]  # as above

    def set(self, key: str, payload: Payload, expire: int) -> bool:
        """Stores."""
        return bool(self._run(lambda client: client.set(key, payload, time=expire)))

    def set_many(self, payloads: Mapping[str, Payload], expire: int) -> list[str]:
        """Stores several; answers the keys that failed."""
        return list(self._run(lambda client: client.set_multi(dict(payloads), time=expire)))

    def add(self, key: str, payload: Payload, expire: int) -> bool:
        """Stores if absent."""
        return bool(self._run(lambda client: client.add(key, payload, time=expire)))

    def cas(self, key: str, payload: Payload, token: Any, expire: int) -> bool:
        """Stores if unchanged."""
        try:
            return bool(self._run(lambda client: client.cas(key, payload, token, time=expire)))
        except pylibmc.NotFound:
            return False

    def touch(self, key: str, expire: int) -> bool:
        """Sets the remaining life."""
        return bool(self._run(lambda client: client.touch(key, expire)))

    def delete(self, key: str) -> bool:
        """Removes."""
        return bool(self._run(lambda client: client.delete(key)))

    def incr(self, key: str, amount: int) -> int | None:
        """Adds; None: absent."""
        return self._count(lambda client: client.incr(key, amount))

    def decr(self, key: str, amount: int) -> int | None:
        """Subtracts, down to 0; None: absent."""
        return self._count(lambda client: client.decr(key, amount))

    def raw(self, key: str, command: bytes) -> bytes:
        """Sends a line about `key` to every server, since placement is libmemcached's secret; answers the first hit."""
        answers = [_asked(server, self._timeout, command) for server in self._servers]
        return next((answer for answer in answers if answer not in (b"EN", b"NF")), answers[0])

    def live(self) -> list[_Place]:
        """All servers, for what is done to each."""
        return [_Place(self, server, self._timeout) for server in self._servers]

    def flush(self) -> None:
        """Empties all servers."""
        self._run(lambda client: client.flush_all())

    def close(self) -> None:
        """Closes the connections of this thread; those of others end with their threads."""
        with self._pool.reserve() as client:
            client.disconnect_all()

    def _count(self, function: Callable[[Any], int]) -> int | None:
        try:
            return int(self._run(function))
        except pylibmc.NotFound:
            return None

    def _run(self, function: Callable[[Any], Any]) -> Any:
        if self._breaker.is_open and not self._breaker.allows():
            raise ConnectionRefusedError("not asked, it failed a moment ago")
        try:
            with self._pool.reserve() as client:
                result = function(client)
        except GONE:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return result


class _Place:
    """One server, as `MemcachedCache` empties it."""

    tls_context = None

    def __init__(self, ring: Ring, server: Any, timeout: float) -> None:
        self._ring = ring
        self.server = server
        self.timeout = timeout

    def flush_all(self) -> None:
        """Empties all servers."""
        self._ring.flush()

    def delete(self, key: bytes) -> None:
        """Removes a key, wherever it is."""
        self._ring.delete(key.decode())


def is_all_down(error: Exception) -> bool:
    """pylibmc has types for that, see GONE."""
    return False


def _asked(server: Any, timeout: float, command: bytes) -> bytes:
    family = socket.AF_UNIX if isinstance(server, str) else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        connection.connect(server)
        connection.sendall(command + b"\r\n")
        with connection.makefile("rb") as lines:
            return lines.readline().strip()
