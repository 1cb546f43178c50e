"""Names of entries: how a user's key becomes a storage key, and which storage keys are portable.

A storage key reads `prefix:version:key`. No two (prefix, version, key) share one, whatever separators they contain:
the version is the first segment after the prefix that looks like one, and a prefix in which a later segment would look
like a version has the colon before that segment escaped. Ordinary prefixes (`app`, `app:pages`) stay as they are.
Names that the library keeps for itself (locks, tags) have a kind in the version's place, `prefix:~lock:version:key`,
which no version can spell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256

MAX_KEY_BYTES = 250
"""The longest storage key that memcached takes, in UTF-8 bytes."""

_UNPORTABLE = re.compile(r"[\x00-\x20\x7f]")
_INTEGER = re.compile(r"-?\d+", re.ASCII)
_LOOKS_LIKE_A_VERSION = re.compile(r":(?=[=~]|-?\d+(?::|$))", re.ASCII)
_VERSION_SEGMENT = re.compile(r":([=~][^:]*|-?\d+)(?=:|$)", re.ASCII)


def default_key_func(key: str, key_prefix: str, version: object) -> str:
    """`prefix:version:key`; a version that is no integer is marked with `=`."""
    return f"{escape_prefix(key_prefix)}:{_version_segment(version)}:{key}"


def internal_key(kind: str, key: str, key_prefix: str, version: object) -> str:
    """A name of the library's own for the user's key; too long a one is replaced by its digest, never refused."""
    start, rest = f"{escape_prefix(key_prefix)}:~{kind}", f"{_version_segment(version)}:{key}"
    if len(name := f"{start}:{rest}") > MAX_KEY_BYTES or len(name.encode(errors="surrogatepass")) > MAX_KEY_BYTES:
        return f"{start}#:{digest(rest)}"
    return f"{start}#:{digest(rest)}" if _UNPORTABLE.search(rest) else name


def digest(text: str) -> str:
    """SHA-256 in hexadecimal: 64 portable characters for any text."""
    return sha256(text.encode(errors="surrogatepass")).hexdigest()


def escape_prefix(prefix: str) -> str:
    """The prefix as it stands in storage keys; the identity for every prefix without `%` and without numbers."""
    return _LOOKS_LIKE_A_VERSION.sub("%3A", prefix.replace("%", "%25"))


def belongs_to(storage_key: str, key_prefix: str) -> bool:
    """Whether a storage key of the default layout was made with this prefix (any version, internal names too)."""
    start = escape_prefix(key_prefix) + ":"
    if not storage_key.startswith(start):
        return False
    segment = storage_key[len(start) :].partition(":")[0]
    return segment[:1] in {"=", "~"} or _INTEGER.fullmatch(segment) is not None


def is_lock(storage_key: str) -> bool:
    """Whether this is the name of a lock, and not of an entry whose key only looks like it."""
    if ":~lock" not in storage_key:
        return False
    found = _VERSION_SEGMENT.search(storage_key)
    return found is not None and found[1] in ("~lock", "~lock#")


def key_problems(storage_key: str) -> Iterator[str]:
    """Yields what would go wrong with memcached; nothing for a portable key."""
    if _UNPORTABLE.search(storage_key):
        yield f"Cache key contains characters that will cause errors if used with memcached: {storage_key!r}"
    if len(storage_key) * 4 > MAX_KEY_BYTES and len(storage_key.encode(errors="surrogatepass")) > MAX_KEY_BYTES:
        yield (f"Cache key will cause errors if used with memcached: {storage_key!r} (longer than {MAX_KEY_BYTES})")


def _version_segment(version: object) -> str:
    text = str(version)
    if _INTEGER.fullmatch(text):
        return text
    return "=" + text.replace("%", "%25").replace(":", "%3A")
