"""Primary and replica die, freeze and come back, under a project that goes on serving; MariaDB and PostgreSQL."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

ROOT = Path(__file__).resolve().parents[2]
KINDS = {"mariadb": "mysql+pymysql", "postgres": "postgresql+psycopg"}
CLIENTS = 4
HANDLERS = """
    import json

    from sqlalchemy import String, select, text
    from sqlalchemy.orm import Mapped, mapped_column
    from torngas.handler import WebHandler
    from torngas_dbalchemy import DatabaseUnavailable, Model, get_connector

    class Note(Model):
        __tablename__ = "note"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(String(40))

    class Read(WebHandler):
        async def get(self, name):
            found = await Note.asession.scalars(select(Note).order_by(Note.id).limit(3))
            self.write(str(len(found.all())))

    class Write(WebHandler):
        async def get(self, name):
            try:
                Note.asession.add(Note(name=name))
                await Note.asession.commit()
            except DatabaseUnavailable as error:
                self.set_status(503)
                self.write(str(error))

    class Place(WebHandler):
        async def get(self):
            query = {"mysql": "SELECT @@server_id = 2", "postgresql": "SELECT pg_is_in_recovery()"}
            (name,) = {one.endpoint.url.get_backend_name() for one in servers()}
            on_replica = await Note.asession.scalar(text(query[name]))
            self.write("replica" if on_replica else "primary")

    class Out(WebHandler):
        def get(self):
            self.write(str(sum(one.async_engine.pool.checkedout() + one.engine.pool.checkedout() for one in servers())))

    def servers():
        database = get_connector().get_conn()
        return [database.primary, *database.replicas.servers]
"""
URLS = """
    from torngas import Url, route
    u = Url("shop.handlers")
    urls = route(u(r"/read/(.+)", "Read"), u(r"/write/(.+)", "Write"), u("/place", "Place"), u("/out", "Out"))
"""


def _until(condition, what, patience=90):
    """Waits for a condition; `wait_until` ends with its test, the servers do not."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {patience} s"
        time.sleep(0.02)


