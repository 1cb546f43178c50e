"""One redis to which commands are sent, by threads and by coroutines, behind a circuit breaker."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NoReturn, Protocol

from torngas_cache._forks import forks
from torngas_cache._perloop import PerLoop
from torngas_cache._redis.driver import borrow
from torngas_cache._redis.outage import failure, outages, refusal
from torngas_cache._redis.pipeline import Command, Pipeline, repeatable
from torngas_cache._redis.scripts import SOURCES
from torngas_cache._redis.topology import Topology
from torngas_cache.breaker import CacheUnavailable, CircuitBreaker

__all__ = ["PoolSide", "Server", "Side"]

BreakerFactory = Callable[[], CircuitBreaker]

# Stands for commands that belong to no node in particular.
_ANYWHERE: Command = ()


class Server:
    """One server, or one service that sentinels watch.

    Args:
        topology: Makes the clients: one for all threads on first use, one for every event loop.
        new_breaker: Makes the breaker; every failure is reported to it, whatever becomes of it above.

    Safe for threads, forks and several event loops. A command that can be repeated without harm is sent a second
    time when its connection broke; a timeout is never repeated.
    """

    def __init__(self, topology: Topology, new_breaker: BreakerFactory) -> None:
        self._topology = topology
        self.breaker = new_breaker()
        self._errors = outages()
        self._down = self._errors.down
        self._lock = threading.Lock()
        self._client: Any = None
        self._sides: PerLoop[Side] = PerLoop(self._new_side, self._close_side)
        forks.watch(self)

    def after_fork(self) -> None:
        """A child must not wait for a lock that a thread of its parent held; redis-py sees to its own pools."""
        self._lock = threading.Lock()
        self._sides.after_fork()
        self.breaker.after_fork()

    @property
    def name(self) -> str:
        """For messages; without secrets."""
        return self._topology.name

    @property
    def client(self) -> Any:
        """The client of redis-py that all threads share."""
        if self._client is None:
            with self._lock:
                if self._client is None:
                    self._client = self._topology.client()
        return self._client

    @property
    def aclient(self) -> Any:
        """The client of redis.asyncio that belongs to the running loop."""
        return self._sides.get().client

    def new_connection(self) -> Any:
        """A connection beside the pool, not connected, that speaks RESP2; the caller closes it.

        On RESP2 what the server tells by itself arrives as plain replies, in every release of redis-py.
        """
        pool = self._topology.pool(self.client)
        return pool.connection_class(**{**pool.connection_kwargs, "protocol": 2, "health_check_interval": 0})

    def breaker_of(self, _command: Command) -> CircuitBreaker:
        """The breaker that judges this command."""
        return self.breaker

    def execute(self, command: Command) -> Any:
        """Sends a command and answers its reply.

        Raises:
            CacheUnavailable: no answer, or the breaker is open.
            redis.ResponseError: the server refused the command.
        """
        return self._guarded(self._send, command, command)

    def execute_many(self, commands: Sequence[Command]) -> list[Any]:
        """Sends commands in one round trip and answers their replies; a refused one's place holds the error.

        Raises:
            CacheUnavailable: as `execute`.
        """
        return self._guarded(self._send_many, commands, commands[0]) if commands else []

    def call(self, function: Callable[[Any], Any]) -> Any:
        """Answers `function(client)`; its failures count like those of a command."""
        return self._guarded(lambda run: run(self.client), function, _ANYWHERE)

    def aexecute(self, command: Command) -> Awaitable[Any]:
        """As `execute`; commands of concurrent tasks in the same turn of the loop share one write."""
        return self._aguarded(self.breaker, self._sides.get().submit, command)

    async def aexecute_many(self, commands: Sequence[Command]) -> list[Any]:
        """As `execute_many`; the commands are one write, with whatever else was sent in this turn."""
        replies = await asyncio.gather(*map(self.aexecute, commands), return_exceptions=True)
        for reply in replies:
            if isinstance(reply, BaseException) and not isinstance(reply, self._errors.refused):
                raise reply
        return replies

    def acall(self, function: Callable[[Any], Awaitable[Any]]) -> Awaitable[Any]:
        """Answers `await function(aclient)`; its failures count like those of a command."""
        return self._aguarded(self.breaker, function, self.aclient)

    def close(self) -> None:
        """Closes what threads use; the next command connects again."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            self._topology.close(client)

    async def aclose(self) -> None:
        """Closes what the running loop uses."""
        await self._sides.aclose()

    def _guarded(self, send: Callable[[Any], Any], what: Any, sample: Command) -> Any:
        breaker = self.breaker
        try:
            breaker = self.breaker_of(sample)
            if breaker.is_open and not breaker.allows():
                raise refusal(self.name, breaker)
            reply = send(what)
        except self._down as error:
            if isinstance(error, CacheUnavailable):
                raise
            self._judge(breaker, error)
        except self._errors.refused:
            breaker.succeeded()
            raise
        breaker.succeeded()
        return reply

    async def _aguarded(self, breaker: CircuitBreaker, send: Callable[[Any], Awaitable[Any]], what: Any) -> Any:
        if breaker.is_open and not breaker.allows():
            raise refusal(self.name, breaker)
        try:
            reply = await send(what)
        except self._down as error:
            self._judge(breaker, error)
        except self._errors.unknown_script:
            return await self._aguarded(breaker, send, _in_full(what))
        except self._errors.refused:
            breaker.succeeded()
            raise
        breaker.succeeded()
        return reply

    def _judge(self, breaker: CircuitBreaker, error: Exception) -> NoReturn:
        if isinstance(error, self._errors.denied):
            raise error
        if not isinstance(error, self._errors.exhausted):
            breaker.failed()
        raise failure(self.name, error) from error

    def _send(self, command: Command) -> Any:
        try:
            return self._once(command)
        except self._errors.unknown_script:
            return self._once(_in_full(command))
        except self._errors.lost:
            if not repeatable(command):
                raise
            return self._once(command)

    def _send_many(self, commands: Sequence[Command]) -> list[Any]:
        try:
            return self._many_once(commands)
        except self._errors.lost:
            if not all(map(repeatable, commands)):
                raise
            return self._many_once(commands)

    def _once(self, command: Command) -> Any:
        """One exchange on a pooled connection: `client.execute_command` less what this class does itself."""
        pool = self.client.connection_pool
        connection = borrow(pool)
        try:
            connection.send_packed_command(connection.pack_command(*command))
            return connection.read_response()
        finally:
            pool.release(connection)

    def _many_once(self, commands: Sequence[Command]) -> list[Any]:
        pool = self.client.connection_pool
        connection = borrow(pool)
        try:
            connection.send_packed_command(connection.pack_commands(commands))
            return [self._reply(connection) for _ in commands]
        finally:
            pool.release(connection)

    def _reply(self, connection: Any) -> Any:
        try:
            return connection.read_response()
        except self._errors.refused as error:
            return error

    def _new_side(self) -> Side:
        return PoolSide(self._topology.aclient())

    async def _close_side(self, side: Side) -> None:
        await side.aclose()
        await self._topology.aclose(side.client)


class Side(Protocol):
    """What belongs to one event loop."""

    @property
    def client(self) -> Any:
        """A client of redis.asyncio."""

    def submit(self, command: Command, /) -> Awaitable[Any]:
        """Sends a command with all others of this turn."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Ends what is under way; the client is closed by its maker."""


class PoolSide:
    """A client whose commands go through one pool."""

    def __init__(self, client: Any) -> None:
        errors = outages()
        self.client = client
        self._pipeline = Pipeline(_PoolSource(client.connection_pool), errors.refused, errors.lost, merges=True)
        self.submit = self._pipeline.submit
        self.aclose = self._pipeline.aclose


class _PoolSource:
    __slots__ = ("_pool",)

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def acquire(self) -> Any:
        return await borrow(self._pool)

    async def release(self, connection: Any, /) -> None:
        await self._pool.release(connection)


def _in_full(command: Command) -> Command:
    """The script itself in the place of its name."""
    return ("EVAL", SOURCES[command[1]], *command[2:])
