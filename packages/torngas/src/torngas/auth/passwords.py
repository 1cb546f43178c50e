"""Passwords: hashed with scrypt, in threads of their own, and compared so that no clock tells who has an account.

    passwords = Passwords()
    stored = await passwords.hash("correct horse")           # "$scrypt$ln=15,r=8,p=3$…$…"
    await passwords.verify("correct horse", stored)          # True
    await passwords.verify("correct horse", None)            # False, after the same time: nobody by that name

The parameters stand in each hash, so that they can be raised: `needs_rehash` says which hashes are weaker than now.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

from torngas.auth.errors import AuthConfigError

__all__ = ["Passwords", "ScryptCost"]

_HASH = re.compile(
    r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,88})\$([A-Za-z0-9+/]{43})", re.ASCII
)
_LONGEST = 1024  # of a password, in characters
_SALT_BYTES = 16
_HASH_BYTES = 32
_MOST_MEMORY = 2**29


@dataclass(frozen=True, slots=True, kw_only=True)
class ScryptCost:
    """What a guess costs; the defaults are among those of OWASP's Password Storage Cheat Sheet.

    Attributes:
        log_n: The logarithm of the iterations, 1 to 22; memory is 128 · r · 2^log_n bytes, 32 MiB by default.
        r: The size of a block, 1 to 32.
        p: How often, one after the other, 1 to 16.
    """

    log_n: int = 15
    r: int = 8
    p: int = 3

    def __post_init__(self) -> None:
        if not (1 <= self.log_n <= 22 and 1 <= self.r <= 32 and 1 <= self.p <= 16) or self.memory > _MOST_MEMORY:
            raise AuthConfigError(
                f"ScryptCost: got log_n={self.log_n!r}, r={self.r!r}, p={self.p!r}; expected 1 to 22, 1 to 32, 1 to "
                f"16, and at most {_MOST_MEMORY >> 20} MiB"
            )

    @property
    def memory(self) -> int:
        """Bytes that one hash takes."""
        return 128 * self.r << self.log_n


class _Parsed(NamedTuple):
    cost: ScryptCost
    salt: bytes
    digest: bytes


class Passwords:
    """Makes and checks hashes, off the event loop.

    Args:
        cost: Of new hashes; old ones keep theirs.
        threads: How many are computed at once; each takes `cost.memory`. Others wait, so that a flood of logins takes
            neither the memory nor the threads of the rest.
        salt: Makes random bytes.

    Safe for threads and event loops. `close` ends the threads; unclosed ones end with the process.
    """

    def __init__(
        self, cost: ScryptCost | None = None, *, threads: int = 2, salt: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._cost = cost or ScryptCost()
        self._salt = salt
        # Starts no thread before it is used.
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="torngas-passwords")
        self._nobody = _written(self._cost, salt(_SALT_BYTES), bytes(_HASH_BYTES))

    async def hash(self, password: str) -> str:
        """Answers a hash to be stored.

        Raises:
            ValueError: the password is empty, or longer than 1,024 characters.
        """
        if not 0 < len(password) <= _LONGEST:
            raise ValueError(f"Passwords.hash: got {len(password)} characters; expected 1 to {_LONGEST}")
        salt = self._salt(_SALT_BYTES)
        digest = await self._run(_scrypt, _octets(password), salt, self._cost)
        return _written(self._cost, salt, digest)

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password is the stored one.

        Args:
            password: As the user typed it.
            stored: A hash; None, where there is no such user, takes as long and answers False.

        Raises:
            AuthConfigError: what is stored is no hash of this kind.
        """
        parsed = _parsed(stored if stored is not None else self._nobody)
        digest = await self._run(_scrypt, _octets(password[:_LONGEST]), parsed.salt, parsed.cost)
        same = hmac.compare_digest(digest, parsed.digest)
        return same and stored is not None and 0 < len(password) <= _LONGEST

    def needs_rehash(self, stored: str) -> bool:
        """Whether a hash was made at another cost than new ones; hash the password anew after a login."""
        return _parsed(stored).cost != self._cost

    def close(self) -> None:
        """Ends the threads; idempotent."""
        self._pool.shutdown()

    async def _run(self, function: Callable[[bytes, bytes, ScryptCost], bytes], *args: bytes | ScryptCost) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *args)  # type: ignore[arg-type]  # as listed


def _scrypt(password: bytes, salt: bytes, cost: ScryptCost) -> bytes:
    return hashlib.scrypt(
        password, salt=salt, n=2**cost.log_n, r=cost.r, p=cost.p, maxmem=2 * cost.memory + 2**20, dklen=_HASH_BYTES
    )


def _octets(password: str) -> bytes:
    """The same octets however a keyboard composes accents (RFC 8265 §4.2)."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _written(cost: ScryptCost, salt: bytes, digest: bytes) -> str:
    encoded = (base64.b64encode(part).decode().rstrip("=") for part in (salt, digest))
    return "$scrypt$ln={},r={},p={}${}${}".format(cost.log_n, cost.r, cost.p, *encoded)


def _parsed(stored: str) -> _Parsed:
    found = _HASH.fullmatch(stored)
    if found is None:
        raise AuthConfigError("Passwords: got a stored hash of another kind; expected one that Passwords.hash made")
    log_n, r, p = map(int, found.groups()[:3])
    return _Parsed(ScryptCost(log_n=log_n, r=r, p=p), _bytes(found[4]), _bytes(found[5]))


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))
