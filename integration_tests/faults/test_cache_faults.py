"""The cache server freezes, dies and comes back, under a project that goes on serving."""

from __future__ import annotations

import pytest

CLIENTS = 4
TIMEOUT = 0.5
HANDLERS = """
    from torngas.cache import caches
    from torngas.handler import WebHandler

    class Pages(WebHandler):
        async def get(self, number):
            key = f"page-{int(number) % 50}"
            found = await caches["pages"].aget(key)
            if found is None:
                await caches["pages"].aset(key, number)
            self.write("hit" if found else "computed")

    class Strict(WebHandler):
        async def get(self):
            await caches["strict"].aset("x", 1)
            self.write(str(await caches["strict"].aget("x")))

    class Plain(WebHandler):
        def get(self):
            self.write("plain")
"""
URLS = """
    from torngas import Url, route
    u = Url("shop.handlers")
    urls = route(u(r"/pages/(\\d+)", "Pages"), u("/strict", "Strict"), u("/plain", "Plain"))
"""


SERVERS = {
    "redis": f"'POOL_KWARGS': {{'socket_timeout': {TIMEOUT}, 'socket_connect_timeout': {TIMEOUT}}}",
    "memcached": f"'timeout': {TIMEOUT}, 'connect_timeout': {TIMEOUT}",
}


@pytest.fixture(params=[*SERVERS])
def kind(request):
    """Which server holds the cache."""
    return request.param


@pytest.fixture
def server(kind, request):
    """That server."""
    return request.getfixturevalue(kind)


@pytest.fixture
def shop(project, kind, server):
    """A project with two caches on one server: one answers misses while it is down, the other raises."""
    project.write("shop/__init__.py", "")
    project.write("shop/handlers.py", HANDLERS)
    project.write("shop/urls.py", URLS)

    def cache(on_outage):
        options = f"{{'ON_OUTAGE': {on_outage!r}, {SERVERS[kind]}}}"
        return f"{{'BACKEND': {kind!r}, 'LOCATION': '127.0.0.1:{server.port}', 'OPTIONS': {options}}}"

    project.settings(
        # No access log: nobody reads what the program prints, and a full pipe would stop it.
        "INSTALLED_APPS = ('shop',)\nMIDDLEWARE_CLASSES = ()\n"
        f"CACHES = {{'default': {{'BACKEND': 'locmem'}}, 'pages': {cache('miss')}, 'strict': {cache('raise')}}}\n"
    )
    project.start()
    assert project.get("/pages/1") == "computed"
    assert project.get("/pages/1") == "hit"
    return project


def recovers(shop, wait_until):
    """Without a restart: hits again, and the strict cache answers."""
    wait_until(lambda: shop.fetch("/pages/1")[1] == "hit", "hits again", 60)
    wait_until(lambda: shop.fetch("/strict") == (200, "1"), "the strict cache again", 60)


def test_a_frozen_server_costs_few_timeouts_and_no_request(shop, kind, server, load, tell, wait_until):
    with load(shop.port, lambda number: f"/pages/{number}", CLIENTS) as clients:
        clients.wait_for(50)
        server.freeze()
        clients.wait_for(200)
        server.thaw()
        clients.wait_for(50)
    tell(clients.line(f"{kind} frozen", lost=0))
    assert not clients.failed
    assert not clients.refused
    slow = [seconds for _, seconds in clients.served if seconds > TIMEOUT]
    assert len(slow) < len(clients.served) / 4
    recovers(shop, wait_until)


def test_a_killed_server_and_its_return(shop, kind, server, load, tell, wait_until):
    with load(shop.port, lambda number: f"/pages/{number}", CLIENTS) as clients:
        clients.wait_for(50)
        server.kill()
        clients.wait_for(200)
        assert shop.fetch("/strict")[0] == 500
        assert shop.get("/plain") == "plain"
        server.start()
        clients.wait_for(50)
    tell(clients.line(f"{kind} killed and started again", lost=0))
    assert not clients.failed
    assert not clients.refused
    recovers(shop, wait_until)
