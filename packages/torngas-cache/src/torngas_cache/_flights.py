"""Joining concurrent computations of one value in this process, whoever runs them: threads, tasks, several loops.

The first caller *leads*, the others wait for its outcome. Nobody waits for longer than a lease: a leader that is stuck
is replaced. A leader that was cancelled leaves without an outcome, and one of those who waited leads next.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any


class Abandoned(Exception):  # never seen by a user
    """The leader left without an outcome, or took too long."""


class Flight:
    """One computation that is under way."""

    def __init__(self, lease: float) -> None:
        self._loop = running_loop()
        self._ends = time.monotonic() + lease
        self._outcome: Future[Any] = Future()
        # A running future cannot be cancelled, so that a waiter that goes away does not take the others with it.
        self._outcome.set_running_or_notify_cancel()

    def land(self, outcome: Any) -> None:
        """Gives everybody the outcome."""
        self._outcome.set_result(outcome)

    def crash(self, error: BaseException) -> None:
        """Gives everybody the error, or `Abandoned` if it was meant for the leader alone."""
        self._outcome.set_exception(error if isinstance(error, Exception) else Abandoned())

    @property
    def waits_for_this_loop(self) -> bool:
        """Whether a blocking wait here would wait for itself."""
        return self._loop is not None and self._loop is running_loop()

    def wait(self) -> Any:
        """The outcome; blocks the thread."""
        try:
            return self._outcome.result(self._time_left())
        except TimeoutError as error:
            if self._outcome.done():  # the computation raised it
                raise
            raise Abandoned from error

    async def await_(self) -> Any:
        """The outcome; blocks nothing."""
        outcome = asyncio.wrap_future(self._outcome)
        try:
            done, _ = await asyncio.wait([outcome], timeout=self._time_left())
            if not done:
                raise Abandoned
            return outcome.result()
        finally:
            outcome.cancel()

    @property
    def done(self) -> bool:
        """Whether there is an outcome."""
        return self._outcome.done()

    def _time_left(self) -> float:
        return max(0.0, self._ends - time.monotonic())


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop that runs in this thread."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class Flights:
    """The computations under way, by the storage keys of their values."""

    def __init__(self) -> None:
        self._renew()

    def _renew(self) -> None:
        self._flights: dict[str, Flight] = {}
        self._lock = threading.Lock()
        self._process = os.getpid()

    def get(self, name: str) -> Flight | None:
        """The one under way, if any."""
        return self._flights.get(name) if self._process == os.getpid() else None

    def join(self, name: str, lease: float, instead_of: Flight | None = None) -> tuple[Flight, bool]:
        """The flight to wait for and False, or a new one and True: the caller leads it.

        Args:
            instead_of: One that the caller has given up; it does not count.
        """
        if self._process != os.getpid():
            self._renew()  # those who computed, and their locks, stayed with the parent of this fork
        with self._lock:
            flight = self._flights.get(name)
            if flight is not None and flight is not instead_of:
                return flight, False
            flight = self._flights[name] = Flight(lease)
            return flight, True

    @contextmanager
    def leading(self, name: str, flight: Flight) -> Iterator[None]:
        """Sees to it that those who wait learn how it ended; the block calls `land`."""
        token = _computing.set(_computing.get() | {(id(self), name)})
        try:
            yield
        except BaseException as error:
            self._end(name, flight)
            flight.crash(error)
            raise
        else:
            self._end(name, flight)
            if not flight.done:
                flight.crash(asyncio.CancelledError())
        finally:
            _computing.reset(token)

    def _end(self, name: str, flight: Flight) -> None:
        with self._lock:
            if self._flights.get(name) is flight:
                del self._flights[name]

    def is_computing(self, name: str) -> bool:
        """Whether the caller is called by the leader itself, which waiting would block for ever."""
        return (id(self), name) in _computing.get()


_computing: ContextVar[frozenset[tuple[int, str]]] = ContextVar("torngas_cache.computing", default=frozenset())
