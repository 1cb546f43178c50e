"""The drivers: they carry out, on a store, the steps that the library's core asks for.

The core does no I/O. It is written as generators that yield steps, `("cas", (key, value, token, timeout))`, and
are sent each result; one driver answers by plain calls, the other by awaiting. The step `("lock", (key,))` holds
a lock of this process until the generator is done.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeAlias, TypeVar
from weakref import WeakValueDictionary

from .errors import SessionNotLoadedError, StoreError
from .locked import LockedStore

__all__ = ["Driver", "Step", "Steps"]

T = TypeVar("T")
Step: TypeAlias = tuple[str, tuple[Any, ...]]
Steps: TypeAlias = Generator[Step, Any, T]
_Async: TypeAlias = Callable[..., Awaitable[Any]]

_CALLS = ("gets", "cas", "delete")


class Driver:
    """Carries out steps on one store; safe across threads and event loops, as far as the store is.

    Args:
        store: Any SessionStore. Without `gets` and `cas` it is wrapped, see `LockedStore`.
    """

    def __init__(self, store: Any) -> None:
        self.blocking = bool(getattr(store, "blocking", hasattr(store, "aget")))
        self.name = type(store).__name__
        if not (hasattr(store, "gets") and hasattr(store, "cas")) and not hasattr(store, "agets"):
            store = LockedStore(store)
        self._calls = {name: getattr(store, name, _absent(self.name, name)) for name in _CALLS}
        self.gets = self._calls["gets"]
        self._cas = self._calls["cas"]
        self._acalls = {name: self._async_form(store, name) for name in _CALLS}
        self._lock = threading.Lock()
        self._locks: WeakValueDictionary[tuple[int, str], asyncio.Lock] = WeakValueDictionary()

    def _async_form(self, store: Any, name: str) -> _Async:
        if not self.blocking:
            return _without_waiting(self._calls[name])
        native: _Async | None = getattr(store, "a" + name, None)
        return _in_thread(self._calls[name]) if native is None else native

    def refuse_on_loop(self, what: str, remedy: str) -> None:
        """Raises where a plain call would stop the event loop for the time of the I/O."""
        if self.blocking and asyncio._get_running_loop() is not None:
            raise SessionNotLoadedError(
                f"{what}: got a plain call on the event loop with {self.name}, which does I/O; expected {remedy}"
            )

    def failure(self, name: str, error: Exception) -> StoreError:
        """What is raised where the store raised `error`, which becomes its cause."""
        failed = StoreError(
            f"{self.name}.{name}: got {type(error).__name__}; expected the store to answer. "
            "Is its server running? The cause is chained to this error"
        )
        failed.__cause__ = error
        return failed

    def cas(self, *args: Any) -> Any:
        """`call("cas", …)`, for the step that most saves take."""
        try:
            return self._cas(*args)
        except Exception as error:
            raise self.failure("cas", error) from error

    def call(self, name: str, *args: Any) -> Any:
        """One plain call; whatever the store raises comes out as StoreError."""
        try:
            return self._calls[name](*args)
        except Exception as error:
            raise self.failure(name, error) from error

    async def acall(self, name: str, *args: Any) -> Any:
        """One awaited call."""
        try:
            return await self._acalls[name](*args)
        except Exception as error:
            raise self.failure("a" + name, error) from error

    def run(self, steps: Steps[T]) -> T:
        """Carries out all steps by plain calls."""
        locked = False
        result: Any = None
        try:
            while True:
                name, args = steps.send(result)
                if name != "lock":
                    result = self.call(name, *args)
                elif not locked:
                    locked = self._lock.acquire()
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]  # what the generator returns
        finally:
            if locked:
                self._lock.release()

    async def arun(self, steps: Steps[T]) -> T:
        """Carries out all steps by awaiting each."""
        held: asyncio.Lock | None = None
        result: Any = None
        try:
            while True:
                name, args = steps.send(result)
                if name != "lock":
                    result = await self.acall(name, *args)
                elif held is None:
                    lock = self._lock_of(args[0])
                    await lock.acquire()
                    held = lock
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        finally:
            if held is not None:
                held.release()

    def _lock_of(self, key: str) -> asyncio.Lock:
        return self._locks.setdefault((id(asyncio.get_running_loop()), key), asyncio.Lock())


def _absent(store: str, name: str) -> Callable[..., Any]:
    def refuse(*_args: Any) -> Any:
        raise NotImplementedError(f"{store} has no {name}(); use the forms that begin with 'a' on an event loop")

    return refuse


def _in_thread(plain: Callable[..., Any]) -> _Async:
    async def call(*args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, plain, *args)

    return call


def _without_waiting(plain: Callable[..., Any]) -> _Async:
    async def call(*args: Any) -> Any:
        return plain(*args)

    return call
