"""Whether this process answers, and whether it can work: `/healthz` and `/readyz`.

    health = health_of(application)                  # checks every configured cache and database
    health.add("search", client.ping)                # plain or async; False or an exception is a failure

`/healthz` says that the process answers, whatever else is broken: a supervisor that asks it restarts what hangs.
`/readyz` says whether a load balancer should send requests: every check ran within the time limit without failing, and
the server was not told to stop. The answer names what failed and with which kind of error, never its message.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tornado.web import Application, RequestHandler

from torngas.exception import ConfigError
from torngas.observe._attempts import Attempt, Outcome
from torngas.observe._config import configured
from torngas.wiring.dotted import named

__all__ = ["Health", "HealthConfig", "LivenessHandler", "ReadinessHandler", "Report", "health_of"]

Check = Callable[[], Any]
"""Plain or async, without arguments. It fails by raising, and by returning False."""

logger = logging.getLogger("torngas")
_SETTING = "health"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthConfig:
    """HEALTH_CONFIG.

    Attributes:
        timeout: Seconds that all checks together may take, above 0; what is not done by then has failed.
        max_age: Seconds for which a report may be shown again, 0 or above; 0: each request has its checks made.
        caches: Aliases to check; None: all of CACHES (where that is not set, `default`).
        databases: Aliases to check, with their replicas; None: all.
        checks: Name -> a function, or its dotted path.
    """

    timeout: float = 2.0
    max_age: float = 0.0
    caches: tuple[str, ...] | list[str] | None = None
    databases: tuple[str, ...] | list[str] | None = None
    checks: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.timeout > 0:
            raise ConfigError(f"HEALTH_CONFIG['timeout']: got {self.timeout!r}; expected seconds above 0")
        if not self.max_age >= 0:
            raise ConfigError(f"HEALTH_CONFIG['max_age']: got {self.max_age!r}; expected seconds, 0 or above")


class Report(NamedTuple):
    """What the checks said."""

    healthy: bool
    checks: Mapping[str, Outcome]


class Health:
    """The checks of one application.

    They run side by side: async ones on the loop, plain ones each in a thread of its own, so that the loop never waits.
    One that is still running when the time is up counts as failed, and is not started a second time beside itself.
    Requests that arrive while the checks run share their report. Belongs to one event loop at a time.

    Args:
        timeout: Seconds that all checks together may take.
        max_age: Seconds for which a report is shown again, counted from its beginning; 0 never.
        clock: Seconds that never go back.
    """

    def __init__(
        self, *, timeout: float = 2.0, max_age: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._timeout = timeout
        self._max_age = max_age
        self._clock = clock
        self._attempts: dict[str, Attempt] = {}
        self._last: tuple[float, Report] | None = None
        self._running: asyncio.Task[Report] | None = None
        self._failed: frozenset[str] = frozenset()

    def add(self, name: str, check: Check) -> None:
        """Adds a check, or replaces the one of this name.

        Raises:
            ConfigError: it cannot be called.
        """
        if not callable(check):
            raise ConfigError(f"Health.add({name!r}): got {check!r}; expected a function without arguments")
        self._attempts[name] = Attempt(check)

    async def report(self) -> Report:
        """Makes the checks, or answers the last report while it is young enough."""
        if self._last is not None and self._clock() - self._last[0] < self._max_age:
            return self._last[1]
        task, loop = self._running, asyncio.get_running_loop()
        if task is None or task.done() or task.get_loop() is not loop:
            task = self._running = loop.create_task(self._make())
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Ends the checks that are still running on this loop; plain ones end by themselves. Idempotent."""
        loop = asyncio.get_running_loop()
        tasks: list[asyncio.Task[Any]] = [] if self._running is None else [self._running]
        tasks += [one.task for one in self._attempts.values() if one.task is not None]
        mine = [task for task in tasks if not task.done() and task.get_loop() is loop]
        for task in mine:
            task.cancel()
        if mine:
            await asyncio.wait(mine)

    async def _make(self) -> Report:
        began = self._clock()
        attempts = dict(self._attempts)
        if tasks := [attempt.begin() for attempt in attempts.values()]:
            await asyncio.wait(tasks, timeout=self._timeout)
        outcomes = {name: attempt.outcome() for name, attempt in attempts.items()}
        report = Report(all(outcome.status == "ok" for outcome in outcomes.values()), outcomes)
        self._last = began, report
        self._tell(outcomes)
        return report

    def _tell(self, outcomes: Mapping[str, Outcome]) -> None:
        """Logs what changed, so that a server that is away for an hour makes two lines."""
        failed = frozenset(name for name, outcome in outcomes.items() if outcome.status != "ok")
        for name in sorted(failed - self._failed):
            logger.warning("not ready: %s %s (%s)", name, outcomes[name].status, outcomes[name].error or "no error")
        for name in sorted(self._failed - failed):
            logger.info("ready again: %s", name)
        self._failed = failed


def health_of(application: Application) -> Health:
    """The checks of an application; made at the first call, of its caches, its databases and HEALTH_CONFIG.

    Raises:
        ConfigError: HEALTH_CONFIG is wrong.
    """
    found: Health | None = application.settings.get(_SETTING)
    return _made(application) if found is None else found


def _made(application: Any) -> Health:
    from torngas.observe._resources import resource_checks

    settings = getattr(application, "project_settings", None)
    config = configured(HealthConfig, "HEALTH_CONFIG", None if settings is None else settings.HEALTH_CONFIG)
    health = Health(timeout=config.timeout, max_age=config.max_age)
    for name, check in resource_checks(application, config.caches, config.databases):
        health.add(name, check)
    for name, given in config.checks.items():
        health.add(name, named(f"HEALTH_CONFIG['checks'][{name!r}]", given, "a function or its dotted path"))
    application.settings[_SETTING] = health
    if (on_shutdown := getattr(application, "on_shutdown", None)) is not None:
        on_shutdown(health.aclose)
    return health


class _ProbeHandler(RequestHandler):
    """What both answers share; the access log leaves out those without an error."""

    access_log = False

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")

    def compute_etag(self) -> None:
        return None

    def _log(self) -> None:
        """Tornado's own line, for applications without the access log's middleware."""
        if self.get_status() >= 400:
            super()._log()


class LivenessHandler(_ProbeHandler):
    """200 whenever the process answers."""

    def get(self) -> None:
        """Answers `{"status": "ok"}`."""
        self.write({"status": "ok"})

    head = get


class ReadinessHandler(_ProbeHandler):
    """200 when every check passes, else 503; 503 at once from the moment the server is told to stop."""

    async def get(self) -> None:
        """Answers `{"status": …, "checks": {name: {"status": …, "ms": …}}}`."""
        if not getattr(self.application, "ready", True):
            self.set_status(503)
            self.write({"status": "draining", "checks": {}})
            return
        report = await health_of(self.application).report()
        if not report.healthy:
            self.set_status(503)
        checks = {name: outcome.as_json() for name, outcome in report.checks.items()}
        self.write({"status": "ok" if report.healthy else "failed", "checks": checks})

    head = get
