"""Removing many keys without holding the server up: SCAN and UNLINK in batches; FLUSHDB only where all was meant."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from torngas_cache._keys import belongs_to, default_key_func, escape_prefix
from torngas_cache._params import KeyFunction
from torngas_cache._redis.commands import BATCH, removals
from torngas_cache._redis.server import Server
from torngas_cache.errors import InvalidCacheBackendError

__all__ = ["Sweep"]

_GLOB = re.compile(r"([\[\]\\*?^-])")
# Neither can stand in a key that somebody wrote by hand.
_KEY_MARK, _VERSION_MARK = "\x02key\x03", "\x02version\x03"


class Named(Protocol):
    """What a sweep has to know of a cache."""

    @property
    def key_prefix(self) -> str:
        """Stands in front of every key."""
        raise NotImplementedError

    @property
    def key_func(self) -> KeyFunction:
        """Makes storage keys."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Sweep:
    """Which keys go.

    Args:
        pattern: For SCAN MATCH.
        prefix: Of the default layout; keys that the pattern takes by mistake are left out. None: the pattern decides.
    """

    pattern: str
    prefix: str | None

    @classmethod
    def of(cls, cache: Named, everything: bool) -> Sweep:
        """The sweep that empties a cache.

        Raises:
            InvalidCacheBackendError: the cache's own key function gives names that no pattern can describe.
        """
        if everything:
            return cls("*", None)
        if cache.key_func is default_key_func:
            return cls(_escaped(escape_prefix(cache.key_prefix)) + ":*", cache.key_prefix)
        made = str(cache.key_func(_KEY_MARK, cache.key_prefix, _VERSION_MARK))
        if _KEY_MARK not in made:
            raise InvalidCacheBackendError(
                f"clear: got a KEY_FUNCTION that hides its keys ({made!r} for a sample key); expected one whose result "
                "contains the key, so that this cache's entries can be told from others. clear(all=True) removes all."
            )
        pattern = _escaped(made).replace(_KEY_MARK, "*").replace(_VERSION_MARK, "*")
        return cls(pattern, None)

    def run(self, server: Server, one_by_one: bool) -> None:
        """Removes the keys from all primaries; `one_by_one` where keys of one command would have to share a slot."""
        server.call(self._flush if self.pattern == "*" else lambda client: self._sweep(client, one_by_one))

    async def arun(self, server: Server, one_by_one: bool) -> None:
        """As `run`."""
        await server.acall(self._flush if self.pattern == "*" else lambda client: self._asweep(client, one_by_one))

    @staticmethod
    def _flush(client: Any) -> Any:
        """Everything, as was asked for; the memory is freed beside the server's loop."""
        return client.flushdb(asynchronous=True)

    def _mine(self, names: Iterable[bytes]) -> list[bytes]:
        prefix = self.prefix
        if prefix is None:
            return list(names)
        return [name for name in names if belongs_to(name.decode(errors="replace"), prefix)]

    def _sweep(self, client: Any, one_by_one: bool) -> None:
        found = client.scan_iter(match=self.pattern, count=BATCH)
        while batch := list(itertools.islice(found, BATCH)):
            if names := self._mine(batch):
                _pipeline(client, names, one_by_one).execute()

    async def _asweep(self, client: Any, one_by_one: bool) -> None:
        batch: list[bytes] = []
        async for name in client.scan_iter(match=self.pattern, count=BATCH):
            batch.append(name)
            if len(batch) == BATCH:
                await self._aremove(client, batch, one_by_one)
                batch = []
        await self._aremove(client, batch, one_by_one)

    async def _aremove(self, client: Any, batch: list[bytes], one_by_one: bool) -> None:
        if names := self._mine(batch):
            await _pipeline(client, names, one_by_one).execute()


def _pipeline(client: Any, names: list[bytes], one_by_one: bool) -> Any:
    pipeline = client.pipeline(transaction=False)
    for command in removals(names, one_by_one):
        pipeline.execute_command(*command)
    return pipeline


def _escaped(text: str) -> str:
    """The text with what SCAN MATCH would take for a pattern made plain."""
    return _GLOB.sub(r"\\\1", text)
