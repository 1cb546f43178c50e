"""How a session is kept by the client: whole, in the signed cookie, and nowhere else.

What follows from that, and no code can change: the client can read it, it can come back with an older cookie as
long as that one's own timeouts allow, and of two concurrent responses the later one wins.
"""

from __future__ import annotations

import base64
import binascii
import logging

from .config import SessionConfig
from .errors import SessionTooLargeError
from .persistence import NOTHING, Outcome
from .record import Lifetimes, Record, RecordCodec
from .signing import Signer
from .state import SessionState

__all__ = ["CookiePersistence"]

_logger = logging.getLogger("torngas_session")

_ID_LENGTH = 32
_SERVER_ERROR = 500
_CLEAR = Outcome("clear")


class CookiePersistence:
    """Sessions inside the cookie; the record carries its time of issue, so its timeouts hold here too."""

    def __init__(self, config: SessionConfig, codec: RecordCodec, signer: Signer, max_bytes: int) -> None:
        self.lifetimes = Lifetimes(config)
        self._codec = codec
        self._signer = signer
        self._room = max_bytes - len(config.session_name) - 1
        self._ignore_address = config.ignore_change_ip

    def adopt(self, state: SessionState, text: str, now: int) -> None:
        """Takes over a verified cookie's session, or leaves the session anonymous."""
        try:
            payload = base64.b64decode(text, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            _logger.warning("a signed session cookie holds no session; it counts as anonymous")
            return
        identity, stored = payload[:_ID_LENGTH].decode("ascii", "replace"), payload[_ID_LENGTH:]
        record = self._codec.decode(stored)
        if record is None:
            return
        renew_at = self.lifetimes.outlook(record, now)
        if renew_at is None or not (self._ignore_address or record.address == state.network):
            _logger.info("a session in a cookie is over")
            state.end(None, None)
            return
        state.adopt(identity, record, stored, None, renew_at)

    def commit(self, state: SessionState, status: int, now: int) -> Outcome:
        """The cookie that the response must send.

        Raises:
            SessionTooLargeError: It would not fit; browsers drop such cookies without a word.
        """
        over = _CLEAR if state.ended and state.has_cookie else NOTHING
        state.doomed = ()
        if status >= _SERVER_ERROR:
            return over
        if not state.is_modified and now < state.renew_at:
            return over
        record = self._record(state, now)
        if record.is_empty:
            cleared = _CLEAR if state.has_cookie else NOTHING
            state.end(None, None)
            return cleared
        return self._issue(state, record, now)

    def _record(self, state: SessionState, now: int) -> Record:
        base = None if state.authenticated else state.base
        created = now if base is None else base.created
        address = state.network if base is None else base.address
        if state.is_modified or base is None:
            deadline = self.lifetimes.deadline(state.lifetime, created, now)
        else:
            deadline = self.lifetimes.renewed_deadline(base, now)
        return Record(state.data, created, now, deadline, state.lifetime, address, state.user, 0)

    def _issue(self, state: SessionState, record: Record, now: int) -> Outcome:
        identity = state.visible_id
        stored = self._codec.encode(record)
        stored = stored.encode() if isinstance(stored, str) else stored
        value = self._signer.sign(base64.urlsafe_b64encode(identity.encode() + stored).decode())
        if len(value) > self._room:
            raise SessionTooLargeError(
                f"SignedCookieStore: got a session of {len(value)} characters; expected at most {self._room} "
                "(RFC 6265bis §5.6). Keep less in it, or use a store on the server"
            )
        state.settle(identity, record, stored)
        return Outcome("send", value, self.lifetimes.cookie_seconds(record, now))
