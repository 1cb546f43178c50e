"""Binding listening sockets, with errors that name the port."""

from __future__ import annotations

import errno
import socket
from typing import Any

from tornado.netutil import bind_sockets

from torngas.exception import ConfigError

__all__ = ["bind"]


def bind(port: int, address: str, family: socket.AddressFamily, **options: Any) -> list[socket.socket]:
    """Binds an address, as `tornado.netutil.bind_sockets` does.

    Raises:
        ConfigError: the port is in use, or may not be used, or the address is not one of this machine.
    """
    if ":" in address:
        family = socket.AF_INET6
    try:
        return bind_sockets(port, address, family, **options)
    except OSError as error:
        raise ConfigError(_explained(port, address, error)) from error


def _explained(port: int, address: str, error: OSError) -> str:
    where = f"--address={address} --port={port}"
    if error.errno == errno.EADDRINUSE:
        return f"{where}: port {port} is in use; stop the other program or choose another port with --port="
    if error.errno == errno.EACCES:
        return f"{where}: port {port} needs privileges (ports below 1024 do); choose a higher one with --port="
    return f"{where}: cannot listen there ({error}); expected an address of this machine, e.g. --address=127.0.0.1"
