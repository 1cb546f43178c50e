"""How values become bytes: `pickle`, `json`, `msgpack`, and `signed(…)` round any of them.

A serializer is any object with `dumps(value) -> bytes` and `loads(data) -> value`; hand one to a cache as
`OPTIONS={"SERIALIZER": json}`, by its name `"json"`, or as a dotted path. Integers never reach a serializer: they are
stored bare, so that the server can count with them (and are therefore not covered by a signature).

    >>> from torngas_cache.serializers import json, signed
    >>> safe = signed(json, "a long secret", fallbacks=["the secret of last year"])
    >>> safe.loads(safe.dumps({"a": 1}))
    {'a': 1}

Only `pickle` can run code while it reads. Where others can write to the store, use `json` or `msgpack`, or
`signed(pickle, key)`: a payload whose signature fails is never handed to pickle.
"""

from __future__ import annotations

import hmac
import json as _json
import pickle as _pickle
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any, Protocol, runtime_checkable

from torngas_cache._params import import_dotted
from torngas_cache.errors import CacheConfigError, CacheValueError, MissingExtraError, UndecodableValue

__all__ = [
    "JSONSerializer",
    "MsgpackSerializer",
    "PickleSerializer",
    "Serializer",
    "SignedSerializer",
    "get_serializer",
    "json",
    "msgpack",
    "pickle",
    "signed",
]

REFUSALS = (TypeError, ValueError, AttributeError, RecursionError, OverflowError, _pickle.PickleError)


@runtime_checkable
class Serializer(Protocol):
    """What a cache asks of a serializer; any object that has these two will do."""

    def dumps(self, value: Any, /) -> bytes:
        """The value as bytes; raises if that cannot be."""
        raise NotImplementedError

    def loads(self, data: bytes, /) -> Any:
        """A new value, equal to the one that was dumped; raises for anything that `dumps` did not write."""


def _refused(value: object, name: str, error: Exception) -> CacheValueError:
    return CacheValueError(f"{name}: got a {type(value).__qualname__} that cannot be serialized ({error}).")


def _undecodable(name: str, error: Exception) -> UndecodableValue:
    return UndecodableValue(f"{name}: got bytes that cannot be decoded ({type(error).__name__}: {error}).")


@dataclass(frozen=True, slots=True)
class PickleSerializer:
    """Any Python object that pickle takes. **Runs code while loading**: the store has to be trusted, or signed.

    Args:
        protocol: The pickle protocol; 5, which every supported Python reads.
    """

    protocol: int = 5

    def dumps(self, value: Any, /) -> bytes:
        """Raises CacheValueError for what pickle refuses."""
        try:
            return _pickle.dumps(value, self.protocol)
        except REFUSALS as error:
            raise _refused(value, "pickle", error) from error

    def loads(self, data: bytes, /) -> Any:
        """Raises UndecodableValue, whatever the bytes made pickle raise."""
        try:
            return _pickle.loads(data)  # noqa: S301  # chosen by the user, see the module's docstring
        except Exception as error:
            raise _undecodable("pickle", error) from error


