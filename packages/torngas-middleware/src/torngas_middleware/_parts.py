"""What goes in front of a handler class: one part per phase, each only where a chain needs it."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextvars import copy_context
from functools import partial
from types import TracebackType
from typing import Any

import tornado.web
from tornado.escape import utf8
from tornado.iostream import IOStream
from tornado.web import RequestHandler

from ._exchange import Exchange
from ._waiting import Background, is_waiting, refuse_awaitable
from .exceptions import HookError
from .manager import Chains

__all__ = ["EndPart", "ExceptionPart", "RenderPart", "RequestPart", "ResponsePart"]

logger = logging.getLogger("torngas_middleware")


class Part(RequestHandler):
    """What every part knows: the compiled chains of the application, and the request's exchange."""

    _middleware_chains: Chains
    _middleware_background: Background
    _middleware_exchange: Exchange | None = None
    _middleware_on_prepare: Callable[..., Any] | None = None
    _middleware_complete_finish: Callable[..., Any] | None = None

    def _exchange(self) -> Exchange:
        exchange = self._middleware_exchange
        if exchange is None:
            exchange = self._middleware_exchange = Exchange.of_request(self.request)
        return exchange


class RequestPart(Part):
    """process_request, the handler's own prepare, on_prepare."""

    def prepare(self) -> Awaitable[None] | None:
        exchange = self._exchange()
        if self._middleware_chains.endcall or self._middleware_complete_finish:
            exchange.task = asyncio.current_task()
        hooks = iter(self._middleware_chains.request)
        if (pending := self._next_request_hook(hooks, exchange)) is not None:
            return self._prepare_later(hooks, exchange, pending)
        exchange.context = copy_context()
        if not self._finished and (own := super().prepare()) is not None:
            return self._ready_later(own)
        return self._ready()

    def _next_request_hook(self, hooks: Iterator[Callable[..., Any]], exchange: Exchange) -> Awaitable[object] | None:
        """Runs hooks until one must be awaited; None when the phase is over."""
        if exchange.cleared:
            return None
        for hook in hooks:
            result = hook(self, exchange)
            if result is not None:
                if is_waiting(result):
                    return result
                if result:
                    return None
            if exchange.cleared or self._finished:
                return None
        return None

    async def _prepare_later(
        self, hooks: Iterator[Callable[..., Any]], exchange: Exchange, pending: Awaitable[object] | None
    ) -> None:
        while pending is not None:
            if await pending or exchange.cleared or self._finished:
                break
            pending = self._next_request_hook(hooks, exchange)
        exchange.context = copy_context()
        if not self._finished and (own := super().prepare()) is not None:
            await own
        if (ready := self._ready()) is not None:
            await ready

    async def _ready_later(self, own: Awaitable[None]) -> None:
        await own
        if (ready := self._ready()) is not None:
            await ready

    def _ready(self) -> Awaitable[None] | None:
        ready = self._middleware_on_prepare() if self._middleware_on_prepare is not None else None
        exchange = self._exchange()
        if exchange.held is not None and self._prepared_future is not None:
            return _both(ready, exchange.held)
        return ready


async def _both(first: Awaitable[None] | None, second: Awaitable[None]) -> None:
    if first is not None:
        await first
    await second


class RenderPart(Part):
    """process_render."""

    def render_string(self, template_name: str, **kwargs: Any) -> bytes:
        exchange = self._exchange()
        for hook in self._middleware_chains.render:
            if exchange.cleared:
                break
            result = hook(self, exchange, template_name, **kwargs)
            refuse_awaitable(hook, result)
            if result:
                break
        return super().render_string(template_name, **kwargs)

    def get_template_path(self) -> str | None:
        return super().get_template_path() or _calling_folder()


def _calling_folder() -> str | None:
    """Where the code that renders stands, as Tornado finds it: the first file outside of tornado.web, and of this."""
    frame = sys._getframe(2)
    if frame.f_code.co_filename != tornado.web.__file__:
        return None
    while frame.f_code.co_filename in (tornado.web.__file__, __file__) and frame.f_back is not None:
        frame = frame.f_back
    return os.path.dirname(frame.f_code.co_filename)


