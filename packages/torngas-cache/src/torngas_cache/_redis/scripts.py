"""What one command cannot say atomically, in Lua. Every script touches one key only, so that it runs in a cluster.

Expected values are compared by SHA-1 digest, so that a large one is not sent twice; where bytes differ and digests
do not, somebody has found a collision to gain a lost update.
"""

from __future__ import annotations

from hashlib import sha1

__all__ = ["EXPIRE_IF", "INCREMENT", "PERSIST", "REMOVE_IF", "SOURCES", "SWAP", "digest"]

_SAME = "local held = redis.call('GET', KEYS[1]) if not held or redis.sha1hex(held) ~= ARGV[1] then return 0 end "
_SWAP = _SAME + (
    "if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2]) "
    "else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end return 1"
)
_REMOVE_IF = _SAME + "return redis.call('UNLINK', KEYS[1])"
_EXPIRE_IF = _SAME + (
    "if ARGV[2] == '' then redis.call('PERSIST', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 1"
)
# INCRBY keeps the remaining life, and alone would create a missing key.
_INCREMENT = "if redis.call('EXISTS', KEYS[1]) == 0 then return false end return redis.call('INCRBY', KEYS[1], ARGV[1])"
# PERSIST answers 0 for a key that has no expiry as well as for one that does not exist.
_PERSIST = "redis.call('PERSIST', KEYS[1]) return redis.call('EXISTS', KEYS[1])"


def _name(source: str) -> str:
    """The name under which the server keeps a script (`EVALSHA`)."""
    return sha1(source.encode(), usedforsecurity=False).hexdigest()


SWAP = _name(_SWAP)
REMOVE_IF = _name(_REMOVE_IF)
EXPIRE_IF = _name(_EXPIRE_IF)
INCREMENT = _name(_INCREMENT)
PERSIST = _name(_PERSIST)

SOURCES = {_name(source): source for source in (_SWAP, _REMOVE_IF, _EXPIRE_IF, _INCREMENT, _PERSIST)}


def digest(payload: bytes | int) -> str:
    """The digest that the scripts compare with: SHA-1 of what the server stores for this payload."""
    data = payload if isinstance(payload, bytes) else b"%d" % payload
    return sha1(data, usedforsecurity=False).hexdigest()
