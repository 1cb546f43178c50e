"""Values as bytes: what the stores outside of this process write."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["pack", "unpack"]


def pack(value: Any) -> bytes:
    """A tag and the value: bytes and text as they are, anything else as JSON."""
    if isinstance(value, bytes):
        return b"b" + value
    if isinstance(value, str):
        return b"s" + value.encode("utf-8", "surrogatepass")
    return b"j" + json.dumps(value).encode()


def unpack(data: bytes) -> Any:
    """The value again.

    Raises:
        ValueError: `pack` did not make this.
    """
    tag, rest = data[:1], data[1:]
    if tag == b"b":
        return rest
    if tag == b"s":
        return rest.decode("utf-8", "surrogatepass")
    if tag == b"j":
        return json.loads(rest)
    raise ValueError("the stored value has an unknown tag")
