"""SQLStore on private MariaDB and PostgreSQL servers: by a driver's plain connections, and by a SQLAlchemy engine."""

import asyncio
import contextlib
import importlib
import json
import os
import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from torngas_session import SQLStore, StoreError, login, logout

DRIVERS = {
    "mariadb": ("pymysql", "mysql+pymysql", "database"),
    "postgres": ("psycopg", "postgresql+psycopg", "dbname"),
}


def missing(message):
    """Skips; where CI is set nothing may be missing."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)


def the(module, why):
    try:
        return importlib.import_module(module)
    except ImportError:
        return missing(f"{why} needs {module}: pip install {module}")


@contextlib.contextmanager
def server(name):
    folders = [folder for folder in Path(__file__).resolve().parents if (folder / "tools/services").is_dir()]
    if not folders:
        pytest.skip(f"no tools/services above {Path(__file__).parent}, so no {name}")
    the(DRIVERS[name][0], name)
    command = [sys.executable, str(folders[0] / "tools/services"), name]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            line = process.stdout.readline()
            if not line:
                missing(f"{name}: {process.stderr.read().strip()}")
            yield json.loads(line)[name]
        finally:
            process.stdin.close()
            process.wait(60)


class Database:
    """One server; makes stores on tables of their own."""

    def __init__(self, name, place):
        module, self.dialect, database = DRIVERS[name]
        self.driver = the(module, name)
        self.place = place
        self.options = {key: place[key] for key in ("host", "port", "user", "password")}
        self.options[database] = place["database"]
        self._engine = None

    def connect(self):
        return self.driver.connect(**self.options)

    def engine(self):
        if self._engine is None:
            self._engine = self._make_engine()
        return self._engine

    def _make_engine(self):
        sqlalchemy = the("sqlalchemy", "an engine")
        place = self.place
        url = sqlalchemy.URL.create(
            self.dialect, place["user"], place["password"], place["host"], place["port"], place["database"]
        )
        return sqlalchemy.create_engine(url, pool_timeout=60)

    def close(self):
        if self._engine is not None:
            self._engine.dispose()


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=pytest.mark.xdist_group(f"session-{name}")) for name in DRIVERS]
)
def database(request):
    with server(request.param) as place:
        database = Database(request.param, place)
        yield database
        database.close()


@pytest.fixture
def table():
    return f"s{uuid.uuid4().hex}"


@pytest.fixture(params=["driver", "engine"])
def source(request, database):
    """What a store takes: a function that connects, or an engine."""
    return database.connect if request.param == "driver" else database.engine()


@pytest.fixture
def sql(source, table, clock):
    return SQLStore(source, table=table, clock=clock)


@pytest.fixture
def pooled(database, table, clock):
    """By the engine alone: what calls often takes its connections from a pool."""
    return SQLStore(database.engine(), table=table, clock=clock)


def test_a_value_comes_back_as_it_was(sql):
    """Also one that is larger than MariaDB's TEXT."""
    for value in ("text ü\x00\ud800", b"\x00\xff", "", {"a": [1, None]}, "x" * 300_000):
        sql.set("k", value, 10)
        assert sql.get("k") == value
        assert sql.cas("k", value, sql.gets("k")[1], 10)
        assert sql.get("k") == value


def test_each_key_is_one_of_its_own(sql):
    """No collation of the database makes two keys equal, and none refuses one."""
    keys = ["key", "KEY", "key ", "kéy", "k" * 300, "ü\n", "%s", "{key}", "nul\x00", "'; DROP TABLE x"]
    for number, key in enumerate(keys):
        assert sql.cas(key, str(number), None, None)
    assert [sql.get(key) for key in keys] == [str(number) for number in range(len(keys))]
    sql.delete("KEY")
    assert sql.get("KEY") is None
    assert sql.get("key") == "0"


