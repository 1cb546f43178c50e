"""The configuration of one cache, checked: every wrong value is an error that says what would be right."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from torngas_cache._keys import default_key_func
from torngas_cache.errors import CacheConfigError

KeyFunction = Callable[[str, str, Any], str]

TOP_LEVEL = ("BACKEND", "KEY_FUNCTION", "KEY_PREFIX", "LOCATION", "OPTIONS", "TIMEOUT", "VERSION")
"""What may stand beside OPTIONS in the configuration of an alias."""

OPTION_NAMES = frozenset(
    (
        "BREAKER_FAILURES",
        "BREAKER_WINDOW",
        "CLOCK",
        "COMPRESSION",
        "COMPRESS_MIN_SIZE",
        "CULL_FREQUENCY",
        "LEASE",
        "MAX_BYTES",
        "MAX_ENTRIES",
        "ON_OUTAGE",
        "SERIALIZER",
    )
)
"""The options that this library gave their names, as opposed to those of a driver, which are passed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """What all backends have in common.

    Args:
        timeout: Default lifetime of entries in seconds, 300. None: for ever; 0 or negative: expired at once.
        key_prefix: Put in front of every key, so that programs can share a server.
        version: Default version of keys, 1.
        key_func: `(key, key_prefix, version) -> storage key`.
        max_entries: Local backends: above this number, entries are culled. 300; at least 1.
        cull_frequency: 1/n of the entries goes when culling finds none expired. 3; 0: all go.
        serializer: None for the backend's default (pickle), a name, a dotted path or an object with dumps and loads.
        compression: None, "zlib" or "zstd", for payloads of `compress_min_size` bytes (1,024) and more.
        lease: Seconds for which the one who recomputes a value is waited for by other processes, 10.
        clock: Seconds since some moment; the backend's own default where None.
        options: What is left of OPTIONS, for the backend.
    """

    timeout: float | None = 300
    key_prefix: str = ""
    version: Any = 1
    key_func: KeyFunction = default_key_func
    max_entries: int = 300
    cull_frequency: int = 3
    serializer: Any = None
    compression: str | None = None
    compress_min_size: int = 1024
    lease: float = 10.0
    clock: Callable[[], float] | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, params: Mapping[str, Any]) -> Params:
        """Reads the mapping as it stands under an alias.

        Raises:
            CacheConfigError: Something has a value that cannot work.
        """
        options = dict(params.get("OPTIONS") or {})
        take = _Taker(params, options)
        return cls(
            timeout=check_timeout("TIMEOUT", take.top("TIMEOUT", 300)),
            key_prefix=str(take.top("KEY_PREFIX", "") or ""),
            version=take.top("VERSION", 1),
            key_func=_key_func(take.top("KEY_FUNCTION", None)),
            max_entries=check_integer("MAX_ENTRIES", take.option("MAX_ENTRIES", 300), at_least=1),
            cull_frequency=check_integer("CULL_FREQUENCY", take.option("CULL_FREQUENCY", 3), at_least=0),
            serializer=take.option("SERIALIZER", None),
            compression=take.option("COMPRESSION", None),
            compress_min_size=check_integer("COMPRESS_MIN_SIZE", take.option("COMPRESS_MIN_SIZE", 1024), at_least=1),
            lease=check_seconds("LEASE", take.option("LEASE", 10.0)),
            clock=take.option("CLOCK", None),
            options=options,
        )


@dataclass(frozen=True, slots=True)
class _Taker:
    """Finds an option where Django's users write it: upper or lower case, beside OPTIONS or in it."""

    params: Mapping[str, Any]
    options: dict[str, Any]

    def top(self, name: str, default: Any) -> Any:
        return self.params.get(name.lower(), self.params.get(name, default))

    def option(self, name: str, default: Any) -> Any:
        return self.top(name, self.options.pop(name, default))


def check_timeout(name: str, value: Any) -> float | None:
    """A default lifetime: None, or a finite number of seconds; a string of digits is read as one."""
    if value is None:
        return None
    number = _number(value)
    if number is None:
        raise CacheConfigError(f"{name}: got {value!r}; expected seconds as a number, or None for 'never expires'.")
    return number


def check_seconds(name: str, value: Any) -> float:
    """A finite number of seconds above zero."""
    number = _number(value)
    if number is None or number <= 0:
        raise CacheConfigError(f"{name}: got {value!r}; expected a number of seconds above 0.")
    return number


def check_integer(name: str, value: Any, *, at_least: int) -> int:
    """A whole number; a string of digits is read as one."""
    number = _number(value)
    if number is None or number != int(number) or number < at_least:
        raise CacheConfigError(f"{name}: got {value!r}; expected a whole number, at least {at_least}.")
    return int(number)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return value if isinstance(value, int) else number


def refuse_unknown(where: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raises for the first name that nobody knows, with the nearest known one."""
    known = sorted(known)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(str(name).upper(), known, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise CacheConfigError(f"{where}: got the unknown option {name!r}; expected one of {known}.{hint}")


def split_locations(location: Any) -> list[str]:
    """A location as a list: a string is split on `,` and `;`, a list or tuple is taken item by item."""
    if isinstance(location, str | Path):
        location = re.split(r"[;,]", str(location))
    return [text for item in location if (text := str(item).strip())]


def import_dotted(path: str, what: str) -> Any:
    """The object at `package.module.name`.

    Raises:
        CacheConfigError: There is none; the cause tells whether the module or the name is missing.
    """
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise CacheConfigError(
            f"{what}: got {path!r}, which cannot be loaded ({error}); expected the dotted path of an importable object."
        ) from error


def _key_func(value: Any) -> KeyFunction:
    if value is None:
        return default_key_func
    found = import_dotted(value, "KEY_FUNCTION") if isinstance(value, str) else value
    if not callable(found):
        raise CacheConfigError(
            f"KEY_FUNCTION: got {value!r}; expected a callable (key, key_prefix, version), or its dotted path."
        )
    return found  # type: ignore[no-any-return]  # what it returns is checked by no one; Django trusts it too
