"""What observers are told of caches, queries, templates and stores; and that nothing else about those changes."""

from __future__ import annotations

import asyncio
import contextvars

import pytest
from sqlalchemy import text
from tornado.template import DictLoader, Loader, Template

from torngas.observe.caches import observed
from torngas.observe.queries import servers_of, watch_queries, without_values
from torngas.observe.stores import ObservedStore
from torngas.observe.templates import ObservedLoader
from torngas.observe.watch import Watch, unobserved
from torngas_cache import CacheHandler
from torngas_cache.backends.base import BaseCache
from torngas_cache.backends.localcache import LocMemCache
from torngas_dbalchemy import Connector
from torngas_session import MemoryStore


class Observer:
    """Remembers what it was told."""

    def __init__(self, *kinds):
        self.kinds = frozenset(kinds or ("cache", "query", "template", "session"))
        self.begun, self.done = [], []

    def began(self, work):
        self.begun.append(work)

    def ended(self, work):
        self.done.append(work)

    def seen(self):
        assert [id(one) for one in self.begun] == [id(one) for one in self.done]
        return [(one.operation, one.hits, one.misses) for one in self.done]


@pytest.fixture
def observer():
    return Observer()


@pytest.fixture
def watch(observer):
    made = Watch()
    made.add(observer)
    return made


class Slow(BaseCache):
    """A backend of somebody's own: it blocks, and its coroutines run in threads."""

    def __init__(self, location, params):
        super().__init__(params)
        self.entries = {}

    def get(self, key, default=None, version=None):
        return self.entries.get(key, default)

    def set(self, key, value, timeout=300, version=None, *, tags=()):
        self.entries[key] = value

    def delete(self, key, version=None):
        return self.entries.pop(key, None) is not None


def caches_of(watch, **config):
    return CacheHandler(observed(config, watch))


async def test_each_call_is_told_once(watch, observer):
    """Though backends are free to make one method of another, in threads too."""
    cache = caches_of(watch, default={"BACKEND": Slow})["default"]
    cache.set("a", 1)
    await cache.aset("b", 2)
    assert await cache.aget("a") == 1
    assert cache.has_key("a")
    assert await cache.aget_many(["a", "c"]) == {"a": 1}
    cache.incr("a")
    await cache.adelete("a")
    assert [operation for operation, *_ in observer.seen()] == [
        "set", "set", "get", "has_key", "get_many", "incr", "delete"
    ]  # fmt: skip
    assert {one.target for one in observer.done} == {"default"}


def test_an_observed_cache_is_a_cache_of_its_kind(watch):
    plain = CacheHandler({"default": {"BACKEND": "locmem", "LOCATION": "same"}})["default"]
    cache = caches_of(watch, default={"BACKEND": "locmem", "LOCATION": "same"})["default"]
    assert isinstance(cache, LocMemCache)
    assert type(cache).__name__ == "LocMemCache"
    assert (cache.blocking, cache.shared, cache.knows_outages) == (plain.blocking, plain.shared, plain.knows_outages)
    cache.set("a", 1)
    assert plain.get("a") == 1
    assert "a" in cache
    plain.clear()


def test_an_error_is_told_and_raised(watch, observer):
    cache = caches_of(watch, default={"BACKEND": "locmem", "LOCATION": "errors"})["default"]
    with pytest.raises(ValueError, match="not found"):
        cache.incr("missing")
    assert isinstance(observer.done[0].error, ValueError)


def test_a_backend_that_does_not_import_stays_the_handlers_matter(watch):
    config = observed({"default": {"BACKEND": "no.such.Cache"}}, watch)
    assert config["default"]["BACKEND"] == "no.such.Cache"


async def test_what_is_computed_for_a_cache_is_told_too(watch, observer):
    """Only what a cache does for itself is no call of the application."""
    caches = caches_of(watch, one={"BACKEND": "locmem", "LOCATION": "1"}, other={"BACKEND": "dummy"})
    caches["one"].clear()
    observer.done.clear(), observer.begun.clear()
    caches["one"].get_or_set("a", lambda: caches["other"].get("b"))
    assert [(one.target, one.operation) for one in observer.done] == [("one", "get"), ("other", "get")]


def test_nothing_is_told_of_what_is_unobserved(watch, observer):
    cache = caches_of(watch, default={"BACKEND": "dummy"})["default"]
    with unobserved():
        cache.get("a")
        contextvars.copy_context().run(cache.get, "a")
    assert observer.seen() == []
    cache.get("a")
    assert observer.seen() == [("get", 0, 1)]