def test_compare_and_set(sql, clock):
    assert sql.gets("k") == (None, None)
    assert sql.cas("k", "1", None, 10) is True
    assert sql.cas("k", "2", None, 10) is False, "it is there already"
    _, token = sql.gets("k")
    assert sql.cas("k", "1", token, 10) is True
    assert sql.cas("k", "3", token, 10) is False, "it was written since, though with the same value"
    _, token = sql.gets("k")
    clock.now += 11
    assert sql.cas("k", "4", token, 10) is False, "it expired"
    assert sql.gets("k") == (None, None)
    assert sql.cas("k", "5", None, 10) is True, "an expired row does not stand in the way"
    assert sql.cas("k", "6", sql.gets("k")[1], 0) is True
    assert sql.get("k") is None


def test_purge_removes_what_expired(sql, clock):
    for key, timeout in (("short", 1.5), ("long", 100), ("ever", None)):
        sql.set(key, key, timeout)
    clock.now += 50
    assert sql.purge() == 1
    assert (sql.get("short"), sql.get("long"), sql.get("ever")) == (None, "long", "ever")


def test_threads_lose_no_update(pooled):
    """Four threads count together."""
    pooled.set("k", 0, None)

    def count(times):
        for _ in range(times):
            while True:
                value, token = pooled.gets("k")
                if pooled.cas("k", value + 1, token, None):
                    break

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, [4] * 4))
    assert pooled.get("k") == 16


def test_of_many_first_savers_one_wins(source, table, clock):
    """As many processes would: the table is made at the same moment, and each id is taken once."""
    together = threading.Barrier(6, timeout=60)

    def first(number):
        store = SQLStore(source, table=table, clock=clock)
        together.wait()
        return store.cas("k", str(number), None, 10)

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(first, range(6))) == [False] * 5 + [True]


@pytest.mark.promise(17)
async def test_promise_17_twenty_concurrent_requests_all_survive(pooled, manage, serve, put):
    """Each has loaded the session before the first of them saves it."""
    site = serve(manage(pooled))
    arrived, everybody = [], asyncio.Event()

    def writer(key):
        async def action(handler):
            handler.session[key] = key
            arrived.append(key)
            if len(arrived) == 20:
                everybody.set()
            await everybody.wait()
            return True

        return action

    site["/put"], site["/dump"] = put("begin", 1), lambda handler: dict(handler.session)
    for number in range(20):
        site[f"/{number}"] = writer(str(number))
    browser = site.browser()
    await browser.get("/put")
    browser.http.close()
    browser.http = type(browser.http)(force_instance=True, max_clients=30)
    answers = await asyncio.gather(*(browser.get(f"/{number}") for number in range(20)))
    assert {answer.code for answer in answers} == {200}
    assert await browser.json("/dump") == {"begin": 1, **{str(number): str(number) for number in range(20)}}
    browser.http.close()


async def test_login_administration_and_logout_work(pooled, manage, serve):
    manager = manage(pooled)
    site = serve(manager)
    site["/login"], site["/out"] = lambda handler: login(handler, "ada"), logout
    site["/who"] = lambda handler: handler.session.user
    browser, other = site.browser(), site.browser()
    await browser.get("/login")
    await other.get("/login")
    assert len(await manager.asessions_of("ada")) == 2
    await browser.get("/out")
    [identity] = await manager.asessions_of("ada")
    assert await other.json("/who") == "ada"
    assert await manager.arevoke(identity) is True
    assert await other.json("/who") is None


def test_a_server_that_is_gone_is_a_clear_error(database, manage, table):
    """Neither a miss nor an anonymous session: `StoreError`, with the driver's error as its cause."""

    def refused():
        return database.driver.connect(**{**database.options, "port": 1})

    with pytest.raises(StoreError, match="expected the store to answer") as caught:
        manage(SQLStore(refused, table=table)).sessions_of("ada")
    assert isinstance(caught.value.__cause__, database.driver.OperationalError)
