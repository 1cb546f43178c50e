"""The session on a handler.

    class Visits(SessionMixin, RequestHandler):
        def get(self):
            self.session["visits"] = self.session.get("visits", 0) + 1

    Application([("/", Visits)], session_manager=SessionManager(MemoryStore(), {"secret_key": "…"}))

With a store that does I/O, `await self.session.aload()` comes first; the response then waits for the save.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import Future
from typing import Any

from tornado.web import RequestHandler

from .errors import NoSessionError
from .manager import SessionManager
from .session import Session

__all__ = ["SessionAccessMixin", "SessionMixin"]

_SWITCHING_PROTOCOLS = 101
_SERVER_ERROR = 500


class SessionAccessMixin(RequestHandler):
    """`self.session` and `self.set_expire`, for handlers whose session a middleware loads and saves.

    What nobody has saved when the headers leave is saved then, or, if that needs I/O, refused. It stands before
    the handler class in the bases.
    """

    _session: Session | None = None
    _session_manager: SessionManager | None = None

    @property
    def session(self) -> Session:
        """The visitor's session; nothing is read before it is used.

        Raises:
            NoSessionError: Neither a middleware nor the application's setting `session_manager` gave a manager.
        """
        session = self._session
        if session is None:
            manager = self._session_manager or self.application.settings.get("session_manager")
            if manager is None:
                raise NoSessionError(
                    "handler.session: got no session manager; expected SessionMiddleware among the middlewares, "
                    "or Application(..., session_manager=SessionManager(...))"
                )
            session = self._session = Session(manager, self)
        return session

    def set_expire(self, seconds: float | None) -> None:
        """`self.session.set_expire`: seconds from each save on; 0 with the browser, None no end, negative at once."""
        self.session.set_expire(seconds)

    def flush(self, include_footers: bool = False) -> Future[None]:
        """Saves the session before the headers leave, and once more at the end of a stream."""
        session = self._session
        if session is not None and (include_footers or not self._headers_written):
            session._manager.save_before_headers(session)
        return super().flush(include_footers)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Drops unsaved changes if the request failed: also when the headers, with another status, are gone."""
        session = self._session
        if session is not None and status_code >= _SERVER_ERROR:
            session._state.forget_changes()
        super().send_error(status_code, **kwargs)


class SessionMixin(SessionAccessMixin):
    """Sessions on a plain `tornado.web.RequestHandler`, without any middleware."""

    _session_task: asyncio.Task[None] | None = None

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """Ends the response, after the session is saved.

        With a store that does I/O the response counts as finished from now on and is sent when the save is done;
        should that fail, the client gets a 500 in its place.
        """
        session = self._session
        if session is None:
            return super().finish(chunk)
        if not self._finished and self._must_wait(session):
            if chunk is not None:
                self.write(chunk)
            self._finished = True
            self._session_task = asyncio.get_running_loop().create_task(self._save_and_finish(session))
            return self._session_task
        sent = super().finish(chunk)
        session._close()
        return sent

    def _must_wait(self, session: Session) -> bool:
        return self.get_status() != _SWITCHING_PROTOCOLS and session._manager.needs_waiting(session)

    async def _save_and_finish(self, session: Session) -> None:
        try:
            await session._manager.asave(session)
        except Exception:  # noqa: BLE001 - reported as Tornado does it for every exception of a handler
            self._finished = False
            session._state.forget_changes()
            self.log_exception(*sys.exc_info())
            self.send_error(_SERVER_ERROR, exc_info=sys.exc_info())
            return
        self._finished = False
        await self.finish()
