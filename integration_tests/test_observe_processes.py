"""Metrics of several worker processes, read as Prometheus reads them; readiness with servers that come and go."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

SETTINGS = """
INSTALLED_APPS = ('torngas.observe', 'shop')
MIDDLEWARE_CLASSES = (
    'torngas.observe.metrics.MetricsMiddleware',
    'torngas.middleware.session.SessionMiddleware',
)
CACHES = {'default': {'BACKEND': 'locmem'}}
"""
URLS = """
import asyncio, os
from torngas import Url, route
from torngas.cache import cache
from torngas.handler import WebHandler

class Item(WebHandler):
    def get(self, number):
        cache.get('nothing')
        self.write(str(os.getpid()))

class Fails(WebHandler):
    def get(self):
        raise ValueError

class Waits(WebHandler):
    async def get(self):
        await asyncio.Event().wait()

u = Url()
urls = route(u(r'/item/(\\d+)', Item), u('/fails', Fails), u('/waits', Waits))
"""
OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}
SECONDS = 60.0


def until(condition):
    """Waits until the condition answers something true, and answers that; nobody listening is not yet."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            if found := condition():
                return found
        except (OSError, http.client.HTTPException):
            pass
        assert time.monotonic() < deadline, "the condition was not met"
        time.sleep(0.02)


class Asked:
    """One answer."""

    def __init__(self, port, path, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        try:
            connection.request("GET", path, headers={"Connection": "close", **headers})
            response = connection.getresponse()
            self.status, self.text = response.status, response.read().decode()
            self.content_type = response.getheader("Content-Type")
        finally:
            connection.close()


def samples(text, parse=parse_text):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in parse(text)
        for sample in family.samples
    }


def counted(port, route, status):
    """How often this route answered so, in both formats; None while they, asked one after the other, differ."""
    key = "http_requests_total", ("method", "GET"), ("route", route), ("status", status)
    openmetrics = samples(Asked(port, "/metrics", **OPENMETRICS).text, parse_openmetrics)
    text = samples(Asked(port, "/metrics").text)
    return text.get(key) if text.get(key) == openmetrics.get(key) else None


def send(project, paths):
    """Sends requests from several threads, each over a connection of its own; answers what was answered.

    A connection that nobody accepted is no request.
    """

    def one(path):
        try:
            return Asked(project.port, path)
        except ConnectionRefusedError:
            return None

    with ThreadPoolExecutor(8) as pool:
        return [answer for answer in pool.map(one, paths) if answer is not None]


def workers_of(program):
    children = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text().split()
    return [int(child) for child in children]


@pytest.fixture
def shop(project):
    """The project; its programs are stopped, so that no worker outlives a test that failed."""
    project.write("shop/__init__.py", "")
    project.write("shop/urls.py", URLS)
    project.settings(SETTINGS)
    yield project
    for program in project.programs:
        workers = workers_of(program) if program.poll() is None else []
        program.kill()
        for worker in workers:
            os.kill(worker, signal.SIGKILL)


def both_workers(project):
    """Waits until two workers answer; their process ids, and how many items were asked for until then."""
    answers = []

    def answered():
        answers.extend(send(project, ["/item/0"] * 8))
        return len({answer.text for answer in answers}) == 2

    until(answered)
    assert {answer.status for answer in answers} == {200}
    return {int(answer.text) for answer in answers}, len(answers)


def test_two_processes_count_what_was_sent_to_both(shop):
    """Under load from eight clients, while somebody asks for the numbers all the time; nothing is lost or doubled."""
    program = shop.start("--processes=2")
    _, before = both_workers(shop)
    until(lambda: counted(shop.port, r"/item/(\d+)", "200") == before)
    stop, scrapes = threading.Event(), []

    def scrape():
        while not stop.is_set():
            scrapes.append(samples(Asked(shop.port, "/metrics").text))

    scraper = threading.Thread(target=scrape)
    scraper.start()
    try:
        answers = send(shop, [f"/item/{number}" for number in range(400)] + ["/fails"] * 30 + ["/nowhere"] * 20)
    finally:
        stop.set()
        scraper.join(SECONDS)
    assert len(answers) == 450
    assert sorted({answer.status for answer in answers}) == [200, 404, 500]
    assert len({answer.text for answer in answers if answer.status == 200}) == 2, "both workers answered"
    until(lambda: counted(shop.port, r"/item/(\d+)", "200") == before + 400)
    until(lambda: counted(shop.port, "/fails", "500") == 30)
    until(lambda: counted(shop.port, "unmatched", "404") == 20)
    found = samples(Asked(shop.port, "/metrics").text)
    route = ("method", "GET"), ("route", r"/item/(\d+)")
    assert found["http_request_duration_seconds_count", *route] == before + 400
    assert found["http_request_duration_seconds_bucket", ("le", "+Inf"), *route] == before + 400
    assert found["cache_requests_total", ("alias", "default"), ("result", "miss")] == before + 400
    assert scrapes
    key = "http_requests_total", *route, ("status", "200")
    seen = [scrape[key] for scrape in scrapes]
    assert seen == sorted(seen), "a counter never goes back, whichever worker is asked"
    shop.stop()
    assert program.returncode == 0


