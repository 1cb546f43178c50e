"""Keys: prefixes, versions, key functions, what is refused; the same in every backend."""

import string
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torngas_cache import CacheKeyWarning, InvalidCacheKey, create_cache
from torngas_cache._keys import belongs_to, default_key_func, internal_key, is_lock

parts = st.text(alphabet=":=~%1a", max_size=6)
versions = st.one_of(st.integers(-3, 12), parts)


@pytest.mark.promise(14)
@given(st.tuples(parts, versions, parts), st.tuples(parts, versions, parts))
def test_promise_14_no_two_names_share_a_storage_key(one, other):
    """Whatever separators prefix, version and key contain."""
    (prefix, version, key), (prefix2, version2, key2) = one, other
    same = (prefix, str(version), key) == (prefix2, str(version2), key2)
    assert (default_key_func(key, prefix, version) == default_key_func(key2, prefix2, version2)) is same


@pytest.mark.promise(14)
@given(parts, versions, parts, parts, versions, parts, st.sampled_from(["lock", "lease", "tag"]))
def test_promise_14_locks_and_tags_share_no_name_with_entries(prefix, version, key, prefix2, version2, key2, kind):
    name = internal_key(kind, key, prefix, version)
    assert name != default_key_func(key2, prefix2, version2)
    assert name != internal_key("other", key2, prefix2, version2)


@pytest.mark.promise(14)
@given(parts, versions, parts, parts)
def test_promise_14_a_storage_key_belongs_to_its_prefix_only(prefix, version, key, other):
    assert belongs_to(default_key_func(key, prefix, version), prefix)
    assert belongs_to(internal_key("lock", key, prefix, version), prefix)
    assert belongs_to(default_key_func(key, prefix, version), other) is (prefix == other)


@pytest.mark.promise(14)
@given(parts, versions, st.one_of(parts, st.sampled_from(["~lock", "x:~lock:1", "~lock:1:a", ":~lock#:"])))
def test_promise_14_no_entry_passes_for_a_lock(prefix, version, key):
    """Locks outlive culling; entries must not by looking like one."""
    assert is_lock(internal_key("lock", key, prefix, version))
    assert not is_lock(internal_key("lease", key, prefix, version))
    assert not is_lock(default_key_func(key, prefix, version))


@pytest.mark.parametrize("key", ["x" * 300, "ä" * 200, "with space", "new\nline", "nul\0", "\x7f"])
def test_internal_names_of_unportable_keys_are_portable(key):
    name = internal_key("lock", key, "app", 1)
    assert len(name.encode()) <= 250
    assert name.isprintable()
    assert " " not in name


def test_ordinary_prefixes_stay_as_they_are():
    assert default_key_func("key", "", 1) == ":1:key"
    assert default_key_func("key", "app", 2) == "app:2:key"
    assert default_key_func("a:b", "app:pages", 2) == "app:pages:2:a:b"


async def test_prefixes_versions_and_functions_separate(make):
    """One store, several names."""
    plain, prefixed, versioned = make(), make(KEY_PREFIX="p"), make(VERSION=2)
    custom = make(KEY_FUNCTION=lambda key, prefix, version: f"custom-{prefix}-{version}-{key}")
    for number, api in enumerate((plain, prefixed, versioned, custom)):
        await api.set("key", number)
    assert [await api.get("key") for api in (plain, prefixed, versioned, custom)] == [0, 1, 2, 3]
    assert await plain.get("key", version=2) == 2
    assert await versioned.get("key", version=1) == 0
    assert custom.cache.make_key("key") == "custom--1-key"
    assert prefixed.cache.make_key("key", version=9) == "p:9:key"


@pytest.mark.promise(14)
async def test_promise_14_tricks_with_separators_read_nobody_elses_entry(make):
    one, other = make(KEY_PREFIX="p"), make(KEY_PREFIX="p:1")
    await one.set("1:key", "one")
    assert await other.get("key") is None
    await other.set("key", "other")
    assert await one.get("1:key") == "one"


async def test_prefix_version_and_function_can_be_assigned(make):
    api = make()
    await api.set("key", "one")
    api.cache.version = 2
    assert await api.get("key") is None
    api.cache.version = 1
    api.cache.key_prefix = "other"
    assert await api.get("key") is None
    api.cache.key_func = lambda key, prefix, version: f":1:{key}"
    assert await api.get("key") == "one"


