"""`Lock`: mutual exclusion by way of a cache, among threads, tasks and, where the store is shared, processes and hosts.

    with cache.lock("report", timeout=30) as lock:
        for part in parts:
            build(part)
            lock.renew()                       # 30 more seconds from now

    async with cache.lock("report", timeout=30):
        ...

A lock is a lease: it ends after its timeout, so that a holder that dies blocks nobody for longer. Whoever holds it for
longer than that without renewing it may find that somebody else does, and learns it from `LockLost`. Releasing and
renewing compare the lock's token on the server: nobody else's lock is touched.
"""

# a timeout is the lifetime of the lock here, not a deadline of the call
from __future__ import annotations

import random
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from torngas_cache._steps import Pause, Step, Steps, arun, run
from torngas_cache.errors import LockError, LockLost

if TYPE_CHECKING:
    from torngas_cache.backends.records import RecordCache

__all__ = ["Lock"]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.1


class Lock:
    """One holder's view of a lock; not reentrant. Make one per holder, by `cache.lock(…)`.

    Args:
        cache: Where the lock is kept.
        name: The storage key of the lock.
        timeout: Seconds after which the lock ends unless it is renewed; above 0. There are no locks without an end.
        wait: Seconds to wait for it; None: as long as it takes, 0: not at all.
        token: The payload that stands for this holder.
    """

    def __init__(self, cache: RecordCache, name: str, timeout: Any, wait: float | None, token: bytes) -> None:
        if timeout is None or timeout <= 0:
            raise ValueError(f"lock: got timeout {timeout!r}; expected seconds above 0, after which it ends by itself.")
        self.name, self.timeout, self.wait, self.token = name, float(timeout), wait, token
        self._cache = cache
        self._held = False

    @property
    def held(self) -> bool:
        """Whether this holder took the lock and has not given it back; it may have ended meanwhile."""
        return self._held

    def acquire(self, wait: float | None = None) -> bool:
        """Takes the lock; False if somebody else had it all the time.

        Args:
            wait: Seconds to wait for it, instead of those of the lock.
        """
        return run(self._cache, self._acquire_steps(wait))

    async def aacquire(self, wait: float | None = None) -> bool:
        """`acquire` as a coroutine."""
        return await arun(self._cache, self._acquire_steps(wait))

    def release(self) -> None:
        """Gives the lock back.

        Raises:
            LockLost: It had ended before; what it protected may have been touched.
            LockError: It is not held.
        """
        run(self._cache, self._release_steps())

    async def arelease(self) -> None:
        """`release` as a coroutine."""
        await arun(self._cache, self._release_steps())

    def renew(self, timeout: float | None = None) -> None:
        """Makes the lock end this many seconds from now; None: its timeout.

        Raises:
            LockLost: It had ended before.
            LockError: It is not held.
        """
        run(self._cache, self._renew_steps(timeout))

    async def arenew(self, timeout: float | None = None) -> None:
        """`renew` as a coroutine."""
        await arun(self._cache, self._renew_steps(timeout))

    def _acquire_steps(self, wait: float | None) -> Steps[bool]:
        if self._held:
            raise LockError(f"lock {self.name!r}: it is held already; expected one Lock per holder.")
        wait = self.wait if wait is None else wait
        end = None if wait is None else time.monotonic() + wait
        pause = _FIRST_PAUSE
        while not (yield Step("claim_lock", (self.name, self.token, self.timeout))):
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                return False
            # At random, so that those who wait do not all come at once.
            nap = pause * (0.5 + random.random())
            yield Pause(nap if left is None else min(nap, left))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        self._held = True
        return True

    def _release_steps(self) -> Steps[None]:
        self._check_held()
        self._held = False
        if not (yield Step("remove_if", (self.name, self.token))):
            raise LockLost(f"lock {self.name!r}: it had ended before it was released; expected a longer timeout.")

    def _renew_steps(self, timeout: float | None) -> Steps[None]:
        self._check_held()
        if not (yield Step("expire_if", (self.name, self.token, timeout or self.timeout))):
            self._held = False
            raise LockLost(f"lock {self.name!r}: it had ended before it was renewed; expected a longer timeout.")

    def _check_held(self) -> None:
        if not self._held:
            raise LockError(f"lock {self.name!r}: it is not held; expected acquire() first.")

    def _refused(self) -> LockError:
        return LockError(f"lock {self.name!r}: somebody else held it for the {self.wait} seconds of waiting.")

    def __enter__(self) -> Self:
        if not self.acquire():
            raise self._refused()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if not self._held:
            return
        try:
            self.release()
        except LockLost:
            if error is None:  # an error of the block is not hidden behind this one
                raise

    async def __aenter__(self) -> Self:
        if not await self.aacquire():
            raise self._refused()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._held:
            return
        try:
            await self.arelease()
        except LockLost:
            if error is None:  # as above
                raise
