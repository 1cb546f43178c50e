"""Opaque tokens: issued once, kept as a hash, revoked at any time.

    tokens = Tokens("default")
    issued = await tokens.issue("ada", scopes=["orders:read"], lifetime=3600, label="laptop")
    issued.token                       # show it to the user now; nobody can read it again
    await tokens.of("ada")             # the records of her tokens, for a page that lists them
    await tokens.revoke(issued.record.id)

A token has 256 random bits. The store holds its SHA-256 alone, which is enough for a secret that cannot be guessed and
useless to who reads the store. A cache may drop entries when it is full: tokens then end early. Give them a cache of
their own, or a store that keeps what it is given.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from torngas.auth._stores import TokenStore
from torngas.auth.errors import AuthConfigError

__all__ = ["IssuedToken", "TokenRecord", "Tokens"]

_DAY = 86_400
# RFC 6750 §2.1, and short enough that hashing it costs nothing.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{20,512}=*", re.ASCII)
_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    """What is known of a token; nothing of it leads back to the token.

    Attributes:
        id: Names the token in `revoke` and in logs.
        user: Whose it is.
        scopes: What it allows.
        created: Seconds since the epoch.
        expires: Seconds since the epoch; None never.
        label: For the user's list of tokens.
    """

    id: str
    user: str | int
    scopes: tuple[str, ...] = ()
    created: float
    expires: float | None
    label: str = ""


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token, and its record; the token is in no `repr`."""

    token: str = field(repr=False)
    record: TokenRecord


class Tokens:
    """Issues, finds, lists and revokes tokens.

    Args:
        store: The alias of a cache, or a store with `get`, `set`, `delete`; see `TokenStore`. The list of a user's
            tokens survives concurrent changes where the store also has `gets` and `cas`, as every cache here has.
        lifetime: Seconds that a token lives unless `issue` says otherwise; None for ever. The default is 30 days.
        prefix: Of the keys in the store; two sets of tokens in one store need two.
        clock: Seconds since the epoch.

    Safe for threads and event loops, as far as the store is.
    """

    def __init__(
        self,
        store: Any = "default",
        *,
        lifetime: float | None = 30 * _DAY,
        prefix: str = "torngas.tokens",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = TokenStore(store)
        self._lifetime = _checked(lifetime)
        self._prefix = prefix
        self._clock = clock

    async def issue(
        self,
        user: str | int,
        scopes: Iterable[str] = (),
        *,
        lifetime: float | str | None = "default",
        label: str = "",
    ) -> IssuedToken:
        """Makes a token.

        Args:
            user: Its user's id.
            scopes: What it allows.
            lifetime: Seconds; None for ever, "default" that of these tokens.
            label: A name for lists.

        Raises:
            AuthConfigError: the lifetime is not above 0, or the user is no id.
        """
        if isinstance(user, bool) or not isinstance(user, str | int):
            raise AuthConfigError(
                f"Tokens.issue: got a user of type {type(user).__name__}; expected its id, str or int"
            )
        seconds = self._lifetime if lifetime == "default" else _checked(lifetime)
        token = secrets.token_urlsafe(_BYTES)
        digest = _digest(token)
        now = self._clock()
        record = TokenRecord(
            id=digest[:32],
            user=user,
            scopes=tuple(scopes),
            created=now,
            expires=None if seconds is None else now + seconds,
            label=label,
        )
        await self._store.set(self._key(record.id), {**asdict(record), "digest": digest}, seconds)
        await self._store.update(
            self._list_key(user), lambda known: self._listed([*(known or ()), [record.id, record.expires]])
        )
        return IssuedToken(token, record)

    async def find(self, token: str) -> TokenRecord | None:
        """The record of a token that is valid now; None for every other one."""
        if not _TOKEN.fullmatch(token):
            return None
        digest = _digest(token)
        entry = await self._store.get(self._key(digest[:32]))
        if not isinstance(entry, dict) or not hmac.compare_digest(str(entry.get("digest")), digest):
            return None
        return self._alive(entry)

    async def of(self, user: str | int) -> list[TokenRecord]:
        """The valid tokens of a user, the oldest first."""
        lines = await self._store.get(self._list_key(user)) or []
        found = [await self._record(token_id) for token_id, _ in lines]
        alive = [record for record in found if record is not None and record.user == user]
        return sorted(alive, key=lambda record: record.created)

    async def revoke(self, token_id: str) -> bool:
        """Ends a token, by its record's id, at once; True if there was one."""
        record = await self._record(token_id)
        await self._store.delete(self._key(token_id))
        if record is not None:
            await self._forget(record.user, {token_id})
        return record is not None

    async def revoke_all(self, user: str | int) -> int:
        """Ends every token of a user; answers how many there were."""
        records = await self.of(user)
        for record in records:
            await self._store.delete(self._key(record.id))
        await self._forget(user, {record.id for record in records})
        return len(records)

    async def _forget(self, user: str | int, ids: set[str]) -> None:
        await self._store.update(
            self._list_key(user), lambda known: self._listed([line for line in known or () if line[0] not in ids])
        )

    def _listed(self, lines: list[Any]) -> tuple[list[Any], float | None]:
        """The ids that are left of a list, and how long it must live."""
        now = self._clock()
        alive = [line for line in lines if line[1] is None or line[1] > now]
        ends = [line[1] for line in alive]
        return alive, None if None in ends else max(ends, default=now) - now

    async def _record(self, token_id: str) -> TokenRecord | None:
        entry = await self._store.get(self._key(token_id))
        return self._alive(entry) if isinstance(entry, dict) else None

    def _alive(self, entry: dict[str, Any]) -> TokenRecord | None:
        values = {name: value for name, value in entry.items() if name != "digest"}
        record = TokenRecord(**{**values, "scopes": tuple(values["scopes"])})
        return record if record.expires is None or record.expires > self._clock() else None

    def _key(self, token_id: str) -> str:
        return f"{self._prefix}:{token_id}"

    def _list_key(self, user: str | int) -> str:
        return f"{self._prefix}:of:{_digest(repr(user))}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _checked(lifetime: Any) -> float | None:
    if lifetime is not None and (isinstance(lifetime, str | bool) or not lifetime > 0):
        raise AuthConfigError(f"Tokens: got a lifetime of {lifetime!r}; expected seconds above 0, or None for ever")
    return None if lifetime is None else float(lifetime)
