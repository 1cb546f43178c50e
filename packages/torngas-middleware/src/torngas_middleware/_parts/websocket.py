"""Before a WebSocket is accepted: process_response, awaited where it is async."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tornado.websocket import WebSocketHandler, WebSocketProtocol

from .._exchange import Exchange
from .response import ResponsePart

__all__ = ["WebSocketPart"]


class WebSocketPart(ResponsePart, WebSocketHandler):
    """Overrides `get_websocket_protocol`: Tornado awaits the protocol's `accept_connection`, and not `finish`.

    The 101 response must leave synchronously, so its hooks run before the handshake is written. What they raise becomes
    a 500, and no upgrade.
    """

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        protocol = super().get_websocket_protocol()
        if protocol is not None:
            accept = protocol.accept_connection
            vars(protocol)["accept_connection"] = lambda handler: self._accept(protocol, accept)
        return protocol

    def _accept(self, protocol: Any, accept: Callable[[Any], Awaitable[None]]) -> Awaitable[None]:
        del vars(protocol)["accept_connection"]
        exchange = self._exchange()
        self.set_status(101)
        pending = self._next_response_hook(exchange)
        if pending is None and not self._finished:
            return accept(self)
        return self._accept_later(exchange, pending, accept)

    async def _accept_later(
        self, exchange: Exchange, pending: Awaitable[object] | None, accept: Callable[[Any], Awaitable[None]]
    ) -> None:
        while pending is not None:
            if await pending:
                exchange.response = iter(())
            pending = None if self._finished else self._next_response_hook(exchange)
        if not self._finished:
            await accept(self)
