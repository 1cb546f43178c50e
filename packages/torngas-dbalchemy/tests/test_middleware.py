"""The middleware in a Tornado application, and by its hooks alone."""

from __future__ import annotations

import asyncio
import json
import threading
from types import SimpleNamespace

import pytest
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from torngas_dbalchemy import ConfigError, Connector, CookiePins, DBAlchemyMiddleware, Model, SessionPins
from torngas_dbalchemy.scope import enclosing_scope


class Visit(Model):
    __tablename__ = "middleware_visit"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20))


def _never():
    raise AssertionError("clear() is the application's")


class Hooked(RequestHandler):
    """Calls the hooks as a framework does, on every exit."""

    middleware: DBAlchemyMiddleware

    def prepare(self):
        self.middleware.process_request(self, _never)

    def finish(self, chunk=None):
        self.middleware.process_response(self, _never, [])
        return super().finish(chunk)

    def on_finish(self):
        self.settings["ended"].append(asyncio.ensure_future(self.middleware.process_endcall(self, _never)))


class Visits(Hooked):
    async def get(self):
        wait = float(self.get_argument("wait", "0"))
        session = Visit.session()
        await asyncio.sleep(wait)
        assert Visit.session() is session
        self.settings["sessions"].append(id(session))
        self.write(json.dumps([visit.name for visit in Visit.Q.order_by(Visit.id)]))

    def post(self):
        Visit.session.add(Visit(name=self.get_argument("name")))
        if self.get_argument("commit", "1") == "1":
            Visit.session.commit()
        else:
            Visit.session.flush()
        if self.get_argument("fail", ""):
            raise ZeroDivisionError

    async def put(self):
        visit = await Visit.aget(1)
        page = await Visit.apaginate(1)
        self.write({"name": visit.name, "total": page.total})


@pytest.fixture
async def site(sqlite_cluster, tools):
    connector = Connector(sqlite_cluster.config())
    with tools.prepared(connector, sqlite_cluster):
        async with _serve(connector, sqlite_cluster) as found:
            yield found
        await connector.aclose()


class _serve:
    def __init__(self, connector, cluster, **options):
        self.middleware = DBAlchemyMiddleware(connector, **options)
        self.connector, self.cluster = connector, cluster

    async def __aenter__(self):
        handler = type("Handler", (Visits,), {"middleware": self.middleware})
        self.settings = {"ended": [], "sessions": []}
        self.server = HTTPServer(Application([("/", handler)], log_function=lambda handler: None, **self.settings))
        sock, port = bind_unused_port()
        self.server.add_sockets([sock])
        self.url = f"http://127.0.0.1:{port}/"
        self.client = AsyncHTTPClient(force_instance=True)
        return self

    async def __aexit__(self, *exc):
        self.client.close()
        self.server.stop()
        await self.server.close_all_connections()
        await asyncio.gather(*self.settings["ended"])
        self.middleware.close()

    async def fetch(self, path="", **options):
        response = await self.client.fetch(self.url + path, raise_error=False, **options)
        await asyncio.gather(*self.settings["ended"])
        return response

    def checked_out(self):
        database = self.connector.get_conn()
        return sum(s.engine.pool.checkedout() for s in (database.primary, *database.replicas.servers))


async def test_a_request_has_its_session_and_gives_it_back(site):
    """Committed work stays, and every connection is back after each request."""
    assert (await site.fetch(method="POST", body="name=ann")).code == 200
    site.cluster.catch_up()
    assert json.loads((await site.fetch()).body) == ["ann"]
    assert site.checked_out() == 0
    assert enclosing_scope() is None


@pytest.mark.parametrize("body", ["name=x&commit=0", "name=x&commit=0&fail=1", "commit=0"])
async def test_uncommitted_work_is_rolled_back_on_every_exit(site, body):
    """At the end, after an error, and after a bad argument."""
    await site.fetch(method="POST", body=body)
    site.cluster.catch_up()
    assert site.checked_out() == 0
    assert json.loads((await site.fetch()).body) == []


