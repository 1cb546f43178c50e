"""Flash messages: said in one request, shown in the next one, or still in the same.

    class Save(FlashMessageMixIn, SessionMixin, RequestHandler):
        def post(self):
            self.flash("Saved.", "success")
            self.redirect("/")

    {% for category, message in handler.get_flashed_messages() %} … {% end %}

Tornado's own `RequestHandler.flush()` is untouched; only the name `flash` is new.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable
from typing import Any, Literal, overload

from tornado.web import RequestHandler

from .errors import SessionError, SessionTooLargeError
from .session import Session

__all__ = ["FlashMessageMixIn"]

_KEY = "_flash:"
_COOKIE = "_flash"
_COOKIE_ROOM = 4096
_Pair = tuple[str, Any]


class FlashMessageMixIn(RequestHandler):
    """`flash` and `get_flashed_messages`, kept in the handler's session, or in a signed cookie if it has none.

    The cookie needs the application's `cookie_secret` and is Tornado's signed cookie, keys and rotation included.
    """

    flash_in_cookie = False
    """True keeps messages in the signed cookie although the handler has a session."""

    _flash_read: list[_Pair] | None = None
    _flash_sent: list[_Pair] | None = None

    def flash(self, message: Any, category: str = "message") -> None:
        """Keeps a message until somebody reads it. Said after the reading in one request, it waits for the next.

        Args:
            message: Text, or anything that JSON knows. It is not escaped here; templates escape.
            category: By which a page chooses and styles.
        """
        session = self._flash_session()
        if session is not None:
            # One key each, in the order of saying: those of concurrent requests are merged, not replaced.
            session[f"{_KEY}{time.time_ns():020d}{secrets.token_hex(4)}"] = [category, message]
            return
        kept = self._flash_sent
        if kept is None:
            kept = [] if self._flash_read is not None else self._flash_cookie()
        self._flash_sent = [*kept, (category, message)]
        self._send_flash_cookie(self._flash_sent)

    @overload
    def get_flashed_messages(
        self, with_categories: Literal[True] = True, category_filter: Iterable[str] = ()
    ) -> list[tuple[str, Any]]: ...
    @overload
    def get_flashed_messages(
        self, with_categories: Literal[False], category_filter: Iterable[str] = ()
    ) -> list[Any]: ...
    @overload
    def get_flashed_messages(
        self, with_categories: bool, category_filter: Iterable[str] = ()
    ) -> list[tuple[str, Any]] | list[Any]: ...

    def get_flashed_messages(
        self, with_categories: bool = True, category_filter: Iterable[str] = ()
    ) -> list[tuple[str, Any]] | list[Any]:
        """The messages, oldest first. The first reading takes all of them, those included that it filters out.

        A second reading in the same request answers from the same list.

        Args:
            with_categories: True gives (category, message) pairs, False the messages alone.
            category_filter: Only these categories; empty: all.
        """
        if self._flash_read is None:
            self._flash_read = self._take_flashes()
        wanted = {category_filter} if isinstance(category_filter, str) else set(category_filter)
        pairs = [pair for pair in self._flash_read if not wanted or pair[0] in wanted]
        return pairs if with_categories else [message for _, message in pairs]

    def _flash_session(self) -> Session | None:
        if self.flash_in_cookie:
            return None
        session = getattr(self, "session", None)
        return session if isinstance(session, Session) else None

    def _take_flashes(self) -> list[_Pair]:
        session = self._flash_session()
        if session is not None:
            keys = sorted(key for key in session if key.startswith(_KEY))
            return [(category, message) for category, message in map(session.pop, keys)]
        pairs = self._flash_cookie() if self._flash_sent is None else self._flash_sent
        self._flash_sent = []
        if pairs:
            self.clear_cookie(_COOKIE)
        return pairs

    def _flash_cookie(self) -> list[_Pair]:
        self._need_secret()
        if not self._headers_written:
            self.add_header("Vary", "Cookie")
        signed = self.get_signed_cookie(_COOKIE, max_age_days=1)
        if signed is None:
            return []
        try:
            return [(str(category), message) for category, message in json.loads(signed)]
        except (TypeError, ValueError):
            return []

    def _send_flash_cookie(self, pairs: list[_Pair]) -> None:
        self._need_secret()
        value = self.create_signed_value(_COOKIE, json.dumps(pairs))
        if len(value) + len(_COOKIE) >= _COOKIE_ROOM:
            raise SessionTooLargeError(
                f"flash(): got messages of {len(value)} characters in all; expected less than {_COOKIE_ROOM}. "
                "Say less, or give the handler a session"
            )
        secure = self.request.protocol == "https"
        self.set_cookie(_COOKIE, value, httponly=True, samesite="Lax", secure=secure)

    def _need_secret(self) -> None:
        if not self.application.settings.get("cookie_secret"):
            raise SessionError(
                "flash(): got neither a session nor the setting cookie_secret; expected one of them: "
                "SessionMixin, SessionMiddleware, or Application(..., cookie_secret='…')"
            )
