"""What `tornado.web` does to run a handler, done again as plain calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from tornado.httputil import HTTPInputError
from tornado.log import app_log
from tornado.web import HTTPError, RequestHandler, StaticFileHandler

__all__ = ["forget_files", "run"]


def forget_files(settings: dict[str, Any]) -> None:
    """What `_HandlerDelegate.execute` does first: without their caches, templates and static files are read anew."""
    if not settings.get("compiled_template_cache", True):
        with RequestHandler._template_loader_lock:
            for loader in RequestHandler._template_loaders.values():
                loader.reset()
    if not settings.get("static_hash_cache", True):
        settings.get("static_handler_class", StaticFileHandler).reset()


def run(handler: RequestHandler, args: list[bytes], kwargs: dict[str, bytes]) -> Coroutine[Any, Any, None] | None:
    """`RequestHandler._execute` as plain calls.

    Returns:
        The rest, where `prepare` or the method left something to wait for.
    """
    request = handler.request
    waiting: Any
    try:
        if request.method not in handler.SUPPORTED_METHODS:
            raise HTTPError(405)
        if request.body or "Content-Type" in request.headers:
            _parse_body(handler)
        handler.path_args = [handler.decode_argument(arg) for arg in args] if args else []
        handler.path_kwargs = {k: handler.decode_argument(v, name=k) for k, v in kwargs.items()} if kwargs else {}
        handler._cross_origin_protection()
        waiting = handler.prepare()
        if waiting is not None and not _is_over(waiting):
            return goes_on(handler, waiting, prepared=False)
        if handler._finished:
            return None
        waiting = getattr(handler, request.method.lower())(*handler.path_args, **handler.path_kwargs)
        if waiting is not None and not _is_over(waiting):
            return goes_on(handler, waiting, prepared=True)
        if handler._auto_finish and not handler._finished:
            handler.finish()
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - it becomes the response
        _failed(handler, error)
    return None


def _is_over(waiting: object) -> bool:
    """Whether it is a future that is done, as `return self.finish()` gives; raises its exception, as await does."""
    if type(waiting) is asyncio.Future and waiting.done():
        waiting.result()
        return True
    return False


async def goes_on(handler: RequestHandler, waiting: Awaitable[None], *, prepared: bool) -> None:
    """The rest of `_execute`, from the first thing on that must be awaited."""
    try:
        await waiting
        if not prepared:
            if handler._finished:
                return
            method = getattr(handler, handler.request.method.lower())
            waiting = method(*handler.path_args, **handler.path_kwargs)
            if waiting is not None:
                await waiting
        if handler._auto_finish and not handler._finished:
            handler.finish()
    except (Exception, asyncio.CancelledError) as error:
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
            if not handler._finished:
                _logging_failures(lambda: handler.send_error(500))
            raise
        _failed(handler, error)


def _parse_body(handler: RequestHandler) -> None:
    try:
        handler.request._parse_body()
    except HTTPInputError as error:
        raise HTTPError(400, f"Invalid body: {error}") from error


def _failed(handler: RequestHandler, error: BaseException) -> None:
    _logging_failures(lambda: handler._handle_request_exception(error))


def _logging_failures(answer: Callable[[], None]) -> None:
    try:
        answer()
    except Exception:  # noqa: BLE001 - logged, as Tornado does
        app_log.error("Exception in exception handler", exc_info=True)
