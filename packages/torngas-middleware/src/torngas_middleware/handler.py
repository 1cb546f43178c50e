"""What a handler may add to the way of a request: `on_prepare` and `complete_finish`."""

from __future__ import annotations

from collections.abc import Awaitable

__all__ = ["MiddlewareHandlerMixin"]


class MiddlewareHandlerMixin:
    """Two more methods to override; the middleware application calls them.

    With `wrap_all=False` it is also the mark of the handlers whose requests run through the hooks.
    """

    def on_prepare(self) -> Awaitable[None] | None:
        """Called after every process_request and after `prepare`, before the method; may be async.

        It is also called when a hook or `prepare` finished the response: look at `self._finished` before you write.
        """

    def complete_finish(self) -> None:
        """Called last: after `on_finish` and after every process_endcall, on success and on errors."""
