"""Named caches: configuration, faces, errors."""

import asyncio
import threading
from pathlib import Path

import pytest

from torngas_cache import (
    BaseCache,
    CacheConfigError,
    CacheError,
    CacheHandler,
    CacheUnavailable,
    InvalidCacheBackendError,
    cache,
    caches,
    close_caches,
    create_cache,
)
from torngas_cache._params import split_locations
from torngas_cache.backends.dummy import DummyCache
from torngas_cache.backends.filebased import FileBasedCache
from torngas_cache.backends.localcache import LocMemCache


@pytest.fixture
def handler(tmp_path):
    return CacheHandler(
        {
            "default": {"BACKEND": "locmem", "LOCATION": "handler-default"},
            "files": {
                "BACKEND": "torngas_cache.backends.filebased.FileBasedCache",
                "LOCATION": tmp_path,
                "TIMEOUT": 60,
            },
            "dummy": {"BACKEND": DummyCache},
        }
    )


def test_one_object_per_alias_in_all_threads(handler):
    found = []
    threads = [threading.Thread(target=lambda: found.append(handler["default"])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len({id(item) for item in found}) == 1
    assert isinstance(handler["default"], LocMemCache)
    assert isinstance(handler["files"], FileBasedCache)
    assert handler["files"].default_timeout == 60
    assert isinstance(handler["dummy"], DummyCache)


def test_all_makes_what_is_missing_or_only_lists_what_was_used(handler):
    assert handler.all(initialized_only=True) == []
    used = handler["files"]
    assert handler.all(initialized_only=True) == [used]
    assert len(handler.all()) == 3
    assert list(handler) == ["default", "files", "dummy"]
    assert "files" in handler
    assert "nowhere" not in handler


async def test_closing_touches_only_what_was_used(handler):
    class Closable(DummyCache):
        closed = 0

        def close(self):
            type(self).closed += 1

    handler["closable"] = Closable()
    handler.close_all()
    handler.close()
    await handler.aclose_all()
    assert Closable.closed == 3
    assert handler.all(initialized_only=True) == [handler["closable"]]


def test_an_unknown_alias_is_an_error_that_names_the_known_ones(handler):
    with pytest.raises(InvalidCacheBackendError, match=r"The connection 'x' doesn't exist\..*default.*files"):
        handler["x"]


@pytest.mark.parametrize("path", ["no.such.module.Cache", "torngas_cache.nothing", "torngas_cache.errors.Nothing", "x"])
def test_a_backend_that_cannot_be_loaded_is_an_error_that_names_it(path):
    with pytest.raises(InvalidCacheBackendError, match=path.replace(".", r"\.")) as caught:
        CacheHandler({"default": {"BACKEND": path}})["default"]
    assert path.rpartition(".")[0] in str(caught.value)


WRONG = {
    "timeout": {"TIMEOUT": "soon"},
    "timeout of nan": {"TIMEOUT": float("nan")},
    "timeout of true": {"TIMEOUT": True},
    "max entries": {"OPTIONS": {"MAX_ENTRIES": "many"}},
    "max entries of none": {"OPTIONS": {"MAX_ENTRIES": 0}},
    "cull frequency": {"OPTIONS": {"CULL_FREQUENCY": -1}},
    "key function": {"KEY_FUNCTION": "no.such.function"},
    "key function that is none": {"KEY_FUNCTION": 5},
    "serializer": {"OPTIONS": {"SERIALIZER": "yaml.dump.it"}},
    "serializer that is none": {"OPTIONS": {"SERIALIZER": object()}},
    "compression": {"OPTIONS": {"COMPRESSION": "rar"}},
    "unknown option": {"OPTIONS": {"MAX_ENTRYS": 5}},
    "lease": {"OPTIONS": {"LEASE": 0}},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_option_is_an_error_that_names_alias_and_option(wrong):
    with pytest.raises(CacheConfigError, match=r"CACHES\['default'\]") as caught:
        CacheHandler({"default": {"BACKEND": "locmem", **wrong}})["default"]
    assert isinstance(caught.value, CacheError)
    assert "expected" in str(caught.value)


def test_an_unknown_key_is_refused_with_the_nearest_known_one():
    with pytest.raises(InvalidCacheBackendError, match="'TIMEOUT'"):
        CacheHandler({"default": {"BACKEND": "locmem", "TIMEOT": 5}})
    with pytest.raises(InvalidCacheBackendError, match="BACKEND"):
        CacheHandler({"default": {}})
    with pytest.raises(InvalidCacheBackendError, match="dict"):
        CacheHandler({"default": "locmem"})


def test_options_are_understood_in_djangos_places():
    """Beside OPTIONS or in it, upper or lower case, numbers as strings."""
    for params in (
        {"OPTIONS": {"MAX_ENTRIES": "30", "CULL_FREQUENCY": 0}},
        {"MAX_ENTRIES": 30, "CULL_FREQUENCY": 0},
        {"max_entries": 30, "cull_frequency": 0},
    ):
        found = LocMemCache("places", params)
        assert (found._max_entries, found._cull_frequency) == (30, 0)
    assert create_cache("locmem", timeout="60").default_timeout == 60
    assert create_cache("locmem", TIMEOUT=None, KEY_PREFIX="p", version=3).make_key("k") == "p:3:k"


def _key(key, key_prefix, version):
    return f"own-{key}"


def test_a_key_function_may_be_a_dotted_path(monkeypatch):
    import torngas_cache._keys as module

    monkeypatch.setattr(module, "own", _key, raising=False)
    found = create_cache("locmem", key_function="torngas_cache._keys.own")
    assert found.make_key("k") == "own-k"


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("one", ["one"]),
        ("one;two", ["one", "two"]),
        ("one, two", ["one", "two"]),
        (["one", "two,three"], ["one", "two,three"]),
        (("one",), ["one"]),
        (Path("/a"), ["/a"]),
        ("", []),
    ],
)
def test_locations_are_split(location, expected):
    assert split_locations(location) == expected


def test_inputs_are_not_changed():
    config = {"default": {"BACKEND": "locmem", "OPTIONS": {"MAX_ENTRIES": 5, "SERIALIZER": "json"}}}
    CacheHandler(config)["default"]
    assert config == {"default": {"BACKEND": "locmem", "OPTIONS": {"MAX_ENTRIES": 5, "SERIALIZER": "json"}}}


# the faces


@pytest.fixture
def restored():
    former = caches.replace(None)
    yield
    caches.replace(former)


@pytest.mark.usefixtures("restored")
def test_without_a_configuration_there_is_local_memory():
    cache.set("key", 1)
    assert cache.get("key") == 1
    assert "key" in cache
    assert caches["default"].get("key") == 1
    cache.clear()


@pytest.mark.usefixtures("restored")
async def test_the_faces_follow_the_handler_in_use(handler):
    caches.replace(handler)
    assert caches["files"] is handler["files"]
    assert list(caches) == list(handler)
    assert "files" in caches
    cache.set("key", "handler's")
    assert handler["default"].get("key") == "handler's"
    cache.default_timeout = 77
    assert handler["default"].default_timeout == 77
    assert "get_or_set" in dir(cache)
    with caches.using(CacheHandler({"default": {"BACKEND": "dummy"}})):
        cache.set("key", 1)
        assert await cache.aget("key") is None
        assert await asyncio.to_thread(lambda: cache.get("key")) is None
    assert cache.get("key") == "handler's"
    assert caches.all(initialized_only=True) == handler.all(initialized_only=True)
    close_caches(sender=None)
    caches.close_all()
    await caches.aclose_all()


async def test_a_handler_can_be_made_that_of_the_context_without_a_block(handler):
    """Of this task and of what it starts, not of the others."""

    async def request():
        caches.activate(handler)
        return caches.handler, await asyncio.to_thread(lambda: caches.handler)

    assert await asyncio.create_task(request()) == (handler, handler)
    assert caches.handler is not handler


# backends of one's own


class Shelf(BaseCache):
    """The least that a backend is."""

    blocking = False

    def __init__(self, location="", params=None):
        super().__init__(params)
        self.entries = {}

    def get(self, key, default=None, version=None):
        return self.entries.get(self.make_and_validate_key(key, version), default)

    def set(self, key, value, timeout=None, version=None):
        self.entries[self.make_and_validate_key(key, version)] = value

    def add(self, key, value, timeout=None, version=None):
        return self.entries.setdefault(self.make_and_validate_key(key, version), value) is value

    def touch(self, key, timeout=None, version=None):
        return self.make_and_validate_key(key, version) in self.entries

    def delete(self, key, version=None):
        return self.entries.pop(self.make_and_validate_key(key, version), self) is not self

    def clear(self):
        self.entries.clear()


class Blocking(Shelf):
    blocking = True
    threads = frozenset()

    def get(self, key, default=None, version=None):
        type(self).threads |= {threading.get_ident()}
        return super().get(key, default, version)


@pytest.mark.parametrize("backend", [Shelf, Blocking])
async def test_six_methods_make_a_backend(backend):
    found = CacheHandler({"default": {"BACKEND": backend}})["default"]
    await found.aset("a", 1)
    assert await found.aget("a") == 1
    assert await found.aset_many({"b": 2, "c": 3}) == []
    assert await found.aget_many(["a", "b", "x"]) == {"a": 1, "b": 2}
    assert await found.aincr("a") == 2
    assert await found.adecr("a", 5) == -3
    assert await found.ahas_key("a") is True
    assert "a" in found
    assert await found.aincr_version("a") == 2
    assert await found.adecr_version("a", version=2) == 1
    assert await found.aadd("a", 9) is False
    assert await found.atouch("a", 5) is True
    assert await found.adelete("a") is True
    await found.adelete_many(["b"])
    assert await found.aget_or_set("n", lambda: "new") == "new"
    assert found.get_or_set("n", "newer") == "new"
    with pytest.raises(ValueError, match="missing"):
        await found.aincr("missing")
    with pytest.raises(NotImplementedError):
        found.get_or_set("missing", 1, tags=["t"])
    with pytest.raises(NotImplementedError):
        found.lock("key", 5)
    await found.aclear()
    assert found.entries == {}
    with found:
        pass
    await found.aclose()


async def test_a_blocking_backend_does_not_block_the_loop():
    Blocking.threads = frozenset()
    await Blocking().aget("key")
    assert len(Blocking.threads) == 1
    assert threading.get_ident() not in Blocking.threads


async def test_the_dummy_keeps_nothing_and_checks_keys():
    dummy = create_cache("dummy")
    assert dummy.add("key", 1) is True
    assert dummy.get("key", "default") == "default"
    assert dummy.set("key", 1) is None
    assert dummy.has_key("key") is False
    assert dummy.delete("key") is False
    assert dummy.touch("key") is False
    assert dummy.get_many(["key"]) == {}
    assert dummy.set_many({"key": 1}) == []
    assert dummy.get_or_set("key", lambda: 5) == 5
    assert await dummy.aget_or_set("key", None) is None
    assert dummy.ttl("key") == 0
    dummy.clear()
    with pytest.raises(ValueError, match="not found"):
        dummy.incr("key")
    with pytest.raises(ValueError, match="not found"):
        dummy.incr_version("key")
    with dummy.lock("key", 5):
        pass
    with pytest.warns(RuntimeWarning):
        dummy.get("bad key")


@pytest.mark.parametrize("beside", [True, False])
def test_the_outage_policy_counts_beside_the_backend_and_in_the_options(beside):
    """Nobody listens on the address: the policy "miss" answers, "raise" raises."""
    policy = {"ON_OUTAGE": "miss", "BREAKER_WINDOW": 60}
    config = {"BACKEND": "redis", "LOCATION": "127.0.0.1:1", **(policy if beside else {"OPTIONS": policy})}
    handler = CacheHandler({"default": config, "loud": {"BACKEND": "redis", "LOCATION": "127.0.0.1:1"}})
    assert handler["default"].get("key", "default") == "default"
    with pytest.raises(CacheUnavailable):
        handler["loud"].get("key")
    handler.close_all()


def test_the_outage_policy_of_an_alias_does_not_trouble_a_backend_without_a_server():
    assert CacheHandler({"default": {"BACKEND": "locmem", "ON_OUTAGE": "miss"}})["default"].get("key") is None
