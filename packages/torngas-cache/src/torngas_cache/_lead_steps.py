"""How the one who computes a value goes about it in a cache of records; see `torngas_cache._recompute`."""

from __future__ import annotations

import logging
import math
import random
import time
from dataclasses import replace
from typing import Any

from torngas_cache._codec import Meta
from torngas_cache._keymaking import MISSING
from torngas_cache._recompute import Job, Outcome
from torngas_cache._record_steps import Record, RecordSteps, new_stamp
from torngas_cache._steps import Call, Pause, Step, Steps

_log = logging.getLogger("torngas_cache")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.2


class LeadSteps(RecordSteps):
    """Recomputation with leases, early refreshes and stale values."""

    _random = staticmethod(random.random)

    def _servable_steps(self, job: Job) -> Steps[tuple[Job, Any]]:
        """A fresh value, or an old one while somebody in this process computes."""
        record = yield from self._fetch(job.name)
        if record is None or record.value is MISSING:
            return job, MISSING
        if record.fresh and not self._is_due(record, job):
            return job, record.value
        someone_computes = self._flights.get(job.name) is not None
        value = record.value if someone_computes and self._may_serve(record, job) else MISSING
        return replace(job, seen=record.token), value

    def _is_due(self, record: Record, job: Job) -> bool:
        """XFetch: before its end by a random multiple of what it cost, so that callers come one at a time."""
        meta = record.meta
        if not job.early or meta is None or meta.fresh_until is None:
            return False
        ahead = meta.cost * job.early * -math.log(1.0 - self._random())
        return self._clock() + ahead >= meta.fresh_until

    def _may_serve(self, record: Record, job: Job) -> bool:
        """Whether the value may be returned instead of waiting for a new one."""
        return record.fresh or self._age(record) < job.stale_while_revalidate

    def _age(self, record: Record) -> float:
        """Seconds since a stale value stopped being fresh."""
        if record.meta is None or record.meta.fresh_until is None:
            return math.inf
        return self._clock() - record.meta.fresh_until

    def _lead_steps(self, job: Job) -> Steps[Outcome]:
        record = None
        leased = self.shared and not job.alone
        if job.needs_records or not leased:
            record = yield from self._fetch(job.name)
            if record is not None and self._is_news(record, job):
                return self._found(record)
        if not leased:
            return (yield from self._compute_steps(job, record))
        lease, stamp = self._internal_key("lease", job.key, job.version), new_stamp()
        found = yield from self._wait_for_lease(job, record, lease, stamp)
        if found is not None:
            return self._found(found)
        release = Step("remove_if", (lease, stamp))
        try:
            outcome = yield from self._lead_with_lease(job)
        except GeneratorExit:  # nobody is left to carry out a step; the lease ends by itself
            raise
        except BaseException:
            yield release
            raise
        yield release
        return outcome

    def _is_news(self, record: Record, job: Job) -> bool:
        """Whether somebody has stored a fresh value since the caller looked."""
        return record.fresh and (job.seen is None or record.token != job.seen)

    def _lead_with_lease(self, job: Job) -> Steps[Outcome]:
        record = yield from self._fetch(job.name)
        if record is not None and self._is_news(record, job):
            return self._found(record)
        return (yield from self._compute_steps(job, record))

    def _wait_for_lease(self, job: Job, record: Record | None, lease: str, stamp: bytes) -> Steps[Record | None]:
        """None: the lease is this caller's. Otherwise what somebody else computed meanwhile, or may be served."""
        pause = _FIRST_PAUSE
        while not (yield Step("claim_lease", (lease, stamp, job.lease))):
            if record is not None and record.value is not MISSING and self._may_serve(record, job):
                return record
            yield Pause(pause * (0.5 + self._random()))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
            record = yield from self._fetch(job.name)
            if record is not None and self._is_news(record, job):
                return record
        return None

    def _compute_steps(self, job: Job, record: Record | None) -> Steps[Outcome]:
        """Computes and stores; falls back on what there was if that is allowed."""
        # The stamps first: a tag that is invalidated during the computation makes the result void.
        stamps = (yield from self._tag_stamps(job.tags, job.version)) if job.tags else {}
        start = time.perf_counter()
        try:
            value = yield Call(job.compute)
        except Exception as error:
            if record is None or not self._may_replace(record, job):
                raise
            _log.warning("the computation of %r failed, the former value is returned: %r", job.key, error)
            return self._found(record)
        meta = self._meta_of(job, time.perf_counter() - start, stamps)
        return (yield from self._keep_steps(job, value, meta, None if record is None else record.token))

    def _may_replace(self, record: Record, job: Job) -> bool:
        return record.value is not MISSING and (record.fresh or self._age(record) < job.stale_if_error)

    def _meta_of(self, job: Job, cost: float, stamps: dict[str, str]) -> Meta | None:
        if not job.needs_records:
            return None
        seconds = self._seconds(job.timeout)
        until = None if seconds is None else self._clock() + seconds
        return Meta(fresh_until=until, grace=job.grace, cost=cost, tags=stamps)

    def _keep_steps(self, job: Job, value: Any, meta: Meta | None, token: Any) -> Steps[Outcome]:
        """Stores unless something changed since the token; then what is there now wins, if it is anything."""
        payload = self._encode(value, meta)
        outcome = Outcome(value, lambda: self._decode(self._split(payload)[1] if meta else payload))
        seconds = self._seconds(job.timeout)
        if seconds is not None and seconds <= 0:
            return outcome
        life = None if seconds is None else seconds + job.grace
        if token is None:
            stored = yield Step("insert", (job.name, payload, life))
        else:
            stored = yield Step("swap", (job.name, payload, token, life))
        if stored:
            return outcome
        record = yield from self._fetch(job.name)
        return self._found(record) if record is not None and record.fresh else outcome

    def _found(self, record: Record) -> Outcome:
        payload = self._encode(record.value)
        return Outcome(record.value, lambda: self._decode(payload))
