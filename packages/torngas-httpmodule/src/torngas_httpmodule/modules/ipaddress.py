"""Modules for chosen addresses.

install(application, common=[IPBlockModule(["203.0.113.0/24"])], routes={"^/admin": [IPAllowModule(["10.0.0.0/8"])]})
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from tornado.web import HTTPError, RequestHandler

from ..base import BaseHttpModule, Clear
from ..errors import ModuleConfigError

__all__ = ["IPAllowModule", "IPBlockModule"]


class _Networks:
    """Some networks; an IPv4 address inside IPv6 (`::ffff:192.0.2.1`) counts as IPv4."""

    def __init__(self, where: str, networks: Iterable[str]) -> None:
        listed = [networks] if isinstance(networks, str) else networks
        self._networks = tuple(_network(where, text) for text in listed)

    def hold(self, text: str | None) -> bool:
        """Whether the address is in one of them; what is no address (a unix socket's peer) is in none."""
        try:
            address = ip_address((text or "").partition("%")[0])
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._networks)


def _network(where: str, text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        raise ModuleConfigError(
            f"{where}: got {text!r}; expected an address or a network, e.g. '10.0.0.0/8' or '2001:db8::1'"
        ) from error


class IPBlockModule(BaseHttpModule):
    """Answers 403 to the addresses of some networks.

    Args:
        networks: Addresses and networks, IPv4 and IPv6.

    The address is `request.remote_ip`: the socket's, unless the server trusts a proxy's headers.
    """

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = _Networks("IPBlockModule", networks)

    def begin_request(self, handler: RequestHandler, clear: Clear) -> None:
        """Refuses."""
        if self._networks.hold(handler.request.remote_ip):
            raise HTTPError(403, "address %s is blocked", handler.request.remote_ip)


class IPAllowModule(BaseHttpModule):
    """Answers 403 to all but the addresses of some networks.

    Args:
        networks: Addresses and networks, IPv4 and IPv6.

    The address is `request.remote_ip`: the socket's, unless the server trusts a proxy's headers.
    """

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = _Networks("IPAllowModule", networks)

    def begin_request(self, handler: RequestHandler, clear: Clear) -> None:
        """Refuses."""
        if not self._networks.hold(handler.request.remote_ip):
            raise HTTPError(403, "address %s is not allowed", handler.request.remote_ip)
