"""The primitives of a cache over redis, for coroutines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torngas_cache._codec import Payload
from torngas_cache._redis import commands
from torngas_cache._redis.outage import outages
from torngas_cache._redis.primitives import RedisPrimitives
from torngas_cache._redis.scripts import digest
from torngas_cache._redis.sweep import Sweep
from torngas_cache.breaker import CacheUnavailable

__all__ = ["AsyncRedisPrimitives"]


class AsyncRedisPrimitives(RedisPrimitives):
    """Coroutines; those of concurrent tasks share their round trips."""

    async def _aread(self, key: str) -> Payload | None:
        try:
            return await self._servers.aread(("GET", key))  # type: ignore[no-any-return]  # redis-py answers Any
        except CacheUnavailable as error:
            return self._policy.answer(error, None)

    async def _awrite(self, key: str, payload: Payload, seconds: float | None) -> None:
        try:
            await self._servers.primary.aexecute(commands.write(key, payload, seconds))
        except CacheUnavailable as error:
            self._policy.answer(error, None)

    async def _ainsert(self, key: str, payload: Payload, seconds: float | None) -> bool:
        try:
            return bool(await self._servers.primary.aexecute(commands.insert(key, payload, seconds)))
        except CacheUnavailable as error:
            return self._policy.answer(error, False)

    async def _aremove(self, key: str) -> bool:
        try:
            return bool(await self._servers.primary.aexecute(("UNLINK", key)))
        except CacheUnavailable as error:
            return self._policy.answer(error, False)

    async def _aexpire(self, key: str, seconds: float | None) -> bool:
        try:
            return bool(await self._servers.primary.aexecute(commands.expire(key, seconds)))
        except CacheUnavailable as error:
            return self._policy.answer(error, False)

    async def _aremaining(self, key: str) -> float | None:
        try:
            return commands.remaining(await self._servers.primary.aexecute(("PTTL", key)))
        except CacheUnavailable as error:
            return self._policy.answer(error, 0.0)

    async def _aincrement(self, key: str, delta: int) -> int | None:
        try:
            reply = await self._servers.primary.aexecute(commands.increment(key, delta))
        except CacheUnavailable as error:
            return self._policy.answer(error, None)
        except outages().refused as error:
            raise commands.not_an_integer(key, error) from error
        return None if reply is None else int(reply)

    async def _aread_token(self, key: str) -> tuple[Payload | None, Any]:
        try:
            payload = await self._servers.primary.aexecute(("GET", key))
        except CacheUnavailable as error:
            payload = self._policy.answer(error, None)
        return commands.with_token(payload)

    async def _aswap(self, key: str, payload: Payload, token: Any, seconds: float | None) -> bool:
        try:
            return bool(await self._servers.primary.aexecute(commands.swap(key, payload, token, seconds)))
        except CacheUnavailable as error:
            return self._policy.answer(error, False)

    async def _aread_many(self, keys: Sequence[str]) -> dict[str, Payload]:
        try:
            if self._servers.is_cluster:
                replies = commands.accepted(await self._servers.primary.aexecute_many([("GET", key) for key in keys]))
            else:
                replies = await self._servers.aread(("MGET", *keys)) if keys else []
        except CacheUnavailable as error:
            return self._policy.answer(error, {})
        return commands.found(keys, replies)

    async def _aread_lives(self, keys: Sequence[str]) -> dict[str, tuple[Payload, float | None]]:
        """Payloads with the seconds that they have left, in one round trip."""
        try:
            replies = commands.accepted(await self._servers.primary.aexecute_many(commands.lives(keys)))
        except CacheUnavailable as error:
            return self._policy.answer(error, {})
        return commands.found_lives(keys, replies)

    async def _awrite_many(self, payloads: Mapping[str, Payload], seconds: float | None) -> list[str]:
        try:
            replies = await self._servers.primary.aexecute_many(commands.writes(payloads, seconds))
        except CacheUnavailable as error:
            return self._policy.answer(error, list(payloads))
        return commands.failed(payloads, replies)

    async def _aremove_many(self, keys: Iterable[str]) -> None:
        try:
            commands.accepted(
                await self._servers.primary.aexecute_many(commands.removals(keys, self._servers.is_cluster))
            )
        except CacheUnavailable as error:
            self._policy.answer(error, None)

    async def _ahead(self, key: str) -> Payload | None:
        try:
            return (await self._servers.aread(commands.head(key))) or None
        except CacheUnavailable as error:
            return self._policy.answer(error, None)

    async def _awipe(self, everything: bool) -> None:
        try:
            await Sweep.of(self, everything).arun(self._servers.primary, self._servers.is_cluster)
        except CacheUnavailable as error:
            self._policy.answer(error, None)

    async def _aremove_if(self, key: str, payload: Payload) -> bool:
        try:
            return bool(await self._servers.primary.aexecute(commands.remove_if(key, digest(payload))))
        except CacheUnavailable as error:
            return self._policy.answer(error, False)

    async def _aexpire_if(self, key: str, payload: Payload, seconds: float | None) -> bool:
        try:
            return bool(await self._servers.primary.aexecute(commands.expire_if(key, digest(payload), seconds)))
        except CacheUnavailable as error:
            return self._policy.answer(error, False)

    async def _aclaim_lock(self, key: str, payload: Payload, seconds: float | None) -> bool:
        """Raises in an outage under every policy: a lock that nobody holds is worse than an error."""
        return bool(await self._servers.primary.aexecute(commands.insert(key, payload, seconds)))

    async def _aclaim_lease(self, key: str, payload: Payload, seconds: float | None) -> bool:
        """In an outage that counts as a miss everybody computes: there is nobody whose result could be waited for."""
        try:
            return bool(await self._servers.primary.aexecute(commands.insert(key, payload, seconds)))
        except CacheUnavailable as error:
            return self._policy.answer(error, True)