@dataclass(frozen=True, slots=True)
class JSONSerializer:
    """What JSON can say: None, bool, float, str, list and dict with string keys; tuples come back as lists.

    Args:
        default: Called for any other object; returns one of the above, or raises TypeError.
    """

    default: Callable[[Any], Any] | None = None

    def dumps(self, value: Any, /) -> bytes:
        """Raises CacheValueError for what JSON cannot say, NaN and keys that are no strings included."""
        try:
            _refuse_other_keys(value)
            text = _json.dumps(value, default=self.default, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            return text.encode(errors="surrogatepass")
        except REFUSALS as error:
            raise _refused(value, "json", error) from error

    def loads(self, data: bytes, /) -> Any:
        """Raises UndecodableValue for anything but JSON."""
        try:
            return _json.loads(data.decode(errors="surrogatepass"))
        except (ValueError, RecursionError) as error:
            raise _undecodable("json", error) from error


def _refuse_other_keys(value: Any) -> None:
    """JSON would turn `{1: …}` into `{"1": …}` without a word: another value than the one that was cached."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"the key {key!r} is no string")
            _refuse_other_keys(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_other_keys(item)


@dataclass(frozen=True)
class MsgpackSerializer:
    """What MessagePack can say: JSON's values and bytes, and keys of any such kind; tuples come back as lists.

    The package msgpack is loaded when the first value passes.
    """

    def dumps(self, value: Any, /) -> bytes:
        """Raises CacheValueError for what MessagePack cannot say."""
        try:
            return self._msgpack.packb(value, unicode_errors="surrogatepass")  # type: ignore[no-any-return]  # bytes
        except REFUSALS as error:
            raise _refused(value, "msgpack", error) from error

    def loads(self, data: bytes, /) -> Any:
        """Raises UndecodableValue for anything but one whole MessagePack value."""
        try:
            return self._msgpack.unpackb(data, strict_map_key=False, unicode_errors="surrogatepass")
        except (ValueError, TypeError, RecursionError) as error:
            raise _undecodable("msgpack", error) from error

    @cached_property
    def _msgpack(self) -> Any:
        return _load_msgpack()


def _load_msgpack() -> Any:
    try:
        import msgpack  # type: ignore[import-untyped]  # it has none
    except ImportError as error:
        raise MissingExtraError("MsgpackSerializer needs msgpack: pip install 'torngas-cache[msgpack]'") from error
    return msgpack


own_dumps, own_loads = _pickle.dumps, _pickle.loads
"""For bytes that never leave this process, as local memory keeps them; nothing else may use these."""

pickle = PickleSerializer()
json = JSONSerializer()
msgpack = MsgpackSerializer()


@dataclass(frozen=True, slots=True)
class SignedSerializer:
    """Another serializer's bytes behind their HMAC-SHA256; see `signed`."""

    inner: Serializer
    keys: tuple[bytes, ...] = field(repr=False)

    def dumps(self, value: Any, /) -> bytes:
        """Signs with the first key."""
        data = self.inner.dumps(value)
        return b"\x80" + _signature(self.keys[0], data) + data

    def loads(self, data: bytes, /) -> Any:
        """Raises UndecodableValue, before anything is decoded, unless one of the keys made the signature."""
        found, body = data[1:33], data[33:]
        if data[:1] != b"\x80" or not any(hmac.compare_digest(_signature(key, body), found) for key in self.keys):
            raise UndecodableValue(
                "signed: got a payload with a wrong or missing signature; nothing of it was decoded."
            )
        return self.inner.loads(body)


def _signature(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def signed(
    serializer: Serializer | str, key: str | bytes, *, fallbacks: Iterable[str | bytes] = ()
) -> SignedSerializer:
    """A serializer that reads only what was signed with one of these keys.

    Args:
        serializer: The serializer to wrap, or its name.
        key: Signs and verifies; a secret of at least 8 bytes, better 32.
        fallbacks: Older keys, which verify only: put the old key here when you change it, remove it later.

    Raises:
        CacheConfigError: A key is empty or short, or `fallbacks` is one string (its letters would be taken as keys).
    """
    if isinstance(fallbacks, str | bytes):
        raise CacheConfigError(
            "signed: got one string as fallbacks; expected a list of keys, e.g. fallbacks=[old_key]."
        )
    return SignedSerializer(get_serializer(serializer), tuple(_key(item) for item in (key, *fallbacks)))


def _key(key: Any) -> bytes:
    data = key.encode() if isinstance(key, str) else key
    if not isinstance(data, bytes) or len(data) < 8:
        raise CacheConfigError("signed: got a key of less than 8 bytes; expected a secret, e.g. secrets.token_hex(32).")
    # Derived, so that a key that is also used elsewhere signs nothing here that is valid there.
    return sha256(b"torngas_cache.signed\0" + data).digest()


def get_serializer(spec: Any) -> Serializer:
    """The serializer meant by an object, one of the names `pickle`, `json`, `msgpack`, or a dotted path.

    A class is called without arguments.

    Raises:
        CacheConfigError: It is none of these.
    """
    named: dict[str, Serializer] = {"pickle": pickle, "json": json, "msgpack": msgpack}
    found = spec
    if isinstance(spec, str):
        found = named[spec] if spec in named else import_dotted(spec, "SERIALIZER")
    found = found() if isinstance(found, type) else found
    if not isinstance(found, Serializer):
        raise CacheConfigError(
            f"SERIALIZER: got {spec!r}; expected one of {sorted(named)}, a dotted path, or an object "
            "with dumps and loads."
        )
    return found