class Server:
    """One of the pair's processes, which can be frozen, killed by -9 and started again on its data and port."""

    def __init__(self, place):
        self.pid = place["pid"]
        self._again = None
        # As it was started; what the tests ask for is written at once, since a killed server must not forget it.
        self._command = Path(f"/proc/{self.pid}/cmdline").read_text().split("\0")[:-1]
        self._command = [part.replace("at-trx-commit=0", "at-trx-commit=1") for part in self._command]
        owner = Path(f"/proc/{self.pid}").stat().st_uid
        self._user = owner if owner != os.geteuid() else None

    def _family(self):
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, children)]

    def _signal(self, number):
        for one in self._family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, number)

    def kill(self):
        family = self._family()
        self._signal(signal.SIGKILL)
        if self._again is not None:
            self._again.wait()
        _until(lambda: not any(map(_runs, family)), "the end of the server")

    def start(self, answers):
        """Starts it, and waits until it answers; again where another process had the port at that moment."""
        self._launch()

        def up():
            if self._again.poll() is not None:
                self._launch()
            return answers()

        _until(up, "the server's return")

    def _launch(self):
        # The launcher, whose child the killed server was, has not buried it yet: to PostgreSQL it looks alive.
        if "-D" in self._command:
            (Path(self._command[self._command.index("-D") + 1]) / "postmaster.pid").unlink(missing_ok=True)
            folder = Path(self._command[self._command.index("-k") + 1])
            for lock in folder.glob(".s.PGSQL.*.lock"):
                lock.unlink()
        self._again = subprocess.Popen(
            self._command, user=self._user, cwd="/", start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.pid = self._again.pid

    @contextlib.contextmanager
    def frozen(self):
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def end(self):
        if self._again is not None and self._again.poll() is None:
            self.kill()


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Pair:
    """A primary and its replica."""

    def __init__(self, kind, places):
        self.kind, self.places = kind, places
        self.primary, self.replica = (Server(places[role]) for role in ("primary", "replica"))

    def settings(self):
        connections = [
            {
                "ROLE": "master" if role == "primary" else "slave",
                "DRIVER": KINDS[self.kind],
                "UID": place["user"],
                "PASSWD": place["password"],
                "HOST": place["host"],
                "PORT": place["port"],
                "DATABASE": place["database"],
            }
            for role, place in self.places.items()
            if role != "admin"
        ]
        return f"DATABASE_CONNECTION = {{'default': {{'connections': {connections!r}}}}}\n"

    def ask(self, role, *statements, admin=True):
        """Executes as the administrator, or the role's own account; answers the rows of the last statement."""
        place = self.places[role]
        account = self.places["admin"] if admin else place
        url = URL.create(
            KINDS[self.kind], account["user"], account["password"], place["host"], place["port"], place["database"]
        )
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                for statement in statements:
                    result = connection.execute(text(statement))
                return result.all() if result.returns_rows else []
        finally:
            engine.dispose()

    def answers(self, role):
        try:
            return bool(self.ask(role, "SELECT 1"))
        except SQLAlchemyError:
            return False

    def kill_connections(self, role):
        user = self.places[role]["user"]
        if self.kind == "mariadb":
            self.ask(role, f"KILL CONNECTION USER '{user}'")
        else:
            self.ask(role, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{user}'")


@contextlib.contextmanager
def _servers(name):
    command = [sys.executable, str(ROOT / "tools/services"), name]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as program:
        line = program.stdout.readline()
        if not line:
            message = program.communicate()[1].strip()
            if program.returncode == 3 and not os.environ.get("CI"):
                pytest.skip(message)
            pytest.fail(message)
        try:
            yield json.loads(line)[name]
        finally:
            program.communicate(timeout=120)


@pytest.fixture(scope="module", params=[pytest.param(kind, marks=pytest.mark.xdist_group(kind)) for kind in KINDS])
def pair(request):
    """The servers, with an empty table of notes."""
    kind = request.param
    with _servers(f"{kind}-replica") as places:
        made = Pair(kind, places)
        if kind == "mariadb":
            made.ask("primary", "SET GLOBAL innodb_flush_log_at_trx_commit = 1")
        counted = "INTEGER AUTO_INCREMENT" if kind == "mariadb" else "SERIAL"
        made.ask("primary", f"CREATE TABLE note (id {counted} PRIMARY KEY, name VARCHAR(40))", admin=False)
        _until(lambda: _has_table(made), "the replica's table")
        yield made
        made.primary.end()
        made.replica.end()


def _has_table(pair):
    try:
        return pair.ask("replica", "SELECT count(*) FROM note")
    except SQLAlchemyError:
        return False


@pytest.fixture
def shop(project, pair):
    """A project on the servers, reading from the replica."""
    project.write("shop/__init__.py", "")
    project.write("shop/handlers.py", HANDLERS)
    project.write("shop/urls.py", URLS)
    project.settings(
        "INSTALLED_APPS = ('shop',)\n"
        "MIDDLEWARE_CLASSES = ('torngas.middleware.dbalchemy.DBAlchemyMiddleware',)\n" + pair.settings()
    )
    project.start()
    _until(lambda: _answer(project, "/place") == (200, "replica"), "reads on the replica")
    return project


def _path(case):
    """Every fourth request writes."""
    return lambda number: f"/{'read' if number % 4 else 'write'}/{case}-{number}"


class Account:
    """What became of a case's requests."""

    def __init__(self, clients, pair, case):
        self.failed = clients.failed
        self.reads = [number for number, _ in clients.refused if number % 4]
        self.writes = {number: status for number, status in clients.refused if not number % 4}
        kept = {name for (name,) in pair.ask("primary", f"SELECT name FROM note WHERE name LIKE '{case}-%'")}
        self.lost = {number for number, _ in clients.served if not number % 4 and f"{case}-{number}" not in kept}


def _settles(shop):
    """Without a restart: reads on the replica, writes, and no connection out."""
    _until(lambda: _answer(shop, "/write/after") == (200, ""), "writes again")
    _until(lambda: _answer(shop, "/place") == (200, "replica"), "reads on the replica again")
    _until(lambda: _answer(shop, "/out") == (200, "0"), "no connection out")


def _answer(shop, path):
    """Status and body; None where there is no answer in time."""
    try:
        return shop.fetch(path)
    except OSError:
        return None


def test_a_killed_primary_and_its_return(shop, pair, load, tell):
    """Reads go on, writes fail with the address and no password; what was acknowledged before is there afterwards."""
    with load(shop.port, _path("primary"), CLIENTS) as clients:
        clients.wait_for(100)
        pair.primary.kill()
        clients.wait_for(100)
        refused, reason = shop.fetch("/write/refused")
        pair.primary.start(lambda: pair.answers("primary"))
        _until(lambda: _answer(shop, "/write/again") == (200, ""), "writes again")
        clients.wait_for(100)
    account = Account(clients, pair, "primary")
    tell(clients.line(f"{pair.kind} primary killed and started again", lost=len(account.lost)))
    assert (refused, "DATABASE_CONNECTION['default'] primary" in reason) == (503, True)
    assert pair.places["primary"]["password"] not in reason
    assert not account.lost
    assert not account.failed
    # On a busy machine the replica may seem away for a moment; without it nearly all of them would fail.
    assert len(account.reads) < len(clients.served) / 10
    assert account.writes
    assert set(account.writes.values()) == {503}
    _settles(shop)


def test_a_killed_replica_and_its_return(shop, pair, load, tell):
    """Reads go on at the primary, writes too; only what was being read at that moment may fail."""
    with load(shop.port, _path("replica"), CLIENTS) as clients:
        clients.wait_for(100)
        pair.replica.kill()
        clients.wait_for(100)
        assert _answer(shop, "/place") == (200, "primary")
        pair.replica.start(lambda: pair.answers("replica"))
        _until(lambda: _answer(shop, "/place") == (200, "replica"), "reads on the replica again")
        clients.wait_for(100)
    account = Account(clients, pair, "replica")
    tell(clients.line(f"{pair.kind} replica killed and started again", lost=len(account.lost)))
    assert not account.lost
    assert not account.failed
    assert not account.writes
    assert len(account.reads) <= CLIENTS
    _settles(shop)


def test_a_frozen_replica(shop, pair, load, tell):
    """SIGSTOP: its connections stay open and answer nothing; reads go to the primary."""
    with contextlib.ExitStack() as running:
        with pair.replica.frozen():
            clients = running.enter_context(load(shop.port, _path("frozen"), CLIENTS))
            clients.wait_for(100)
            assert _answer(shop, "/place") == (200, "primary")
        _until(lambda: _answer(shop, "/place") == (200, "replica"), "reads on the replica again")
        clients.wait_for(100)
    account = Account(clients, pair, "frozen")
    tell(clients.line(f"{pair.kind} replica frozen", lost=len(account.lost)))
    assert not account.lost
    assert not account.failed
    assert not clients.refused
    _settles(shop)


def test_killed_connections(shop, pair, load, tell):
    """An administrator ends every connection, twice; only what was being done at that moment may fail."""
    with load(shop.port, _path("connections"), CLIENTS) as clients:
        for _ in range(2):
            clients.wait_for(50)
            pair.kill_connections("primary")
            pair.kill_connections("replica")
        clients.wait_for(50)
    account = Account(clients, pair, "connections")
    tell(clients.line(f"{pair.kind} connections killed", lost=len(account.lost)))
    assert not account.lost
    assert not account.failed
    assert len(clients.refused) <= 4 * CLIENTS
    _settles(shop)
