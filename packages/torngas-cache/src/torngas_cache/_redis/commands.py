"""The primitives of a cache as redis commands, and what their replies mean; no I/O.

Replies come bare from connections, and from the client of a cluster with some already turned into Python values: both
spellings of one reply must mean the same here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torngas_cache._codec import HEAD_BYTES, Payload
from torngas_cache._redis import scripts
from torngas_cache._redis.pipeline import Command

__all__ = [
    "accepted",
    "expire",
    "expire_if",
    "failed",
    "found",
    "found_lives",
    "head",
    "increment",
    "insert",
    "lives",
    "milliseconds",
    "not_an_integer",
    "remaining",
    "removals",
    "remove_if",
    "swap",
    "with_token",
    "write",
    "writes",
]

# Keys in one UNLINK: enough to make the round trip small beside the work, too few to hold the server up.
BATCH = 500


def milliseconds(seconds: float) -> int:
    """What PX takes: at least 1, since 0 is an error to redis and not "at once"."""
    return max(1, round(seconds * 1000))


def write(key: str, payload: Payload, seconds: float | None) -> Command:
    """Stores, whatever was there."""
    if seconds is None:
        return ("SET", key, payload)
    return ("SET", key, payload, "PX", milliseconds(seconds))


def insert(key: str, payload: Payload, seconds: float | None) -> Command:
    """Stores if absent. One command: SETNX and then EXPIRE would leave an immortal key to a crash between them."""
    return (*write(key, payload, seconds), "NX")


def removals(keys: Iterable[str | bytes], one_by_one: bool) -> list[Command]:
    """Removes in batches; one by one in a cluster, where the keys of a command must share a slot.

    UNLINK frees the memory of large values beside the server's loop.
    """
    names = list(keys)
    size = 1 if one_by_one else BATCH
    return [("UNLINK", *names[start : start + size]) for start in range(0, len(names), size)]


def expire(key: str, seconds: float | None) -> Command:
    """Sets the remaining life; the reply is 1 if there is an entry."""
    if seconds is None:
        return ("EVALSHA", scripts.PERSIST, 1, key)
    return ("PEXPIRE", key, milliseconds(seconds))


def head(key: str) -> Command:
    """The first bytes; the reply is empty for an absent key, and no payload is."""
    return ("GETRANGE", key, 0, HEAD_BYTES - 1)


def increment(key: str, delta: int) -> Command:
    """Adds to an entry that exists; the reply is nil for one that does not."""
    return ("EVALSHA", scripts.INCREMENT, 1, key, delta)


def swap(key: str, payload: Payload, token: str, seconds: float | None) -> Command:
    """Stores if what is stored has the digest `token`; removes it if `seconds` is 0 or less."""
    if seconds is not None and seconds <= 0:
        return remove_if(key, token)
    return ("EVALSHA", scripts.SWAP, 1, key, token, payload, "" if seconds is None else milliseconds(seconds))


def remove_if(key: str, token: str) -> Command:
    """Removes if what is stored has the digest `token`."""
    return ("EVALSHA", scripts.REMOVE_IF, 1, key, token)


def expire_if(key: str, token: str, seconds: float | None) -> Command:
    """Sets the remaining life if what is stored has the digest `token`."""
    return ("EVALSHA", scripts.EXPIRE_IF, 1, key, token, "" if seconds is None else milliseconds(seconds))


def remaining(reply: int) -> float | None:
    """The reply of PTTL: -2 absent, -1 never expires."""
    if reply == -1:
        return None
    return max(0, reply) / 1000


def found(keys: Iterable[str], replies: Iterable[Any]) -> dict[str, Payload]:
    """The replies that are payloads, by their keys."""
    return {key: reply for key, reply in zip(keys, replies, strict=True) if reply is not None}


def lives(keys: Sequence[str]) -> list[Command]:
    """Asks for payloads and for their remaining lives."""
    return [*[("GET", key) for key in keys], *[("PTTL", key) for key in keys]]


def found_lives(keys: Sequence[str], replies: Sequence[Any]) -> dict[str, tuple[Payload, float | None]]:
    """The replies to `lives`."""
    half = len(keys)
    payloads = found(keys, replies[:half])
    times = dict(zip(keys, map(remaining, replies[half:]), strict=True))
    return {key: (payload, times[key]) for key, payload in payloads.items()}


def writes(payloads: Mapping[str, Payload], seconds: float | None) -> list[Command]:
    """One command for each entry."""
    return [write(key, payload, seconds) for key, payload in payloads.items()]


def failed(payloads: Iterable[str], replies: Iterable[Any]) -> list[str]:
    """The keys whose writes the server refused (it is out of memory, say)."""
    return [key for key, reply in zip(payloads, replies, strict=True) if isinstance(reply, Exception)]


def accepted(replies: list[Any]) -> list[Any]:
    """The replies; raises the first that is an error."""
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return replies


def with_token(payload: Payload | None) -> tuple[Payload | None, str | None]:
    """A payload and the token by which `swap` recognizes it."""
    return payload, None if payload is None else scripts.digest(payload)


def not_an_integer(key: str, error: Exception) -> Exception:
    """What INCRBY's refusal means: TypeError for a value that is no integer, else the error itself."""
    if "not an integer" in str(error) or "out of range" in str(error) or "would overflow" in str(error):
        return TypeError(f"incr: got the key {key!r} whose value redis cannot count with ({error}).")
    return error
