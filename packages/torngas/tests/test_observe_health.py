"""`/healthz` and `/readyz`: what they say, how long they take, what they keep to themselves."""

from __future__ import annotations

import asyncio
import json
import logging
import threading

import pytest

from torngas.application import Application
from torngas.exception import ConfigError
from torngas.observe.health import Health, HealthConfig, health_of
from torngas.observe.urls import routes
from torngas.settings_manager import Settings
from torngas.testing import Client
from torngas.wiring.application import build_application
from torngas.wiring.check import problems_of

LOGGED = ["torngas.middleware.accesslog.AccessLogMiddleware"]


def application(**settings):
    chosen = Settings(
        {
            "DEBUG": False,
            "TORNADO_CONF": {"cookie_secret": "of the tests"},
            "MIDDLEWARE_CLASSES": LOGGED,
            "CACHES": {"default": {"BACKEND": "locmem"}},
            **settings,
        }
    )
    return build_application(Application, chosen, routes())


@pytest.fixture
async def serve():
    """A client of an application; both are closed at the end."""
    clients = []

    async def start(made):
        client = Client(made, close_application=True, timeout=30)
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.aclose()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_liveness_depends_on_nothing(serve, method):
    """A process whose database is away must not be restarted for it."""
    made = application(CACHES={"default": {"BACKEND": "redis", "LOCATION": "127.0.0.1:1"}})
    health_of(made).add("broken", lambda: False)
    response = await (await serve(made)).arequest(method, "/healthz")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert "Etag" not in response.headers
    assert (response.text == "") if method == "HEAD" else (json.loads(response.text) == {"status": "ok"})


async def test_readiness_names_every_check(serve):
    made = application(DATABASE_CONNECTION={"default": {"connections": [{"ROLE": "master", "URL": "sqlite://"}]}})
    response = await (await serve(made)).aget("/readyz")
    said = json.loads(response.text)
    assert response.status_code == 200
    assert said["status"] == "ok"
    assert {name: one["status"] for name, one in said["checks"].items()} == {
        "cache:default": "ok",
        "database:default": "ok",
    }
    assert all(one["ms"] >= 0 for one in said["checks"].values())
    assert response.headers["Cache-Control"] == "no-store"


async def test_head_of_readiness_has_the_status_and_no_body(serve):
    made = application()
    health_of(made).add("broken", lambda: False)
    response = await (await serve(made)).arequest("HEAD", "/readyz")
    assert (response.status_code, response.text) == (503, "")


async def test_a_failure_is_a_503_that_tells_no_secret(serve, caplog):
    """The kind of error is told, its message and the address in it are not."""

    def fails():
        raise ConnectionError("redis://user:hunter2@10.1.2.3:6379 refused")

    made = application()
    health_of(made).add("broken", fails)
    response = await (await serve(made)).aget("/readyz")
    assert response.status_code == 503
    assert "hunter2" not in response.text
    assert "10.1.2.3" not in response.text
    said = json.loads(response.text)
    assert said["status"] == "failed"
    assert said["checks"]["broken"]["status"] == "failed"
    assert said["checks"]["broken"]["error"] == "ConnectionError"
    assert said["checks"]["cache:default"]["status"] == "ok"
    assert "hunter2" not in caplog.text


async def test_a_server_that_is_away_is_not_ready(serve):
    """Of caches too that answer their outages as misses; and each server of a database has a check."""
    made = application(
        CACHES={"default": {"BACKEND": "redis", "LOCATION": "127.0.0.1:1", "ON_OUTAGE": "miss"}},
        DATABASE_CONNECTION={
            "default": {
                "connections": [
                    {"ROLE": "master", "URL": "sqlite://"},
                    {"ROLE": "slave", "URL": "sqlite:////nowhere/at/all.db"},
                ]
            }
        },
        HEALTH_CONFIG={"timeout": 25},
    )
    response = await (await serve(made)).aget("/readyz")
    said = json.loads(response.text)["checks"]
    assert response.status_code == 503
    assert {name: one["status"] for name, one in said.items()} == {
        "cache:default": "failed",
        "database:default": "ok",
        "database:default:replica-1": "failed",
    }


async def test_who_is_told_to_stop_is_not_ready(serve):
    """At once, without asking anybody, while liveness and everything else goes on."""
    made, asked = application(), []
    health_of(made).add("asked", lambda: asked.append(1))
    client = await serve(made)
    made.ready = False
    response = await client.aget("/readyz")
    assert response.status_code == 503
    assert json.loads(response.text)["status"] == "draining"
    assert asked == []
    assert (await client.aget("/healthz")).status_code == 200


async def test_checks_run_side_by_side_and_never_on_the_loop():
    """Two plain ones that wait for each other, and an async one, all at once; the loop goes on meanwhile."""
    meeting, turns = threading.Barrier(3), []

    def meets():
        meeting.wait(20)
        turns.append(threading.current_thread())

    async def turning():
        await asyncio.to_thread(meeting.wait, 20)

    health = Health(timeout=20)
    health.add("one", meets)
    health.add("two", meets)
    health.add("three", turning)
    report = await health.report()
    assert report.healthy, report
    assert threading.main_thread() not in turns


