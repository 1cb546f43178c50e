"""The Tornado application that runs the hooks.

application = Application([("/", Hello)], middlewares=[AccessLogMiddleware(), "app.Locale"])
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextvars import Context, copy_context
from dataclasses import replace
from functools import partial
from typing import Any

import tornado.web
from tornado.httputil import HTTPConnection, HTTPMessageDelegate, HTTPServerRequest
from tornado.log import access_log
from tornado.routing import Router
from tornado.web import RequestHandler

from ._context import ContextDelegate, RequestDelegate, separate, separately
from ._delegate import Plain, ShortDelegate, takes_the_short_path
from ._exchange import Exchange
from ._tornado import CHECKED
from ._waiting import Background, refuse_awaitable
from ._wrapping import wrap
from .handler import MiddlewareHandlerMixin
from .manager import Manager
from .protocols import Middleware

__all__ = ["Application", "MiddlewareApplication"]


class MiddlewareApplication(tornado.web.Application):
    """Put before another subclass of `tornado.web.Application`, or use it as it is.

    Args:
        handlers, default_host, transforms, settings: As Tornado's.
        middlewares: Classes, objects or dotted paths, outermost first; or a Manager.
        wrap_all: Whether hooks also run for handlers without `MiddlewareHandlerMixin`: static files, redirects, the
            404 answer, WebSockets, anybody's. False: for those only process_call runs.
    """

    def __init__(
        self,
        handlers: Any = None,
        default_host: str | None = None,
        transforms: list[Any] | None = None,
        *,
        middlewares: Manager | Iterable[Middleware] = (),
        wrap_all: bool = True,
        **settings: Any,
    ) -> None:
        self.middlewares = middlewares if isinstance(middlewares, Manager) else Manager(middlewares)
        self._chains = self.middlewares.chains
        self._wrap_all = wrap_all
        self._wrapped: dict[type[RequestHandler], tuple[type[RequestHandler], bool]] = {}
        self._plain = Plain()
        self._background = Background()
        super().__init__(handlers, default_host, transforms, **settings)
        self._is_short = CHECKED and bool(self.settings.get("short_path", True)) and self._delegates_as_tornado()
        self._starts_as_tornado = super().start_request.__func__ is Router.start_request  # type: ignore[attr-defined]
        self.middlewares.run_init(self)

    def _delegates_as_tornado(self) -> bool:
        inherited: Any = super().get_handler_delegate
        return inherited.__func__ is tornado.web.Application.get_handler_delegate

    async def drain(self) -> None:
        """Waits for held responses and async endcalls; call it after the server stopped, before the loop ends."""
        await self._background.drain()

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:  # noqa: D102
        if self._is_short and self._starts_as_tornado:
            return RequestDelegate(self, server_conn, request_conn)
        return ContextDelegate(super().start_request(server_conn, request_conn), copy_context())

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:  # noqa: D102
        if not separate.get():
            return separately(partial(self.find_handler, request, **kwargs))
        if self._chains.call:
            try:
                self._run_call(request)
            except Exception as error:  # noqa: BLE001 - it becomes the response
                return self.get_handler_delegate(request, _FailedCall, {"error": error})
        return super().find_handler(request, **kwargs)

    def answer_at_once(self, request: HTTPServerRequest) -> ContextDelegate | None:
        """Answers a request that has its whole body, in a context of its own.

        Returns:
            None where the handler ran, as far as it goes without waiting; else the delegate, which was told nothing.
        """
        context = copy_context()
        return context.run(self._answer, request, context)

    def _answer(self, request: HTTPServerRequest, context: Context) -> ContextDelegate | None:
        separate.set(True)
        delegate = self.find_handler(request)
        if type(delegate) is not ShortDelegate:
            return ContextDelegate(delegate, context)
        delegate.context = context
        delegate.execute()
        return None

    def _run_call(self, request: HTTPServerRequest) -> None:
        exchange = Exchange()
        exchange.keep_in(request)
        for hook in self._chains.call:
            result = hook(request, exchange)
            if result is not None:
                refuse_awaitable(hook, result)
                if result:
                    break
            if exchange.cleared:
                break

    def get_handler_delegate(  # noqa: D102
        self,
        request: HTTPServerRequest,
        target_class: type[RequestHandler],
        target_kwargs: dict[str, Any] | None = None,
        path_args: list[bytes] | None = None,
        path_kwargs: dict[str, bytes] | None = None,
    ) -> Any:
        known = self._wrapped.get(target_class)
        if known is None:
            short = self._is_short and takes_the_short_path(target_class, self._chains.request)
            known = self._wrapped[target_class] = self._wrap(target_class), short
        wrapped, short = known
        if short:
            return ShortDelegate(
                self, request, wrapped, target_class, self._plain, target_kwargs, path_args, path_kwargs
            )
        return super().get_handler_delegate(request, wrapped, target_kwargs, path_args, path_kwargs)

    def log_request(self, handler: RequestHandler) -> None:
        """As Tornado's, but a line that no logger takes is not put together."""
        if handler.get_status() >= 400 or "log_function" in self.settings or access_log.isEnabledFor(logging.INFO):
            super().log_request(handler)

    def _wrap(self, handler: type[RequestHandler]) -> type[RequestHandler]:
        if handler is _FailedCall:
            return wrap(handler, replace(self._chains, request=()), self._background)
        if self._wrap_all or issubclass(handler, MiddlewareHandlerMixin):
            return wrap(handler, self._chains, self._background)
        return handler


class _FailedCall(RequestHandler):
    """Answers a request whose process_call raised."""

    def initialize(self, error: Exception) -> None:
        self._error = error

    def prepare(self) -> None:
        raise self._error

    def check_xsrf_cookie(self) -> None:
        """The error is the answer, whatever the token."""

    def check_trusted_origin(self, origin: str) -> bool:
        """The error is the answer, whatever the origin."""
        return True


class Application(MiddlewareApplication):
    """`tornado.web.Application` with middlewares."""
