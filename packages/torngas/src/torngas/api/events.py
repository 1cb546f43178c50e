"""Server-sent events (WHATWG HTML, section 9.2): a response that goes on, event by event.

    class Prices(EventStreamMixin, WebHandler):
        async def get(self):
            async for price in prices(after=self.last_event_id):
                await self.send_event({"price": price.amount}, event="price", id=price.number)

The stream opens with the first event, or with `open_stream()`; do that in the method itself, not in a task that it
starts. While nothing is sent, a comment goes out from time to time, so that proxies keep the connection and a client
that is gone is noticed. When it is gone the method is cancelled at its next `await`: clean up in `finally`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar

from tornado.iostream import StreamClosedError

from torngas.exception import ArgumentError

if TYPE_CHECKING:
    from tornado.web import RequestHandler as _Base
else:
    _Base = object

__all__ = ["EventStreamMixin", "encoded_event"]

_LINE_END = re.compile(r"\r\n|\r|\n")
_FORBIDDEN = re.compile(r"[\r\n\x00]")


def encoded_event(data: Any = None, event: str | None = None, id: Any = None, retry: Any = None) -> bytes:  # noqa: A002  # the field's name
    """Answers one event as it stands in the stream.

    Args:
        data: Text, sent line by line; anything else but None is sent as JSON. None: no data, so that the browser keeps
            `id` and `retry` and dispatches nothing.
        event: The event's type; None is "message".
        id: What the browser sends as Last-Event-ID when it connects again; "" makes it forget the one before.
        retry: Milliseconds after which it connects again, an int from 0.

    Raises:
        ArgumentError: a line end or NUL is in `event` or `id`, where it would begin another field; or `retry` is no
            number from 0.
    """
    lines = []
    for name, value in (("event", event), ("id", id)):
        if value is not None:
            text = str(value)
            if _FORBIDDEN.search(text):
                raise ArgumentError(f"send_event({name}=): got a line end or NUL; expected text without them")
            lines.append(f"{name}: {text}")
    if retry is not None:
        if isinstance(retry, bool) or not isinstance(retry, int) or retry < 0:
            raise ArgumentError(f"send_event(retry=): got {retry!r}; expected milliseconds, an int from 0")
        lines.append(f"retry: {retry}")
    if data is not None:
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
        lines += [f"data: {line}" for line in _LINE_END.split(text)]
    return ("\n".join(lines) + "\n\n").encode("utf-8", "replace")


class EventStreamMixin(_Base):
    """Stands before the handler class in the bases.

    Attributes:
        heartbeat: Seconds without an event after which a comment is sent; None or 0 for never.
        heartbeat_sleep: Waits for that long; a test gives another.

    Middlewares that change bodies see an empty one: what is sent in parts passes them by.
    """

    heartbeat: ClassVar[float | None] = 15.0
    heartbeat_sleep: ClassVar[Callable[[float], Awaitable[Any]]] = staticmethod(asyncio.sleep)

    _event_stream: _Stream | None = None

    @property
    def last_event_id(self) -> str | None:
        """The id of the last event that the client saw before it connected again; None if it says none."""
        value = self.request.headers.get("Last-Event-ID")
        # Headers are read byte by byte; browsers write this one in UTF-8.
        return None if value is None else value.encode("latin-1", "replace").decode("utf-8", "replace")

    @property
    def stream_closed(self) -> bool:
        """Whether the client has gone."""
        return self._event_stream is not None and self._event_stream.closed

    async def open_stream(self) -> None:
        """Sends the headers, if they were not sent yet, and begins the heartbeats.

        Raises:
            StreamClosedError: the client has gone.
        """
        if self._event_stream is None:
            self.set_header("Content-Type", "text/event-stream")
            self.set_header("Cache-Control", "no-store")
            self.set_header("X-Accel-Buffering", "no")  # nginx would hold events back
            self.clear_header("Content-Length")
            self._event_stream = _Stream(self)
            await self._event_stream.send(b"")
            self._event_stream.begin_heartbeats()

    async def send_event(
        self,
        data: Any = None,
        event: str | None = None,
        id: Any = None,  # noqa: A002  # the field's name
        retry: int | None = None,
    ) -> None:
        """Sends one event, and waits until the connection has taken it: a slow client slows the method, not the memory.

        The arguments are those of `encoded_event`.

        Raises:
            ArgumentError: an argument would break the stream.
            StreamClosedError: the client has gone.
        """
        octets = encoded_event(data, event, id, retry)
        await self.open_stream()
        if self._event_stream is not None:
            await self._event_stream.send(octets)

    def on_connection_close(self) -> None:
        """Ends the heartbeats, and cancels the method."""
        if self._event_stream is not None:
            self._event_stream.close()
        super().on_connection_close()

    def on_finish(self) -> None:
        """Ends the heartbeats."""
        if self._event_stream is not None:
            self._event_stream.end()
        super().on_finish()

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Nobody is there to be told of an error once the client has gone."""
        if not self.stream_closed:
            super().send_error(status_code, **kwargs)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """That the client has gone is how most streams end, and no error."""
        if not (self.stream_closed and isinstance(value, StreamClosedError)):
            super().log_exception(typ, value, tb)


class _Stream:
    """The open response of one handler."""

    def __init__(self, handler: Any) -> None:
        self.closed = False
        self._handler = handler
        self._method = asyncio.current_task()
        self._heartbeats: asyncio.Task[None] | None = None
        # Tornado's connection knows of one pending write; a second one would make it forget the first.
        self._writing = asyncio.Lock()
        self._sent = 0

    async def send(self, octets: bytes) -> None:
        async with self._writing:
            if self.closed:
                raise StreamClosedError
            self._sent += 1
            if octets:
                self._handler.write(octets)
            await self._handler.flush()

    def begin_heartbeats(self) -> None:
        if self._handler.heartbeat:
            self._heartbeats = asyncio.ensure_future(self._beat(self._handler.heartbeat))

    async def _beat(self, seconds: float) -> None:
        while True:
            before = self._sent
            await self._handler.heartbeat_sleep(seconds)
            if self._sent == before and not self._writing.locked():
                try:
                    await self.send(b":\n\n")
                except StreamClosedError:
                    return

    def end(self) -> None:
        if self._heartbeats is not None:
            self._heartbeats.cancel()

    def close(self) -> None:
        self.closed = True
        self.end()
        if self._method is not None and self._method is not asyncio.current_task():
            self._method.cancel()
