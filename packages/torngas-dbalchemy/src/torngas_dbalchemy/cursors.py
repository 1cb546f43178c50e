"""Signed cursors: the place in an ordered list, as text for a URL.

A cursor holds the values that its row is ordered by, its direction, and a fingerprint of the order, signed with
HMAC-SHA256. It is readable by whoever holds it; it cannot be changed, nor used for another order.

    signer = CursorSigner("a long secret")
    signer.decode(signer.encode("after", "order", [3, None]), "order")  # ('after', [3, None])
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import functools
import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any

from .errors import ConfigError, CursorError

__all__ = ["CursorSigner", "Key"]

Key = str | bytes | Iterable[str | bytes] | None
_LONGEST = 4096
_SIGNATURE_BYTES = 16

_WRITERS: Sequence[tuple[type, str, Callable[[Any], str]]] = (
    (Enum, "e", lambda value: str(value.name)),
    (float, "f", repr),
    (Decimal, "d", str),
    (dt.datetime, "t", dt.datetime.isoformat),
    (dt.date, "a", dt.date.isoformat),
    (dt.time, "i", dt.time.isoformat),
    (dt.timedelta, "s", lambda value: f"{value.days},{value.seconds},{value.microseconds}"),
    (uuid.UUID, "u", str),
    (bytes, "b", bytes.hex),
)
_READERS: Mapping[str, Callable[[str], Any]] = {
    "e": str,  # the column knows the class
    "f": float,
    "d": Decimal,
    "t": dt.datetime.fromisoformat,
    "a": dt.date.fromisoformat,
    "i": dt.time.fromisoformat,
    "s": lambda text: dt.timedelta(*map(int, text.split(","))),
    "u": uuid.UUID,
    "b": bytes.fromhex,
}


class CursorSigner:
    """Writes and reads cursors.

    Args:
        key: the secret; with several the first signs and all verify, so that keys can be changed. None: a secret of
            this process, which no other process and no restart knows.
    """

    def __init__(self, key: Key = None) -> None:
        if key is None:
            key = _process_key()
        keys = [key] if isinstance(key, str | bytes) else list(key)
        if not keys or not all(keys):
            raise ConfigError("paginate_keyset(key=): got an empty key; expected a secret, or several, newest first.")
        self._keys = [one.encode() if isinstance(one, str) else one for one in keys]

    def encode(self, direction: str, order: str, values: Sequence[Any]) -> str:
        """Answers the cursor; `direction` is `after` or `before`, `order` the fingerprint."""
        payload = json.dumps([direction, order, [_write(value) for value in values]], separators=(",", ":")).encode()
        return _text(_sign(self._keys[0], payload) + payload)

    def decode(self, cursor: str, order: str) -> tuple[str, list[Any]]:
        """Answers direction and values.

        Raises:
            CursorError: not signed by us, changed, too long, or made for another order.
        """
        payload = self._verified(cursor)
        try:
            direction, made_for, values = json.loads(payload)
            found = [_read(value) for value in values]
        except (ValueError, TypeError, KeyError, InvalidOperation) as error:
            raise CursorError("cursor: got one of another version; expected none, to begin anew.") from error
        if made_for != order:
            raise CursorError("cursor: got one of a list in another order; expected none, to begin anew.")
        return direction, found

    def _verified(self, cursor: str) -> bytes:
        raw = _bytes(cursor)
        signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if not any(hmac.compare_digest(_sign(key, payload), signature) for key in self._keys):
            raise CursorError("cursor: got one that was changed or is not ours; expected one that a page has given.")
        return payload


@functools.cache
def _process_key() -> bytes:
    return secrets.token_bytes(32)


def _sign(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, b"torngas-dbalchemy cursor\0" + payload, hashlib.sha256)[:_SIGNATURE_BYTES]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(cursor: object) -> bytes:
    if not isinstance(cursor, str) or len(cursor) > _LONGEST:
        return b""
    try:
        return base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return b""


def _write(value: Any) -> Any:
    if value is None or type(value) in (bool, int, str):
        return value
    for kind, tag, writer in _WRITERS:
        if isinstance(value, kind):
            return [tag, writer(value)]
    if isinstance(value, int | str):
        return _write(int(value) if isinstance(value, int) else str(value))
    raise TypeError(f"paginate_keyset: got {type(value).__name__} in the ORDER BY; expected a plain type; cast it.")


def _read(value: Any) -> Any:
    return _READERS[value[0]](value[1]) if isinstance(value, list) else value
