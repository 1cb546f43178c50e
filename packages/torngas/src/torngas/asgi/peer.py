"""Who sent a request: the socket's other end, or what a trusted proxy says of it."""

from __future__ import annotations

from collections.abc import Collection

from tornado.httputil import HTTPHeaders
from tornado.netutil import is_valid_ip

from torngas.asgi.types import Scope

__all__ = ["UNIX", "Peer"]

UNIX = "unix:"
"""Names the peers of a unix socket, which have no address, among the trusted."""

_PROTOCOLS = {"https": "https", "wss": "https"}


class Peer:
    """The sender of a request; `request.connection.context`.

    Attributes:
        remote_ip: Its address; "0.0.0.0" behind a unix socket, as with Tornado's server.
        protocol: "http" or "https".
        address: The pair of address and port, or None.
    """

    __slots__ = ("address", "protocol", "remote_ip")

    def __init__(self, scope: Scope) -> None:
        client = scope.get("client")
        self.address: tuple[str, int] | None = tuple(client) if client else None
        self.remote_ip: str = client[0] if client and client[0] else "0.0.0.0"  # noqa: S104 - Tornado's word for none
        self.protocol: str = _PROTOCOLS.get(scope.get("scheme", "http"), "http")

    def __str__(self) -> str:
        return self.remote_ip

    def apply(self, headers: HTTPHeaders, trusted: Collection[str]) -> None:
        """Takes address and protocol from the proxy's headers as Tornado does, if the peer is a trusted one.

        Args:
            headers: The request's.
            trusted: Addresses of proxies; empty trusts nobody.
        """
        if (self.remote_ip if self.address and self.address[0] else UNIX) not in trusted:
            return
        ip = self.remote_ip
        for candidate in reversed(headers.get("X-Forwarded-For", ip).split(",")):
            ip = candidate.strip()
            if ip not in trusted:
                break
        ip = headers.get("X-Real-Ip", ip)
        if is_valid_ip(ip):
            self.remote_ip = ip
        protocol = headers.get("X-Scheme", headers.get("X-Forwarded-Proto", self.protocol))
        last = protocol.split(",")[-1].strip()
        if last in ("http", "https"):
            self.protocol = last
