"""What the methods of a `RecordCache` do, as steps over its primitives; see `torngas_cache._steps`.

A *record* is what the store holds under a key. It may be *void* though the store still has it: it is stale (kept for
those who asked for stale values), or one of its tags was invalidated. To everybody else a void record is no entry.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from torngas_cache._codec import Meta, Payload, head_of_frame, is_framed, split_frame
from torngas_cache._keymaking import MISSING, Timeout
from torngas_cache._primitives import Primitives
from torngas_cache._steps import Step, Steps
from torngas_cache.errors import UndecodableValue

_log = logging.getLogger("torngas_cache")


class Record(NamedTuple):
    """A value as it was found."""

    value: Any
    token: Any
    meta: Meta | None
    fresh: bool


class RecordSteps(Primitives):
    """The operations of a cache of records, without I/O."""

    def _encode(self, value: Any, meta: Meta | None = None) -> Payload:
        return self._codec.encode(value, meta)

    def _decode(self, payload: Payload) -> Any:
        return self._codec.decode(payload)

    def _is_framed(self, payload: Payload) -> bool:
        return is_framed(payload)

    def _split(self, payload: Payload) -> tuple[Meta, Payload]:
        return split_frame(payload)  # type: ignore[arg-type]  # framed payloads are bytes

    def _frame_head(self, payload: Payload) -> tuple[float | None, bool]:
        return head_of_frame(payload)  # type: ignore[arg-type]  # as above

    def _open(self, payload: Payload, default: Any) -> Any:
        """The value of a payload that is not framed; `default`, and a line in the log, if it cannot be decoded."""
        try:
            return self._decode(payload)
        except UndecodableValue as error:
            _log.warning("an entry counts as missing: %s", error)
            return default

    def _open_framed(self, payload: Payload, default: Any) -> Steps[Any]:
        record = yield from self._examine(payload)
        return record.value if record and record.fresh else default

    def _examine(self, payload: Payload, token: Any = None) -> Steps[Record | None]:
        """The record of a payload, fresh or stale; None if it cannot be decoded or a tag of it was invalidated."""
        meta = None
        if self._is_framed(payload):
            try:
                meta, payload = self._split(payload)
            except UndecodableValue as error:
                _log.warning("an entry counts as missing: %s", error)
                return None
            if meta.tags and (yield Step("read_many", (list(meta.tags),))) != self._stamps(meta):
                return None
        value = self._open(payload, MISSING)
        if value is MISSING:
            return None
        fresh = meta is None or meta.fresh_until is None or meta.fresh_until > self._clock()
        return Record(value, token, meta, fresh)

    def _fetch(self, storage_key: str) -> Steps[Record | None]:
        """Reads a record, stale ones too. Its token is None if nothing is stored under the key."""
        payload, token = yield Step("read_token", (storage_key,))
        if payload is None:
            return None
        return (yield from self._examine(payload, token)) or Record(MISSING, token, None, False)

    def _get_many_steps(self, keys: Iterable[Any], version: Any) -> Steps[dict[Any, Any]]:
        names = {key: self.make_and_validate_key(key, version) for key in keys}
        if not names:
            return {}
        payloads = yield Step("read_many", (list(dict.fromkeys(names.values())),))
        found = {}
        for key, storage_key in names.items():
            payload = payloads.get(storage_key)
            if payload is None:
                continue
            framed = self._is_framed(payload)
            value = (yield from self._open_framed(payload, MISSING)) if framed else self._open(payload, MISSING)
            if value is not MISSING:
                found[key] = value
        return found

    def _set_tagged(
        self, storage_key: str, value: Any, timeout: Timeout, version: Any, tags: Iterable[str]
    ) -> Steps[None]:
        stamps = yield from self._tag_stamps(tags, version)
        yield from self._store_steps(storage_key, self._encode(value, Meta(tags=stamps)), timeout)

    def _store_steps(self, storage_key: str, payload: Payload, timeout: Timeout) -> Steps[None]:
        seconds = self._seconds(timeout)
        if seconds is None or seconds > 0:
            yield Step("write", (storage_key, payload, seconds))
        else:
            yield Step("remove", (storage_key,))

    def _add_steps(self, storage_key: str, payload: Payload, timeout: Timeout) -> Steps[bool]:
        seconds = self._seconds(timeout)
        if seconds is not None and seconds <= 0:
            return not (yield from self._has_steps(storage_key))
        if (yield Step("insert", (storage_key, payload, seconds))):
            return True
        head = yield Step("head", (storage_key,))
        if head is None or not self._is_framed(head):
            return False
        found, token = yield Step("read_token", (storage_key,))
        if found is None or (yield from self._is_live(found)):
            return False
        return bool((yield Step("swap", (storage_key, payload, token, seconds))))

    def _is_live(self, payload: Payload) -> Steps[bool]:
        if not self._is_framed(payload):
            return True
        record = yield from self._examine(payload)
        return record is not None and record.fresh

    def _has_steps(self, storage_key: str) -> Steps[bool]:
        head = yield Step("head", (storage_key,))
        if head is None or not self._is_framed(head):
            return head is not None
        fresh_until, tagged = self._frame_head(head)
        if fresh_until is not None and fresh_until <= self._clock():
            return False
        if not tagged:
            return True
        payload = yield Step("read", (storage_key,))
        return payload is not None and (yield from self._is_live(payload))

    def _ttl_steps(self, storage_key: str) -> Steps[float | None]:
        seconds: float | None = yield Step("remaining", (storage_key,))
        if seconds == 0 or not (yield from self._has_steps(storage_key)):
            return 0
        head = yield Step("head", (storage_key,))
        fresh_until = self._frame_head(head)[0] if head is not None and self._is_framed(head) else None
        if fresh_until is None:
            return seconds
        return max(0.0, fresh_until - self._clock())

    def _touch_steps(self, storage_key: str, timeout: Timeout) -> Steps[bool]:
        seconds = self._seconds(timeout)
        head = yield Step("head", (storage_key,))
        if head is None:
            return False
        if self._is_framed(head):
            return (yield from self._touch_framed(storage_key, seconds))
        if seconds is not None and seconds <= 0:
            return bool((yield Step("remove", (storage_key,))))
        return bool((yield Step("expire", (storage_key, seconds))))

    def _touch_framed(self, storage_key: str, seconds: float | None) -> Steps[bool]:
        record = yield from self._fetch(storage_key)
        if record is None or not record.fresh:
            return False
        meta = record.meta or Meta()
        if seconds is None or seconds <= 0:
            until, life = None, seconds
        else:
            until, life = self._clock() + seconds, seconds + meta.grace
        if meta.fresh_until is not None:
            meta = replace(meta, fresh_until=until)
        payload = self._encode(record.value, meta)
        return bool((yield Step("swap", (storage_key, payload, record.token, life))))

    def _incr_steps(self, key: Any, storage_key: str, delta: int) -> Steps[int]:
        if not isinstance(delta, int):
            raise TypeError(f"incr: got delta {delta!r}; expected an integer.")
        try:
            total: int | None = yield Step("increment", (storage_key, delta))
        except TypeError as error:
            total = yield from self._incr_framed(key, storage_key, delta, error)
        if total is None:
            raise ValueError(f"Key {key!r} not found")
        return total

    def _incr_framed(self, key: Any, storage_key: str, delta: int, error: TypeError) -> Steps[int | None]:
        while True:
            record = yield from self._fetch(storage_key)
            if record is None or (not record.fresh and record.meta is not None):
                return None
            if type(record.value) is not int or record.meta is None:
                raise TypeError(f"incr: got the key {key!r} whose value is no integer; expected one.") from error
            life = yield Step("remaining", (storage_key,))
            payload = self._encode(record.value + delta, record.meta)
            if (yield Step("swap", (storage_key, payload, record.token, life))):
                return int(record.value) + delta

    def _move_steps(self, key: Any, old: str, new: str) -> Steps[None]:
        payload = yield Step("read", (old,))
        if payload is None or not (yield from self._is_live(payload)):
            raise ValueError(f"Key {key!r} not found")
        seconds = yield Step("remaining", (old,))
        if seconds == 0:
            raise ValueError(f"Key {key!r} not found")
        yield Step("write", (new, payload, seconds))
        yield Step("remove", (old,))

    def _set_many_steps(
        self, names: dict[str, Any], payloads: dict[str, Payload], timeout: Timeout
    ) -> Steps[list[Any]]:
        seconds = self._seconds(timeout)
        if seconds is not None and seconds <= 0:
            yield Step("remove_many", (list(payloads),))
            return []
        failed: Sequence[str] = yield Step("write_many", (payloads, seconds))
        return [names[storage_key] for storage_key in failed]

    def _encode_many(self, data: Mapping[Any, Any], version: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        names = {self.make_and_validate_key(key, version): key for key in data}
        return names, {storage_key: self._encode(data[key]) for storage_key, key in names.items()}

    def _two_versions(self, key: Any, delta: int, version: Any) -> tuple[Any, str, str]:
        version = self.version if version is None else version
        after = version + delta
        return after, self.make_and_validate_key(key, version), self.make_and_validate_key(key, after)

    def _gets_steps(self, storage_key: str, default: Any) -> Steps[tuple[Any, Any]]:
        record = yield from self._fetch(storage_key)
        if record is None:
            return default, None
        if record.fresh:
            return record.value, record.token
        return default, record.token

    def _cas_steps(self, storage_key: str, payload: Payload, token: Any, timeout: Timeout) -> Steps[bool]:
        if token is None:
            return (yield from self._add_steps(storage_key, payload, timeout))
        return bool((yield Step("swap", (storage_key, payload, token, self._seconds(timeout)))))

    def _tag_stamps(self, tags: Iterable[str], version: Any) -> Steps[dict[str, str]]:
        """Storage key of each tag -> its present stamp; a tag that has none yet gets one that never expires."""
        if isinstance(tags, str):
            raise TypeError(f"tags: got the string {tags!r}; expected an iterable of strings, e.g. [{tags!r}].")
        names = [self._internal_key("tag", tag, version) for tag in tags]
        found = yield Step("read_many", (names,))
        for name in names:
            if name not in found:
                found[name] = stamp = new_stamp()
                if not (yield Step("insert", (name, stamp, None))):
                    # Somebody was faster; where the store does not answer, the own stamp makes the entry void.
                    found.update((yield Step("read_many", ([name],))))
        return {name: stamp.decode() for name, stamp in found.items()}

    @staticmethod
    def _stamps(meta: Meta) -> dict[str, bytes]:
        return {name: stamp.encode() for name, stamp in meta.tags.items()}


def new_stamp() -> bytes:
    """A payload that nobody else makes: the stamp of a tag, the token of a lease."""
    return b"t" + secrets.token_hex(8).encode()
