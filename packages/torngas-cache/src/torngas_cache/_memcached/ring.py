"""The servers of a memcached alias: pymemcache's `HashClient`, made safe for threads where servers fail.

Importing this module loads pymemcache. A key's server is found by rendezvous hashing, so that a server that comes or
goes moves its own keys only. A server that fails leaves the ring at once; when the breaker's window has passed one
caller asks it again, and it comes back only with an answer.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from pymemcache.client.hash import HashClient
from pymemcache.exceptions import MemcacheClientError, MemcacheError, MemcacheUnexpectedCloseError

from torngas_cache.breaker import CircuitBreaker

__all__ = ["GONE", "MemcacheClientError", "MemcacheError", "Ring", "is_all_down"]

GONE = (OSError, MemcacheUnexpectedCloseError)
"""The errors that say that a connection or its server went away."""


class Ring(HashClient):  # type: ignore[misc]  # pymemcache has no types
    """A `HashClient` whose failing servers are handled under a lock, each with a circuit breaker.

    Args:
        servers: `(host, port)` pairs or paths of sockets.
        new_breaker: Makes a server's breaker.
        options: For `HashClient`. With `retry_attempts` above 0 a failing server stays in the ring for so many tries
            and its keys miss meanwhile, as pymemcache has it; the default here is 0.
    """

    def __init__(self, servers: Sequence[Any], new_breaker: Callable[[], CircuitBreaker], **options: Any) -> None:
        self._ring_lock = threading.RLock()
        self._breakers: dict[Any, CircuitBreaker] = {}
        self._new_breaker = new_breaker
        super().__init__(servers, **{"retry_attempts": 0, "use_pooling": True, **options})

    def raw(self, key: str, command: bytes) -> bytes:
        """Sends a line about `key` to its server and answers the line that comes back."""
        client = self._get_client(key)
        answer: bytes = self._safely_run_func(client, client.raw_command, b"", command)
        return answer

    def live(self) -> list[Any]:
        """The clients of all servers that are in the ring."""
        return [self.clients[name] for name in list(self.hasher.nodes)]

    def _get_client(self, key: Any) -> Any:
        # The keys were validated; with one server, hashing would cost more than all else.
        if len(self.clients) == 1 and not self._dead_clients:
            return next(iter(self.clients.values()))
        return super()._get_client(key)

    def _retry_dead(self) -> None:
        for server in list(self._dead_clients):
            breaker = self._breaker(server)
            if not breaker.allows():
                continue
            if self._answers(server):
                with self._ring_lock:
                    self._dead_clients.pop(server, None)
                    self.hasher.add_node(self._make_client_key(server))
                breaker.succeeded()
            else:
                breaker.failed()

    def _mark_failed_server(self, server: Any) -> None:
        """Called while the failure is handled."""
        # A pooled connection that the server had closed says nothing about the server; a timeout does.
        if not isinstance(sys.exception(), TimeoutError) and self._answers(server):
            return
        self._breaker(server).failed()
        with self._ring_lock:
            if self.retry_attempts > 0:
                super()._mark_failed_server(server)
            else:
                self.remove_server(server)

    def remove_server(self, server: Any, port: int | None = None) -> None:
        """Takes a server out of the ring until it answers again; twice is once."""
        server = server if port is None else (server, port)
        name = self._make_client_key(server)
        with self._ring_lock:
            self._failed_clients.pop(server, None)
            self._dead_clients[server] = 0.0
            if name in self.hasher.nodes:
                self.hasher.remove_node(name)

    def _answers(self, server: Any) -> bool:
        client = self.clients[self._make_client_key(server)]
        _close_idle(client)
        try:
            client.version()
        except (*GONE, MemcacheError):
            return False
        return True

    def _breaker(self, server: Any) -> CircuitBreaker:
        with self._ring_lock:
            if server not in self._breakers:
                self._breakers[server] = self._new_breaker()
            return self._breakers[server]


def _close_idle(client: Any) -> None:
    """Closes the connections that nobody uses; `close()` would take those in use from under their threads."""
    pool = getattr(client, "client_pool", None)
    if pool is None:
        client.close()
        return
    for _ in pool.free:
        pool.destroy(pool.get())


def is_all_down(error: MemcacheError) -> bool:
    """Whether no server was left to ask; pymemcache has no type for it, only its base class."""
    return type(error) is MemcacheError
