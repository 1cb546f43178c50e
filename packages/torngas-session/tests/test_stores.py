"""One contract, run against every store that comes along, by plain calls and awaited."""

import asyncio
import os
import re
import sqlite3
import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from torngas_session import (
    AsyncSessionStore,
    CompareAndSetStore,
    ConfigurationError,
    FileStore,
    MemoryStore,
    SessionStore,
    SQLStore,
)

MAKERS = {
    "memory": lambda folder, clock: MemoryStore(clock=clock),
    "file": lambda folder, clock: FileStore(folder / "deep" / "sessions", clock=clock),
    "sql": lambda folder, clock: SQLStore(lambda: sqlite3.connect(folder / "s.db", timeout=30), clock=clock),
}


class Api:
    """`await api.get("k")` calls `get` or awaits `aget`."""

    def __init__(self, store, awaited):
        self.store, self.awaited = store, awaited

    def __getattr__(self, name):
        async def call(*args):
            if self.awaited:
                return await getattr(self.store, f"a{name}")(*args)
            return getattr(self.store, name)(*args)

        return call


@pytest.fixture(params=list(MAKERS))
def shipped(request, tmp_path, clock):
    return MAKERS[request.param](tmp_path, clock)


@pytest.fixture(params=["plain", "awaited"])
def api(request, shipped):
    return Api(shipped, request.param == "awaited")


def test_it_fits_the_protocols(shipped):
    assert isinstance(shipped, SessionStore)
    assert isinstance(shipped, AsyncSessionStore)
    assert isinstance(shipped, CompareAndSetStore)


@pytest.mark.parametrize("value", ["text ü\x00\ud800", b"\x00\xff", "", b"", {"a": [1, None]}, 7, True])
async def test_a_value_comes_back_as_it_was(api, value):
    await api.set("k", value, 10)
    found = await api.get("k")
    assert (found, type(found)) == (value, type(value))


async def test_a_stored_value_is_a_copy(api):
    value = {"a": []}
    await api.set("k", value, 10)
    value["a"].append(1)
    (await api.get("k"))["a"].append(2)
    assert await api.get("k") == {"a": []}


async def test_missing_and_deleted_keys_give_the_default(api):
    assert await api.get("k", "d") == "d"
    await api.set("k", "v", None)
    await api.delete("k")
    await api.delete("k")
    assert await api.get("k") is None
    assert await api.gets("k") == (None, None)


async def test_timeouts(api, clock):
    """Seconds; None for ever, 0 and less at once."""
    await api.set("never", "v", None)
    await api.set("soon", "v", 0.5)
    clock.now += 0.499
    assert await api.get("soon") == "v"
    clock.now += 0.001
    assert await api.get("soon") is None
    clock.now += 10**9
    assert await api.get("never") == "v"
    for timeout in (0, -1):
        await api.set("never", "w", timeout)
        assert await api.get("never") is None
        await api.set("never", "v", None)


async def test_compare_and_set(api, clock):
    assert await api.cas("k", "1", None, 10) is True
    assert await api.cas("k", "2", None, 10) is False, "it is there already"
    value, token = await api.gets("k")
    assert value == "1"
    assert token is not None
    assert await api.cas("k", "2", token, 10) is True
    assert await api.cas("k", "3", token, 10) is False, "it changed since"
    assert await api.get("k") == "2"


async def test_compare_and_set_fails_after_the_same_value_was_written_again(api):
    await api.set("k", "1", 10)
    _, token = await api.gets("k")
    await api.set("k", "1", 10)
    assert await api.cas("k", "2", token, 10) is False


async def test_compare_and_set_never_makes_a_vanished_entry_again(api, clock):
    for vanish in (lambda: api.delete("k"), lambda: asyncio.sleep(0, setattr(clock, "now", clock.now + 11))):
        await api.set("k", "1", 10)
        _, token = await api.gets("k")
        await vanish()
        assert await api.cas("k", "2", token, 10) is False
        assert await api.get("k") is None
        assert await api.cas("k", "2", None, 10) is True
        await api.delete("k")


async def test_compare_and_set_with_timeout_zero_removes(api):
    await api.set("k", "1", 10)
    _, token = await api.gets("k")
    assert await api.cas("k", "2", token, 0) is True
    assert await api.get("k") is None


async def test_any_key_works(api):
    keys = ["k" * 250, "with blank", "../up", "ü\n", "%s", "{key}", "'; DROP TABLE x"]
    for number, key in enumerate(keys):
        await api.set(key, number, 10)
    assert [await api.get(key) for key in keys] == list(range(len(keys)))


def test_threads_lose_no_update(shipped):
    """Eight threads count together by compare-and-set: every count is there at the end."""
    shipped.set("k", 0, None)

    def count(times):
        for _ in range(times):
            while True:
                value, token = shipped.gets("k")
                if shipped.cas("k", value + 1, token, None):
                    break

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, [5] * 8))
    assert shipped.get("k") == 40


