"""WebSockets: Tornado's protocol object, with the server's messages in place of frames.

Handshake, frames, pings and compression are the ASGI server's. What stays Tornado's is everything that a handler
sees: `check_origin`, `select_subprotocol`, `open`, `on_message`, `write_message`, `close`, `on_close`.

`WebSocketHandler.get_websocket_protocol` is Tornado's seam for this; the private names of `WebSocketProtocol13` that
stand in for it here are listed in `ASGIWebSocketProtocol`.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from functools import partial
from typing import Any

from tornado.escape import json_encode, to_unicode, utf8
from tornado.httputil import HTTPHeaders
from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketClosedError, WebSocketHandler, WebSocketProtocol, WebSocketProtocol13

from torngas.asgi.connection import ASGIConnection
from torngas.asgi.errors import ASGIError, UnsupportedError
from torngas.asgi.headers import response_pairs
from torngas.asgi.types import Message, Receive, Scope, Send

__all__ = ["ASGIWebSocketProtocol", "WebSocketConnection"]

_DENIAL = "websocket.http.response"
# The server made these of its own, or they are nothing that an accepted WebSocket has.
_HANDSHAKE = frozenset((b"upgrade", b"connection", b"sec-websocket-accept", b"sec-websocket-protocol"))
_NO_CODE = frozenset((1005, 1006, None))
_INTERNAL_ERROR = 1011


class WebSocketConnection(ASGIConnection):
    """The connection of a request for a WebSocket: its answer is `accept`, or an ordinary response that denies.

    Where the server has no extension for the latter it answers 403 by itself.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__(scope, 0, None)
        self._receive = receive
        self._ahead: asyncio.Task[Message] | None = None
        self._denies = _DENIAL in (scope.get("extensions") or {})
        self.accepted = self.ended = False
        headers = self.headers
        headers["Upgrade"], headers["Connection"] = "websocket", "Upgrade"
        # HTTP/2 has neither of them (RFC 8441 §5), and Tornado insists.
        headers.setdefault("Sec-WebSocket-Version", "13")
        headers.setdefault("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Sets what is called when the client leaves, and lets a WebSocketHandler use this connection's protocol."""
        super().set_close_callback(callback)
        handler = getattr(callback, "__self__", None)
        if isinstance(handler, WebSocketHandler):
            vars(handler)["get_websocket_protocol"] = partial(_adopt, handler)

    def _start(self, code: int, headers: HTTPHeaders) -> Message:
        if code != 101:
            start = super()._start(code, headers)
            return {**start, "type": "websocket.http.response.start"} if self._denies else {"type": "websocket.close"}
        self.accepted = True
        pairs = [pair for pair in response_pairs(headers, multiplexed=True) if pair[0] not in _HANDSHAKE]
        return {
            "type": "websocket.accept",
            "subprotocol": headers.get("Sec-WebSocket-Protocol"),
            "headers": pairs,
        }

    def _body(self, chunk: bytes, more: bool = True) -> Message:
        return {"type": "websocket.http.response.body", "body": chunk, "more_body": more}

    def finish(self) -> None:
        """Ends the response that denies; an accepted WebSocket goes on."""
        if not self.accepted:
            super().finish()

    def detach(self) -> WebSocketStream:
        """What stands for the stream of an accepted WebSocket.

        Raises:
            UnsupportedError: it was not accepted.
        """
        return WebSocketStream(self) if self.accepted else super().detach()

    def post(self, message: Message) -> asyncio.Future[None]:
        """Sends a message; the future is done when the server has taken it."""
        return self._failed() if self.closed else self._post(message)

    def _closed_error(self) -> Exception:
        return WebSocketClosedError() if self.accepted else super()._closed_error()

    async def receive(self) -> Message:
        """The next message of the client."""
        ahead, self._ahead = self._ahead, None
        return await (ahead or self._receive())

    async def run(self, send: Send) -> None:
        """Hands what is written to the server, until the WebSocket is closed or denied."""
        try:
            await asyncio.sleep(0)
            if not self.started:
                self._watch()
            await self.send_all(send if self._denies else partial(self._send_plainly, send))
        except BaseException:
            self.left()
            raise
        finally:
            if self._ahead is not None:
                self._ahead.cancel()

    def _watch(self) -> None:
        """Notices a client that leaves while the handler still thinks about accepting."""
        self._ahead = asyncio.ensure_future(self._receive())
        self._ahead.add_done_callback(self._on_ahead)

    def _on_ahead(self, ahead: asyncio.Future[Message]) -> None:
        if not self.started and not ahead.cancelled() and ahead.result()["type"] == "websocket.disconnect":
            self.left()

    async def _send_plainly(self, send: Send, message: Message) -> None:
        if not message["type"].startswith(_DENIAL):
            await send(message)


class WebSocketStream:
    """What Tornado's protocol object asks of its stream: whether it is open, and to close it."""

    __slots__ = ("connection", "io_loop")

    def __init__(self, connection: WebSocketConnection) -> None:
        self.connection = connection
        self.io_loop = IOLoop.current()

    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self.connection.closed

    def close(self) -> None:
        """Ends the connection; without a close frame that was sent or received it was an error."""
        connection = self.connection
        if not connection.closed:
            if not connection.ended:
                connection.post({"type": "websocket.close", "code": _INTERNAL_ERROR})
            connection.close()

    def set_nodelay(self, value: bool) -> None:
        """The server's business."""

    def set_close_callback(self, callback: Any) -> None:
        """The client's leaving arrives as a message."""


class ASGIWebSocketProtocol(WebSocketProtocol13):
    """Messages in place of frames.

    It overrides `_receive_frame` and `_write_frame`, the two that touch the wire; calls `_run_callback` and `_abort`;
    and clears `_compression_options`, since the server compresses.
    """

    stream: WebSocketStream  # type: ignore[assignment]  # it has what is used

    def write_message(self, message: str | bytes | dict[str, Any], binary: bool = False) -> asyncio.Future[None]:
        """Sends a message."""
        if isinstance(message, dict):
            message = json_encode(message)
        if binary:
            return self.stream.connection.post({"type": "websocket.send", "bytes": utf8(message)})
        return self.stream.connection.post({"type": "websocket.send", "text": to_unicode(message)})

    def start_pinging(self) -> None:
        """The server's business: `websocket_ping_interval` has no effect."""

    def _write_frame(self, fin: bool, opcode: int, data: bytes, flags: int = 0) -> asyncio.Future[None]:
        if opcode != 0x8:
            raise UnsupportedError(
                "ping(): an ASGI server sends pings itself and offers none to the application; set its interval, e.g. "
                "uvicorn --ws-ping-interval 20, or serve with Tornado's own server"
            )
        self.stream.connection.ended = True
        code = struct.unpack(">H", data[:2])[0] if data else 1000
        return self.stream.connection.post({"type": "websocket.close", "code": code, "reason": to_unicode(data[2:])})

    async def _receive_frame(self) -> None:
        message = await self.stream.connection.receive()
        if message["type"] == "websocket.disconnect":
            self._disconnected(message)
            return
        content = message.get("text")
        if content is None:
            content = message["bytes"]
        if len(content) > self.params.max_message_size:
            self.close(1009, "message too big")
            self._abort()
            return
        if not self.client_terminated and (waiting := self._run_callback(self.handler.on_message, content)):
            await waiting

    def _disconnected(self, message: Message) -> None:
        self.client_terminated = True
        code = message.get("code")
        self.close_code = None if code in _NO_CODE else code
        self.close_reason = message.get("reason") or None
        self.stream.connection.lose()
        self.close()


def _adopt(handler: WebSocketHandler) -> WebSocketProtocol | None:
    """What the handler's own `get_websocket_protocol` makes, turned to messages."""
    protocol = type(handler).get_websocket_protocol(handler)
    if type(protocol) is not WebSocketProtocol13:
        if protocol is None:
            return None
        raise ASGIError(
            f"get_websocket_protocol(): got {protocol!r}; expected tornado.websocket.WebSocketProtocol13, because an "
            "ASGI server speaks the protocol itself"
        )
    protocol.__class__ = ASGIWebSocketProtocol
    protocol._compression_options = None
    return protocol
