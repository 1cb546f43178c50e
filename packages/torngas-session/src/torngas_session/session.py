"""The session: a mapping that belongs to one visitor.

    handler.session["user"] = 17
    handler.session["nothing"]            # None, as documented; require() raises
    handler.session.set_expire(3600 * 24 * 30)

It is made when a handler first asks for it and loaded when it is first used; from then on the response varies
by cookie. A change inside a value is not seen: say `session.modified = True`.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, MutableMapping, ValuesView
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from tornado.web import RequestHandler

from .errors import MissingKeyError, SessionClosedError
from .state import SessionState

if TYPE_CHECKING:
    from .manager import SessionManager

__all__ = ["Session"]


class _Missing(Enum):
    MISSING = "missing"


_MISSING: Final = _Missing.MISSING


class Session(MutableMapping[str, Any]):
    """One visitor's values, under string keys. Belongs to one request, and so to one thread at a time.

    Args:
        manager: Loads and saves it.
        handler: Whose request and response it belongs to; None for a session that is edited without a request.
        watched: False says that nobody looks at the session before streamed headers leave, so that
            `Vary` must be set at the first use.
    """

    __slots__ = ("_handler", "_manager", "_state", "_watched")

    def __init__(self, manager: SessionManager, handler: RequestHandler | None, *, watched: bool = True) -> None:
        self._manager = manager
        self._handler = handler
        self._state = SessionState()
        self._watched = watched

    # reading

    def __getitem__(self, key: str) -> Any:
        """The value, or None if there is none; `require` raises instead."""
        return self._open().data.get(key)

    def __contains__(self, key: object) -> bool:
        return key in self._open().data

    def __iter__(self) -> Iterator[str]:
        return iter(self._open().data)

    def __len__(self) -> int:
        return len(self._open().data)

    def __repr__(self) -> str:
        """Neither id nor values: this may end in a log."""
        state = self._state
        loaded = f"{len(state.data)} keys" if state.loaded else "not loaded"
        return f"<Session {loaded}{', modified' if state.is_modified else ''}>"

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or `default`."""
        return self._open().data.get(key, default)

    def require(self, key: str) -> Any:
        """The value.

        Raises:
            MissingKeyError: There is none (a KeyError).
        """
        data = self._open().data
        if key not in data:
            raise MissingKeyError(f"session.require({key!r}): got no such key; expected one that was set before")
        return data[key]

    def keys(self) -> KeysView[str]:
        """A view of the keys."""
        self._open()
        return KeysView(self)

    def values(self) -> ValuesView[Any]:
        """A view of the values."""
        self._open()
        return ValuesView(self)

    def items(self) -> ItemsView[str, Any]:
        """A view of keys and values."""
        self._open()
        return ItemsView(self)

    def is_empty(self) -> bool:
        """Whether there is neither a value nor a user."""
        state = self._open()
        return not state.data and state.user is None

    # changing

    def __setitem__(self, key: str, value: Any) -> None:
        if type(key) is not str:
            raise TypeError(f"session[{key!r}]: got a key of type {type(key).__name__}; expected a str")
        state = self._change_keys()
        state.data[key] = value
        state.dirty.add(key)

    def __delitem__(self, key: str) -> None:
        state = self._change_keys()
        del state.data[key]
        state.dirty.add(key)

    def pop(self, key: str, default: Any = _MISSING) -> Any:
        """Removes the key and returns its value, or `default`; without a default a missing key is a KeyError."""
        data = self._open().data
        if key not in data:
            if default is _MISSING:
                raise KeyError(key)
            return default
        value = data[key]
        del self[key]
        return value

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value, which is set to `default` first if the key is missing."""
        data = self._open().data
        if key not in data:
            self[key] = default
        return data[key]

    def popitem(self) -> tuple[str, Any]:
        """Removes and returns a pair; KeyError if empty."""
        key = next(iter(self), None)
        if key is None:
            raise KeyError("popitem(): the session is empty")
        return key, self.pop(key)

    def clear(self) -> None:
        """Removes every key, those included that other requests add meanwhile; `flush` ends the session too."""
        self._change().wipe()

    # what is known about it

    @property
    def session_id(self) -> str:
        """The id under which this session is, or will be, stored. Not the cookie, and useless without its signature."""
        return self._open().visible_id

    @property
    def is_new(self) -> bool:
        """Whether the request brought no session that is alive."""
        return self._open().id is None

    @property
    def user(self) -> str | int | None:
        """Who logged in by `login(handler, user)`; None nobody."""
        return self._open().user

    @property
    def accessed(self) -> bool:
        """Whether anything looked into it in this request; asking this does not."""
        return self._state.accessed

    @property
    def modified(self) -> bool:
        """Whether something will be saved. Set True after a change inside a value; False drops what is pending."""
        return self._state.is_modified

    @modified.setter
    def modified(self, value: bool) -> None:
        if value:
            self._change().deep = True
        else:
            self._open().forget_changes()

    # its life

    def set_expire(self, seconds: float | None) -> None:
        """Gives this session a lifetime of its own, which stays with it.

        Args:
            seconds: From each save on. 0: until the browser closes; None: no end; negative: ends it at once.
        """
        if seconds is not None and seconds < 0:
            self.flush()
            return
        state = self._change(needs_cookie=True)
        state.lifetime = seconds
        state.lifetime_set = True

    def get_expire(self) -> float | None:
        """The lifetime in force, in seconds; 0 with the browser, None without end."""
        return self._manager.lifetimes.of(self._open().lifetime)

    def cycle_key(self) -> None:
        """Moves the session to a new id with this response; the old one is dead from then on.

        Do it whenever privileges change, or an id that somebody planted before is worth something afterwards
        (session fixation; OWASP ASVS 5.0 V7.2.4). `login` does.
        """
        state = self._change(needs_cookie=True)
        state.rotating = state.id is not None

    def flush(self) -> None:
        """Ends the session: its record is removed, also if the response fails, and its cookie deleted.

        Requests that are still running cannot bring it back (OWASP ASVS 5.0 V7.4.1). What is set afterwards
        begins another session.
        """
        state = self._change(needs_cookie=False, ends=True)
        state.end(state.id, state.user)

    def expired(self) -> None:
        """Forces the session to be over: the documented name of `flush`."""
        self.flush()

    # storing

    async def aload(self) -> Session:
        """Reads the session if it was not read yet; after it, every use is plain memory access."""
        if not self._state.loaded:
            await self._manager.aload(self)
        self._open()
        return self

    def save(self) -> None:
        """Saves now rather than with the response, and puts the cookie into the response."""
        self._manager.save(self)

    async def asave(self) -> None:
        """Saves now, with a store that does I/O: before `flush()` of a stream, or an upgrade to a WebSocket."""
        await self._manager.asave(self)

    def revoke_others(self) -> int:
        """Ends every other session of this one's user; the number of them."""
        return self._manager.revoke_others(self)

    async def arevoke_others(self) -> int:
        """The same, with a store that does I/O."""
        return await self._manager.arevoke_others(self)

    def _close(self) -> None:
        """The response was sent: reading goes on, and the handler can be freed without the garbage collector."""
        state = self._state
        state.closed = True
        if state.loaded:
            self._handler = None

    def _open(self) -> SessionState:
        state = self._state
        if not state.ready:
            self._first_use(state)
        return state

    def _first_use(self, state: SessionState) -> None:
        state.accessed = True
        if not self._watched:
            self._manager.vary(self)
        if not state.loaded:
            self._manager.load(self)
        if state.failure is not None:
            self._manager.report_failure(self)
        else:
            state.ready = True

    def _change_keys(self) -> SessionState:
        """The state, of which values under keys are about to change."""
        state, handler = self._state, self._handler
        if not state.ready:
            self._first_use(state)
        state.touched = True
        if state.closed or (handler is not None and handler._headers_written):
            self._refuse_late_change(state, needs_cookie=False, ends=False)
        return state

    def _change(self, *, needs_cookie: bool = False, ends: bool = False) -> SessionState:
        """The state, of which something else is about to change."""
        state = self._open()
        state.touched = True
        if state.closed or (self._handler is not None and self._handler._headers_written):
            self._refuse_late_change(state, needs_cookie, ends)
        state.is_plain = False
        return state

    def _refuse_late_change(self, state: SessionState, needs_cookie: bool, ends: bool) -> None:
        status = 0 if self._handler is None else self._handler.get_status()
        if state.closed or status == 101:
            raise SessionClosedError(
                "session: got a change after the response was sent; expected it before. "
                "Elsewhere use `async with manager.edit(session_id) as session:`"
            )
        if not ends and (needs_cookie or state.id is None or self._manager.keeps_in_cookie):
            raise SessionClosedError(
                "session: got a change that needs a cookie after the headers were sent; expected it before flush(). "
                "Begin the session before the stream"
            )