def test_memory_is_never_seen_without_an_entry_that_is_written_again():
    """Readers of other threads take no lock; the gap between removal and insertion would be a lost session."""
    store, missed, done = MemoryStore(), [], threading.Event()
    store.set("k", "0", None)

    def read():
        while not done.is_set():
            if store.get("k") is None:
                missed.append(True)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(5_000):
            store.set("k", str(number), 100)
            _, token = store.gets("k")
            store.cas("k", "again", token, 100)
    finally:
        done.set()
        reader.join()
        sys.setswitchinterval(interval)
    assert missed == []


def test_memory_drops_what_was_written_longest_ago(clock):
    """Writing again, by either call, makes an entry the youngest."""
    store = MemoryStore(max_entries=3, clock=clock)
    for key in ("a", "b", "c"):
        store.set(key, key, None)
    store.set("a", "a", None)
    assert store.cas("b", "b", store.gets("b")[1], None)
    store.set("d", "d", None)
    assert [store.get(key) for key in "abcd"] == ["a", "b", None, "d"]
    store.set("a", "full, but here already", None)
    assert len(store) == 3


def test_memory_is_bounded(clock):
    """Beyond the limit what was written longest ago goes, and what expired."""
    store = MemoryStore(max_entries=10, clock=clock)
    for number in range(100):
        store.set(str(number), number, None)
    assert len(store) == 10
    assert [store.get(str(number)) for number in range(90, 100)] == list(range(90, 100))
    with pytest.raises(ConfigurationError):
        MemoryStore(max_entries=0)


def test_files_belong_to_their_owner_and_leave_nothing_aside(tmp_path):
    folder = tmp_path / "new"
    store = FileStore(folder)
    for number in range(5):
        store.set("key", number, None)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    [file] = folder.glob("*.session")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "key" not in file.name
    assert list(folder.glob("*.tmp")) == []


@pytest.mark.parametrize("damage", [b"", b"tgs1", b"x" * 50, b"tgs1" + b"\x7f" * 60])
def test_a_damaged_file_is_a_miss(tmp_path, damage):
    store = FileStore(tmp_path)
    store.set("k", "v", None)
    [file] = tmp_path.glob("*.session")
    file.write_bytes(damage)
    assert store.gets("k") == (None, None)
    assert store.cas("k", "w", None, None)
    assert store.get("k") == "w"


@pytest.mark.parametrize("kind", ["file", "sql"])
def test_purge_removes_what_expired(kind, tmp_path, clock):
    store = MAKERS[kind](tmp_path, clock)
    store.set("short", 1, 10)
    store.set("long", 1, 100)
    store.set("ever", 1, None)
    clock.now += 50
    assert store.purge() == 1
    assert store.purge() == 0
    assert (store.get("long"), store.get("ever")) == (1, 1)


def test_processes_share_files(tmp_path):
    """A forked child counts beside the parent: flock holds between processes."""
    store = FileStore(tmp_path)
    store.set("k", 0, None)

    def count():
        for _ in range(50):
            while True:
                value, token = store.gets("k")
                if store.cas("k", value + 1, token, None):
                    break

    child = os.fork()
    if child == 0:
        count()
        os._exit(0)
    count()
    os.waitpid(child, 0)
    assert store.get("k") == 100


def test_sql_takes_an_engine(tmp_path, clock):
    sqlalchemy = pytest.importorskip("sqlalchemy")
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'e.db'}")
    store = SQLStore(engine, clock=clock)
    assert store.cas("k", "v", None, 10)
    value, token = store.gets("k")
    assert value == "v"
    assert store.cas("k", "w", token, 10)
    assert not store.cas("k", "x", None, 10)
    assert store.get("k") == "w"
    engine.dispose()


class Numeric(sqlite3.Cursor):
    """A cursor of paramstyle `numeric`; sqlite3 itself takes `:1` for a name."""

    def execute(self, sql, parameters=()):
        return super().execute(re.sub(r":(\d+)", r"?\1", sql), parameters)


class NumericConnection(sqlite3.Connection):
    def cursor(self):
        return super().cursor(Numeric)


@pytest.mark.parametrize("style", ["qmark", "named", "numeric"])
def test_sql_speaks_the_drivers_parameter_style(tmp_path, style):
    kind = NumericConnection if style == "numeric" else sqlite3.Connection
    store = SQLStore(lambda: sqlite3.connect(tmp_path / "s.db", factory=kind), paramstyle=style)
    store.set("k", "v", 10)
    _, token = store.gets("k")
    assert store.cas("k", "w", token, 10)
    assert store.get("k") == "w"


@pytest.mark.parametrize(
    "arguments",
    [{"connect": None}, {"connect": int, "table": "a; DROP"}, {"connect": int, "paramstyle": "other"}],
)
def test_sql_refuses_what_cannot_work(arguments):
    with pytest.raises(ConfigurationError, match="expected"):
        SQLStore(**arguments)
