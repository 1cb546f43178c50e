"""Chooses a replica by weight, leaves out the sick, and asks them again after a while.

A replica that fails is ejected; when its pause is over one background probe asks it, so that no request has to
wait for a dead server. Pauses double from 1 to 60 seconds while it stays away.

    replicas = ReplicaSet(servers, probe=lambda server: server.engine.connect().close())
    server = replicas.choose()
"""

from __future__ import annotations

import functools
import logging
import random
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from .engines import Server

__all__ = ["ReplicaSet"]

_log = logging.getLogger("torngas_dbalchemy")
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0


@dataclass(slots=True)
class _Sick:
    """Why a replica is left out: until when, and for how long next time."""

    due: float
    pause: float = _FIRST_PAUSE
    probing: bool = field(default=False)


def _in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="torngas-dbalchemy-probe", daemon=True).start()


class ReplicaSet:
    """The replicas of one alias. Safe from every thread.

    Args:
        servers: the replicas; may be empty.
        probe: raises when the server is not well; runs in the background.
        clock: seconds that never go back.
        draw: a number from 0 up to, not including, 1.
        background: runs a probe; the default starts a daemon thread that ends with the probe.
    """

    def __init__(
        self,
        servers: Sequence[Server],
        probe: Callable[[Server], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
        background: Callable[[Callable[[], None]], None] = _in_thread,
    ) -> None:
        self.servers = tuple(servers)
        self._probe = probe
        self._clock = clock
        self._draw = draw
        self._background = background
        self._sick: dict[Server, _Sick] = {}
        self._lock = threading.Lock()

    def choose(self, without: Collection[Server] = ()) -> Server | None:
        """Answers a healthy replica, drawn by weight, or None; never waits for a server."""
        if self._sick:
            self._probe_due()
        healthy = [server for server in self.servers if server not in self._sick and server not in without]
        if len(healthy) < 2:
            return healthy[0] if healthy else None
        mark = self._draw() * sum(server.endpoint.weight for server in healthy)
        for server in healthy:
            mark -= server.endpoint.weight
            if mark < 0:
                return server
        return healthy[-1]

    def eject(self, server: Server, reason: BaseException | None = None) -> None:
        """Leaves the server out until a probe finds it well."""
        with self._lock:
            if server in self._sick:
                return
            self._sick[server] = _Sick(self._clock() + _FIRST_PAUSE)
        _log.warning("%s: left out of the reads (%s)", server.endpoint, type(reason).__name__)

    def is_healthy(self, server: Server) -> bool:
        """Whether reads may go there now."""
        return server not in self._sick

    def _probe_due(self) -> None:
        now = self._clock()
        with self._lock:
            due = [server for server, sick in self._sick.items() if sick.due <= now and not sick.probing]
            for server in due:
                self._sick[server].probing = True
        for server in due:
            self._background(functools.partial(self._ask, server))

    def _ask(self, server: Server) -> None:
        try:
            self._probe(server)
        except Exception as error:  # noqa: BLE001 - whatever a driver raises means: not yet
            _log.debug("%s: still away (%s)", server.endpoint, type(error).__name__)
            with self._lock:
                if sick := self._sick.get(server):
                    sick.pause = min(sick.pause * 2, _LONGEST_PAUSE)
                    sick.due = self._clock() + sick.pause
                    sick.probing = False
            return
        with self._lock:
            self._sick.pop(server, None)
        _log.info("%s: takes reads again", server.endpoint)
