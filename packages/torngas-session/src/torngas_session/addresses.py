"""The network that a session belongs to.

    network_of("192.0.2.7") == "192.0.2.7"
    network_of("2001:db8:1:2:aaaa::1") == network_of("2001:db8:1:2:bbbb::9")

An IPv6 host changes the lower half of its address every day (RFC 8981) and keeps the /64 (RFC 4291 §2.5.1), so
that half is left out. The address is the one that the server gave the request; no header is read here.
"""

from __future__ import annotations

import socket

__all__ = ["network_of"]

_MAPPED_PREFIX = bytes(10) + b"\xff\xff"


def network_of(address: str | None) -> str:
    """The IPv4 address, or the /64 of the IPv6 address; text that is neither is returned as it is."""
    if not address:
        return ""
    if ":" not in address:
        return address
    try:
        packed = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    except OSError:
        return address
    if packed.startswith(_MAPPED_PREFIX):
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    return packed[:8].hex(":", 2) + "::/64"