async def test_the_time_limit_holds_whatever_hangs():
    """A check that hangs fails; it is not started again beside itself, and its end is noticed."""
    release, started = threading.Event(), []

    def hangs():
        started.append(1)
        release.wait(60)

    async def waits():
        await asyncio.Event().wait()

    health = Health(timeout=0.05)
    health.add("thread", hangs)
    health.add("loop", waits)
    health.add("fine", lambda: None)
    first, second = await health.report(), await health.report()
    assert {name: outcome.status for name, outcome in first.checks.items()} == {
        "thread": "timeout",
        "loop": "timeout",
        "fine": "ok",
    }
    assert not second.healthy
    assert started == [1]
    release.set()
    hung = health._attempts["thread"].task
    assert await asyncio.wait_for(hung, 20)
    await health.aclose()
    assert started == [1]


async def test_a_check_may_answer_an_awaitable_or_be_an_object():
    class Ping:
        async def __call__(self):
            return False

    async def later():
        return False

    health = Health()
    health.add("object", Ping())
    health.add("awaitable", lambda: later())
    report = await health.report()
    assert [outcome.status for outcome in report.checks.values()] == ["failed", "failed"]


async def test_a_report_is_shown_again_only_for_max_age():
    """Counted from its beginning, so that no answer is older than was told."""
    now, asked = [100.0], []
    health = Health(max_age=5, clock=lambda: now[0])
    health.add("counted", lambda: asked.append(1))
    for moment, expected in [(100.0, 1), (104.9, 1), (105.0, 2), (109.9, 2), (110.0, 3)]:
        now[0] = moment
        await health.report()
        assert len(asked) == expected, moment


async def test_without_max_age_every_request_asks():
    asked = []
    health = Health()
    health.add("counted", lambda: asked.append(1))
    await health.report()
    await health.report()
    assert len(asked) == 2


async def test_requests_at_the_same_time_share_one_run():
    """Whoever asks often cannot make the servers work more."""
    asked, go = [], asyncio.Event()

    async def counted():
        asked.append(1)
        await go.wait()

    health = Health(timeout=20)
    health.add("counted", counted)
    waiting = [asyncio.create_task(health.report()) for _ in range(5)]
    while not asked:
        await asyncio.sleep(0)
    go.set()
    reports = await asyncio.gather(*waiting)
    assert len(asked) == 1
    assert all(report is reports[0] for report in reports)


async def test_a_caller_that_leaves_takes_no_check_with_it():
    go = asyncio.Event()
    health = Health(timeout=20)
    health.add("slow", go.wait)
    first, second = asyncio.create_task(health.report()), asyncio.create_task(health.report())
    await asyncio.sleep(0)
    first.cancel()
    go.set()
    assert (await second).healthy
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_only_changes_are_logged(caplog):
    """A server that is away for an hour makes two lines, not one for each probe."""
    caplog.set_level(logging.INFO, "torngas")
    fine = [True, False, False, True, True]
    health = Health()
    health.add("search", lambda: fine.pop(0))
    for _ in range(5):
        await health.report()
    lines = [record.getMessage() for record in caplog.records if record.name == "torngas"]
    assert lines == ["not ready: search failed (no error)", "ready again: search"]


async def test_the_access_log_leaves_out_what_went_well(serve, caplog):
    caplog.set_level(logging.INFO, "torngas.accesslog")
    made = application()
    client = await serve(made)
    await client.aget("/healthz")
    await client.aget("/readyz")
    made.ready = False
    await client.aget("/readyz")
    lines = [record.getMessage() for record in caplog.records if record.name == "torngas.accesslog"]
    assert [line for line in lines if "readyz" not in line or " 503 " not in line] == []
    assert len(lines) == 1


async def test_what_is_checked_can_be_chosen(serve):
    caches = {"default": {"BACKEND": "locmem"}, "other": {"BACKEND": "dummy"}, "away": {"BACKEND": "redis"}}
    made = application(
        CACHES=caches, HEALTH_CONFIG={"caches": ["other"], "checks": {"platform": "platform.machine", "pid": bool}}
    )
    said = json.loads((await (await serve(made)).aget("/readyz")).text)
    assert {name: one["status"] for name, one in said["checks"].items()} == {
        "cache:other": "ok",
        "platform": "ok",
        "pid": "failed",
    }


async def test_caches_that_nobody_configured_are_not_checked(serve):
    """The defaults name servers as examples; an application without CACHES needs none of them."""
    chosen = Settings({"DEBUG": False, "TORNADO_CONF": {"cookie_secret": "x"}, "MIDDLEWARE_CLASSES": []})
    client = await serve(build_application(Application, chosen, routes()))
    said = json.loads((await client.aget("/readyz")).text)
    assert list(said["checks"]) == ["cache:default"]


async def test_two_applications_have_their_own_checks(serve):
    one, other = application(), application()
    health_of(one).add("broken", lambda: False)
    assert (await (await serve(one)).aget("/readyz")).status_code == 503
    assert (await (await serve(other)).aget("/readyz")).status_code == 200


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"timeout": 0}, "timeout"),
        ({"max_age": -1}, "max_age"),
        ({"timout": 1}, "did you mean 'timeout'"),
    ],
)
def test_a_wrong_option_is_refused_at_start_up(config, told):
    problems = list(problems_of(Settings({"HEALTH_CONFIG": config, "INSTALLED_APPS": ("torngas.observe",)})))
    assert len(problems) == 1
    assert told in problems[0]


def test_an_alias_that_is_not_configured_is_refused():
    with pytest.raises(ConfigError, match="nowhere"):
        health_of(application(HEALTH_CONFIG={"caches": ["nowhere"]}))
    with pytest.raises(ConfigError, match="expected a function"):
        Health().add("no", "function")
    assert HealthConfig().timeout == 2
