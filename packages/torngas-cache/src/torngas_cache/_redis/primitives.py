"""The primitives of a cache over redis, for threads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torngas_cache._codec import Payload
from torngas_cache._outage import OutagePolicy
from torngas_cache._redis import commands
from torngas_cache._redis.outage import outages
from torngas_cache._redis.scripts import digest
from torngas_cache._redis.servers import Servers
from torngas_cache._redis.sweep import Sweep
from torngas_cache.backends.records import RecordCache
from torngas_cache.breaker import CacheUnavailable

__all__ = ["RedisPrimitives"]


class RedisPrimitives(RecordCache):
    """Blocking calls; each is one round trip."""

    _servers: Servers
    _policy: OutagePolicy

    def _read(self, key: str) -> Payload | None:
        try:
            return self._servers.read(("GET", key))  # type: ignore[no-any-return]  # redis-py answers Any
        except CacheUnavailable as error:
            return self._policy.answer(error, None)

    def _write(self, key: str, payload: Payload, seconds: float | None) -> None:
        try:
            self._servers.primary.execute(commands.write(key, payload, seconds))
        except CacheUnavailable as error:
            self._policy.answer(error, None)

    def _insert(self, key: str, payload: Payload, seconds: float | None) -> bool:
        try:
            return bool(self._servers.primary.execute(commands.insert(key, payload, seconds)))
        except CacheUnavailable as error:
            return self._policy.answer(error, False)

    def _remove(self, key: str) -> bool:
        try:
            return bool(self._servers.primary.execute(("UNLINK", key)))
        except CacheUnavailable as error:
            return self._policy.answer(error, False)

    def _expire(self, key: str, seconds: float | None) -> bool:
        try:
            return bool(self._servers.primary.execute(commands.expire(key, seconds)))
        except CacheUnavailable as error:
            return self._policy.answer(error, False)

    def _remaining(self, key: str) -> float | None:
        try:
            return commands.remaining(self._servers.primary.execute(("PTTL", key)))
        except CacheUnavailable as error:
            return self._policy.answer(error, 0.0)

    def _increment(self, key: str, delta: int) -> int | None:
        try:
            reply = self._servers.primary.execute(commands.increment(key, delta))
        except CacheUnavailable as error:
            return self._policy.answer(error, None)
        except outages().refused as error:
            raise commands.not_an_integer(key, error) from error
        return None if reply is None else int(reply)

    def _read_token(self, key: str) -> tuple[Payload | None, Any]:
        try:
            payload = self._servers.primary.execute(("GET", key))
        except CacheUnavailable as error:
            payload = self._policy.answer(error, None)
        return commands.with_token(payload)

    def _swap(self, key: str, payload: Payload, token: Any, seconds: float | None) -> bool:
        try:
            return bool(self._servers.primary.execute(commands.swap(key, payload, token, seconds)))
        except CacheUnavailable as error:
            return self._policy.answer(error, False)

    def _read_many(self, keys: Sequence[str]) -> dict[str, Payload]:
        try:
            if self._servers.is_cluster:
                replies = commands.accepted(self._servers.primary.execute_many([("GET", key) for key in keys]))
            else:
                replies = self._servers.read(("MGET", *keys)) if keys else []
        except CacheUnavailable as error:
            return self._policy.answer(error, {})
        return commands.found(keys, replies)

    def _read_lives(self, keys: Sequence[str]) -> dict[str, tuple[Payload, float | None]]:
        """Payloads with the seconds that they have left, in one round trip."""
        try:
            replies = commands.accepted(self._servers.primary.execute_many(commands.lives(keys)))
        except CacheUnavailable as error:
            return self._policy.answer(error, {})
        return commands.found_lives(keys, replies)

    def _write_many(self, payloads: Mapping[str, Payload], seconds: float | None) -> list[str]:
        try:
            replies = self._servers.primary.execute_many(commands.writes(payloads, seconds))
        except CacheUnavailable as error:
            return self._policy.answer(error, list(payloads))
        return commands.failed(payloads, replies)

    def _remove_many(self, keys: Iterable[str]) -> None:
        try:
            commands.accepted(self._servers.primary.execute_many(commands.removals(keys, self._servers.is_cluster)))
        except CacheUnavailable as error:
            self._policy.answer(error, None)

    def _head(self, key: str) -> Payload | None:
        try:
            return self._servers.read(commands.head(key)) or None
        except CacheUnavailable as error:
            return self._policy.answer(error, None)

    def _wipe(self, everything: bool) -> None:
        try:
            Sweep.of(self, everything).run(self._servers.primary, self._servers.is_cluster)
        except CacheUnavailable as error:
            self._policy.answer(error, None)

    def _remove_if(self, key: str, payload: Payload) -> bool:
        try:
            return bool(self._servers.primary.execute(commands.remove_if(key, digest(payload))))
        except CacheUnavailable as error:
            return self._policy.answer(error, False)

    def _expire_if(self, key: str, payload: Payload, seconds: float | None) -> bool:
        try:
            return bool(self._servers.primary.execute(commands.expire_if(key, digest(payload), seconds)))
        except CacheUnavailable as error:
            return self._policy.answer(error, False)

    def _claim_lock(self, key: str, payload: Payload, seconds: float | None) -> bool:
        """Raises in an outage under every policy: a lock that nobody holds is worse than an error."""
        return bool(self._servers.primary.execute(commands.insert(key, payload, seconds)))

    def _claim_lease(self, key: str, payload: Payload, seconds: float | None) -> bool:
        """In an outage that counts as a miss everybody computes: there is nobody whose result could be waited for."""
        try:
            return bool(self._servers.primary.execute(commands.insert(key, payload, seconds)))
        except CacheUnavailable as error:
            return self._policy.answer(error, True)
