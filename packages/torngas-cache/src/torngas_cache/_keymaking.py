"""What every cache knows without its store: its configuration, how keys are made and checked, when entries end."""

from __future__ import annotations

import enum
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from torngas_cache._codec import Codec, build_codec
from torngas_cache._flights import Flights
from torngas_cache._keys import default_key_func, internal_key, key_problems
from torngas_cache._params import KeyFunction, Params
from torngas_cache.errors import CacheKeyWarning, InvalidCacheKey
from torngas_cache.serializers import get_serializer


class Unset(enum.Enum):
    """The type of `DEFAULT_TIMEOUT` and `MISSING`."""

    DEFAULT_TIMEOUT = "the backend's default timeout"
    MISSING = "no such entry"

    def __repr__(self) -> str:
        return self.name


DEFAULT_TIMEOUT: Final = Unset.DEFAULT_TIMEOUT
"""Stands for `default_timeout` of the cache; None cannot, since it means 'never expires'."""

MISSING: Final = Unset.MISSING
Timeout = int | float | None | Unset

_MEMO_SIZE = 4096
_NUMBER = (int, float)


class KeyMaker:
    """Keys, timeouts and configuration of one cache; does no I/O.

    Args:
        params: The configuration of the alias: TIMEOUT, KEY_PREFIX, VERSION, KEY_FUNCTION and OPTIONS.
    """

    strict_keys: ClassVar[bool] = False
    """Whether an unportable key raises `InvalidCacheKey` here, instead of the warning."""

    def __init__(self, params: Mapping[str, Any] | None = None) -> None:
        read = Params.read(params or {})
        self.default_timeout = read.timeout
        self._made: dict[str, str] = {}
        self._key_prefix, self._version, self._key_func = read.key_prefix, read.version, read.key_func
        self._max_entries, self._cull_frequency = read.max_entries, read.cull_frequency
        self._lease = read.lease
        self._own_flights = Flights()
        self._clock = read.clock or self._default_clock()
        self._own_serializer = read.serializer is not None
        self._compresses = read.compression is not None
        serializer = get_serializer("pickle" if read.serializer is None else read.serializer)
        self._codec: Codec = build_codec(serializer, read.compression, read.compress_min_size)
        self._options = read.options

    def _default_clock(self) -> Callable[[], float]:
        return time.time

    @property
    def key_prefix(self) -> str:
        """Stands in front of every key; assignable."""
        return self._key_prefix

    @key_prefix.setter
    def key_prefix(self, value: str) -> None:
        self._key_prefix, self._made = value, {}

    @property
    def version(self) -> Any:
        """The version of keys where a call names none; assignable."""
        return self._version

    @version.setter
    def version(self, value: Any) -> None:
        self._version, self._made = value, {}

    @property
    def key_func(self) -> KeyFunction:
        """`(key, key_prefix, version) -> storage key`; assignable."""
        return self._key_func

    @key_func.setter
    def key_func(self, value: KeyFunction) -> None:
        self._key_func, self._made = value, {}

    def make_key(self, key: Any, version: Any = None) -> str:
        """The storage key of a key, unchecked; a key that is no string is made one."""
        text = str.__str__(key) if isinstance(key, str) else str(key)
        return self._key_func(text, self._key_prefix, self._version if version is None else version)

    def validate_key(self, key: str) -> None:
        """Warns (`CacheKeyWarning`) about a storage key that is not portable, or raises where it would break."""
        for problem in key_problems(key):
            if self.strict_keys:
                raise InvalidCacheKey(problem)
            warnings.warn(problem, CacheKeyWarning, stacklevel=4)

    def make_and_validate_key(self, key: Any, version: Any = None) -> str:
        """`make_key` and `validate_key` in one; portable keys are remembered, a few thousand at a time."""
        if type(key) is not str or version is not None:
            storage_key = self.make_key(key, version)
            self.validate_key(storage_key)
            return storage_key
        if (known := self._made.get(key)) is not None:
            return known
        storage_key = self.make_key(key)
        if any(key_problems(storage_key)):
            self.validate_key(storage_key)
        else:
            self._remember(key, storage_key)
        return storage_key

    def _remember(self, key: str, storage_key: str) -> None:
        made = self._made
        if len(made) >= _MEMO_SIZE:
            made.clear()
        made[key] = storage_key

    def _internal_key(self, kind: str, key: Any, version: Any = None) -> str:
        """The storage key of something that the library keeps about an entry; no user's key can equal it."""
        version = self._version if version is None else version
        text = str.__str__(key) if isinstance(key, str) else str(key)
        if self._key_func is not default_key_func:
            text = self._key_func(text, self._key_prefix, version)
        return internal_key(kind, text, self._key_prefix, version)

    def get_backend_timeout(self, timeout: Timeout = DEFAULT_TIMEOUT) -> float | None:
        """The moment on this cache's clock at which an entry with this timeout ends; None: never."""
        seconds = self._seconds(timeout)
        if seconds is None:
            return None
        return self._clock() + seconds if seconds > 0 else -1.0

    def _seconds(self, timeout: Timeout) -> float | None:
        """The timeout with the default filled in: seconds, None for ever; 0 and less: expired at once."""
        if timeout is DEFAULT_TIMEOUT:
            return self.default_timeout
        if timeout is not None and not isinstance(timeout, _NUMBER):
            raise TypeError(f"timeout: got {timeout!r}; expected seconds as a number, or None for 'never expires'.")
        return timeout
