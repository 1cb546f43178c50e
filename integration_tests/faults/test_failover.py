"""The primary of a Redis is killed for good; sentinels choose the replica, and the project goes on with it."""

from __future__ import annotations

import os
import signal

HANDLERS = """
    from torngas.cache import caches
    from torngas.handler import WebHandler

    class Page(WebHandler):
        async def get(self, number):
            key = f"page-{int(number) % 50}"
            found = await caches["pages"].aget(key)
            if found is None:
                await caches["pages"].aset(key, number)
            self.write("hit" if found else "computed")

    class Visit(WebHandler):
        def get(self):
            self.session["visits"] = self.session.get("visits", 0) + 1
            self.write(str(self.session["visits"]))
"""
URLS = """
    from torngas import Url, route
    u = Url("shop.handlers")
    urls = route(u(r"/pages/(\\d+)", "Page"), u("/visit", "Visit"))
"""


def visit(project):
    """How many visits the session counts; None while it cannot be read."""
    status, text = project.fetch("/visit")
    return int(text) if status == 200 else None


def test_a_failover_costs_no_request_and_no_session(project, sentinels, load, tell, wait_until):
    locations = [f"127.0.0.1:{each['port']}" for each in sentinels["sentinels"]]
    timeouts = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
    options = {"SENTINEL_SERVICE": sentinels["service"], "POOL_KWARGS": timeouts, "BREAKER_WINDOW": 0.1}
    cache = {"BACKEND": "redis", "LOCATION": locations, "OPTIONS": options}
    caches = {
        "default": {"BACKEND": "locmem"},
        "pages": {**cache, "OPTIONS": {**options, "ON_OUTAGE": "miss"}},
        "sessions": {**cache, "KEY_PREFIX": "sessions"},
    }
    project.write("shop/__init__.py", "")
    project.write("shop/handlers.py", HANDLERS)
    project.write("shop/urls.py", URLS)
    project.settings(
        "INSTALLED_APPS = ('shop',)\nMIDDLEWARE_CLASSES = ('torngas.middleware.session.SessionMiddleware',)\n"
        f"SESSION = {{'session_cache_alias': 'sessions'}}\nCACHES = {caches!r}\n"
    )
    project.start()
    assert [project.get("/visit") for _ in range(3)] == ["1", "2", "3"]
    with load(project.port, lambda number: f"/pages/{number}") as clients:
        clients.wait_for(100)
        os.kill(sentinels["primary"]["pid"], signal.SIGKILL)
        clients.wait_for(100)
        counted = wait_until(lambda: visit(project), "the session, on the replica that was promoted", 60)
        clients.wait_for(100)
    tell(clients.line("redis primary killed, its replica promoted", lost=0))
    assert not clients.failed
    assert not clients.refused
    wait_until(lambda: project.get("/pages/1") == "hit", "hits again", 60)
    assert counted >= 4
    assert visit(project) == counted + 1
