"""What several ready middlewares do to a response."""

from __future__ import annotations

from collections.abc import Mapping

from tornado.web import RequestHandler

__all__ = ["add_vary", "refuse"]


def add_vary(handler: RequestHandler, *names: str) -> None:
    """Adds names to `Vary`, each once whatever its case; `*` stays alone."""
    present = [part.strip() for part in handler._headers.get("Vary", "").split(",") if part.strip()]
    known = {part.lower() for part in present}
    added = [name for name in names if name.lower() not in known]
    if added and "*" not in known:
        handler.set_header("Vary", ", ".join(present + added))


def refuse(handler: RequestHandler, status: int, headers: Mapping[str, str]) -> bool:
    """Finishes the response with the handler's own error page; the answer True ends the phase."""
    handler.clear()
    handler.set_status(status)
    for name, value in headers.items():
        handler.set_header(name, value)
    handler.write_error(status)
    if not handler._finished:
        handler.finish()
    return True
