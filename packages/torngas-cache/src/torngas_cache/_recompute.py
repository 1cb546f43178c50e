"""`get_or_set`: among all who miss an entry at the same time, one computes the value.

In one process the others join the one who computes (`torngas_cache._flights`). Among processes that share a store, the
one who computes holds a lease in the store; the others look again from time to time, and hold no connection while they
wait. A process that dies with the lease is replaced when the lease ends.
"""

# a timeout is the lifetime of an entry here, not a deadline of the call
from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from torngas_cache._async_face import AsyncFace
from torngas_cache._flights import Abandoned, Flight, Flights
from torngas_cache._keymaking import DEFAULT_TIMEOUT, MISSING, Timeout
from torngas_cache._steps import Call, Step, Steps, arun, run


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One call of `get_or_set`, whose arguments these are; `seen` is the token of the value that is to be replaced;
    `alone`: without a lease, for whoever holds it waits for this."""

    key: Any
    name: str
    default: Any
    timeout: Timeout
    version: Any
    early: float
    stale_while_revalidate: float
    stale_if_error: float
    lease: float
    tags: tuple[str, ...]
    seen: Any = None
    alone: bool = False

    @property
    def grace(self) -> float:
        """Seconds for which the value is kept beyond its lifetime."""
        return max(self.stale_while_revalidate, self.stale_if_error)

    @property
    def needs_records(self) -> bool:
        """Whether more is asked for than a value with a lifetime."""
        return bool(self.early or self.grace or self.tags)

    def compute(self) -> Any:
        """The new value, or an awaitable of it."""
        return self.default() if callable(self.default) else self.default


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the leader found: its value, and a way for the others to have one of their own."""

    value: Any
    copy: Callable[[], Any]


class Recomputing(AsyncFace):
    """`get_or_set` and `aget_or_set`."""

    _lease: float

    def get_or_set(
        self,
        key: Any,
        default: Any,
        timeout: Timeout = DEFAULT_TIMEOUT,
        version: Any = None,
        *,
        early: float = 0.0,
        stale_while_revalidate: float = 0.0,
        stale_if_error: float = 0.0,
        lease: float | None = None,
        tags: Iterable[str] = (),
    ) -> Any:
        """The value; where there is none, `default` is stored and returned. A value set meanwhile is never overwritten.

        Args:
            default: The value, or a callable that computes it. Concurrent callers, in this process and in others that
                share the store, wait for the one who calls it; if it raises, those of this process get the error too.
            early: Above 0, the value is sometimes computed before it expires, the more likely the closer that is and
                the longer the computation took; 1.0 is a good value, larger is earlier (XFetch: Vattani et al., 2015).
            stale_while_revalidate: Seconds after expiry within which the old value is returned while one caller
                computes the new one.
            stale_if_error: Seconds after expiry within which the old value is returned if the computation raises.
            lease: Seconds after which the others no longer wait for the one who computes, 10 by default (the option
                LEASE); longer than the computation takes.
            tags: As in `set`.
        """
        if not early:
            value = self.get(key, MISSING, version)
            if value is not MISSING:
                return value
        job = self._job(key, default, timeout, version, early, stale_while_revalidate, stale_if_error, lease, tags)
        if job.needs_records:
            job, value = run(self, self._servable_steps(job))
            if value is not MISSING:
                return value
        return self._join(job)

    async def aget_or_set(
        self,
        key: Any,
        default: Any,
        timeout: Timeout = DEFAULT_TIMEOUT,
        version: Any = None,
        *,
        early: float = 0.0,
        stale_while_revalidate: float = 0.0,
        stale_if_error: float = 0.0,
        lease: float | None = None,
        tags: Iterable[str] = (),
    ) -> Any:
        """`get_or_set` as a coroutine; what `default` returns is awaited if it can be."""
        if not early:
            value = await self.aget(key, MISSING, version)
            if value is not MISSING:
                return value
        job = self._job(key, default, timeout, version, early, stale_while_revalidate, stale_if_error, lease, tags)
        if job.needs_records:
            job, value = await arun(self, self._servable_steps(job))
            if value is not MISSING:
                return value
        return await self._ajoin(job)

    def _job(
        self,
        key: Any,
        default: Any,
        timeout: Timeout,
        version: Any,
        early: float,
        stale_while_revalidate: float,
        stale_if_error: float,
        lease: float | None,
        tags: Iterable[str],
    ) -> Job:
        lease = self._lease if lease is None else lease
        if lease <= 0 or min(early, stale_while_revalidate, stale_if_error) < 0:
            raise ValueError("get_or_set: got a negative number of seconds, or a lease of none; expected more.")
        return Job(
            key=key,
            name=self.make_and_validate_key(key, version),
            default=default,
            timeout=timeout,
            version=version,
            early=early,
            stale_while_revalidate=stale_while_revalidate,
            stale_if_error=stale_if_error,
            lease=lease,
            tags=_checked_tags(tags),
        )

    @property
    def _flights(self) -> Flights:
        """The computations of this cache; those who share entries in a process share these."""
        return self._own_flights

    def _join(self, job: Job) -> Any:
        if self._flights.is_computing(job.name):
            return run(self, self._lead_steps(replace(job, alone=True))).value
        given_up: Flight | None = None
        while True:
            flight, leads = self._flights.join(job.name, job.lease, given_up)
            if leads:
                with self._flights.leading(job.name, flight):
                    outcome = run(self, self._lead_steps(job))
                    flight.land(outcome)
                return outcome.value
            if flight.waits_for_this_loop:
                return run(self, self._lead_steps(replace(job, alone=True))).value
            try:
                return flight.wait().copy()
            except Abandoned:
                given_up = flight

    async def _ajoin(self, job: Job) -> Any:
        if self._flights.is_computing(job.name):
            return (await arun(self, self._lead_steps(replace(job, alone=True)))).value
        given_up: Flight | None = None
        while True:
            flight, leads = self._flights.join(job.name, job.lease, given_up)
            if leads:
                with self._flights.leading(job.name, flight):
                    outcome = await arun(self, self._lead_steps(job))
                    flight.land(outcome)
                return outcome.value
            try:
                return (await flight.await_()).copy()
            except Abandoned:
                given_up = flight

    # What follows needs no more than get and add; a cache of records does better.

    def _servable_steps(self, job: Job) -> Steps[tuple[Job, Any]]:
        """The job with what was seen, and what can be returned at once, or MISSING."""
        yield from ()
        raise NotImplementedError(f"{type(self).__name__} keeps no records: no early or stale values, no tags.")

    def _lead_steps(self, job: Job) -> Steps[Outcome]:
        value = yield Step("invoke", ("get", job.key, MISSING, job.version))
        if value is MISSING:
            value = yield Call(job.compute)
            yield Step("invoke", ("add", job.key, value, job.timeout, job.version))
            value = yield Step("invoke", ("get", job.key, value, job.version))
        return Outcome(value, lambda: value)

    def _invoke(self, name: str, *args: Any) -> Any:
        return getattr(self, name)(*args)

    async def _ainvoke(self, name: str, *args: Any) -> Any:
        return await getattr(self, f"a{name}")(*args)


def _checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    if isinstance(tags, str):
        raise TypeError(f"tags: got the string {tags!r}; expected an iterable of strings, e.g. [{tags!r}].")
    return tuple(tags)
