"""The session as a middleware: an object with plain hooks, for any dispatcher that calls them.

    Application(handlers, middlewares=[SessionMiddleware(MemoryStore(), {"secret_key": "…"})])

Handlers get `handler.session` and `handler.set_expire`; those that inherit `SessionAccessMixin` without cost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tornado.web import Application, RequestHandler

from .config import SessionConfig
from .errors import ConfigurationTypeError
from .manager import SessionManager
from .mixin import SessionAccessMixin
from .session import Session

__all__ = ["SessionMiddleware"]


class SessionMiddleware:
    """Gives handlers their session and saves it before the response is sent.

    A hook answers None, or something to await where the store does I/O and there is something to do; for the
    request that leaves its session alone no coroutine is made.

    Args:
        manager: A `SessionManager`; or a store, with `config` beside it.
        config: A `SessionConfig` or a mapping, if the first argument is a store.
        options: Further arguments of `SessionManager`, such as `clock`.
    """

    def __init__(
        self, manager: SessionManager | Any, config: SessionConfig | Mapping[str, Any] | None = None, **options: Any
    ) -> None:
        if not isinstance(manager, SessionManager):
            if config is None:
                raise ConfigurationTypeError(
                    f"SessionMiddleware: got a {type(manager).__name__} alone; expected a SessionManager, "
                    "or a store and its configuration"
                )
            manager = SessionManager(manager, config, **options)
        self.manager = manager
        preload = manager.config.preload
        self._blocking = manager.blocking
        self._preload = manager.blocking if preload is None else preload

    def process_init(self, application: Application) -> None:
        """Makes the manager known to the application's plain handlers as well."""
        application.settings.setdefault("session_manager", self.manager)

    def process_request(self, handler: RequestHandler, clear: Callable[[], None]) -> Awaitable[None] | None:
        """Gives the handler its session, and reads it ahead where the store does I/O."""
        if isinstance(handler, SessionAccessMixin):
            handler._session_manager = self.manager
            if not self._preload:
                return None
            session = handler.session
        else:
            session = self._attach(handler)
        waiting: Awaitable[None] | None = self.manager.preload(session) if self._preload else None
        return waiting

    def process_response(
        self, handler: RequestHandler, clear: Callable[[], None], chunk: list[bytes]
    ) -> Awaitable[None] | None:
        """Saves what changed, before the response is sent."""
        session: Session | None = getattr(handler, "_session", None)
        if session is None:
            return None
        if self._blocking and self.manager.needs_waiting(session):
            return self.manager.asave(session)
        self.manager.save(session)
        return None

    def process_endcall(self, handler: RequestHandler, clear: Callable[[], None]) -> None:
        """Closes the session: it stays readable, and refuses changes that nobody would save."""
        session: Session | None = getattr(handler, "_session", None)
        if session is not None:
            session._close()

    def _attach(self, handler: Any) -> Session:
        session = Session(self.manager, handler, watched=False)
        handler._session = handler.session = session
        handler.set_expire = session.set_expire
        return session
