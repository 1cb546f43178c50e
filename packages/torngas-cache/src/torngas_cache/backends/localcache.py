"""`LocMemCache`: entries in the memory of this process, least recently used ones go first.

Caches of the same LOCATION share their entries, in all threads and event loops of the process. Reading takes no lock;
everything that changes something holds the store's lock for that one step, so `add`, `incr`, `touch` and `cas` are
atomic among threads. Values are copied on the way in and out, except those that nobody can change: serialization
happens outside the lock.

    cache = create_cache("locmem", "pages", timeout=60, max_entries=10_000, max_bytes=50_000_000)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from torngas_cache._codec import Meta
from torngas_cache._copying import PLAIN, Reads, after_read
from torngas_cache._flights import Flights
from torngas_cache._keymaking import DEFAULT_TIMEOUT, MISSING, Timeout
from torngas_cache._localstore import NEVER, Entry, stores
from torngas_cache._params import check_integer, refuse_unknown
from torngas_cache.backends.records import RecordCache
from torngas_cache.errors import UndecodableValue
from torngas_cache.serializers import REFUSALS, own_dumps, own_loads, pickle

__all__ = ["LocMemCache"]


class LocMemCache(RecordCache):
    """A cache in local memory.

    Args:
        location: The name of the store; caches of one name share it.
        params: As for every cache. OPTIONS: MAX_ENTRIES (300), CULL_FREQUENCY (3), MAX_BYTES (None: no limit; keys and
            payloads are counted, not Python's own overhead), SERIALIZER and COMPRESSION (none: values are copied).

    Reaching MAX_ENTRIES removes what has expired; if nothing has, 1/CULL_FREQUENCY of the entries, least recently used
    ones first. A value that alone exceeds MAX_BYTES is not kept.
    """

    blocking: ClassVar[bool] = False

    def __init__(self, location: object = "", params: Mapping[str, Any] | None = None) -> None:
        super().__init__(params)
        self._store = stores.named(str(location))
        self._entries = self._store.entries
        limit = self._options.pop("MAX_BYTES", None)
        self._max_bytes = None if limit is None else check_integer("MAX_BYTES", limit, at_least=1)
        refuse_unknown("LocMemCache OPTIONS", self._options, ["MAX_BYTES", "MAX_ENTRIES", "CULL_FREQUENCY"])
        self._copies = not self._own_serializer and not self._compresses
        if self._max_bytes is not None:
            self._store.measure()
        # Where bytes are counted values stay pickled: then their size can be told.
        self._first_note = Reads.NONE if self._max_bytes is None else None
        self._loads = own_loads if self._max_bytes is None else pickle.loads

    @property
    def _flights(self) -> Flights:
        return self._store.flights

    def _default_clock(self) -> Callable[[], float]:
        return time.monotonic

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        """The value, or `default`."""
        storage_key = self._made.get(key) if version is None and type(key) is str else None
        if storage_key is None:
            storage_key = self.make_and_validate_key(key, version)
        entry = self._entries.get(storage_key)
        if entry is None:
            return default
        deadline: float = entry[0]
        payload: Any = entry[1]
        if deadline <= self._clock():
            self._drop(storage_key, entry)
            return default
        try:
            self._entries.move_to_end(storage_key)
        except KeyError:  # culled this moment
            pass
        if type(payload) is not tuple:
            return payload
        load, data, note = payload
        if note is not None:
            return self._copy_out(entry, default)
        try:
            return load(data)
        except UndecodableValue:
            return self._open(entry[1], default)

    def _copy_out(self, entry: Entry, default: Any) -> Any:
        payload = entry[1]
        note = payload[2]
        if isinstance(note, Meta):
            return self._open(payload, default) if self._fresh(note) else default
        value = self._open(payload, default)
        # In place and at once: for readers and for `cas` it stays the same entry.
        entry[1] = after_read(value, payload)
        return value

    def _fresh(self, meta: Meta) -> bool:
        if meta.fresh_until is not None and meta.fresh_until <= self._clock():
            return False
        return not meta.tags or self._read_many(list(meta.tags)) == self._stamps(meta)

    async def aget(self, key: Any, default: Any = None, version: Any = None) -> Any:
        """The value, or `default`."""
        return self.get(key, default, version)

    def get_many(self, keys: Iterable[Any], version: Any = None) -> dict[Any, Any]:
        """The values that are there."""
        get = self.get
        return {key: value for key in keys if (value := get(key, MISSING, version)) is not MISSING}

    async def aget_many(self, keys: Iterable[Any], version: Any = None) -> dict[Any, Any]:
        """The values that are there."""
        return self.get_many(keys, version)

    def set(
        self,
        key: Any,
        value: Any,
        timeout: Timeout = DEFAULT_TIMEOUT,
        version: Any = None,
        *,
        tags: Iterable[str] = (),
    ) -> None:
        """Stores a copy of the value."""
        if tags:
            return super().set(key, value, timeout, version, tags=tags)
        storage_key = self._made.get(key) if version is None and type(key) is str else None
        if storage_key is None:
            storage_key = self.make_and_validate_key(key, version)
        payload = self._encode(value)
        seconds = timeout if type(timeout) is int else self._seconds(timeout)
        if seconds is None or seconds > 0:
            return self._write(storage_key, payload, seconds)
        self._remove(storage_key)
        return None

    async def aset(  # a lifetime
        self,
        key: Any,
        value: Any,
        timeout: Timeout = DEFAULT_TIMEOUT,
        version: Any = None,
        *,
        tags: Iterable[str] = (),
    ) -> None:
        """Stores a copy of the value."""
        self.set(key, value, timeout, version, tags=tags)

    # payloads: a value of a PLAIN type itself; any other as (load, data, note), where load(data) is a copy of it and
    # the note is its Meta, or the Reads after which copies may be made in a faster way, or None

    def _encode(self, value: Any, meta: Meta | None = None) -> Any:
        if not self._copies:
            return self._codec.decode, self._codec.encode(value), meta
        if meta is None and type(value) in PLAIN:
            return value
        try:
            return self._loads, own_dumps(value, 5), meta or self._first_note
        except REFUSALS:
            return pickle.loads, pickle.dumps(value), meta  # raises, in the words of this library

    def _decode(self, payload: Any) -> Any:
        if type(payload) is not tuple:
            return payload
        load, data, _ = payload
        return pickle.loads(data) if load is own_loads else load(data)

    def _is_framed(self, payload: Any) -> bool:
        return type(payload) is tuple and isinstance(payload[2], Meta)

    def _split(self, payload: Any) -> tuple[Meta, Any]:
        load, data, meta = payload
        return meta, (load, data, None)

    def _frame_head(self, payload: Any) -> tuple[float | None, bool]:
        return payload[2].fresh_until, bool(payload[2].tags)

    # primitives

    def _live(self, key: str) -> Entry | None:
        entry = self._entries.get(key)
        return None if entry is None or entry[0] <= self._clock() else entry

    def _drop(self, key: str, entry: Entry) -> None:
        with self._store.lock:
            if self._entries.get(key) is entry:
                self._store.remove(key)

    def _deadline(self, seconds: float | None) -> float:
        return NEVER if seconds is None else self._clock() + seconds

    def _put(self, key: str, payload: Any, deadline: float) -> None:
        store = self._store
        if len(self._entries) >= self._max_entries and key not in self._entries:
            self._cull()
        store.put(key, [deadline, payload])
        if self._max_bytes is not None:
            self._shrink(self._max_bytes)

    def _cull(self) -> None:
        self._store.remove_expired(self._clock())
        count = len(self._entries)
        if count >= self._max_entries:
            frequency = self._cull_frequency
            self._store.remove_oldest(max(1, count // frequency) if frequency else count)

    def _shrink(self, limit: int) -> None:
        store = self._store
        if store.size is not None and store.size > limit:
            store.remove_expired(self._clock())
            for _ in range(len(self._entries)):
                if store.size <= limit:
                    break
                store.remove_oldest(1)

    def _read(self, key: str) -> Any:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry[0] <= self._clock():
            self._drop(key, entry)
            return None
        try:
            self._entries.move_to_end(key)
        except KeyError:  # culled this moment
            pass
        return entry[1]

    def _write(self, key: str, payload: Any, seconds: float | None) -> None:
        deadline = NEVER if seconds is None else self._clock() + seconds
        entries, store = self._entries, self._store
        with store.lock:
            old = entries.get(key)
            if old is None or old[0] > deadline or store.size is not None:
                self._put(key, payload, deadline)
            else:  # what `put` comes to in the most frequent case
                entries[key] = [deadline, payload]
                entries.move_to_end(key)

    def _insert(self, key: str, payload: Any, seconds: float | None) -> bool:
        with self._store.lock:
            if self._live(key) is not None:
                return False
            self._put(key, payload, self._deadline(seconds))
            return True

    def _remove(self, key: str) -> bool:
        with self._store.lock:
            entry = self._store.remove(key)
            return entry is not None and entry[0] > self._clock()

    def _expire(self, key: str, seconds: float | None) -> bool:
        with self._store.lock:
            entry = self._live(key)
            if entry is not None:
                self._put(key, entry[1], self._deadline(seconds))
            return entry is not None

    def _remaining(self, key: str) -> float | None:
        entry = self._live(key)
        if entry is None:
            return 0.0
        return None if entry[0] == NEVER else max(0.0, entry[0] - self._clock())

    def _increment(self, key: str, delta: int) -> int | None:
        with self._store.lock:
            entry = self._live(key)
            if entry is None:
                return None
            payload = entry[1]
            value = payload if self._is_framed(payload) else self._decode(payload)
            if type(value) is not int:
                raise TypeError(f"incr: got a stored {type(value).__name__}; expected an integer.")
            total = value + delta
            self._put(key, total if self._copies else self._encode(total), entry[0])
            return total

    def _read_token(self, key: str) -> tuple[Any, Any]:
        entry = self._live(key)
        return (None, None) if entry is None else (entry[1], entry)

    def _swap(self, key: str, payload: Any, token: Any, seconds: float | None) -> bool:
        with self._store.lock:
            if self._live(key) is not token or token is None:
                return False
            if seconds is not None and seconds <= 0:
                self._store.remove(key)
            else:
                self._put(key, payload, self._deadline(seconds))
            return True

    def _wipe(self, everything: bool) -> None:
        with self._store.lock:
            self._store.clear()
