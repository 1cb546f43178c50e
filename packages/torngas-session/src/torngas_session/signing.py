"""The signer: proves that this server issued a value, with a key that can be replaced.

    signer = Signer(["new key", "old key"], purpose="id", version="1")
    signer.verify(signer.sign("abc")) == "abc"

The first key signs, every key verifies. Each purpose and version derives keys of its own from the secrets, so
that what was signed for one place proves nothing in another. HMAC-SHA-256 (RFC 2104, RFC 6234); compared in
constant time (OWASP ASVS 5.0 V11.2.4).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

__all__ = ["Signer"]

_DIGEST = "sha256"
_MAC_CHARACTERS = 64


class Signer:
    """Signs ASCII text as `text.mac`; immutable, safe in any thread.

    Args:
        keys: Secrets, the signing one first, then those that are still accepted.
        purpose: What the signed text is for.
        version: Changing it makes everything signed before worthless.
    """

    __slots__ = ("_keys",)

    def __init__(self, keys: Iterable[str | bytes], *, purpose: str, version: str = "") -> None:
        salt = f"torngas-session\0{purpose}\0{version}".encode()
        secrets = [key.encode() if isinstance(key, str) else key for key in keys]
        self._keys = tuple(hmac.digest(secret, salt, _DIGEST) for secret in secrets)

    def sign(self, text: str) -> str:
        """`text.mac`, made with the first key."""
        return f"{text}.{hmac.digest(self._keys[0], text.encode('ascii'), _DIGEST).hex()}"

    def verify(self, signed: str) -> str | None:
        """The text if one of the keys signed it, None otherwise; never raises for any string."""
        if not signed.isascii() or len(signed) <= _MAC_CHARACTERS or signed[-_MAC_CHARACTERS - 1] != ".":
            return None
        text, mac = signed[: -_MAC_CHARACTERS - 1], signed[-_MAC_CHARACTERS:]
        message = text.encode()
        for key in self._keys:
            if hmac.compare_digest(hmac.digest(key, message, _DIGEST).hex(), mac):
                return text
        return None

    def mac(self, data: bytes) -> bytes:
        """The 32 bytes that `check` wants beside `data`."""
        return hmac.digest(self._keys[0], data, _DIGEST)

    def check(self, data: bytes, mac: bytes) -> bool:
        """Whether one of the keys made this MAC of `data`."""
        return any(hmac.compare_digest(hmac.digest(key, data, _DIGEST), mac) for key in self._keys)
