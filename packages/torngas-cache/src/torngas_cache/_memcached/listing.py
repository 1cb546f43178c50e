"""The keys of a memcached server, by its crawler, which does not hold it up.

On a connection of its own: pymemcache's `raw_command` gives the last piece only of an answer that comes in several.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from ssl import SSLContext
from urllib.parse import unquote_to_bytes

from torngas_cache.errors import CacheError

__all__ = ["listed_keys"]


def listed_keys(server: tuple[str, int] | str, timeout: float | None, tls: SSLContext | None) -> Iterator[bytes]:
    """Yields every key that the server has.

    Args:
        server: `(host, port)`, or the path of a socket.
        timeout: Seconds for connecting and for each piece.
        tls: For an encrypted connection.

    Raises:
        OSError: the server cannot be reached.
        CacheError: it has no crawler.
    """
    with _connected(server, timeout, tls) as connection, connection.makefile("rb") as lines:
        connection.sendall(b"lru_crawler metadump all\r\n")
        for line in lines:
            if line.startswith(b"END"):
                return
            if not line.startswith(b"key="):
                raise CacheError(
                    f"clear: got {line.strip()!r} from memcached; expected its list of keys (1.4.31 or later)."
                )
            yield unquote_to_bytes(line[4:].partition(b" ")[0])
    raise ConnectionResetError("the list of keys ended too early")


def _connected(server: tuple[str, int] | str, timeout: float | None, tls: SSLContext | None) -> socket.socket:
    if isinstance(server, str):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(timeout)
        connection.connect(server)
        return connection
    connection = socket.create_connection(server, timeout)
    return connection if tls is None else tls.wrap_socket(connection, server_hostname=server[0])
