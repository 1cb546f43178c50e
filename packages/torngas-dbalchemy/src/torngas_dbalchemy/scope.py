"""Sessions belong to a request, which is a context (`contextvars`), not a thread.

A `Scope` holds the sessions of one request. Interleaved requests on one loop have different scopes. A worker thread
that a request hands work to borrows a session of its own while that work lasts, so no session is ever used by two
threads at once; afterwards the next piece of the request's work may take it over.

    with connector.scope():
        User.session.add(User(name="ann"))  # rolled back, as nobody commits
"""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar, Token
from typing import Any, Protocol

from .consistency import RequestState
from .session import RoutingAsyncSession, RoutingSession

__all__ = ["Scope", "current_scope", "enclosing_scope"]

_SCOPE: ContextVar[Scope | None] = ContextVar("torngas_dbalchemy_scope", default=None)
_LEASE: ContextVar[_Lease | None] = ContextVar("torngas_dbalchemy_lease", default=None)


class Maker(Protocol):
    """What a scope asks of a connector."""

    def make_session(self, alias: str, state: RequestState, /) -> RoutingSession: ...
    def make_async_session(self, alias: str, state: RequestState, /) -> RoutingAsyncSession: ...


_Key = tuple[Any, str]


class Scope:
    """The sessions and decisions of one request.

    Entering it (`with`, or `enter` and `exit`) makes it the context's own. `close` rolls back what is uncommitted
    and gives the connections back; a scope that nobody closes does so when the last context that knows it is gone.

    Args:
        connector: what `get_connector()` answers inside; None leaves the process's.
        primary: True sends every read to the primary.
    """

    def __init__(self, connector: Any = None, *, primary: bool = False) -> None:
        self.connector = connector
        self._primary = primary
        self._states: dict[Any, RequestState] = {}
        self._thread = threading.get_ident()
        self._main: dict[_Key, RoutingSession] = {}
        self._free: dict[_Key, list[RoutingSession]] = {}
        self._tasks: dict[asyncio.Task[Any], dict[_Key, RoutingAsyncSession]] = {}
        self._free_async: dict[_Key, list[RoutingAsyncSession]] = {}
        self._closed = False
        self._token: Token[Scope | None] | None = None

    def state(self, maker: Any) -> RequestState:
        """Answers what this request has decided about the databases of a connector."""
        found = self._states.get(maker)
        if found is None:
            found = self._states.setdefault(maker, RequestState(primary=self._primary))
        return found

    def session(self, maker: Maker, alias: str) -> RoutingSession:
        """Answers the session of the calling thread; made at the first call."""
        if threading.get_ident() != self._thread:
            return self._lease().session(maker, alias)
        key = (maker, alias)
        found = self._main.get(key)
        if found is None:
            found = self._main[key] = self.take(key)
        return found

    def asession(self, maker: Maker, alias: str) -> RoutingAsyncSession:
        """Answers the asynchronous session of the calling task, closed by `aclose`."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("asession: got no running task; expected a call from a coroutine.")
        if task not in self._tasks:
            self._tasks[task] = {}
            task.add_done_callback(self._end_task)
        mine, key = self._tasks[task], (maker, alias)
        if key not in mine:
            free = self._free_async.get(key)
            mine[key] = free.pop() if free else maker.make_async_session(alias, self.state(maker))
        return mine[key]

    def _end_task(self, task: asyncio.Task[Any]) -> None:
        # The next task takes the session over, as the next piece of work in a thread does.
        for key, session in self._tasks.pop(task, {}).items():
            self._free_async.setdefault(key, []).append(session)

    def has(self, maker: Maker, alias: str) -> bool:
        """Whether the scope's own thread has a session already."""
        return threading.get_ident() == self._thread and (maker, alias) in self._main

    def forget(self, maker: Maker, alias: str) -> None:
        """Closes the thread's session; the next request for one makes a new one, and draws a replica anew."""
        if threading.get_ident() == self._thread:
            session = self._main.pop((maker, alias), None)
        else:
            session = self._lease().drop((maker, alias))
        if session is not None:
            session.close()
        self.state(maker).chosen.pop(alias, None)

    def take(self, key: _Key) -> RoutingSession:
        """A session that nobody uses: one left by finished work of this request, or a new one."""
        if free := self._free.get(key):
            try:
                return free.pop()
            except IndexError:  # another thread was quicker
                pass
        maker: Maker = key[0]
        return maker.make_session(key[1], self.state(maker))

    def give_back(self, key: _Key, session: RoutingSession) -> None:
        """Takes a session that its thread has done with."""
        if self._closed:
            session.close()
        else:
            self._free.setdefault(key, []).append(session)

    @property
    def is_entered(self) -> bool:
        """Whether somebody opened this scope, and will close it."""
        return self._token is not None

    @property
    def is_busy(self) -> bool:
        """Whether closing will have to talk to a server."""
        return any(session.in_transaction() for session in self._sessions()) or bool(self._tasks or self._free_async)

    def enter(self) -> Scope:
        """Makes this the scope of the current context."""
        self._token = _SCOPE.set(self)
        return self

    def exit(self) -> None:
        """Closes the scope and, in the context that entered it, restores the one before."""
        self.close()
        self._leave()

    def close(self) -> None:
        """Rolls back and closes the blocking sessions that no thread is using; the others follow when it is done."""
        self._closed = True
        main, self._main = self._main, {}
        for session in main.values():
            _close(session)
        if self._free:
            free, self._free = self._free, {}
            for sessions in free.values():
                for session in sessions:
                    _close(session)

    async def aclose(self) -> None:
        """Closes the blocking sessions outside the event loop where that needs the network, and the asynchronous."""
        if any(session.in_transaction() for session in self._sessions()):
            await asyncio.get_running_loop().run_in_executor(None, self.close)
        else:
            self.close()
        for session in self._take_async():
            await session.close()
        self._leave()

    def _take_async(self) -> list[RoutingAsyncSession]:
        used = [session for mine in self._tasks.values() for session in mine.values()]
        free = [session for sessions in self._free_async.values() for session in sessions]
        self._tasks.clear()
        self._free_async.clear()
        return used + free

    def _leave(self) -> None:
        token, self._token = self._token, None
        if token is not None:
            try:
                _SCOPE.reset(token)
            except ValueError:  # closed from another context, which never knew this scope
                pass

    def _sessions(self) -> list[RoutingSession]:
        return [*self._main.values(), *(session for free in list(self._free.values()) for session in free)]

    def _lease(self) -> _Lease:
        lease = _LEASE.get()
        if lease is None or lease.scope is not self or lease.thread != threading.get_ident():
            lease = _Lease(self)
            _LEASE.set(lease)
        return lease

    def __enter__(self) -> Scope:
        return self.enter()

    def __exit__(self, *exc: object) -> None:
        self.exit()

    async def __aenter__(self) -> Scope:
        return self.enter()

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if self._main or self._free:
            self.close()


def _close(session: RoutingSession) -> None:
    # One that did nothing has nothing to give back; closing it would cost as much as opening.
    if session.in_transaction() or session.identity_map:
        session.close()


class _Lease:
    """The sessions that one piece of work in another thread has borrowed; it ends with that work's context."""

    __slots__ = ("__weakref__", "_sessions", "scope", "thread")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.thread = threading.get_ident()
        self._sessions: dict[_Key, RoutingSession] = {}

    def session(self, maker: Maker, alias: str) -> RoutingSession:
        key = (maker, alias)
        found = self._sessions.get(key)
        if found is None:
            found = self._sessions[key] = self.scope.take(key)
        return found

    def drop(self, key: _Key) -> RoutingSession | None:
        return self._sessions.pop(key, None)

    def __del__(self) -> None:
        for key, session in self._sessions.items():
            self.scope.give_back(key, session)


def enclosing_scope() -> Scope | None:
    """Answers the scope of the current context, None where there is none."""
    return _SCOPE.get()


def current_scope() -> Scope:
    """Answers the scope of the current context; made, for as long as the context lives, if there is none."""
    scope = _SCOPE.get()
    if scope is None:
        scope = Scope()
        _SCOPE.set(scope)
    return scope
