"""What happens to a request, told as signals, and the middleware that tells it.

The middleware is a plain object: its seven `process_*` hooks are called by whoever runs middlewares. It finishes
nothing and swallows nothing; an exception of a receiver is an exception of the hook.

    @call_started.connect
    def count(sender, request, **kwargs): ...
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

from torngas_signal._typing import Signal

__all__ = [
    "SignalMiddleware",
    "call_finished",
    "call_started",
    "got_request_exception",
    "handler_render",
    "handler_response",
    "handler_started",
    "message_flashed",
    "template_rendered",
]

call_started = Signal(
    "call_started",
    doc="A request arrived; no handler is chosen yet. The sender is the request's class.",
    providing_args=["request"],
)
handler_started = Signal(
    "handler_started",
    doc="A handler was chosen for a request. The sender is the handler's class.",
    providing_args=["handler"],
)
handler_render = Signal(
    "handler_render",
    doc="A template is about to be rendered with `kwargs`, a dictionary. The sender is the handler's class.",
    providing_args=["handler", "template_name", "kwargs"],
)
handler_response = Signal(
    "handler_response",
    doc="A response is about to be sent; `chunk` is the list of its parts. The sender is the handler's class.",
    providing_args=["handler", "chunk"],
)
call_finished = Signal(
    "call_finished",
    doc="A response was sent. The sender is the handler's class.",
    providing_args=["handler"],
)
got_request_exception = Signal(
    "got_request_exception",
    doc="A handler raised `exception`. The sender is the handler's class.",
    providing_args=["handler", "request", "exception"],
)
template_rendered = Signal(
    "template_rendered",
    doc="A template was rendered; sent by whoever renders. The sender is the handler's class.",
    providing_args=["handler", "template", "template_name", "context"],
)
message_flashed = Signal(
    "message_flashed",
    doc="A message was flashed; sent by whoever stores it. The sender is the handler's class.",
    providing_args=["handler", "message", "category"],
)

Clear = Callable[[], None]


class SignalMiddleware:
    """Sends the lifecycle signals. It has no state; one instance serves any number of applications.

    No hook answers anything true, so that no other middleware is skipped. Where the hook may be asynchronous
    (request, exception, response, endcall) so may the receivers: the hook then answers an awaitable of `None`.
    """

    def process_call(self, request: Any, clear: Clear) -> None:
        """Sends `call_started`; an asynchronous receiver of it raises."""
        call_started.send(type(request), request=request)

    def process_request(self, handler: Any, clear: Clear) -> Awaitable[None] | None:
        """Sends `handler_started`."""
        return _tell(handler_started, handler)

    def process_render(self, handler: Any, clear: Clear, template_name: str, **kwargs: Any) -> None:
        """Sends `handler_render`; an asynchronous receiver of it raises."""
        handler_render.send(handler.__class__, handler=handler, template_name=template_name, kwargs=kwargs)

    def process_exception(
        self,
        handler: Any,
        clear: Clear,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> Awaitable[None] | None:
        """Sends `got_request_exception`. The exception stays unhandled."""
        request = getattr(handler, "request", None)
        return _tell(got_request_exception, handler, request=request, exception=value)

    def process_response(self, handler: Any, clear: Clear, chunk: Any) -> Awaitable[None] | None:
        """Sends `handler_response`."""
        return _tell(handler_response, handler, chunk=chunk)

    def process_endcall(self, handler: Any, clear: Clear) -> Awaitable[None] | None:
        """Sends `call_finished`."""
        return _tell(call_finished, handler)


def _tell(signal: Signal[...], handler: Any, **payload: Any) -> Awaitable[None] | None:
    if signal.has_async_receivers:
        return _atell(signal, handler, payload)
    signal.send(handler.__class__, handler=handler, **payload)
    return None


async def _atell(signal: Signal[...], handler: Any, payload: dict[str, Any]) -> None:
    await signal.asend(handler.__class__, handler=handler, **payload)