def test_an_observer_is_told_of_its_kinds_only():
    watch, few, all_of_them = Watch(), Observer("query"), Observer()
    watch.add(few)
    assert not watch.wants("cache")
    watch.add(all_of_them)
    watch.end(watch.begin("cache", "get", "default"))
    watch.end(watch.begin("query", "SELECT", "default:primary"))
    assert [one.kind for one in few.done] == ["query"]
    assert [one.kind for one in all_of_them.done] == ["cache", "query"]


@pytest.fixture
def connector(tmp_path):
    made = Connector({"default": {"connections": [{"ROLE": "master", "URL": f"sqlite:///{tmp_path / 'a.db'}"}]}})
    yield made
    made.close()


def test_statements_are_told_by_server_without_values(watch, observer, connector):
    """Engines that were made before are watched too; literals are taken out, parameters are never in."""
    early = connector.get_conn().primary.engine
    watch_queries(connector, watch)
    with early.connect() as connection:
        connection.execute(text("SELECT :secret"), {"secret": "hunter2"})
        connection.execute(text("select 'hunter2'"))
    assert [(one.operation, one.target, one.system, one.text) for one in observer.done] == [
        ("SELECT", "default:primary", "sqlite", "SELECT ?"),
        ("SELECT", "default:primary", "sqlite", "select ?"),
    ]
    assert all(one.seconds > 0 for one in observer.done)


def test_a_statement_that_fails_has_ended(watch, observer, connector):
    watch_queries(connector, watch)
    with connector.get_conn().engine.connect() as connection, pytest.raises(Exception, match="nowhere"):
        connection.exec_driver_sql("SELECT * FROM nowhere")
    assert len(observer.seen()) == 1
    assert observer.done[0].error is not None
    assert [(alias, name) for alias, name, _ in servers_of(connector)] == [("default", "primary")]


@pytest.mark.parametrize(
    ("statement", "dialect", "shown"),
    [
        ("SELECT * FROM t WHERE a = 'x''y' AND b=-1.5e3", "", "SELECT * FROM t WHERE a = ? AND b=?"),
        ("SELECT t1.a2 FROM t1 LIMIT 10 OFFSET 20", "", "SELECT t1.a2 FROM t1 LIMIT ? OFFSET ?"),
        ("SELECT a FROM t WHERE b = %(b_1)s AND c = $1", "postgresql", "SELECT a FROM t WHERE b = %(b_1)s AND c = $1"),
        ("SELECT a FROM t WHERE b = :b_1 AND c = ?", "sqlite", "SELECT a FROM t WHERE b = :b_1 AND c = ?"),
        ("SELECT $body$it's$body$, E'a\\'b'", "postgresql", "SELECT ?, ?"),
        ('SELECT "name" FROM t', "postgresql", 'SELECT "name" FROM t'),
        ('SELECT a FROM t WHERE b = "secret"', "mysql", "SELECT a FROM t WHERE b = ?"),
        ("SELECT\n  a,\n  b\nFROM t", "", "SELECT a, b FROM t"),
    ],
)
def test_statements_are_shown_without_values(statement, dialect, shown):
    assert without_values(statement, dialect) == shown


def test_an_endless_statement_is_cut():
    assert len(without_values("SELECT " + "a, " * 10_000)) == 4097


def test_an_observed_loader_is_a_loader_of_its_kind(watch, observer):
    loader = ObservedLoader(DictLoader({"a.html": "{% extends 'b.html' %}", "b.html": "hello {{ name }}"}), watch)
    template = loader.load("a.html")
    assert isinstance(loader, Loader.__mro__[1])
    assert isinstance(template, Template)
    assert template.generate(name="ada") == b"hello ada"
    with pytest.raises(NameError):
        template.generate()
    assert [one.target for one in observer.done] == ["a.html", "a.html"]
    assert isinstance(observer.done[1].error, NameError)
    loader.reset()


async def test_an_observed_store_tells_of_writes(watch, observer):
    """A compare-and-set that lost is an attempt, no write."""
    store = ObservedStore(MemoryStore(), "default", watch)
    assert store.blocking is False
    store.set("a", "1", 60)
    assert store.get("a") == "1"
    _, token = store.gets("a")
    assert store.cas("a", "2", token, 60) is True
    assert store.cas("a", "3", token, 60) is False
    store.delete("a")
    assert observer.seen() == [("save", 1, 0), ("save", 1, 0), ("save", 0, 1), ("delete", 1, 0)]


async def test_a_store_that_fails_is_told_and_raised(watch, observer):
    class Broken:
        blocking = True

        async def aset(self, key, value, timeout):
            await asyncio.sleep(0)
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await ObservedStore(Broken(), "default", watch).aset("a", "1", 1)
    assert isinstance(observer.done[0].error, ConnectionError)
    assert observer.done[0].hits == 0
