"""A WebSocket of the test client.

with client.websocket("/chat") as socket:
    socket.send("hello")
    assert socket.receive() == "hello"
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from torngas.testing.errors import HandshakeError, TestingError

__all__ = ["WebSocket"]


class WebSocket:
    """One connection; made by `Client.websocket`, opened by its block and closed at its end.

    Plain methods are for the plain block, those that begin with `a` for `async with`.
    """

    def __init__(
        self,
        request: Callable[[], HTTPRequest],
        run: Callable[[Any], Any],
        subprotocols: list[str] | None,
        timeout: float,
    ) -> None:
        self._request = request
        self._run = run
        self._subprotocols = subprotocols
        self._timeout = timeout
        self._connection: WebSocketClientConnection | None = None
        self._ended = False

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the application chose."""
        return self._opened.selected_subprotocol

    @property
    def close_code(self) -> int | None:
        """With which code the connection was closed; None if it is open, or there was none."""
        return self._opened.close_code

    @property
    def close_reason(self) -> str | None:
        """The text beside it."""
        return self._opened.close_reason

    def send(self, message: str | bytes | dict[str, Any]) -> None:
        """Sends text, bytes, or a dictionary as JSON."""
        self._run(self.asend(message))

    def receive(self, timeout: float | None = None) -> str | bytes | None:
        """Waits for a message; None says that the connection was closed.

        Args:
            timeout: Seconds; None is the client's.

        Raises:
            TimeoutError: nothing came.
        """
        message: str | bytes | None = self._run(self.areceive(timeout))
        return message

    def receive_json(self, timeout: float | None = None) -> Any:
        """Waits for a message, and reads it as JSON.

        Raises:
            TimeoutError: nothing came.
            ValueError: it is no JSON.
            TestingError: the connection was closed.
        """
        return self._run(self.areceive_json(timeout))

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Closes the connection and waits until the application has done so too; idempotent."""
        self._run(self.aclose(code, reason))

    async def asend(self, message: str | bytes | dict[str, Any]) -> None:
        """`send`, in the running loop."""
        try:
            await self._opened.write_message(message, binary=isinstance(message, bytes))
        except WebSocketClosedError as error:
            raise TestingError("WebSocket.send: got a closed connection; expected an open one") from error

    async def areceive(self, timeout: float | None = None) -> str | bytes | None:
        """`receive`, in the running loop."""
        reading = self._opened.read_message
        if self._ended:  # asked again, the connection would never answer
            return None
        try:
            async with asyncio.timeout(self._timeout if timeout is None else timeout):
                message = await reading()
        except TimeoutError as error:
            raise TimeoutError("WebSocket.receive: got nothing in time; expected a message") from error
        self._ended = message is None
        return message

    async def areceive_json(self, timeout: float | None = None) -> Any:
        """`receive_json`, in the running loop."""
        message = await self.areceive(timeout)
        if message is None:
            raise TestingError("WebSocket.receive_json: got the end of the connection; expected a message")
        return json.loads(message)

    async def aclose(self, code: int | None = None, reason: str | None = None) -> None:
        """`close`, in the running loop."""
        if self._connection is not None:
            self._connection.close(code, reason)
            while await self.areceive() is not None:
                pass

    def __enter__(self) -> WebSocket:
        self._run(self.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> WebSocket:
        try:
            self._connection = await websocket_connect(self._request(), subprotocols=self._subprotocols)
        except HTTPClientError as error:
            raise HandshakeError(
                f"Client.websocket: got {error.code} {error.message}; expected 101: look at the handler, at "
                "check_origin, and at what middlewares answer",
                error.code,
            ) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @property
    def _opened(self) -> WebSocketClientConnection:
        if self._connection is None:
            raise TestingError("WebSocket: got a call before it was opened; expected `with client.websocket(…) as …:`")
        return self._connection