async def test_interleaved_requests_have_their_own_sessions(site):
    await asyncio.gather(*(site.fetch("?wait=0.05") for _ in range(5)))
    assert len(set(site.settings["sessions"])) == 5
    assert site.checked_out() == 0


async def test_requests_that_may_write_read_from_the_primary(site):
    """A GET reads from the replica, which is behind; a PUT asynchronously from the primary."""
    await site.fetch(method="POST", body="name=ann")
    assert json.loads((await site.fetch()).body) == []
    assert json.loads((await site.fetch(method="PUT", body="")).body) == {"name": "ann", "total": 1}


async def test_a_cookie_lets_the_user_read_the_write(sqlite_cluster, tools):
    """The next request of the writer reads from the primary, that of others from the replica."""
    connector = Connector(sqlite_cluster.config())
    with tools.prepared(connector, sqlite_cluster):
        async with _serve(connector, sqlite_cluster, pins=CookiePins()) as site:
            answer = await site.fetch(method="POST", body="name=ann")
            cookie = answer.headers["Set-Cookie"]
            assert "HttpOnly" in cookie
            assert "Max-Age=10" in cookie
            mine = await site.fetch(headers={"Cookie": cookie.partition(";")[0]})
            assert json.loads(mine.body) == ["ann"]
            assert "Set-Cookie" not in mine.headers, "reading pins nothing"
            assert json.loads((await site.fetch()).body) == []
            assert json.loads((await site.fetch(headers={"Cookie": "torngas_pins=garbage"})).body) == []


def test_pins_in_a_session():
    handler = SimpleNamespace(session={})
    store = SessionPins()
    assert store.load(handler) is None
    store.save(handler, "token", 5)
    assert store.load(handler) == "token"
    handler.session["_torngas_pins"] = 3
    assert store.load(handler) is None


async def test_pings_keep_idle_connections_and_do_not_block_the_loop(sqlite_cluster, tools):
    """From the first request on, in another thread, again and again, until closed."""
    pinged, threads, enough = [], [], asyncio.Event()
    loop = asyncio.get_running_loop()
    connector = Connector(sqlite_cluster.config())
    database = connector.get_conn()

    def ping_db(count):
        threads.append(threading.get_ident())
        pinged.append(count)
        if len(pinged) == 2:
            loop.call_soon_threadsafe(enough.set)

    database.ping_db = ping_db
    middleware = DBAlchemyMiddleware(connector, ping_interval=0.01, ping_count=3)
    handler = SimpleNamespace(request=SimpleNamespace(method="GET"))
    middleware.process_request(handler, _never)
    await asyncio.wait_for(enough.wait(), 10)
    await middleware.process_endcall(handler, _never)
    await middleware.process_endcall(handler, _never)
    middleware.close()
    middleware.close()
    assert pinged[:2] == [3, 3]
    assert threading.get_ident() not in threads
    connector.close()


def test_a_ping_replaces_dead_connections(server_cluster, tools):
    connector = Connector(server_cluster.config(), limits=tools.LIMITS)
    database = connector.get_conn()
    with database.engine.connect(), database.engine.connect():
        pass
    database.ping_db(5)
    server_cluster.kill_connections("primary")
    database.ping_db(5)
    assert database.engine.pool.checkedout() == 0
    server_cluster.replica.refuse()
    database.replicas.servers[0].engine.connect if None else None
    database.ping_db(0)
    connector.close()


def test_zero_never_pings_and_negative_is_refused():
    with pytest.raises(ConfigError, match="PING_DB"):
        DBAlchemyMiddleware(ping_interval=-1)
    assert DBAlchemyMiddleware(ping_interval=0)._interval == 0
    assert DBAlchemyMiddleware(ping_interval=None)._interval == 0
    assert DBAlchemyMiddleware()._interval == 500
