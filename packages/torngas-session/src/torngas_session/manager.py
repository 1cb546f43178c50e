"""The manager: one store and one configuration, and everything that is done with sessions.

    manager = SessionManager(MemoryStore(), SessionConfig(secret_key="…"))
    application = tornado.web.Application(handlers, session_manager=manager)

Methods whose name begins with `a` are for stores that do I/O; the plain ones refuse to stop a running event loop.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from tornado.web import RequestHandler

from .administration import Administration
from .config import SessionConfig
from .cookiepersistence import CookiePersistence
from .cookies import SessionCookie
from .driver import Driver
from .errors import SessionError, SessionNotSavedError, StoreError
from .persistence import NOTHING, Outcome, ServerPersistence
from .record import Lifetimes, RecordCodec
from .serializers import serializer_named
from .session import Session
from .signing import Signer
from .state import SessionState
from .stores.cookie import SignedCookieStore

__all__ = ["SessionManager"]

_logger = logging.getLogger("torngas_session")

_MAC_LENGTH = 65
_ID_LENGTH = 32
_SWITCHING_PROTOCOLS = 101
_OK = 200
_SERVER_ERROR = 500
_TOO_LATE = "session: got a first use after the request was over; expected it before"


class SessionManager(Administration):
    """Loads, saves, lists and revokes sessions. Immutable; as safe across threads and loops as its store.

    Args:
        store: Anything that fits `SessionStore`, or a `SignedCookieStore`.
        config: A `SessionConfig`, or a mapping for `SessionConfig.from_mapping`.
        clock: Seconds since the epoch.
    """

    def __init__(
        self, store: Any, config: SessionConfig | Mapping[str, Any], *, clock: Callable[[], float] = time.time
    ) -> None:
        self.config = config if isinstance(config, SessionConfig) else SessionConfig.from_mapping(config)
        self.store = store
        self.keeps_in_cookie = isinstance(store, SignedCookieStore)
        self._cookie = SessionCookie(self.config)
        self._signer = self._signer_for("data" if self.keeps_in_cookie else "id")
        codec = RecordCodec(serializer_named(self.config.serializer, self._signer_for("record")))
        super().__init__(
            Driver(_NoStore() if self.keeps_in_cookie else store),
            ServerPersistence(self.config, codec, self._signer),
            clock,
        )
        self._client: CookiePersistence | None = None
        self._longest = _ID_LENGTH + _MAC_LENGTH
        if isinstance(store, SignedCookieStore):
            self._client = CookiePersistence(self.config, codec, self._signer, store.max_bytes)
            self._longest = store.max_bytes

    @property
    def blocking(self) -> bool:
        """Whether the store does I/O, so that loading and saving must be awaited."""
        return self._driver.blocking

    @property
    def lifetimes(self) -> Lifetimes:
        """The timeouts in force."""
        return self._server.lifetimes

    # one request's session

    def load(self, session: Session) -> None:
        """Reads the session; called at its first use.

        Raises:
            SessionNotLoadedError: The store does I/O and an event loop is running.
            StoreError: The store failed, and `on_read_error` is "raise".
        """
        state, driver = session._state, self._driver
        text = self._identify(state, session._handler)
        if text is not None:
            if driver.blocking:
                driver.refuse_on_loop("handler.session", "`await handler.session.aload()` before its first use")
            try:
                found = driver.gets(self._server.prefix + text)
            except Exception as error:  # noqa: BLE001 - whatever the store raises is its failure
                self._note_failure(state, driver.failure("gets", error))
                return
            self._server.adopt(state, text, found, int(self.clock() * 1000))
        state.loaded = True

    async def aload(self, session: Session) -> None:
        """Reads the session; a failure is kept, and reported at the session's first use."""
        state = session._state
        text = self._identify(state, session._handler)
        if text is not None:
            try:
                found = await self._driver.acall("gets", self._server.key(text))
            except StoreError as error:
                self._note_failure(state, error)
                return
            self._server.adopt(state, text, found, self._now())
        state.loaded = True

    def preload(self, session: Session) -> Any:
        """Something to await that reads the session ahead, or None where there is nothing to read."""
        if session._state.loaded or not self._cookie.read(_handler_of(session).request):
            return None
        return self.aload(session)

    def save(self, session: Session) -> None:
        """Writes what changed and puts the cookie into the response; nothing changed, nothing done."""
        state = session._state
        if not state.accessed:
            return
        self.vary(session)
        now = int(self.clock() * 1000)
        if state.touched or now >= state.renew_at:
            self._save(session, now)

    async def asave(self, session: Session) -> None:
        """The same with a store that does I/O."""
        state = session._state
        if not state.accessed:
            return
        if self._client is not None or not self.needs_waiting(session):
            self.save(session)
            return
        self.vary(session)
        status, now = _status_of(session._handler), self._now()
        outcome = await self._driver.arun(self._server.commit(state, status, now))
        self._apply(session._handler, outcome, now)

    def needs_waiting(self, session: Session) -> bool:
        """Whether saving calls a store that does I/O; if not, `save` is enough."""
        state, handler = session._state, session._handler
        if not self._driver.blocking or not state.accessed:
            return False
        status = _status_of(handler)
        return self._server.needs_store(state, status, self._now())

    def save_before_headers(self, session: Session) -> None:
        """Saves as the headers leave, by plain calls.

        Raises:
            SessionNotSavedError: That needs I/O, and nobody awaited it before.
        """
        if not self.needs_waiting(session):
            self.save(session)
            return
        handler = _handler_of(session)
        if handler.get_status() >= _SERVER_ERROR:
            _logger.error("a session could not be ended: the failed response left without awaiting the store")
            return
        what = "the upgrade" if handler.get_status() == _SWITCHING_PROTOCOLS else "flush()"
        raise SessionNotSavedError(
            f"{what}: got unsaved changes for {self._driver.name}, which does I/O; "
            "expected `await self.session.asave()` before the headers are sent"
        )

    def vary(self, session: Session) -> None:
        """Tells caches that the response depends on the cookie (RFC 9110 §12.5.5)."""
        handler = session._handler
        if handler is None or handler._headers_written:
            return
        headers = handler._headers
        present = headers.get_list("Vary")
        if not present:
            headers["Vary"] = "Cookie"
            return
        names = [name.strip().lower() for name in ",".join(present).split(",")]
        if "*" not in names and "cookie" not in names:
            headers["Vary"] = f"{', '.join(present)}, Cookie"

    def report_failure(self, session: Session) -> None:
        """Raises why the session could not be read, unless reading on as anonymous was chosen."""
        failure = session._state.failure
        if failure is not None and self.config.on_read_error == "raise":
            raise failure

    @asynccontextmanager
    async def edit(self, session_id: str) -> AsyncIterator[Session]:
        """A stored session without a request: for WebSockets after the upgrade, and for work in the background.

        What changed is saved, merged as ever, at the end of the block, unless that raises. An id that names no
        living session gives an empty one, and nothing is stored.
        """
        self._need_server()
        session = Session(self, None)
        state, now = session._state, self._now()
        state.loaded = True
        raw, token = await self._driver.acall("gets", self._server.key(session_id))
        record = self._server.living(raw, now)
        if record is not None:
            state.adopt(session_id, record, raw, token, self.lifetimes.outlook(record, now) or now)
        yield session
        if record is not None:
            await self.asave(session)
        state.closed = True

    # inside

    def _signer_for(self, purpose: str) -> Signer:
        name = f"{purpose}:{self.config.session_name}"
        return Signer(self.config.keys, purpose=name, version=self.config.session_version)

    def _identify(self, state: SessionState, handler: RequestHandler | None) -> str | None:
        """The verified id in the cookie, if it must be looked up now."""
        if handler is None:
            raise SessionError(_TOO_LATE)
        request = handler.request
        state.address = request.remote_ip
        candidates = self._cookie.read(request)
        if not candidates:
            return None
        state.has_cookie = True
        for candidate in candidates:
            text = self._signer.verify(candidate) if len(candidate) <= self._longest else None
            if text is not None:
                break
        else:
            _logger.warning(
                "a session cookie was refused: damaged, too long, or not signed here; it counts as anonymous"
            )
            return None
        if self._client is None:
            state.cookie = candidate
            return text
        self._client.adopt(state, text, self._now())
        return None

    def _note_failure(self, state: SessionState, error: StoreError) -> None:
        state.loaded = True
        state.failure = error
        if self.config.on_read_error == "anonymous":
            _logger.error("the session store cannot be read; the session counts as anonymous", exc_info=error)

    def _save(self, session: Session, now: int) -> None:
        state, handler = session._state, session._handler
        status = _OK if handler is None else handler.get_status()
        if self._client is not None:
            self._apply(handler, self._client.commit(state, status, now), now)
            return
        if self._driver.blocking and self._server.needs_store(state, status, now):
            self._driver.refuse_on_loop("session.save()", "`await session.asave()`")
        outcome = None
        if state.is_plain and state.dirty and status < _SERVER_ERROR:
            outcome = self._server.exchange(state, now, self._driver.cas)
        if outcome is None:
            outcome = self._driver.run(self._server.commit(state, status, now))
        if outcome is not NOTHING:
            self._apply(handler, outcome, now)

    def _apply(self, handler: RequestHandler | None, outcome: Outcome, now: int) -> None:
        if handler is not None and outcome.action != "none" and not handler._headers_written:
            self._cookie.apply(handler, outcome, now / 1000)


class _NoStore:
    """Stands where a session lives in its cookie: nothing asks it for anything."""

    blocking = False

    def gets(self, _key: str) -> tuple[None, None]:
        return None, None

    def cas(self, *_args: Any) -> bool:
        return False

    def delete(self, _key: str) -> None:
        return None


def _handler_of(session: Session) -> RequestHandler:
    if session._handler is None:
        raise SessionError(_TOO_LATE)
    return session._handler


def _status_of(handler: RequestHandler | None) -> int:
    return _OK if handler is None else handler.get_status()