class ExceptionPart(Part):
    """process_exception, then the default logging unless it is handled."""

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        exchange = self._exchange()
        hooks = iter(self._middleware_chains.exception)
        handled = self._next_exception_hook(hooks, exchange, (typ, value, tb))
        if is_waiting(handled):
            work = self._report(hooks, exchange, (typ, value, tb), handled)
            exchange.reporting = self._middleware_background.spawn(work)
        elif not handled:
            super().log_exception(typ, value, tb)

    def _next_exception_hook(self, hooks: Iterator[Callable[..., Any]], exchange: Exchange, error: Any) -> Any:
        """Runs hooks until one must be awaited (its awaitable) or handles the error (True)."""
        if exchange.cleared:
            return False
        for hook in hooks:
            try:
                result = hook(self, exchange, *error)
            except Exception:
                logger.exception("process_exception failed in %r", hook)
                continue
            if result:
                return result
            if exchange.cleared:
                return False
        return False

    async def _report(self, hooks: Iterator[Callable[..., Any]], exchange: Exchange, error: Any, handled: Any) -> None:
        while is_waiting(handled):
            try:
                handled = await handled
            except Exception:
                logger.exception("process_exception failed")
                handled = None
            if not handled and not exchange.cleared:
                handled = self._next_exception_hook(hooks, exchange, error)
        if not handled:
            super().log_exception(*error)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        reporting = self._exchange().reporting
        if reporting is None or reporting.done():
            super().send_error(status_code, **kwargs)
        else:
            reporting.add_done_callback(lambda _: self._send_error_later(status_code, kwargs))

    def _send_error_later(self, status_code: int, kwargs: dict[str, Any]) -> None:
        if not self._finished:
            super().send_error(status_code, **kwargs)


class ResponsePart(Part):
    """process_response, before Tornado's finish; an async hook holds the response."""

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> asyncio.Future[None]:
        if self._finished:
            return super().finish(chunk)
        if chunk is not None:
            self.write(chunk)
        exchange = self._exchange()
        if exchange.response is None:
            exchange.response = iter(self._middleware_chains.response)
            exchange.before = self._validators()
        try:
            pending = self._next_response_hook(exchange)
        except Exception as error:
            self._handle_request_exception(error)
            return self._sent()
        if self._finished:
            return self._sent()
        if pending is None:
            return self._send(exchange)
        if exchange.held is not None:
            raise RuntimeError("finish() called twice")
        if self._status_code == 101:
            self._middleware_background.spawn(self._run_beside(exchange, pending))
            return self._send(exchange)
        return self._hold(exchange, pending)

    def _sent(self) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.Future()
        future.set_result(None)
        return future

    def _next_response_hook(self, exchange: Exchange) -> Awaitable[object] | None:
        """Runs hooks until one must be awaited; None when the phase is over."""
        hooks = exchange.response
        if exchange.cleared or hooks is None:
            return None
        for hook in hooks:
            result = hook(self, exchange, self._write_buffer)
            if result is not None:
                if is_waiting(result):
                    return result
                if result:
                    exchange.response = iter(())
                    break
            if exchange.cleared or self._finished:
                break
        return None

    def _validators(self) -> tuple[list[bytes], str | None, str | None] | None:
        length, etag = self._headers.get("Content-Length"), self._headers.get("Etag")
        if self._headers_written or (length is None and etag is None):
            return None
        return self._write_buffer.copy(), length, etag

    def _send(self, exchange: Exchange) -> asyncio.Future[None]:
        """Lets the headers tell of the body as it became, and hands it to Tornado."""
        buffer = self._write_buffer
        for index, part in enumerate(buffer):
            if not isinstance(part, bytes):
                buffer[index] = _bytes(index, part)
        before = exchange.before
        if before is not None and not self._headers_written and before[0] != buffer:
            for name, value in (("Content-Length", before[1]), ("Etag", before[2])):
                if value is not None and self._headers.get(name) == value:
                    del self._headers[name]
        return super().finish()

    def _hold(self, exchange: Exchange, pending: Awaitable[object]) -> asyncio.Future[None]:
        self._finished = True
        exchange.inside = asyncio.current_task() is exchange.task
        held = exchange.held = asyncio.get_running_loop().create_future()
        self._middleware_background.spawn(_Steps(self, exchange, self._resume(exchange, pending)).run())
        return held

    async def _resume(self, exchange: Exchange, pending: Awaitable[object] | None) -> None:
        try:
            while pending is not None:
                if await pending:
                    exchange.response = iter(())
                if self._finished:
                    return
                pending = self._next_response_hook(exchange)
            if not self._finished:
                self._send(exchange)
        except Exception as error:
            await self._fail(exchange, error)
        finally:
            held, exchange.held = exchange.held, None
            if held is not None and not held.done():
                held.set_result(None)

    async def _fail(self, exchange: Exchange, error: Exception) -> None:
        self._handle_request_exception(error)

    async def _run_beside(self, exchange: Exchange, pending: Awaitable[object] | None) -> None:
        while pending is not None:
            try:
                if await pending:
                    return
                pending = self._next_response_hook(exchange)
            except Exception:
                logger.exception("process_response failed")
                return


