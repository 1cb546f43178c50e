"""Hears which entries other processes changed: one connection to redis, read by one thread.

With `tracking` the server itself tells every change of a key with this cache's prefix, by whatever client, expiry and
eviction included. With `pubsub` the writers tell it, which sees only writes through tiered caches. When the connection
is lost nothing is known any more: the local level is emptied, and not used until the connection is back.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from torngas_cache._forks import forks
from torngas_cache._redis.outage import outages
from torngas_cache._redis.server import Server
from torngas_cache._tiered.level import LocalLevel

__all__ = ["Listener"]

_log = logging.getLogger("torngas_cache")

# How often the thread looks whether it should end, and how long the connection may be silent before it is asked.
LOOK_SECONDS = 0.1
SILENCE_SECONDS = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
TRACKED = "__redis__:invalidate"


class Listener:
    """Keeps a local level true.

    Args:
        server: Where changes are told.
        level: What to invalidate.
        prefix: Of the storage keys; empty: all keys of the server.
        channel: For `pubsub`; empty: the server's own tracking.

    The thread starts with the first `start`, in each process of its own, and ends with `stop`.
    """

    def __init__(self, server: Server, level: LocalLevel, prefix: str, channel: str = "") -> None:
        self._server = server
        self._level = level
        self._prefix = prefix
        self._channel = channel
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._down = (*outages().down, outages().refused)

    def start(self) -> None:
        """Makes sure that the thread runs; does not wait for the connection."""
        if self._thread is not None:
            return
        with self._lock:
            if self._thread is None:
                forks.watch(self)
                self._stopping = threading.Event()
                self._thread = threading.Thread(target=self._run, name="torngas_cache invalidations", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Ends the thread and empties the level. May be called twice; `start` starts again."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._stopping.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join(5 * LOOK_SECONDS)
        self._level.empty(live=False)

    def after_fork(self) -> None:
        """The thread stayed with the parent."""
        self._lock = threading.Lock()
        self._thread = None
        self._level.after_fork()

    def _run(self) -> None:
        stopping, pause = self._stopping, FIRST_PAUSE
        while not stopping.is_set():
            try:
                connection = self._connected()
            except self._down as error:
                _log.warning("invalidations cannot be heard, the local level stays unused: %s", error)
                stopping.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            pause = FIRST_PAUSE
            try:
                self._level.empty(live=True)
                self._listen(connection, stopping)
            except self._down as error:
                _log.warning("the connection for invalidations was lost, the local level is emptied: %s", error)
            finally:
                if not stopping.is_set():
                    self._level.empty(live=False)
                connection.disconnect()

    def _connected(self) -> Any:
        connection = self._server.new_connection()
        try:
            connection.connect()
            if not self._channel:
                me = _answer(connection, "CLIENT", "ID")
                prefix = ("PREFIX", self._prefix) if self._prefix else ()
                _answer(connection, "CLIENT", "TRACKING", "ON", "REDIRECT", me, "BCAST", *prefix)
            _answer(connection, "SUBSCRIBE", self._channel or TRACKED)
        except BaseException:
            connection.disconnect()
            raise
        return connection

    def _listen(self, connection: Any, stopping: threading.Event) -> None:
        silence = 0.0
        while not stopping.is_set():
            if connection.can_read(timeout=LOOK_SECONDS):
                self._hear(connection.read_response())
                silence = 0.0
                continue
            before, silence = silence, silence + LOOK_SECONDS
            if before < SILENCE_SECONDS <= silence:
                connection.send_command("PING")
            elif silence > 2 * SILENCE_SECONDS:
                raise ConnectionError(f"{self._server.name} is silent")

    def _hear(self, message: Any) -> None:
        """`[message, channel, what]`; of the tracking channel, `what` is a list of keys, or None after a flush."""
        if not isinstance(message, list) or message[0] != b"message":
            return
        what = message[2]
        if what is None:
            self._level.empty()
            return
        for name in what if isinstance(what, list) else [what]:
            if name == EVERYTHING:
                self._level.empty()
            else:
                self._level.forget(name.decode(errors="replace"))


EVERYTHING = b"*"
"""What writers publish instead of a key when they have removed all."""


def _answer(connection: Any, *command: Any) -> Any:
    connection.send_command(*command)
    return connection.read_response()
