"""Binding listening sockets, with errors that name the place."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tornado.netutil import bind_sockets, bind_unix_socket

from torngas.exception import ConfigError

__all__ = ["Place", "tls_context"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server listens: an address and a port, or a unix socket."""

    address: str
    port: int
    unix_socket: str
    family: socket.AddressFamily

    def bind(self, **options: Any) -> list[socket.socket]:
        """Binds and listens, as `tornado.netutil.bind_sockets` and `bind_unix_socket` (mode 0600) do.

        Raises:
            ConfigError: the place is in use, or may not be used, or is not of this machine.
        """
        if self.unix_socket:
            return self._clearly(lambda: [bind_unix_socket(self.unix_socket, **options)])
        family = socket.AF_INET6 if ":" in self.address else self.family
        return self._clearly(lambda: bind_sockets(self.port, self.address, family, **options))

    def reserve(self) -> list[socket.socket]:
        """Makes sure that workers can bind the place; listens on nothing.

        Raises:
            ConfigError: they cannot.
        """
        if self.unix_socket or not self.port:
            raise ConfigError(f"{self}: several processes cannot share it; expected --port=NUMBER with --processes=")
        for one in self.bind():
            one.close()
        return []

    def __str__(self) -> str:
        return (
            f"--unix_socket={self.unix_socket}" if self.unix_socket else f"--address={self.address} --port={self.port}"
        )

    def _clearly(self, act: Callable[[], list[socket.socket]]) -> list[socket.socket]:
        try:
            return act()
        except (OSError, ValueError) as error:
            raise ConfigError(f"{self}: {self._explained(error)}") from error

    def _explained(self, error: OSError | ValueError) -> str:
        number = getattr(error, "errno", None)
        if number == errno.EADDRINUSE:
            used = self.unix_socket or f"port {self.port}"
            return f"{used} is in use; stop the other program or choose another with --port= (or --unix_socket=)"
        if number == errno.EACCES:
            return "that needs privileges (ports below 1024 do); choose a higher one with --port="
        return f"cannot listen there ({error}); expected an address of this machine, e.g. --address=127.0.0.1"


def tls_context(certfile: str, keyfile: str) -> ssl.SSLContext | None:
    """Makes the context for a certificate; None where none is given.

    Raises:
        ConfigError: the files cannot be read, or do not belong together.
    """
    if not certfile:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certfile, keyfile or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"--certfile={certfile} --keyfile={keyfile}: cannot be used ({error}); expected a certificate and its key, "
            "PEM"
        ) from error
    return context
