"""Which requests take the short path, and how they are run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextvars import Context, copy_context
from inspect import iscoroutinefunction, unwrap
from types import FunctionType
from typing import Any

from tornado.gen import is_coroutine_function
from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from . import _tornado
from ._run import Run
from .shortpath import ShortPathMixin

__all__ = ["Plain", "ShortDelegate", "is_plain", "takes_the_short_path"]


def is_plain(function: object) -> bool:
    """Whether it is a function or method, and neither a coroutine nor a wrapper of one (`functools.wraps`)."""
    inner = unwrap(getattr(function, "__func__", function))  # type: ignore[arg-type]
    return isinstance(inner, FunctionType) and not (iscoroutinefunction(inner) or is_coroutine_function(inner))


def takes_the_short_path(handler: type[RequestHandler], hooks: Iterable[Callable[..., Any]]) -> bool:
    """Whether a handler class may, as far as it and the request hooks decide."""
    return (
        _tornado.CHECKED
        and issubclass(handler, ShortPathMixin)
        and handler.short_path
        and handler._execute is RequestHandler._execute
        and not _tornado.has_stream_request_body(handler)
        and is_plain(getattr(handler, "on_prepare", handler.prepare))
        and all(map(is_plain, hooks))
    )


class Plain(dict[Any, bool]):
    """Remembers which functions are plain; there are a few for each handler class."""

    def __missing__(self, function: Any) -> bool:
        self[function] = answer = is_plain(function)
        return answer


class ShortDelegate(_tornado.HandlerDelegate):
    """Runs plain functions at once, and leaves all else to Tornado.

    Attributes:
        original: The handler class as it was written; `handler_class` may have parts in front of it.
        plain: Which functions are plain.
        context: That of the request, if it runs in one.
    """

    context: Context | None = None
    stream_request_body = False

    def __init__(
        self,
        application: Any,
        request: HTTPServerRequest,
        handler_class: type[RequestHandler],
        original: type[RequestHandler],
        plain: Plain,
        handler_kwargs: dict[str, Any] | None,
        path_args: list[bytes] | None,
        path_kwargs: dict[str, bytes] | None,
    ) -> None:
        # All that the inherited one does, for a class that is known not to stream.
        self.application = application
        self.connection = request.connection
        self.request = request
        self.handler_class = handler_class
        self.handler_kwargs = handler_kwargs or {}
        self.path_args = path_args or []
        self.path_kwargs = path_kwargs or {}
        self.chunks = bytearray()
        self.original = original
        self.plain = plain

    def execute(self) -> None:
        original, plain = self.original, self.plain
        method: Any = self.request.method
        if not (
            method in original.SUPPORTED_METHODS
            and plain[getattr(original, method.lower(), None)]
            and plain[original.prepare]
        ):
            super().execute()
        elif self.context is not None:
            self._run(self.context)
        else:
            context = copy_context()
            context.run(self._run, context)

    def _run(self, context: Context) -> None:
        application, request = self.application, self.request
        _tornado.forget_files(application.settings)
        self.handler = handler = self.handler_class(application, request, **self.handler_kwargs)
        transforms = application.transforms
        handler._transforms = [transform(request) for transform in transforms] if transforms else []
        run = None
        if getattr(handler, "_middleware_tracked", False):
            run = handler._middleware_run = Run()  # type: ignore[attr-defined]
        rest = _tornado.run(handler, self.path_args, self.path_kwargs)
        task = None
        if rest is not None:
            task = asyncio.get_running_loop().create_task(rest, context=context)
            task.add_done_callback(_report)
        if run is not None:
            run.over(task)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.result()  # a failure is logged by the loop
