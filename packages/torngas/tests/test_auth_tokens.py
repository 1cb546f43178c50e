"""Opaque tokens: issued, found, listed, revoked; in memory, in a redis, in anybody's store."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from torngas.auth import AuthConfigError, Tokens
from torngas_cache import CacheHandler, caches, create_cache

pytestmark = pytest.mark.xdist_group("torngas_redis")


class Dictionary:
    """Three plain methods that block, as far as anybody knows."""

    def __init__(self):
        self.entries = {}

    def get(self, key, default=None):
        return self.entries.get(key, default)

    def set(self, key, value, timeout):
        self.entries[key] = value

    def delete(self, key):
        self.entries.pop(key, None)


@pytest.fixture(params=["memory", "redis", "plain"])
async def store(request):
    if request.param == "plain":
        yield Dictionary()
        return
    if request.param == "memory":
        made = create_cache("locmem", request.node.name)
    else:
        server = request.getfixturevalue("redis_server")
        made = create_cache("redis", f"{server['host']}:{server['port']}", key_prefix=request.node.name)
    yield made
    await made.aclose()


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


async def test_a_token_is_found_with_its_user_scopes_and_label(store):
    tokens = Tokens(store, clock=Clock())
    issued = await tokens.issue(7, ["read", "write"], lifetime=60, label="laptop")
    found = await tokens.find(issued.token)
    assert found == issued.record
    assert (found.user, found.scopes, found.label) == (7, ("read", "write"), "laptop")
    assert (found.created, found.expires) == (1_000_000.0, 1_000_060.0)


async def test_no_other_text_is_a_token(store):
    tokens = Tokens(store)
    issued = await tokens.issue("ada")
    flipped = ("B" if issued.token[0] == "A" else "A") + issued.token[1:]
    for wrong in ("", flipped, issued.token[:-1], issued.record.id, issued.token + " ", "ü" * 30, "a" * 10_000):
        assert await tokens.find(wrong) is None


async def test_tokens_have_256_random_bits_and_no_two_are_equal():
    tokens = Tokens(Dictionary())
    made = [(await tokens.issue("ada")).token for _ in range(50)]
    assert len(set(made)) == 50
    assert all(len(token) * 6 >= 256 for token in made)


async def test_the_store_holds_a_hash_and_never_the_token():
    store = Dictionary()
    issued = await Tokens(store).issue("ada")
    held = repr(store.entries)
    assert issued.token not in held
    assert hashlib.sha256(issued.token.encode()).hexdigest() in held
    assert issued.token not in repr(issued)


async def test_an_entry_with_the_id_of_a_token_but_another_hash_is_none():
    store = Dictionary()
    tokens = Tokens(store)
    issued = await tokens.issue("ada")
    store.entries[f"torngas.tokens:{issued.record.id}"]["digest"] = issued.record.id + "0" * 32
    assert await tokens.find(issued.token) is None


async def test_a_token_ends_when_its_time_is_up(store):
    clock = Clock()
    tokens = Tokens(store, clock=clock)
    issued = await tokens.issue("ada", lifetime=60)
    forever = await tokens.issue("ada", lifetime=None)
    clock.now += 59.9
    assert await tokens.find(issued.token)
    clock.now += 0.1
    assert await tokens.find(issued.token) is None
    assert (await tokens.find(forever.token)).expires is None
    assert await tokens.of("ada") == [forever.record]


async def test_a_user_s_tokens_are_listed_in_order_and_revoked_one_by_one(store):
    clock = Clock()
    tokens = Tokens(store, clock=clock)
    issued = []
    for _ in range(3):
        issued.append(await tokens.issue("ada"))
        clock.now += 1
    other = await tokens.issue("eve")
    assert await tokens.of("ada") == [one.record for one in issued]
    assert await tokens.revoke(issued[1].record.id) is True
    assert await tokens.revoke(issued[1].record.id) is False
    assert await tokens.find(issued[1].token) is None
    assert await tokens.of("ada") == [issued[0].record, issued[2].record]
    assert await tokens.find(other.token)


async def test_all_tokens_of_a_user_are_revoked_at_once(store):
    tokens = Tokens(store)
    mine = [await tokens.issue(1) for _ in range(3)]
    text = await tokens.issue("1")
    assert await tokens.revoke_all(1) == 3
    assert [await tokens.find(one.token) for one in mine] == [None] * 3
    assert await tokens.of(1) == []
    assert await tokens.of("1") == [text.record]


@pytest.mark.parametrize("store", ["memory", "redis"], indirect=True)
async def test_tokens_issued_at_the_same_time_are_all_listed(store):
    tokens = Tokens(store)
    issued = await asyncio.gather(*(tokens.issue("ada") for _ in range(20)))
    assert {one.id for one in await tokens.of("ada")} == {one.record.id for one in issued}


async def test_ended_tokens_leave_the_list_when_the_next_is_issued():
    clock, store = Clock(), Dictionary()
    tokens = Tokens(store, clock=clock)
    for _ in range(5):
        await tokens.issue("ada", lifetime=10)
        clock.now += 20
    (lines,) = [value for key, value in store.entries.items() if ":of:" in key]
    assert len(lines) == 1


async def test_an_alias_is_looked_up_when_it_is_used():
    handler = CacheHandler({"mine": {"BACKEND": "locmem", "LOCATION": "of the tokens"}})
    tokens = Tokens("mine")
    with caches.using(handler):
        issued = await tokens.issue("ada")
        assert await tokens.find(issued.token) == issued.record


@pytest.mark.parametrize("lifetime", [0, -1, True, "long"])
async def test_a_lifetime_that_is_none_is_refused(lifetime):
    with pytest.raises(AuthConfigError, match="seconds above 0"):
        await Tokens(Dictionary()).issue("ada", lifetime=lifetime)


async def test_a_store_or_a_user_that_is_none_is_refused():
    with pytest.raises(AuthConfigError, match="get, set and delete"):
        Tokens(object())
    with pytest.raises(AuthConfigError, match="expected its id"):
        await Tokens(Dictionary()).issue(True)
