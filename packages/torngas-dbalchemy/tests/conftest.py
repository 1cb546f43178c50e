"""Databases for the tests: SQLite files, and private MariaDB and PostgreSQL pairs behind proxies that can fail."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import URL, create_engine, event, text

from torngas_dbalchemy import Connector, EngineLimits, configure
from torngas_dbalchemy._mapped import METADATA
from torngas_dbalchemy.connector import _OPEN
from torngas_dbalchemy.scope import _SCOPE, enclosing_scope

LIMITS = EngineLimits(connect_timeout=1.0, ping_timeout=0.5)
DATABASES = ["sqlite", "mariadb", "postgres"]
COUNTED = {
    "mariadb": "SELECT table_name FROM information_schema.tables "
    "WHERE table_schema = DATABASE() AND auto_increment > 1",
    "postgres": "SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL",
}
RESTART = {
    "mariadb": "ALTER TABLE {table} AUTO_INCREMENT = 1",
    "postgres": "SELECT setval('{table}_id_seq', 1, false)",
}


def _parameters() -> list[Any]:
    return [pytest.param(name, marks=[] if name == "sqlite" else pytest.mark.xdist_group(name)) for name in DATABASES]


class Proxy:
    """A TCP forwarder in front of one server, which can refuse, freeze and cut."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._frozen = threading.Event()
        self._listener: socket.socket | None = None
        self.port = 0
        self.listen()

    def listen(self) -> None:
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
            self.port = self._listener.getsockname()[1]
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target, 5)
            except OSError:
                client.close()
                continue
            with self._lock:
                self._pairs.append((client, server))
            threading.Thread(target=self._pump, args=(client, server), daemon=True).start()

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            while True:
                ready, _, _ = select.select([client, server], [], [], 0.05)
                if self._frozen.is_set():
                    time.sleep(0.01)
                    continue
                for one in ready:
                    data = one.recv(65536)
                    if not data:
                        raise OSError("closed")
                    (server if one is client else client).sendall(data)
        self._drop(client, server)

    def _drop(self, *sockets: socket.socket) -> None:
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def cut(self) -> None:
        """Ends every connection; new ones are possible."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            self._drop(*pair)

    def refuse(self) -> None:
        """As if the server were gone."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.cut()

    def freeze(self) -> None:
        self._frozen.set()

    def heal(self) -> None:
        """Ends what refuse and freeze began."""
        self._frozen.clear()
        self.listen()


class Cluster:
    """One alias with a primary and a replica, whatever the server is."""

    name = ""

    def config(self, **extra: Any) -> dict[str, Any]:
        connections = [{"ROLE": "master", **self.primary_parts()}, {"ROLE": "slave", **self.replica_parts()}]
        return {"default": {"connections": connections, **extra}}

    def primary_parts(self) -> dict[str, Any]:
        raise NotImplementedError

    def replica_parts(self) -> dict[str, Any]:
        raise NotImplementedError

    def catch_up(self) -> None:
        """Returns when the replica has everything."""
        raise NotImplementedError

    def empty(self, connector: Connector) -> None:
        """Makes the tables of all models, or empties them; far quicker than dropping them each time."""
        if self._made != (made := len(METADATA.tables)):
            connector.create_db()
            type(self).tables_made = {**self.tables_made, self._made_key: made}
        with connector.get_conn().engine.begin() as connection:
            for table in reversed(METADATA.sorted_tables):
                connection.execute(table.delete())
            self.restart(connection)

    def restart(self, connection: Any) -> None:
        """Lets the tables count from 1 again, also after rows that an earlier test deleted or rolled back."""

    @property
    def _made_key(self) -> str:
        return str(self.primary_parts())

    @property
    def _made(self) -> int | None:
        return self.tables_made.get(self._made_key)

    tables_made: dict[str, int] = {}