def _bytes(index: int, part: object) -> bytes:
    if isinstance(part, str):
        return utf8(part)
    if isinstance(part, bytearray | memoryview):
        return bytes(part)
    raise HookError(f"process_response: got {type(part).__name__} in chunk[{index}]; expected bytes or str")


class _Steps:
    """Runs a coroutine so that the handler is open to the coroutine's own steps, and finished to everybody else."""

    def __init__(self, handler: RequestHandler, exchange: Exchange, work: Any) -> None:
        self.handler, self.exchange, self.work = handler, exchange, work

    async def run(self) -> None:
        await self

    def __await__(self) -> Any:
        step = partial(self.work.send, None)
        while True:
            if self.exchange.held is not None:
                self.handler._finished = False
            try:
                waited = step()
            except StopIteration:
                return
            if self.exchange.held is not None:
                self.handler._finished = True
            try:
                step = partial(self.work.send, (yield waited))
            except BaseException as error:  # noqa: BLE001 - thrown into the coroutine, cancellation included
                step = partial(self.work.throw, error)


class EndPart(Part):
    """process_endcall and complete_finish, once, on every exit."""

    def on_finish(self) -> None:
        exchange = self._exchange()
        try:
            super().on_finish()
        finally:
            self._over(exchange)

    def _over(self, exchange: Exchange) -> None:
        task = exchange.task
        inside = exchange.inside if exchange.held is not None else asyncio.current_task() is task
        if task is None or task.done() or (inside and self._status_code != 101):
            self._end(exchange)
        else:
            task.add_done_callback(lambda _: self._end(exchange))

    def detach(self) -> IOStream:
        stream = super().detach()
        exchange = self._exchange()
        task = exchange.task or asyncio.current_task()
        if task is not None:
            task.add_done_callback(lambda _: self._end(exchange))
        return stream

    def on_connection_close(self) -> None:
        exchange = self._exchange()
        exchange.gone = True
        if exchange.held is None:
            context = exchange.context or copy_context()
            context.copy().run(super().on_connection_close)
            if exchange.reporting is None or exchange.reporting.done():
                self._over_without_finish(exchange)

    def _over_without_finish(self, exchange: Exchange) -> None:
        task = exchange.task
        context = exchange.context
        if task is None or exchange.ended:
            return
        task.add_done_callback(lambda _: self._end(exchange), context=context)

    def _end(self, exchange: Exchange) -> None:
        if exchange.ended:
            return
        exchange.ended = True
        hooks = iter(self._middleware_chains.endcall)
        if (pending := self._next_end_hook(hooks, exchange)) is not None:
            self._middleware_background.spawn(self._end_later(hooks, exchange, pending))
        else:
            self._complete()

    def _next_end_hook(self, hooks: Iterator[Callable[..., Any]], exchange: Exchange) -> Awaitable[object] | None:
        if exchange.cleared:
            return None
        for hook in hooks:
            try:
                result = hook(self, exchange)
            except Exception:
                logger.exception("process_endcall failed in %r", hook)
                result = None
            if result is not None:
                if is_waiting(result):
                    return result
                if result:
                    return None
            if exchange.cleared:
                return None
        return None

    async def _end_later(
        self, hooks: Iterator[Callable[..., Any]], exchange: Exchange, pending: Awaitable[object] | None
    ) -> None:
        try:
            while pending is not None:
                try:
                    stop = await pending
                except Exception:
                    logger.exception("process_endcall failed")
                    stop = None
                pending = None if stop else self._next_end_hook(hooks, exchange)
        finally:
            self._complete()

    def _complete(self) -> None:
        if self._middleware_complete_finish is not None:
            try:
                self._middleware_complete_finish()
            except Exception:
                logger.exception("complete_finish failed in %r", self)
