"""One request and its response: the body goes to the delegate, what is written goes to the server.

Nothing is made that a request does not need: a handler that answers at once is run, and its response sent, inside of
the server's own task. A task that reads is started only for a body that arrives in parts, or for a handler that lets
the client wait, so that its leaving is noticed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from tornado.httputil import HTTPInputError, HTTPMessageDelegate
from tornado.log import gen_log

from torngas.asgi.connection import ASGIConnection
from torngas.asgi.types import Message, Receive, Send

__all__ = ["Exchange", "refuse"]

_END: Message = {"type": "http.request", "body": b"", "more_body": False}


class Exchange:
    """Runs one delegate on one connection.

    Args:
        connection: What the handler writes to.
        delegate: What Tornado's routing found.
        receive: The server's.
        send: The server's.
        chunk_size: Bytes that a delegate gets at once, at most.
    """

    __slots__ = ("_chunk_size", "_connection", "_delegate", "_receive", "_receiving", "_send")

    def __init__(
        self,
        connection: ASGIConnection,
        delegate: HTTPMessageDelegate,
        receive: Receive,
        send: Send,
        chunk_size: int,
    ) -> None:
        self._connection = connection
        self._delegate = delegate
        self._receive = receive
        self._send = send
        self._chunk_size = chunk_size
        self._receiving = False

    async def run(self, ready: Awaitable[None] | None) -> None:
        """Runs it to the end of the response, or until the client left.

        Args:
            ready: What `headers_received` answered.
        """
        connection = self._connection
        message = None
        if ready is None and connection.unread and self._fits(0):
            message = await self._receive()
            body = message.get("body", b"")
            if message["type"] == "http.request" and not message.get("more_body") and self._is_small(body):
                ready = self._delegate.data_received(body) if body else None
                message = _END
                connection.unread = ready is not None
        if connection.unread or ready is not None:
            await self._run_with_reader(ready, message)
        else:
            self._delegate.finish()
            await self.respond()

    def _fits(self, size: int) -> bool:
        limit = self._connection.max_body_size
        return size <= limit and (self._connection.length or 0) <= limit

    def _is_small(self, body: bytes) -> bool:
        return len(body) <= self._chunk_size and self._fits(len(body))

    async def respond(self) -> None:
        """Sends the response of a delegate that has the whole request."""
        connection = self._connection
        if not connection.finished:
            # Most coroutines are over after their first step; only after it is it worth to watch the client.
            await asyncio.sleep(0)
        if connection.finished:
            await connection.send_written(self._send)
        else:
            await self._run_with_reader(None, None)

    async def _run_with_reader(self, ready: Awaitable[None] | None, message: Message | None) -> None:
        connection = self._connection
        reader = asyncio.get_running_loop().create_task(self._read(ready, message))
        reader.add_done_callback(lambda _: connection.close())
        try:
            await connection.send_all(self._send)
        except BaseException:
            connection.left()
            raise
        finally:
            self._stop(reader)
        await self._report(reader)

    def _stop(self, reader: asyncio.Task[None]) -> None:
        """Ends the reading, but not a `data_received` that finished the response and goes on."""
        if self._receiving:
            reader.cancel()
        if self._connection.unread:
            self._connection.unread = False
            self._delegate.on_connection_close()

    async def _report(self, reader: asyncio.Task[None]) -> None:
        if not reader.done() or reader.cancelled() or (error := reader.exception()) is None:
            return
        if not isinstance(error, HTTPInputError):
            raise error
        gen_log.info("Malformed HTTP message from %s: %s", self._connection.context, error)
        if not self._connection.started:
            await refuse(self._connection, self._send)

    async def _read(self, ready: Awaitable[None] | None, message: Message | None) -> None:
        if ready is not None:
            await ready
        if self._connection.unread:
            try:
                async with asyncio.timeout(self._connection.body_timeout):
                    await self._read_body(message)
            except TimeoutError:
                gen_log.info("Timeout reading body from %s", self._connection.context)
                return
        if not self._connection.over:
            await self._watch()

    async def _read_body(self, message: Message | None) -> None:
        received = 0
        while not self._connection.over:
            if message is None:
                message = await self._next()
            if message["type"] == "http.disconnect":
                self._connection.lose()
                return
            body = message.get("body", b"")
            received += len(body)
            if not self._fits(received):
                raise HTTPInputError("body too long")
            await self._pass_on(body)
            if not message.get("more_body"):
                self._end_body()
                return
            message = None

    async def _pass_on(self, body: bytes) -> None:
        for start in range(0, len(body), self._chunk_size):
            if self._connection.over:
                return
            chunk = body[start : start + self._chunk_size]
            if (waiting := self._delegate.data_received(chunk)) is not None:
                await waiting

    def _end_body(self) -> None:
        if not self._connection.finished:
            self._connection.unread = False
            self._delegate.finish()

    async def _watch(self) -> None:
        while (await self._next())["type"] != "http.disconnect":
            pass
        self._connection.left()

    async def _next(self) -> Message:
        self._receiving = True
        try:
            return await self._receive()
        finally:
            self._receiving = False


async def refuse(connection: ASGIConnection, send: Send) -> None:
    """Answers 400, as Tornado's server does to what is no proper HTTP, and has the connection closed."""
    headers = [(b"content-length", b"0")]
    if not connection.multiplexed:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
