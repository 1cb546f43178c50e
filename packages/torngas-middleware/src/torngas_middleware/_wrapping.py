"""The class that stands in for a handler class: the parts that the chains need, in front of it."""

from __future__ import annotations

from typing import Any, cast

from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler

from ._parts.end import EndPart
from ._parts.exception import ExceptionPart
from ._parts.render import RenderPart
from ._parts.request import RequestPart
from ._parts.response import ResponsePart
from ._parts.stream import StreamPart
from ._parts.websocket import WebSocketPart
from ._tornado import has_stream_request_body
from ._waiting import Background
from .handler import MiddlewareHandlerMixin
from .manager import Chains

__all__ = ["wrap"]


def wrap(handler: type[RequestHandler], chains: Chains, background: Background) -> type[RequestHandler]:
    """The handler class with the hooks, or the class itself if there is nothing to run for it."""
    attributes = _own_methods(handler)
    completes = "_middleware_complete_finish" in attributes
    streams = has_stream_request_body(handler)
    ends = bool(chains.endcall or completes)
    tracked = ends or (streams and bool(chains.request or chains.exception or chains.response))
    candidates: list[tuple[object, type[RequestHandler]]] = [
        (ends, EndPart),
        (chains.request or tracked or attributes, RequestPart),
        (tracked and streams, StreamPart),
        (chains.render, RenderPart),
        (chains.exception, ExceptionPart),
        (chains.response, WebSocketPart if issubclass(handler, WebSocketHandler) else ResponsePart),
    ]
    parts = [part for needed, part in candidates if needed]
    if not parts:
        return handler
    attributes.update(
        __doc__=handler.__doc__,
        __module__=handler.__module__,
        __qualname__=handler.__qualname__,
        __class__=property(lambda self: handler),
        _middleware_background=background,
        _middleware_chains=chains,
        _middleware_tracked=tracked,
    )
    return _make(handler, tuple(parts), attributes)


def _own_methods(handler: type[RequestHandler]) -> dict[str, Any]:
    """`on_prepare` and `complete_finish`, where the handler overrides them."""
    if not issubclass(handler, MiddlewareHandlerMixin):
        return {}
    return {
        f"_middleware_{name}": getattr(handler, name)
        for name in ("on_prepare", "complete_finish")
        if getattr(handler, name) is not getattr(MiddlewareHandlerMixin, name)
    }


def _make(
    handler: type[RequestHandler], parts: tuple[type[RequestHandler], ...], attributes: dict[str, Any]
) -> type[RequestHandler]:
    metaclass = cast("type[type]", type("HandlerClass", (_WriteThrough, type(handler)), {}))
    made = metaclass(handler.__name__, (*parts, handler), attributes)
    type.__setattr__(made, "_middleware_handler", handler)
    return cast("type[RequestHandler]", made)


class _WriteThrough(type):
    """Sets class attributes on the handler class itself: `type(self).count += 1` means that one."""

    def __setattr__(cls, name: str, value: object) -> None:
        handler = cls.__dict__.get("_middleware_handler")
        if handler is None:
            super().__setattr__(name, value)
        else:
            setattr(handler, name, value)

    def __delattr__(cls, name: str) -> None:
        delattr(cls.__dict__["_middleware_handler"], name)
