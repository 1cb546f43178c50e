"""Commands of concurrent tasks, sent together: whatever was submitted in one turn of the loop is one write.

A pipeline borrows a connection from redis-py's own pool while it has something to send, so that the pool's rules
(health check, TLS, authentication, sentinel, limits) all hold, and gives it back when its queue is empty: a waiting
task holds a future, never a connection. A task that is cancelled abandons its future; the reply is read and dropped,
so the connection stays in step.
"""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import Any, Protocol, TypeAlias

__all__ = ["Command", "ConnectionSource", "Pipeline"]

Command: TypeAlias = tuple[Any, ...]

# A command that comes while replies are awaited takes another connection, so that it does not queue behind a slow
# one; beyond this many connections it waits, and goes out with all others that did.
MAX_CONNECTIONS = 2
# Bytes; asyncio's buffer limit, below which a write does not wait for room.
WHOLE_WRITE = 64 * 1024
# Keys in one MGET: large values come in several replies.
MERGED_KEYS = 128
# Repeating these when the connection broke has the effect of having sent them once.
REPEATABLE = frozenset({"EXISTS", "GET", "MGET", "PING", "PSETEX", "PTTL", "SCAN", "SET", "UNLINK"})


def repeatable(command: Command) -> bool:
    """Whether a command may be sent again when nobody knows if the server has run it."""
    return command[0] in REPEATABLE and "NX" not in command[3:]


class ConnectionSource(Protocol):
    """Where a pipeline takes its connections from."""

    async def acquire(self) -> Any:
        """Answers a connection of redis.asyncio that is ready to send."""

    async def release(self, connection: Any, /) -> None:
        """Takes it back."""


class _Entry:
    __slots__ = ("command", "future", "repeated")

    def __init__(self, command: Command, future: asyncio.Future[Any]) -> None:
        self.command = command
        self.future = future
        self.repeated = False


_Parcel: TypeAlias = tuple[Command, list[_Entry]]


class Pipeline:
    """One queue of commands to one server, of one event loop.

    Args:
        source: Lends connections.
        refused: The type of an error reply; the connection is in order.
        merges: Whether GETs that follow each other go as one MGET: the server answers them at once, and one reply is
            read instead of many. Not in a cluster, where the keys of a command must share a slot.
        lost: The type that means "the connection broke" (a timeout is none: the server may be busy with the command).
    """

    def __init__(
        self, source: ConnectionSource, refused: type[Exception], lost: type[Exception], *, merges: bool = False
    ) -> None:
        self._source = source
        self._parcels = _merged if merges else _one_each
        self._refused = refused
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._queue: list[_Entry] = []
        self._runners: set[asyncio.Task[None]] = set()
        self._scheduled = False

    def submit(self, command: Command) -> asyncio.Future[Any]:
        """Queues a command and answers the future of its reply; an error reply is the future's exception."""
        future = self._loop.create_future()
        self._queue.append(_Entry(command, future))
        if not self._scheduled and len(self._runners) < MAX_CONNECTIONS:
            self._start()
        return future

    async def aclose(self) -> None:
        """Ends what is under way; its futures get CancelledError, as their tasks' loop is about to end."""
        runners = list(self._runners)
        for runner in runners:
            runner.cancel()
        await asyncio.gather(*runners, return_exceptions=True)

    def _start(self) -> None:
        self._scheduled = True
        self._runners.add(self._loop.create_task(self._run()))

    async def _run(self) -> None:
        """Sends until nothing is left. It starts in the turn after `submit`, when all ready tasks have submitted."""
        try:
            connection = await self._acquire()
            if connection is not None:
                await self._drain(connection)
        finally:
            self._runners.discard(asyncio.current_task())
            if self._queue and not self._scheduled and not self._runners:
                self._start()

    async def _acquire(self) -> Any:
        """Answers a connection; None when there is none: then the queue has failed, or is left to another runner."""
        try:
            return await self._source.acquire()
        except BaseException as error:
            if not isinstance(error, Exception) or len(self._runners) == 1:
                _fail(self._take(), error)
            if not isinstance(error, Exception):
                raise
            return None
        finally:
            self._scheduled = False

    async def _drain(self, connection: Any) -> None:
        try:
            while self._queue:
                await self._exchange(connection, self._take())
        finally:
            await self._source.release(connection)

    def _take(self) -> list[_Entry]:
        batch, self._queue = self._queue, []
        return batch

    async def _exchange(self, connection: Any, batch: list[_Entry]) -> None:
        """One write, then every reply. redis-py closes the connection on any error that is no reply."""
        parcels = self._parcels(batch)
        chunks = connection.pack_commands([command for command, _ in parcels])
        done, sent = 0, False
        try:
            await connection.send_packed_command(chunks)
            sent = True
            for _, entries in parcels:
                await self._read(connection, entries)
                done += len(entries)
        except BaseException as error:
            # asyncio takes a small write whole or, where the connection is known to be lost, not at all.
            unsent = not sent and sum(map(len, chunks)) < WHOLE_WRITE
            self._abandon(batch[done:], error, unsent)
            if not isinstance(error, Exception):
                raise

    async def _read(self, connection: Any, entries: list[_Entry]) -> None:
        try:
            reply = await connection.read_response()
        except self._refused as error:
            _fail(entries, error)
            return
        replies = reply if len(entries) > 1 else (reply,)
        for entry, each in zip(entries, replies, strict=True):
            if not entry.future.done():
                entry.future.set_result(each)

    def _abandon(self, batch: list[_Entry], error: BaseException, unsent: bool) -> None:
        if isinstance(error, self._lost):
            again = [entry for entry in batch if not entry.repeated and (unsent or repeatable(entry.command))]
            for entry in again:
                entry.repeated = True
            self._queue[:0] = again
            batch = [entry for entry in batch if entry not in again]
        _fail(batch, error)


def _one_each(batch: list[_Entry]) -> list[_Parcel]:
    return [(entry.command, [entry]) for entry in batch]


def _merged(batch: list[_Entry]) -> list[_Parcel]:
    """Neighbors that are GETs become one MGET; the order of all commands stays."""
    parcels: list[_Parcel] = []
    for is_get, neighbors in groupby(batch, _is_get):
        run = list(neighbors)
        if not is_get or len(run) == 1:
            parcels += _one_each(run)
            continue
        for start in range(0, len(run), MERGED_KEYS):
            entries = run[start : start + MERGED_KEYS]
            parcels.append((("MGET", *[entry.command[1] for entry in entries]), entries))
    return parcels


def _is_get(entry: _Entry) -> bool:
    return bool(entry.command[0] == "GET")


def _fail(batch: list[_Entry], error: BaseException) -> None:
    # The runner is cancelled when its loop ends or the cache is closed; to a task that waits for a reply it is the
    # connection that went away, not its own cancellation.
    reason = error if isinstance(error, Exception) else ConnectionError("The client was closed while a reply was due.")
    for entry in batch:
        if not entry.future.done():
            entry.future.set_exception(reason)
