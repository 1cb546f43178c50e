"""Before the response is sent: process_response, and holding the response for an async one."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any

from tornado.escape import utf8
from tornado.web import Finish, HTTPError

from .._exchange import Exchange
from .._run import is_inside
from .._waiting import discard, is_waiting, reraise_cancellation
from ..exceptions import HookError
from ._steps import Steps
from .base import ExcInfo, Part

__all__ = ["ResponsePart"]

logger = logging.getLogger("torngas_middleware")


class ResponsePart(Part):
    """Overrides `finish`. Each hook runs once at most, also where an error replaces the response."""

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> asyncio.Future[None]:
        if self._finished:
            return super().finish(chunk)  # which refuses
        if chunk is not None:
            self.write(chunk)
        exchange = self._middleware_exchange or self._exchange()
        if exchange.held is not None:
            # A hook decided anew; the task that holds the response goes on with what it finds. The hook may await
            # this answer, so it cannot be the held one.
            exchange.decided = self._finished = True
            return _done()
        try:
            pending = self._next_response_hook(exchange)
        except Exception as error:  # noqa: BLE001 - it is reported, and becomes the response
            pending = self._failed(error)
            return _done() if pending is None else self._hold(exchange, pending)
        return self._send(exchange) if pending is None else self._hold(exchange, pending)

    def _next_response_hook(self, exchange: Exchange) -> Awaitable[object] | None:
        """Runs hooks until one must be awaited; None when the phase is over, or a hook finished the response."""
        for hook in () if exchange.cleared else self._remaining_hooks(exchange):
            result = hook(self, exchange, self._write_buffer)
            if result is not None:
                if is_waiting(result):
                    return result
                if result:
                    exchange.response = iter(())
                    return None
            if exchange.cleared or self._finished:
                return None
        return None

    def _remaining_hooks(self, exchange: Exchange) -> Iterator[Callable[..., Any]]:
        if exchange.response is None:
            exchange.response = iter(self._middleware_chains.response)
            if not self._headers_written:
                exchange.body = self._write_buffer.copy()
                if "Etag" in self._headers:
                    exchange.etag = self._headers["Etag"]
        return exchange.response

    def _send(self, exchange: Exchange) -> asyncio.Future[None]:
        """Makes the headers tell of the body as it became, and hands both to Tornado, unless a hook already did."""
        if self._finished:
            return _done()
        buffer = self._write_buffer
        for index, part in enumerate(buffer):
            if type(part) is not bytes:
                buffer[index] = _bytes(index, part)
        if exchange.body is not None and exchange.body != buffer and not self._headers_written:
            self._adapt_to_edit(exchange, exchange.body)
        return super().finish()

    def _adapt_to_edit(self, exchange: Exchange, before: list[bytes]) -> None:
        if not before and self._should_not_send_content(self._status_code):
            self._write_buffer.clear()
            return
        if self._headers.get("Content-Length") == str(sum(map(len, before))):
            del self._headers["Content-Length"]
        if exchange.etag is not None and self._headers.get("Etag") == exchange.etag:
            del self._headers["Etag"]

    def _failed(self, error: BaseException) -> Coroutine[Any, Any, None] | None:
        """Turns an exception into the response; a coroutine is what remains to be awaited of it."""
        if isinstance(error, Finish):
            self.finish(*error.args)
            return None
        exc_info = sys.exc_info()
        rest = self._report(exc_info)
        if rest is not None:
            return self._failed_later(rest, exc_info)
        self._error_response(exc_info)
        return None

    async def _failed_later(self, rest: Coroutine[Any, Any, None], exc_info: ExcInfo) -> None:
        await rest
        self._error_response(exc_info)

    def _error_response(self, exc_info: ExcInfo) -> None:
        if not self._finished:
            error = exc_info[1]
            self.send_error(error.status_code if isinstance(error, HTTPError) else 500, exc_info=exc_info)

    def _hold(self, exchange: Exchange, pending: Awaitable[object]) -> asyncio.Future[None]:
        if self._finished or self._status_code == 101:
            # A hook finished the response although it goes on, or the protocol switches now: nothing can wait.
            self._middleware_background.spawn(_run_beside(pending))
            return self._send(exchange)
        if self._contradicts_itself(exchange):
            discard(pending)
            return super().finish()  # which raises, to the caller
        exchange.inside = is_inside(exchange.task)
        held = exchange.held = asyncio.get_running_loop().create_future()
        self._finished = True
        self._middleware_background.spawn(Steps(self, exchange, self._resume(exchange, pending)).run())
        return held

    def _contradicts_itself(self, exchange: Exchange) -> bool:
        """Whether the handler announced another length than it wrote, which Tornado reports to its caller."""
        if exchange.body is None or exchange.body != self._write_buffer or self.request.method == "HEAD":
            return False
        length = self._headers.get("Content-Length")
        return (
            length is not None
            and not self._should_not_send_content(self._status_code)
            and length != str(sum(map(len, self._write_buffer)))
        )

    async def _resume(self, exchange: Exchange, pending: Awaitable[object] | None) -> None:
        held = exchange.held
        try:
            await self._run_remaining_hooks(exchange, pending)
            exchange.held = None
            self._send(exchange)
        except Exception as error:  # noqa: BLE001 - Tornado could not send it: reported as such
            self._handle_request_exception(error)
        finally:
            exchange.held = None
            if held is not None and not held.done():
                held.set_result(None)

    async def _run_remaining_hooks(self, exchange: Exchange, pending: Awaitable[object] | None) -> None:
        while pending is not None or exchange.decided:
            try:
                if pending is not None and await pending:
                    exchange.response = iter(())
                exchange.decided = self._finished = False
                pending = self._next_response_hook(exchange)
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - it becomes the response
                reraise_cancellation(error)
                exchange.decided = self._finished = False
                pending = self._failed(error)

    def on_connection_close(self) -> None:
        """Passed on unless the response is finished and only held, as Tornado does not tell after `finish`."""
        if self._exchange().held is None:
            super().on_connection_close()


async def _run_beside(pending: Awaitable[object]) -> None:
    try:
        await pending
    except Exception:
        logger.exception("A hook failed after the response was sent")


def _done() -> asyncio.Future[None]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_result(None)
    return future


def _bytes(index: int, part: object) -> bytes:
    if isinstance(part, str):
        return utf8(part)
    if isinstance(part, bytes | bytearray | memoryview):
        return bytes(part)
    raise HookError(f"process_response: got {type(part).__name__} in chunk[{index}]; expected bytes or str")
