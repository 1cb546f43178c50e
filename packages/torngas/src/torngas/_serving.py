"""Serving until stopped, and stopping without losing a request.

On SIGTERM or SIGINT the server stops accepting and answers what arrives on open connections with `Connection:
close`; connections that stay idle are closed after a moment, requests in flight get until the deadline. Then the
application's clean-ups run.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from tornado.httputil import HTTPConnection, HTTPMessageDelegate

from torngas_middleware import HTTPServer

__all__ = ["GracefulHTTPServer", "serve_until_stopped"]

# A client of an open connection may be sending its next request while we decide to stop: it is still answered.
IDLE_GRACE_SECONDS = 0.5
_POLL_SECONDS = 0.02

logger = logging.getLogger("torngas")


class GracefulHTTPServer(HTTPServer):
    """The HTTP server of torngas_middleware, which can drain, and believes trusted proxies only.

    With `xheaders` the headers of a peer that is not in `trusted_downstream` say nothing; "unix:" there stands for the
    peers of a unix socket. (Tornado's own server believes every peer.)
    """

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """Takes the arguments of `tornado.httpserver.HTTPServer`."""
        super().initialize(*args, **kwargs)
        self.draining = False
        self._believes = self.xheaders
        self._trusted = frozenset(self.trusted_downstream or ())

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Called when a connection is ready for a request."""
        self.xheaders = (
            self._believes and _peer_of(request_conn) in self._trusted
        )  # read in the next line, and only there
        return super().start_request(server_conn, request_conn)

    async def drain(self, timeout: float) -> int:
        """Stops accepting, lets requests end, closes all connections.

        Args:
            timeout: Seconds that requests in flight get; 0 cuts them at once.

        Returns:
            The number of requests that were cut.
        """
        self.draining = True
        self.conn_params.no_keep_alive = True
        self.stop()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        idle_deadline = min(deadline, loop.time() + IDLE_GRACE_SECONDS)
        while self.in_flight or (self.idle and loop.time() < idle_deadline):
            if loop.time() >= deadline:
                break
            await asyncio.sleep(_POLL_SECONDS)
        cut = self.in_flight
        await self.close_all_connections()
        return cut


def _peer_of(connection: Any) -> str:
    context = connection.context
    return str(context.address[0]) if context.address_family in (socket.AF_INET, socket.AF_INET6) else "unix:"


async def serve_until_stopped(
    server: GracefulHTTPServer,
    listen: Callable[[], None],
    *,
    timeout: float,
    delay: float = 0,
    stopped: asyncio.Event | None = None,
    on_stop: Callable[[], None] | None = None,
    cleanup: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Accepts, waits for a signal (or `stopped`), drains, and runs the clean-up.

    Args:
        server: The server to drain.
        listen: Starts to accept; called in the running loop.
        timeout: Seconds that requests in flight get.
        delay: Seconds to go on accepting after `on_stop`.
        stopped: Stops the server when set; None makes one for the signals alone.
        on_stop: Called when the server is told to stop, before anything else happens.
        cleanup: Awaited at the end, also when serving failed.
    """
    event = stopped or asyncio.Event()
    try:
        with _signals(event.set):
            listen()
            await event.wait()
            if on_stop is not None:
                on_stop()
            if delay:
                await asyncio.sleep(delay)
        if cut := await server.drain(timeout):
            logger.warning("stopped: %d requests were cut after %s s", cut, timeout)
    finally:
        if cleanup is not None:
            await cleanup()


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and SIGINT call `stop`; where a loop cannot watch signals (Windows, threads) Python's rules hold."""
    loop = asyncio.get_running_loop()
    watched = []
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop)
            watched.append(number)
    try:
        yield
    finally:
        for number in watched:
            loop.remove_signal_handler(number)
