"""Handlers for chosen addresses only.

class Admin(WebHandler):
    @whitelisted                          # the setting WHITELIST
    def get(self): ...

    @whitelisted(["10.0.0.0/8", "::1"])   # these
    def post(self): ...
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from tornado.web import RequestHandler

from torngas.exception import ConfigError, HttpForbiddenError
from torngas.settings_manager import settings

__all__ = ["whitelisted"]

Method = Callable[..., Any]
Network = IPv4Network | IPv6Network


def whitelisted(argument: Method | str | Iterable[str]) -> Any:
    """Lets a handler's method run only for addresses of a list; all others get 403.

    Args:
        argument: The method (bare decorator: the setting `WHITELIST` counts; False admits nobody), or an address, a
            network ("10.0.0.0/8"), or several of them.

    The address is `request.remote_ip`, the socket's unless XHEADERS says otherwise; an IPv4 address inside IPv6
    (`::ffff:10.0.0.1`) counts as IPv4.

    Raises:
        ConfigError: something in the list is no address and no network; for an argument when the method is decorated.
    """
    if callable(argument):
        return _guard(argument, lambda: _networks(settings.WHITELIST or (), "WHITELIST"))
    networks = _networks(argument, "@whitelisted")
    return lambda method: _guard(method, lambda: networks)


def _guard(method: Method, allowed: Callable[[], tuple[Network, ...]]) -> Method:
    @functools.wraps(method)
    def guarded(handler: RequestHandler, *args: Any, **kwargs: Any) -> Any:
        address = _address(handler.request.remote_ip)
        if address is None or not any(address in network for network in allowed()):
            raise HttpForbiddenError("%s is not on the whitelist", handler.request.remote_ip)
        return method(handler, *args, **kwargs)

    return guarded


def _networks(given: str | Iterable[str], where: str) -> tuple[Network, ...]:
    items = [given] if isinstance(given, str) else [*given]
    return tuple(_network(str(item), where) for item in items)


@functools.lru_cache(maxsize=1024)
def _network(text: str, where: str) -> Network:
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        raise ConfigError(
            f"{where}: got {text!r}; expected an address or a network, e.g. '127.0.0.1' or '10.0.0.0/8'"
        ) from error


def _address(text: str | None) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text or "")
    except ValueError:  # a unix socket has no address
        return None
    return getattr(address, "ipv4_mapped", None) or address
