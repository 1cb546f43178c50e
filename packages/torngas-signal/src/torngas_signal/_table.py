"""Who is connected to whom: the connections of one signal, and nothing else.

Changes are made under a lock, in a few dictionary operations; afterwards the compiled `Snapshot` is thrown away
and the next send compiles a new one. Sending reads the snapshot only and takes no lock.

The callbacks of weak references never wait for the lock: the garbage collector calls them wherever it likes,
also in a thread that is just changing this table or another one. Who finds the lock taken leaves a note, and
whoever holds the lock reads the notes.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, NamedTuple

from torngas_signal._plans import MUTED, Selection, Snapshot
from torngas_signal._receivers import Connection, Receiver, receiver_key
from torngas_signal._senders import ANY, Key, Reference, is_plain, reference_to, sender_key
from torngas_signal._sending import dispatch, dispatch_robust
from torngas_signal.exceptions import ReceiverError

__all__ = ["Table"]


class UidKey(NamedTuple):
    """What identifies a receiver that was connected with a `dispatch_uid`."""

    uid: Hashable
    sender: Key
    kind: str = "dispatch_uid"


class Bucket:
    """The connections to one sender; `sender` answers it, or `None` once it was collected."""

    __slots__ = ("connections", "sender")

    def __init__(self, sender: Reference) -> None:
        self.sender = sender
        self.connections: dict[Hashable, Connection] = {}


class Table:
    """The connections of one signal. Every method may be called from any thread."""

    def __init__(self, title: str, names: frozenset[str] | None) -> None:
        self.title = title
        self.names = names
        self.is_hook = False
        self._lock = threading.RLock()
        self._busy = False
        self._lost: deque[tuple[dict[Any, Any], Hashable, Receiver | Bucket]] = deque()
        self._order = count()
        self._mutes = 0
        self.receivers: dict[Hashable, Receiver] = {}
        self.buckets: dict[Key, Bucket] = {ANY: Bucket(lambda: ANY)}
        self.snapshot = MUTED
        self._refresh()

    # -- changes ---------------------------------------------------------------------------------------------

    def add(
        self,
        receiver: Callable[..., Any],
        sender: object,
        *,
        weak: bool,
        uid: Hashable = None,
        priority: int = 0,
        once: bool = False,
        lasting: bool = True,
    ) -> Connection:
        """Connects, or answers the connection that is already there."""
        key = _receiver_key(receiver, sender, uid)
        new = self._make_receiver(receiver, key, weak=weak)
        bucket = Bucket(reference_to(sender, self._sender_lost(sender)))
        with self._changing():
            record = self._living(key) or self.receivers.setdefault(key, new)
            if not weak and record is not new:
                record.pin(receiver)
            return self._link(record, sender, bucket, priority=priority, once=once, lasting=lasting)

    def _link(self, record: Receiver, sender: object, bucket: Bucket, **options: Any) -> Connection:
        skey = sender_key(sender)
        known = self.buckets.get(skey)
        if known is not None and known.sender() is None and sender is not None:
            self._drop_bucket(skey, known)
            known = None
        bucket = known or self.buckets.setdefault(skey, bucket)
        connection = record.connections.get(skey)
        if connection is None:
            connection = Connection(record, skey, order=next(self._order), **options)
            record.connections[skey] = bucket.connections[record.key] = connection
        elif options["lasting"]:
            connection.lasting = True
        return connection

    def remove(self, receiver: Any, sender: object, uid: Hashable = None) -> bool:
        """Disconnects a receiver from one sender, or from all with `ANY`; answers whether it was connected."""
        with self._changing():
            if uid is not None:
                return self._remove_uid(uid, sender)
            record = self._living(receiver_key(receiver))
            if record is None:
                return False
            if sender is ANY:
                self._drop_receiver(record.key, record)
                return True
            connection = record.connections.get(sender_key(sender))
            return connection is not None and self._unlink(connection)

    def remove_exactly(self, receiver: Any, sender: object, uid: Hashable) -> None:
        """Takes one connection back, and leaves those to other senders, with `ANY` too."""
        with self._changing():
            record = self.receivers.get(_receiver_key(receiver, sender, uid))
            if record is not None and (connection := record.connections.get(sender_key(sender))) is not None:
                self._unlink(connection)

    def _remove_uid(self, uid: Hashable, sender: object) -> bool:
        every = (key for key in tuple(self.receivers) if isinstance(key, UidKey) and key.uid == uid)
        keys = every if sender is ANY else (UidKey(uid, sender_key(sender)),)
        found = [(key, record) for key in keys if (record := self._living(key)) is not None]
        for key, record in found:
            self._drop_receiver(key, record)
        return bool(found)

    @contextmanager
    def connected(self, receiver: Callable[..., Any], sender: object) -> Iterator[None]:
        """Connects while a block runs; the connection goes with the last one, unless it is wanted otherwise too."""
        held = self._hold(receiver, sender)
        try:
            yield
        finally:
            with self._changing():
                held.holds -= 1
                if not held.holds and not held.lasting:
                    self._unlink(held)

    def _hold(self, receiver: Callable[..., Any], sender: object) -> Connection:
        with self._changing():
            try:
                connection = self.add(receiver, sender, weak=True, lasting=False)
            except ReceiverError:
                connection = self.add(receiver, sender, weak=False, lasting=False)
            if not connection.lasting:
                connection.receiver.origin = None  # the block itself keeps it alive
            connection.holds += 1
            return connection

    def claim(self, connection: Connection) -> bool:
        """Uses up a `once` connection; exactly one caller is answered True."""
        with self._changing():
            if not connection.once or connection.receiver.connections.get(connection.sender) is not connection:
                return False
            if connection.holds:
                connection.once = connection.lasting = False
                return True
            return self._unlink(connection)

    def clear(self) -> None:
        """Disconnects everybody."""
        with self._changing():
            for key, record in list(self.receivers.items()):
                self._drop_receiver(key, record)

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Silences the signal while the block runs, in every thread."""
        self._mute(1)
        try:
            yield
        finally:
            self._mute(-1)

    def _mute(self, change: int) -> None:
        with self._changing():
            self._mutes += change

    @property
    def is_muted(self) -> bool:
        """Whether any `muted` block runs."""
        return self._mutes > 0

    def connections(self, key: Key) -> tuple[Connection, ...]:
        """Answers the connections to one sender as of now."""
        bucket = self.buckets.get(key)
        return tuple(bucket.connections.values()) if bucket is not None else ()  # one step for other threads

    def renew(self) -> None:
        """Throws the snapshot away, so that the next send compiles a new one."""
        with self._changing():
            pass

    def is_connected(self, receiver: Any, sender: object, uid: Hashable) -> bool:
        """Answers whether exactly this connection exists."""
        record = self.receivers.get(_receiver_key(receiver, sender, uid))
        return record is not None and record.resolve() is not None and sender_key(sender) in record.connections

    def has_connections(self, sender: object) -> bool:
        """Answers whether anybody is connected to the sender or to `ANY`."""
        return bool(self.connections(ANY) or self.connections(sender_key(sender)))

    def receivers_for(self, sender: object) -> Iterator[Callable[..., Any]]:
        """Yields the living receivers for a sender, in order."""
        for step in Selection(()).steps(self, sender):
            if (receiver := step.receiver.resolve()) is not None:
                yield receiver

    # -- the collector's notes -------------------------------------------------------------------------------

    def _make_receiver(self, receiver: Callable[..., Any], key: Hashable, *, weak: bool) -> Receiver:
        record = Receiver(receiver, key)
        if weak:
            own, note = weakref.ref(self), weakref.ref(record)

            def lost(_: object) -> None:
                table, gone = own(), note()
                if table is not None and gone is not None and not sys.is_finalizing():
                    table._receiver_lost(gone)

            record.weaken(receiver, lost)
        return record

    def _sender_lost(self, sender: object) -> Callable[[object], None]:
        own, skey, identity = weakref.ref(self), sender_key(sender), id(sender) if is_plain(sender) else None

        def lost(_: object) -> None:
            table = own()
            if table is not None and not sys.is_finalizing():
                table.snapshot.forget(identity)
                if (bucket := table.buckets.get(skey)) is not None and bucket.sender() is None:
                    table._note(table.buckets, skey, bucket)

        return lost

    def _receiver_lost(self, record: Receiver) -> None:
        if self.receivers.get(record.key) is not record or record.resolve() is not None:
            return
        origin, record.origin = record.origin, None
        self._note(self.receivers, record.key, record)
        if origin is not None:
            origin.warn(self.title)

    def _note(self, table: dict[Any, Any], key: Hashable, gone: Receiver | Bucket) -> None:
        self._lost.append((table, key, gone))
        self._sweep()

    def _sweep(self) -> None:
        """Clears what the collector left, unless somebody is at it: that one looks here again."""
        while self._lost and self._lock.acquire(blocking=False):
            try:
                if self._busy:
                    return
                self._busy = True
                try:
                    self._sweep_locked()
                finally:
                    self._busy = False
            finally:
                self._lock.release()

    def _sweep_locked(self) -> None:
        while self._lost:
            table, key, gone = self._lost.popleft()
            if table.get(key) is not gone:
                continue
            if isinstance(gone, Receiver):
                self._drop_receiver(key, gone)
            else:
                self._drop_bucket(key, gone)
        self._refresh()

    # -- under the lock --------------------------------------------------------------------------------------

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock:
            outer, self._busy = self._busy, True
            try:
                yield
            finally:
                self._busy = outer
                self._refresh()
        if not outer:
            self._sweep()

    def _refresh(self) -> None:
        if self._mutes:
            self.snapshot = MUTED
        elif self.receivers or self.names is not None:
            self.snapshot = Snapshot(dispatch, dispatch_robust)
        else:
            self.snapshot = Snapshot(None, None)

    def _living(self, key: Hashable) -> Receiver | None:
        record = self.receivers.get(key)
        if record is not None and record.resolve() is None:
            self._drop_receiver(key, record)
            return None
        return record

    def _unlink(self, connection: Connection) -> bool:
        record = connection.receiver
        if record.connections.get(connection.sender) is not connection:
            return False
        del record.connections[connection.sender]
        bucket = self.buckets.get(connection.sender)
        if bucket is not None:
            bucket.connections.pop(record.key, None)
            if not bucket.connections and connection.sender is not ANY:
                del self.buckets[connection.sender]
        if not record.connections:
            self.receivers.pop(record.key, None)
        return True

    def _drop_receiver(self, key: Hashable, record: Receiver) -> None:
        for connection in list(record.connections.values()):
            self._unlink(connection)
        if self.receivers.get(key) is record:
            del self.receivers[key]

    def _drop_bucket(self, key: Key, bucket: Bucket) -> None:
        for connection in list(bucket.connections.values()):
            self._unlink(connection)
        if self.buckets.get(key) is bucket:
            del self.buckets[key]


def _receiver_key(receiver: Any, sender: object, uid: Hashable) -> Hashable:
    return receiver_key(receiver) if uid is None else UidKey(uid, sender_key(sender))
