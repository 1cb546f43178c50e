"""The primitives of a tiered cache: those of the remote cache, with the local copy dropped by every change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from torngas_cache._codec import Payload
from torngas_cache._tiered.level import LocalLevel
from torngas_cache._tiered.listener import EVERYTHING
from torngas_cache.backends.records import RecordCache

__all__ = ["RemoteLevel"]

Lives = dict[str, tuple[Payload, float | None]]
"""Payloads with the seconds that they have left."""


def _passed(name: str) -> Callable[..., Any]:
    """Passes a reading primitive on."""

    def primitive(self: RemoteLevel, *args: Any) -> Any:
        return getattr(self._remote, name)(*args)

    return primitive


def _change(name: str) -> Callable[..., Any]:
    """Passes a changing primitive on; the copy goes even if it fails: a timeout may have changed the entry."""

    def primitive(self: RemoteLevel, key: str, *args: Any) -> Any:
        try:
            return getattr(self._remote, name)(key, *args)
        finally:
            self._changed(key)

    return primitive


def _achange(name: str) -> Callable[..., Any]:
    async def primitive(self: RemoteLevel, key: str, *args: Any) -> Any:
        try:
            return await getattr(self._remote, name)(key, *args)
        finally:
            await self._achanged(key)

    return primitive


class RemoteLevel(RecordCache):
    """A cache that is another one's face."""

    _remote: RecordCache
    _level: LocalLevel

    _read, _aread = _passed("_read"), _passed("_aread")
    _head, _ahead = _passed("_head"), _passed("_ahead")
    _read_many, _aread_many = _passed("_read_many"), _passed("_aread_many")
    _read_token, _aread_token = _passed("_read_token"), _passed("_aread_token")
    _remaining, _aremaining = _passed("_remaining"), _passed("_aremaining")

    _publish: Callable[[str | bytes], None] | None = None
    _apublish: Callable[[str | bytes], Awaitable[None]] | None = None

    # Leases and locks have no copies to drop.
    _claim_lock, _aclaim_lock = _passed("_claim_lock"), _passed("_aclaim_lock")
    _claim_lease, _aclaim_lease = _passed("_claim_lease"), _passed("_aclaim_lease")

    _write, _awrite = _change("_write"), _achange("_awrite")
    _insert, _ainsert = _change("_insert"), _achange("_ainsert")
    _remove, _aremove = _change("_remove"), _achange("_aremove")
    _expire, _aexpire = _change("_expire"), _achange("_aexpire")
    _increment, _aincrement = _change("_increment"), _achange("_aincrement")
    _swap, _aswap = _change("_swap"), _achange("_aswap")
    _remove_if, _aremove_if = _change("_remove_if"), _achange("_aremove_if")
    _expire_if, _aexpire_if = _change("_expire_if"), _achange("_aexpire_if")

    def _read_lives(self, keys: list[str]) -> Lives:
        if (lives := getattr(self._remote, "_read_lives", None)) is not None:
            return lives(keys)  # type: ignore[no-any-return]  # redis reads both in one round trip
        return {key: (payload, self._remote._remaining(key)) for key, payload in self._remote._read_many(keys).items()}

    async def _aread_lives(self, keys: list[str]) -> Lives:
        if (lives := getattr(self._remote, "_aread_lives", None)) is not None:
            return await lives(keys)  # type: ignore[no-any-return]  # as above
        payloads = await self._remote._aread_many(keys)
        return {key: (payload, await self._remote._aremaining(key)) for key, payload in payloads.items()}

    def _write_many(self, payloads: Mapping[str, Payload], seconds: float | None) -> list[str]:
        try:
            return self._remote._write_many(payloads, seconds)
        finally:
            for key in payloads:
                self._changed(key)

    async def _awrite_many(self, payloads: Mapping[str, Payload], seconds: float | None) -> list[str]:
        try:
            return await self._remote._awrite_many(payloads, seconds)
        finally:
            for key in payloads:
                await self._achanged(key)

    def _remove_many(self, keys: Iterable[str]) -> None:
        names = list(keys)
        try:
            self._remote._remove_many(names)
        finally:
            for key in names:
                self._changed(key)

    async def _aremove_many(self, keys: Iterable[str]) -> None:
        names = list(keys)
        try:
            await self._remote._aremove_many(names)
        finally:
            for key in names:
                await self._achanged(key)

    def _wipe(self, everything: bool) -> None:
        try:
            self._remote._wipe(everything)
        finally:
            self._level.empty()
            if self._publish is not None:
                self._publish(EVERYTHING)

    async def _awipe(self, everything: bool) -> None:
        try:
            await self._remote._awipe(everything)
        finally:
            self._level.empty()
            if self._apublish is not None:
                await self._apublish(EVERYTHING)

    def _changed(self, key: str) -> None:
        self._level.forget(key)
        if self._publish is not None:
            self._publish(key)

    async def _achanged(self, key: str) -> None:
        self._level.forget(key)
        if self._apublish is not None:
            await self._apublish(key)
