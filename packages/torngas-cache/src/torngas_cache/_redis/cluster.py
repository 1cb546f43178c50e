"""A redis cluster as one server: commands go to the node of their key, and each node has a breaker of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from typing import Any

from torngas_cache._redis.outage import outages
from torngas_cache._redis.pipeline import Command, Pipeline
from torngas_cache._redis.server import BreakerFactory, Server, Side
from torngas_cache._redis.topology import Topology
from torngas_cache.breaker import CircuitBreaker

__all__ = ["ClusterServer", "ClusterSide", "key_of"]

_log = logging.getLogger("torngas_cache")


class ClusterServer(Server):
    """All nodes of a cluster.

    A node that does not answer turns its own keys away, not those of the others. Every command is about one key, so
    nothing here can cross slots.
    """

    def __init__(self, topology: Topology, new_breaker: BreakerFactory) -> None:
        super().__init__(topology, new_breaker)
        self._new_breaker = new_breaker
        self._breakers: dict[str, CircuitBreaker] = {}
        self._breakers_lock = threading.Lock()

    def after_fork(self) -> None:
        """As for one server, for the breakers of all nodes."""
        super().after_fork()
        self._breakers_lock = threading.Lock()
        for breaker in self._breakers.values():
            breaker.after_fork()

    def breaker_of(self, command: Command) -> CircuitBreaker:
        """The breaker of the node that has the command's key; the cluster's own while its layout is unknown."""
        client = self._client
        return self.breaker_at(client.get_node_from_key(key_of(command)).name) if client and command else self.breaker

    def breaker_at(self, node: str) -> CircuitBreaker:
        """The breaker of the node with this name."""
        breaker = self._breakers.get(node)
        if breaker is None:
            with self._breakers_lock:
                breaker = self._breakers.setdefault(node, self._new_breaker())
        return breaker

    async def aexecute(self, command: Command) -> Any:
        """As `Server.aexecute`, to the node that has the key in this loop's own view of the cluster."""
        side: ClusterSide = self._sides.get()  # type: ignore[assignment]  # _new_side makes no other
        node = side.node_of(command) if side.ready else await self._aguarded(self.breaker, side.find, command)
        return await self._aguarded(self.breaker_at(node.name), side.submit, command)

    def execute_many(self, commands: Sequence[Command]) -> list[Any]:
        """As `Server.execute_many`; one round trip per node."""
        return self._guarded(self._send_many, commands, ()) if commands else []

    def _once(self, command: Command) -> Any:
        return self.client.execute_command(*command)

    def _many_once(self, commands: Sequence[Command]) -> list[Any]:
        pipeline = self.client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        return list(pipeline.execute(raise_on_error=False))

    def _new_side(self) -> Side:
        return ClusterSide(self._topology.aclient())


class ClusterSide:
    """One event loop's client of the cluster, with a pipeline per node."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.ready = False
        self._errors = outages()
        self._pipelines: dict[str, tuple[Any, Pipeline]] = {}
        self._refresh: asyncio.Task[None] | None = None

    async def find(self, command: Command) -> Any:
        """Learns the layout, then answers the command's node."""
        await self.client.initialize()
        self.ready = True
        return self.node_of(command)

    def node_of(self, command: Command) -> Any:
        """The primary that has the command's key, as far as is known here."""
        return self.client.get_node_from_key(key_of(command))

    async def submit(self, command: Command) -> Any:
        """Sends by the node's pipeline; redirections are left to redis-py, which also learns from them."""
        try:
            return await self._pipeline(self.node_of(command)).submit(command)
        except self._errors.moved:
            return await self.client.execute_command(*command)
        except self._errors.down:
            self._renew()
            raise

    async def aclose(self) -> None:
        """Ends what is under way."""
        if self._refresh is not None:
            self._refresh.cancel()
            await asyncio.gather(self._refresh, return_exceptions=True)
        for _, pipeline in self._pipelines.values():
            await pipeline.aclose()

    def _pipeline(self, node: Any) -> Pipeline:
        known, pipeline = self._pipelines.get(node.name, (None, None))
        if pipeline is None or known is not node:
            pipeline = Pipeline(_NodeSource(node), self._errors.refused, self._errors.lost)
            self._pipelines[node.name] = (node, pipeline)
        return pipeline

    def _renew(self) -> None:
        """Asks for the layout anew, beside the callers: after a fail-over it names the new primary."""
        if self._refresh is None or self._refresh.done():
            self._refresh = asyncio.get_running_loop().create_task(self._learn())

    async def _learn(self) -> None:
        try:
            await self.client.nodes_manager.initialize()
        except self._errors.down as error:
            _log.warning("the cluster's layout is not to be had now: %s", error)


class _NodeSource:
    __slots__ = ("_node",)

    def __init__(self, node: Any) -> None:
        self._node = node

    async def acquire(self) -> Any:
        """A node's connections are no pool that checks them: one that the server has closed connects again here."""
        connection = self._node.acquire_connection()
        try:
            if connection.is_connected and await _has_news(connection):
                await connection.disconnect()
            await connection.connect()
        except BaseException:
            await self.release(connection)
            raise
        return connection

    async def release(self, connection: Any, /) -> None:
        # Releases before 5.3 have no method for it; they do this themselves.
        release = getattr(self._node, "release", None) or self._node._free.append
        release(connection)


async def _has_news(connection: Any) -> bool:
    """Whether something can be read though nothing was asked: the end of the connection, as a rule."""
    asked = getattr(connection, "can_read", None) or connection.can_read_destructive
    try:
        return bool(await asked())
    except (OSError, outages().lost):
        return True


def key_of(command: Command) -> str:
    """The key of a command of this package; a script's stands behind the number of keys."""
    key: str = command[3] if command[0] in {"EVALSHA", "EVAL"} else command[1]
    return key