def test_a_worker_that_died_leaves_its_counts_and_not_its_gauges(shop):
    """What it counted stays counted; what it had in progress is in progress no longer."""
    program = shop.start("--processes=2")
    workers, before = both_workers(shop)
    until(lambda: counted(shop.port, r"/item/(\d+)", "200") == before)
    hanging = []
    try:
        for _ in range(8):
            connection = http.client.HTTPConnection("127.0.0.1", shop.port, timeout=SECONDS)
            connection.request("GET", "/waits")
            hanging.append(connection)

        def in_progress():
            return samples(Asked(shop.port, "/metrics").text).get(("http_requests_in_progress",))

        until(lambda: in_progress() == 9)  # and the one that asks
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        until(lambda: len(set(workers_of(program)) - workers) == 2)
        others, more = both_workers(shop)
        assert not others & workers
        until(lambda: in_progress() == 1)
        until(lambda: counted(shop.port, r"/item/(\d+)", "200") == before + more)
    finally:
        for connection in hanging:
            connection.close()


def test_the_folder_of_a_run_is_removed_with_it(shop, tmp_path, monkeypatch):
    """Each run begins with nothing; a folder that the operator names stays."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    shop.start("--processes=2")
    both_workers(shop)
    [folder] = temporary.glob("torngas-metrics-*")
    assert list(folder.glob("counter_*.db"))
    shop.stop()
    assert list(temporary.glob("torngas-metrics-*")) == []


def test_metrics_of_one_process_need_no_folder(shop, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    shop.start()
    send(shop, ["/item/1"] * 3)
    assert counted(shop.port, r"/item/(\d+)", "200") == 3
    assert list(tmp_path.glob("torngas-metrics-*")) == []
    assert "process_cpu_seconds_total" in Asked(shop.port, "/metrics").text


def test_readiness_follows_a_real_redis(shop, redis_server):
    """Ready with it; while it stands still not ready, within the time limit; then ready again."""
    host, port = redis_server["host"], redis_server["port"]
    shop.settings(
        SETTINGS
        + f"CACHES = {{'default': {{'BACKEND': 'redis', 'LOCATION': '{host}:{port}', 'ON_OUTAGE': 'miss'}}}}\n"
        + "DATABASE_CONNECTION = {'default': {'connections': [{'ROLE': 'master', 'URL': 'sqlite:///shop.db'}]}}\n"
        + "HEALTH_CONFIG = {'timeout': 2}\n"
    )
    shop.start()
    ready = until(lambda: (answer := Asked(shop.port, "/readyz")).status == 200 and answer)
    assert {name: one["status"] for name, one in json.loads(ready.text)["checks"].items()} == {
        "cache:default": "ok",
        "database:default": "ok",
    }
    pid = int(str(redis_server["pid"]))
    os.kill(pid, signal.SIGSTOP)
    try:
        answer = Asked(shop.port, "/readyz")
        assert answer.status == 503
        assert json.loads(answer.text)["checks"]["cache:default"]["status"] in ("failed", "timeout")
        assert json.loads(answer.text)["checks"]["database:default"]["status"] == "ok"
        assert Asked(shop.port, "/healthz").status == 200
    finally:
        os.kill(pid, signal.SIGCONT)
    until(lambda: Asked(shop.port, "/readyz").status == 200)


def test_a_server_that_drains_is_not_ready_and_still_alive(shop):
    """Between SIGTERM and the end of accepting a load balancer has time to notice."""
    shop.settings(SETTINGS + "SHUTDOWN_DELAY = 60\nSHUTDOWN_TIMEOUT = 1\n")
    program = shop.start()
    assert Asked(shop.port, "/readyz").status == 200
    program.send_signal(signal.SIGTERM)
    draining = until(lambda: (answer := Asked(shop.port, "/readyz")).status == 503 and answer)
    assert json.loads(draining.text) == {"status": "draining", "checks": {}}
    assert Asked(shop.port, "/healthz").status == 200
    program.kill()
