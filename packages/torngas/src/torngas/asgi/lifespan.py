"""Start and stop of an application, as the server tells them (ASGI lifespan 2.0)."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeAlias

from torngas.asgi.types import Receive, Send

__all__ = ["Hook", "serve_lifespan"]

Hook: TypeAlias = Callable[[], Awaitable[Any] | Any]

logger = logging.getLogger("torngas")


async def serve_lifespan(receive: Receive, send: Send, start: Iterable[Hook], stop: Iterable[Hook]) -> None:
    """Runs hooks, plain or async, and reports the first that fails; the server then does not serve."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            if not await _run("startup", send, start):
                return
        elif message["type"] == "lifespan.shutdown":
            await _run("shutdown", send, stop)
            return


async def _run(phase: str, send: Send, hooks: Iterable[Hook]) -> bool:
    try:
        for hook in hooks:
            result = hook()
            if inspect.isawaitable(result):
                await result
    except Exception as error:
        logger.exception("ASGI %s failed", phase)
        await send({"type": f"lifespan.{phase}.failed", "message": f"{type(error).__name__}: {error}"})
        return False
    await send({"type": f"lifespan.{phase}.complete"})
    return True