class SqliteCluster(Cluster):
    """Two files; "replication" is a copy. The replica is opened read-only."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.primary, self.replica = folder / "primary.db", folder / "replica.db"
        for path in (self.primary, self.replica):
            sqlite3.connect(path).close()

    def primary_parts(self) -> dict[str, Any]:
        return {"DRIVER": "sqlite", "DATABASE": str(self.primary)}

    def replica_parts(self) -> dict[str, Any]:
        return {"URL": f"sqlite:///file:{self.replica}?mode=ro&uri=true"}

    def catch_up(self) -> None:
        with contextlib.closing(sqlite3.connect(self.primary)) as source:
            with contextlib.closing(sqlite3.connect(self.replica)) as target:
                source.backup(target)


class ServerCluster(Cluster):
    """A private pair of servers, each behind a proxy."""

    def __init__(self, name: str, driver: str, places: dict[str, Any]) -> None:
        self.name, self.driver, self.places = name, driver, places
        self.primary = Proxy(places["primary"]["host"], places["primary"]["port"])
        self.replica = Proxy(places["replica"]["host"], places["replica"]["port"])

    def _parts(self, role: str) -> dict[str, Any]:
        place, proxy = self.places[role], getattr(self, role)
        keys = {"UID": place["user"], "PASSWD": place["password"], "DATABASE": place["database"]}
        return {"DRIVER": self.driver, "HOST": "127.0.0.1", "PORT": proxy.port, **keys}

    def primary_parts(self) -> dict[str, Any]:
        return self._parts("primary")

    def replica_parts(self) -> dict[str, Any]:
        return self._parts("replica")

    def ask(self, role: str, *statements: str) -> Any:
        """Executes as the administrator, past the proxy; answers the first value of the last statement."""
        place, admin = self.places[role], self.places["admin"]
        url = URL.create(self.driver, admin["user"], admin["password"], place["host"], place["port"], place["database"])
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                for statement in statements:
                    result = connection.execute(text(statement))
                return result.scalar() if result.returns_rows else None
        finally:
            engine.dispose()

    def catch_up(self) -> None:
        if self.name == "postgres":
            # The commit of the mark moves the log beyond everything before it, also where that ended with a page.
            mark = "SELECT pg_logical_emit_message(true, 'tests', 'caught up')"
            lsn = self.ask("primary", mark, "SELECT pg_current_wal_flush_lsn()::text")
            until(lambda: self.ask("replica", f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'::pg_lsn"))
        else:
            gtid = self.ask("primary", "SELECT @@gtid_binlog_pos")
            assert self.ask("replica", f"SELECT MASTER_GTID_WAIT('{gtid}', 15)") == 0

    def restart(self, connection: Any) -> None:
        for name in connection.execute(text(COUNTED[self.name])).scalars().all():
            table = name.removesuffix("_id_seq")
            if table in METADATA.tables:
                connection.execute(text(RESTART[self.name].format(table=table)))

    def refuse_all(self) -> None:
        self.primary.refuse()
        self.replica.refuse()

    @property
    def _made_key(self) -> str:
        return str(self.places["primary"])

    def direct(self) -> dict[str, Any]:
        """The configuration past the proxies."""
        config = self.config()
        for entry, role in zip(config["default"]["connections"], ("primary", "replica"), strict=True):
            entry["PORT"] = self.places[role]["port"]
        return config

    def pause(self) -> None:
        """The replica goes on answering and stops replaying."""
        if self.name == "postgres":
            self.ask("replica", "SELECT pg_wal_replay_pause()")
            until(lambda: self.ask("replica", "SELECT pg_get_wal_replay_pause_state()") == "paused")
        else:
            self.ask("replica", "STOP SLAVE SQL_THREAD")

    def resume(self) -> None:
        statement = "SELECT pg_wal_replay_resume()" if self.name == "postgres" else "START SLAVE SQL_THREAD"
        self.ask("replica", statement)

    def kill_connections(self, role: str) -> None:
        """As an administrator or a fail-over does: every pooled connection dies on the server."""
        user = self.places[role]["user"]
        if self.name == "postgres":
            query = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '{user}'"
            self.ask(role, query)
        else:
            self.ask(role, f"KILL CONNECTION USER '{user}'")

    @contextlib.contextmanager
    def frozen(self, role: str) -> Iterator[None]:
        """The real server process is stopped (SIGSTOP), its connections stay open."""
        pid = self.places[role]["pid"]
        os.killpg(pid, signal.SIGSTOP)
        for child in _children(pid):
            os.kill(child, signal.SIGSTOP)
        try:
            yield
        finally:
            for one in (*_children(pid), pid):
                os.kill(one, signal.SIGCONT)
            os.killpg(pid, signal.SIGCONT)


def _children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def kill(pid: int) -> None:
    """kill -9, with the processes that serve its connections."""
    for one in (pid, *_children(pid)):
        os.kill(one, signal.SIGKILL)


def until(condition: Callable[[], Any], seconds: float = 60.0) -> None:
    """Waits for a condition of another process."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.02)


def _launcher() -> Path | None:
    for folder in Path(__file__).resolve().parents:
        if (folder / "tools/services/__main__.py").is_file():
            return folder / "tools/services"
    return None