async def test_every_method_takes_a_version(api):
    await api.set("key", 1, version=2)
    assert await api.get("key") is None
    assert await api.get("key", version=2) == 1
    assert await api.has_key("key", version=2) is True
    assert await api.incr("key", version=2) == 2
    assert await api.decr("key", version=2) == 1
    assert await api.touch("key", 50, version=2) is True
    assert await api.ttl("key", version=2) > 40
    assert await api.add("key", 5, version=3) is True
    await api.set_many({"a": 1}, version=4)
    assert await api.get_many(["a"], version=4) == {"a": 1}
    assert await api.get_many(["a"]) == {}
    await api.delete_many(["a"], version=4)
    assert await api.get_many(["a"], version=4) == {}
    assert await api.delete("key") is False
    assert await api.delete("key", version=2) is True
    value, token = await api.gets("key", version=3)
    assert value == 5
    assert await api.cas("key", 6, token, version=3) is True


async def test_incr_version_moves_the_entry(api):
    await api.set("key", ["value"], 100)
    assert await api.incr_version("key") == 2
    assert await api.get("key") is None
    assert await api.get("key", version=2) == ["value"]
    assert 90 < await api.ttl("key", version=2) <= 100
    assert await api.incr_version("key", 3, version=2) == 5
    assert await api.decr_version("key", 4, version=5) == 1
    assert await api.get("key") == ["value"]
    await api.set("forever", 1, None)
    await api.incr_version("forever")
    assert await api.ttl("forever", version=2) is None


async def test_keys_that_are_no_strings_are_made_strings(api):
    await api.set(1, "one")
    assert await api.get("1") == "one"
    await api.set("2", "two")
    assert await api.get(2) == "two"
    await api.set(True, "true")
    assert await api.get("True") == "true"
    assert await api.get(1) == "one"


async def test_keys_in_any_script_work(api):
    for key in ("ключ", "日本", "\U0001f600", "%s%d", "a/b\\c", "..", "*?[x]", "quo\"te'"):
        await api.set(key, key)
        assert await api.get(key) == key
        assert await api.get_many([key]) == {key: key}


OPERATIONS = {
    "get": (),
    "set": ("value",),
    "add": ("value",),
    "touch": (),
    "delete": (),
    "has_key": (),
    "ttl": (),
    "gets": (),
    "cas": ("value", None),
    "get_or_set": ("value",),
    "lock": (10,),
}
BAD_KEYS = {
    "space": ("with space", "contains characters that will cause errors if used with memcached"),
    "control": ("with\ncontrol", "contains characters that will cause errors if used with memcached"),
    "delete": ("\x7f", "contains characters that will cause errors if used with memcached"),
    "long": ("x" * 251, r"\(longer than 250\)"),
    "long in bytes": ("ä" * 124, r"\(longer than 250\)"),
}


@pytest.mark.promise(14)
async def test_promise_14_unportable_keys_are_told_by_every_operation(api):
    """A warning where the backend copes, an error where it would break."""
    for key, message in BAD_KEYS.values():
        for name, args in OPERATIONS.items():
            await _complains(api, message, name, key, *args)
        for name, argument in {"get_many": [key], "set_many": {key: 1}, "delete_many": [key]}.items():
            await _complains(api, message, name, argument)


async def _complains(api, message, name, *args):
    async def call():
        if name == "lock":
            api.cache.lock(*args)
        else:
            await getattr(api, name)(*args)

    if api.cache.strict_keys:
        with pytest.raises(InvalidCacheKey, match=message):
            await call()
        return
    with pytest.warns(CacheKeyWarning, match=message):
        await call()


async def test_portable_keys_are_silent(api):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for key in ("x" * 246, string.ascii_letters, string.punctuation):
            await api.set(key, 1)
            assert await api.get(key) == 1


def test_the_warning_points_to_the_caller():
    with pytest.warns(CacheKeyWarning) as caught:
        create_cache("locmem").get("bad key")
    assert caught[0].filename == __file__


def test_the_warning_of_a_good_key_is_not_forgotten_nor_that_of_a_bad_one(backend):
    cache = backend.make()
    if cache.strict_keys:
        return
    for _ in range(2):
        with pytest.warns(CacheKeyWarning):
            cache.get("bad key")
