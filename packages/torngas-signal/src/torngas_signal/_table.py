"""Who is connected to whom: the connections of one signal, and nothing else.

Changes are made under a lock, in a few dictionary operations; afterwards the compiled `Snapshot` is thrown away
and the next send compiles a new one. Sending reads the snapshot only and takes no lock.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, NamedTuple

from torngas_signal._changes import Changeable
from torngas_signal._plans import MUTED, Selection, Snapshot
from torngas_signal._receivers import Connection, Receiver, receiver_key
from torngas_signal._senders import ANY, Key, Reference, reference_to, sender_key
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

    __slots__ = ("connections", "key", "sender")

    def __init__(self, key: Key, sender: Reference) -> None:
        self.key = key
        self.sender = sender
        self.connections: dict[Hashable, Connection] = {}

    @property
    def is_gone(self) -> bool:
        """Whether the sender was collected; the sender None is for ever."""
        return self.sender() is None and self.key != sender_key(None)


_Gone = Receiver | Bucket
"""What the collector notes: a receiver of which nothing is left, or the connections to such a sender."""


class Table(Changeable[_Gone]):
    """The connections of one signal. Every method may be called from any thread."""

    def __init__(self, title: str, names: frozenset[str] | None) -> None:
        super().__init__()
        self.title = title
        self.names = names
        self.is_hook = False
        self._order = count()
        self._mutes = 0
        self.receivers: dict[Hashable, Receiver] = {}
        self.buckets: dict[Key, Bucket] = {ANY: Bucket(ANY, lambda: ANY)}
        self.snapshot = MUTED
        self._changed()

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
        key, skey = _receiver_key(receiver, sender, uid), sender_key(sender)
        with self:
            record = self._living(key)
            if record is None:
                record = self.receivers[key] = self._make_receiver(receiver, key, weak=weak)
            elif not weak:
                record.pin(receiver)
            bucket = self._bucket(sender, skey)
            connection = record.connections.get(skey)
            if connection is None:
                connection = Connection(record, skey, priority, once, next(self._order), lasting)
                record.connections[skey] = bucket.connections[key] = connection
            connection.lasting = connection.lasting or lasting
            return connection

    def _bucket(self, sender: object, key: Key) -> Bucket:
        bucket = self.buckets.get(key)
        if bucket is not None and bucket.is_gone:
            self._drop_bucket(bucket)
            bucket = None
        if bucket is None:
            bucket = self.buckets[key] = Bucket(key, reference_to(sender, self._sender_lost(key)))
        return bucket

    def remove(self, receiver: Any, sender: object, uid: Hashable = None) -> bool:
        """Disconnects a receiver from one sender, or from all with `ANY`; answers whether it was connected."""
        with self:
            if uid is not None:
                return self._remove_uid(uid, sender)
            record = self._living(receiver_key(receiver))
            if record is None:
                return False
            if sender is ANY:
                self._drop_receiver(record)
                return True
            connection = record.connections.get(sender_key(sender))
            return connection is not None and self._unlink(connection)

    def remove_exactly(self, receiver: Any, sender: object, uid: Hashable) -> None:
        """Takes one connection back, and leaves those to other senders, with `ANY` too."""
        with self:
            record = self.receivers.get(_receiver_key(receiver, sender, uid))
            if record is not None and (connection := record.connections.get(sender_key(sender))) is not None:
                self._unlink(connection)

    def _remove_uid(self, uid: Hashable, sender: object) -> bool:
        every = (key for key in tuple(self.receivers) if isinstance(key, UidKey) and key.uid == uid)
        keys = every if sender is ANY else (UidKey(uid, sender_key(sender)),)
        found = [record for key in keys if (record := self._living(key)) is not None]
        for record in found:
            self._drop_receiver(record)
        return bool(found)

    @contextmanager
    def connected(self, receiver: Callable[..., Any], sender: object) -> Iterator[None]:
        """Connects while a block runs; the connection goes with the last one, unless it is wanted otherwise too."""
        held = self._hold(receiver, sender)
        try:
            yield
        finally:
            with self:
                held.holds -= 1
                if not held.holds and not held.lasting:
                    self._unlink(held)

    def _hold(self, receiver: Callable[..., Any], sender: object) -> Connection:
        with self:
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
        with self:
            if not connection.once or connection.receiver.connections.get(connection.sender) is not connection:
                return False
            if connection.holds:
                connection.once = connection.lasting = False
                return True
            return self._unlink(connection)

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Silences the signal while the block runs, in every thread."""
        self._mute(1)
        try:
            yield
        finally:
            self._mute(-1)

    def _mute(self, change: int) -> None:
        with self:
            self._mutes += change

    @property
    def is_muted(self) -> bool:
        """Whether any `muted` block runs."""
        return self._mutes > 0

    def connections(self, key: Key) -> tuple[Connection, ...]:
        """Answers the connections to one sender as of now."""
        bucket = self.buckets.get(key)
        if bucket is None or bucket.is_gone:
            return ()
        return tuple(bucket.connections.values())  # one step, as other threads see it

    def renew(self) -> None:
        """Throws the snapshot away, so that the next send compiles a new one."""
        with self:
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

    def _sender_lost(self, key: Key) -> Callable[[object], None]:
        own = weakref.ref(self)

        def lost(_: object) -> None:
            table = own()
            if table is not None and not sys.is_finalizing():
                table.snapshot.forget(key)  # at once: the next object may get its identity
                if (bucket := table.buckets.get(key)) is not None and bucket.is_gone:
                    table._note(bucket)

        return lost

    def _receiver_lost(self, record: Receiver) -> None:
        if self.receivers.get(record.key) is not record or record.resolve() is not None:
            return
        origin, record.origin = record.origin, None
        self._note(record)
        if origin is not None:
            origin.warn(self.title)

    def _apply(self, note: _Gone) -> None:
        """Drops what was collected, unless something new has taken its place."""
        if isinstance(note, Receiver):
            if self.receivers.get(note.key) is note:
                self._drop_receiver(note)
        elif self.buckets.get(note.key) is note:
            self._drop_bucket(note)

    # -- under the lock --------------------------------------------------------------------------------------

    def _changed(self) -> None:
        if self._mutes:
            self.snapshot = MUTED
        elif self.receivers or self.names is not None:
            self.snapshot = Snapshot(dispatch, dispatch_robust)
        else:
            self.snapshot = Snapshot(None, None)

    def _living(self, key: Hashable) -> Receiver | None:
        record = self.receivers.get(key)
        if record is not None and record.resolve() is None:
            self._drop_receiver(record)
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

    def _drop_receiver(self, record: Receiver) -> None:
        for connection in list(record.connections.values()):
            self._unlink(connection)
        if self.receivers.get(record.key) is record:
            del self.receivers[record.key]

    def _drop_bucket(self, bucket: Bucket) -> None:
        for connection in list(bucket.connections.values()):
            self._unlink(connection)
        if self.buckets.get(bucket.key) is bucket:
            del self.buckets[bucket.key]


def _receiver_key(receiver: Any, sender: object, uid: Hashable) -> Hashable:
    return receiver_key(receiver) if uid is None else UidKey(uid, sender_key(sender))