@contextlib.contextmanager
def servers(name: str) -> Iterator[dict[str, Any]]:
    """Private servers for as long as the block runs; skips where they cannot be had."""
    launcher = _launcher()
    if launcher is None:
        pytest.skip(f"no tools/services above {Path(__file__).parent}, so no {name}")
    command = [sys.executable, str(launcher), name]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    try:
        line = process.stdout.readline()
        if not line:
            message = f"{name}: {process.stderr.read().strip()}"
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)
        yield json.loads(line)[name]
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()
        process.stderr.close()


@pytest.fixture(scope="session")
def mariadb_servers() -> Iterator[dict[str, Any]]:
    with servers("mariadb-replica") as places:
        yield places


@pytest.fixture(scope="session")
def postgres_servers() -> Iterator[dict[str, Any]]:
    with servers("postgres-replica") as places:
        yield places


@pytest.fixture
def sqlite_cluster(tmp_path: Path) -> SqliteCluster:
    return SqliteCluster(tmp_path)


@pytest.fixture
def mariadb_cluster(mariadb_servers: dict[str, Any]) -> Iterator[ServerCluster]:
    cluster = ServerCluster("mariadb", "mysql+pymysql", mariadb_servers)
    yield cluster
    cluster.refuse_all()


@pytest.fixture
def postgres_cluster(postgres_servers: dict[str, Any]) -> Iterator[ServerCluster]:
    cluster = ServerCluster("postgres", "postgresql+psycopg", postgres_servers)
    yield cluster
    cluster.refuse_all()


@pytest.fixture(params=_parameters())
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """Every kind of database in turn."""
    return request.getfixturevalue(f"{request.param}_cluster")


@pytest.fixture(params=[one for one in _parameters() if one.values[0] != "sqlite"])
def server_cluster(request: pytest.FixtureRequest) -> ServerCluster:
    """The real servers in turn."""
    return request.getfixturevalue(f"{request.param}_cluster")


@pytest.fixture
def connector(cluster: Cluster) -> Iterator[Connector]:
    """A connector to the cluster with empty tables of all models, replicated."""
    found = Connector(cluster.config(), limits=LIMITS)
    with prepared(found, cluster):
        yield found


@contextlib.contextmanager
def prepared(connector: Connector, cluster: Cluster) -> Iterator[Connector]:
    cluster.empty(connector)
    cluster.catch_up()
    try:
        yield connector
    finally:
        connector.remove()
        connector.close()


class StatementLog:
    """What each server executed, in order, without the bookkeeping."""

    def __init__(self, connector: Connector, alias: str = "default") -> None:
        self.entries: list[tuple[str, str]] = []
        self._removals: list[Callable[[], None]] = []
        database = connector.get_conn(alias)
        self._watch("primary", database.primary.engine)
        for server in database.replicas.servers:
            self._watch("replica", server.engine)

    def watch_async(self, connector: Connector, alias: str = "default") -> None:
        database = connector.get_conn(alias)
        self._watch("primary", database.primary.async_engine.sync_engine)
        for server in database.replicas.servers:
            self._watch("replica", server.async_engine.sync_engine)

    def _watch(self, role: str, engine: Any) -> None:
        def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
            if not any(word in statement for word in ("gtid", "GTID", "pg_", "@@")):
                self.entries.append((role, " ".join(statement.split())))

        event.listen(engine, "before_cursor_execute", note)
        self._removals.append(lambda: event.remove(engine, "before_cursor_execute", note))

    def close(self) -> None:
        for remove in self._removals:
            remove()

    def of(self, role: str) -> list[str]:
        return [statement for where, statement in self.entries if where == role]

    @property
    def roles(self) -> list[str]:
        return [role for role, _ in self.entries]


@pytest.fixture
def log(connector: Connector) -> Iterator[StatementLog]:
    found = StatementLog(connector)
    yield found
    found.close()


@pytest.fixture
def tools() -> SimpleNamespace:
    """The helpers of this file, for tests that build their own."""
    return SimpleNamespace(
        LIMITS=LIMITS, Proxy=Proxy, SqliteCluster=SqliteCluster, StatementLog=StatementLog,
        prepared=prepared, servers=servers, until=until, ServerCluster=ServerCluster, kill=kill,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _clean_process() -> Iterator[None]:
    """No test inherits the connector of another, or the scope that models make where no request has one."""
    yield
    if (scope := enclosing_scope()) is not None:
        scope.close()
        _SCOPE.set(None)
    configure(None)
    for left in list(_OPEN):
        left.close()
