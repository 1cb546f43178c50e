"""The administration of sessions: which a user has, and how to end them from elsewhere.

    manager.sessions_of("ada")          # ["Xk3…", "p0A…"]
    manager.revoke_all("ada")           # after a change of the password

Works on every store on the server (OWASP ASVS 5.0 V7.4, V7.5); only sessions begun by `login` belong to a user.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .driver import Driver, Steps
from .errors import UnsupportedByStoreError
from .persistence import ServerPersistence
from .session import Session

__all__ = ["Administration"]

T = TypeVar("T")


class Administration:
    """Lists and revokes; the part of `SessionManager` that needs no request."""

    keeps_in_cookie = False
    """Whether the store is the cookie itself, and nothing can be listed or revoked."""

    def __init__(self, driver: Driver, server: ServerPersistence, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._driver = driver
        self._server = server

    def sessions_of(self, user: str | int) -> list[str]:
        """The ids of the user's living sessions, the oldest first; each fits `revoke`."""
        return self._run("sessions_of", self._sessions_of(user))

    async def asessions_of(self, user: str | int) -> list[str]:
        """The same, with a store that does I/O."""
        return await self._arun(self._sessions_of(user))

    def revoke(self, session_id: str) -> bool:
        """Ends a session at once; whether there was one."""
        return self._run("revoke", self._revoke(session_id))

    async def arevoke(self, session_id: str) -> bool:
        """The same, with a store that does I/O."""
        return await self._arun(self._revoke(session_id))

    def revoke_all(self, user: str | int) -> int:
        """Ends every session of the user, as after a change of the password; the number of them."""
        return self._run("revoke_all", self._revoke_all(user, None))

    async def arevoke_all(self, user: str | int) -> int:
        """The same, with a store that does I/O."""
        return await self._arun(self._revoke_all(user, None))

    def revoke_others(self, session: Session) -> int:
        """Ends the user's other sessions (OWASP ASVS 5.0 V7.4.3); the number of them."""
        user = session.user
        return 0 if user is None else self._run("revoke_others", self._revoke_all(user, session))

    async def arevoke_others(self, session: Session) -> int:
        """The same, with a store that does I/O."""
        user = session.user
        return 0 if user is None else await self._arun(self._revoke_all(user, session))

    def _now(self) -> int:
        return int(self.clock() * 1000)

    def _need_server(self) -> None:
        if self.keeps_in_cookie:
            raise UnsupportedByStoreError(
                "SessionManager: got SignedCookieStore, which keeps nothing here; expected a store on the server"
            )

    def _run(self, name: str, steps: Steps[T]) -> T:
        self._need_server()
        self._driver.refuse_on_loop(f"SessionManager.{name}()", f"`await manager.a{name}(...)`")
        return self._driver.run(steps)

    async def _arun(self, steps: Steps[T]) -> T:
        self._need_server()
        return await self._driver.arun(steps)

    def _sessions_of(self, user: str | int) -> Steps[list[str]]:
        now = self._now()
        living = []
        for identity in (yield from self._server.index.ids(user, now)):
            raw, _ = yield "gets", (self._server.key(identity),)
            if self._server.living(raw, now) is not None:
                living.append(identity)
        return living

    def _revoke(self, identity: str) -> Steps[bool]:
        now = self._now()
        raw, _ = yield "gets", (self._server.key(identity),)
        record = self._server.living(raw, now)
        yield from self._server.destroy(identity, None if record is None else record.user, now)
        return record is not None

    def _revoke_all(self, user: str | int, spared: Session | None) -> Steps[int]:
        kept = set() if spared is None else {spared._state.id, spared._state.visible_id}
        ended = 0
        for identity in (yield from self._server.index.ids(user, self._now())):
            if identity not in kept:
                ended += yield from self._revoke(identity)
        return ended
