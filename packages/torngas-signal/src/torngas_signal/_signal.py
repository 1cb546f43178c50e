"""`Signal`: something happens, and whoever is interested is called.

    saved = Signal("saved", providing_args=["user"])

    @saved.connect
    def welcome(sender, user, **kwargs):
        return f"hello {user}"

    saved.send(None, user="ada")  # [(welcome, "hello ada")]

A signal decides nothing about threads or loops: receivers run where it is sent. What type checkers see of its
methods is in `_typing`; this is what runs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, ClassVar, Literal

from torngas_signal._asending import asend
from torngas_signal._naming import calling_module, reduce_named, remember
from torngas_signal._senders import ANY, AnySender
from torngas_signal._table import Table
from torngas_signal._view import ReceiversView
from torngas_signal.exceptions import ReceiverError

__all__ = ["Dispatcher"]

Receiver = Callable[..., Any]
Responses = list[tuple[Receiver, Any]]


class Dispatcher:
    """Something that happens, told to every connected receiver.

    Any method may be called from any thread and any event loop. A send calls the receivers that are connected as
    it starts, higher priority first, then in the order of connection.

    Args:
        name: Names the signal in messages and for pickle. `None` makes an anonymous one.
        doc: What it tells; becomes `doc` and the instance's `__doc__`.
        providing_args: The names of the payload, or a function that has them as parameters (`sender` and `signal`
            do not count). Sending any other name raises. `None` allows every name.
        use_caching: Accepted as Django's users write it; what a sender's receivers are is always remembered.
    """

    ANY: ClassVar[Literal[AnySender.ANY]] = ANY

    def __init__(
        self,
        name: str | None = None,
        *,
        doc: str | None = None,
        providing_args: Iterable[str] | Callable[..., Any] | None = None,
        use_caching: bool = True,
    ) -> None:
        self.name = name
        self.doc = doc
        self.providing_args = _names_of(providing_args)
        self.use_caching = use_caching
        if doc is not None:
            self.__doc__ = doc
        self._table = Table(f"Signal {name!r}" if name is not None else "an anonymous Signal", self.providing_args)
        self._connected: Any = None
        self._disconnected: Any = None
        self._module = calling_module()
        if name is not None:
            remember(self, self._module, name)

    # -- connecting ------------------------------------------------------------------------------------------

    def connect(
        self,
        receiver: Receiver | None = None,
        sender: object = ANY,
        *,
        weak: bool = True,
        dispatch_uid: Hashable = None,
        priority: int = 0,
        once: bool = False,
    ) -> Any:
        """Connects a receiver, and answers it; without one, answers a decorator that does.

        Connecting again what is connected changes nothing, except that `weak=False` then holds it.

        Args:
            receiver: Any callable. It is told what its signature takes: `f(**kwargs)` the signal, the sender and
                the payload by name; `f(sender, **kwargs)` the same; `f(anything, x=1)` the sender first, and of
                the payload only `x`.
            sender: Only sends by this sender reach the receiver. Strings and integers are compared by value, all
                else by identity, and weakly: a collected sender takes its connections along.
            weak: Hold the receiver weakly: it is disconnected when nobody else refers to it. Give `False` for a
                nested function or a lambda, which otherwise is lost when the function around it returns.
            dispatch_uid: Identifies the receiver in place of its identity: a second one of the same `dispatch_uid`
                and sender is not connected. `None` is no identification.
            priority: Higher ones are called first, negative ones last. Default 0.
            once: Disconnect with the first call, which happens only once, whatever the number of threads.

        Raises:
            ReceiverError: The receiver is not callable, or cannot be referenced weakly.
        """
        options: dict[str, Any] = {"weak": weak, "uid": dispatch_uid, "priority": priority, "once": once}
        if receiver is None:
            return partial(self._connect, sender=sender, options=options)
        return self._connect(receiver, sender, options)

    def _connect(self, receiver: Receiver, sender: object, options: dict[str, Any]) -> Receiver:
        if not callable(receiver):
            raise ReceiverError(f"{self}.connect: got {receiver!r}; expected a callable, e.g. a function.")
        if self._connected is None:
            self._table.add(receiver, sender, **options)
        else:
            self._connect_and_tell(receiver, sender, options)
        return receiver

    def _connect_and_tell(self, receiver: Receiver, sender: object, options: dict[str, Any]) -> None:
        known = self._table.is_connected(receiver, sender, options["uid"])
        self._table.add(receiver, sender, **options)
        try:
            self._connected.send(self, receiver=receiver, sender=sender, weak=options["weak"])
        except BaseException:
            if not known:  # a hook that raises refuses the connection
                self._table.remove_exactly(receiver, sender, options["uid"])
            raise

    def connect_via(self, sender: object, weak: bool = False) -> Any:
        """Answers a decorator that connects a function to this sender; strongly unless `weak`."""
        return self.connect(sender=sender, weak=weak)

    def disconnect(
        self, receiver: Receiver | None = None, sender: object = ANY, *, dispatch_uid: Hashable = None
    ) -> bool:
        """Disconnects a receiver, and answers whether it was connected.

        Args:
            receiver: What was connected; may be left out with `dispatch_uid`.
            sender: Disconnect from this sender only. `ANY`, the default, disconnects from all.
            dispatch_uid: What it was connected with.
        """
        if receiver is None and dispatch_uid is None:
            raise ReceiverError(f"{self}.disconnect: got neither; expected a receiver or a dispatch_uid.")
        gone = self._table.remove(receiver, sender, dispatch_uid)
        if gone and self._disconnected is not None:
            self._disconnected.send(self, receiver=receiver, sender=sender)
        return gone

    def connected_to(self, receiver: Receiver, sender: object = ANY) -> AbstractContextManager[None]:
        """Connects a receiver while a block runs; what was connected before stays so afterwards.

        Blocks may be nested, and may overlap in several threads. The receiver is kept alive by its block.
        """
        if not callable(receiver):
            raise ReceiverError(f"{self}.connected_to: got {receiver!r}; expected a callable, e.g. a function.")
        return self._table.connected(receiver, sender)

    def muted(self) -> AbstractContextManager[None]:
        """Calls no receiver, in any thread, while a block runs. Blocks may be nested and may overlap."""
        return self._table.muted()

    # -- sending ---------------------------------------------------------------------------------------------

    def send(self, sender: Any = None, /, **payload: Any) -> Responses:
        """Calls every receiver that is connected to the sender or to `ANY`.

        Args:
            sender: Who sends; may also be given as `sender=`.
            payload: Passed on by name. `_async_wrapper=` makes asynchronous receivers callable, as in blinker.

        Returns:
            Pairs of a receiver and what it answered, in the order of the calls.

        Raises:
            AsyncReceiverError: A receiver is asynchronous; none has been called then.
            PayloadError: The payload has a name that is not one of `providing_args`.
            Exception: What a receiver raised; those after it are not called.
        """
        if (run := self._table.snapshot.run) is None:
            return []
        return run(self, sender, payload)

    def send_robust(self, sender: Any = None, /, **payload: Any) -> Responses:
        """Like `send`; the exception of a receiver is logged and is its response, and the others are called.

        Only an `Exception` is a response: `KeyboardInterrupt`, `SystemExit` and cancellations are raised.
        """
        if (run := self._table.snapshot.robust) is None:
            return []
        return run(self, sender, payload)

    async def asend(self, sender: Any = None, /, **payload: Any) -> Responses:
        """Like `send`, for synchronous and asynchronous receivers.

        The synchronous ones are called first, in order, in the thread of the loop; then the asynchronous ones run
        at the same time, each in a task. Responses are in the order of the receivers.

        Args:
            sender: Who sends; may also be given as `sender=`.
            payload: Passed on by name. `_sync_wrapper=` makes synchronous receivers awaitable, as in blinker.

        Raises:
            Exception: What a receiver raised; the others have been cancelled then. If several raise, an
                `ExceptionGroup` of them.
            asyncio.CancelledError: The send was cancelled, and with it every receiver.
        """
        return await asend(self, sender, payload, robust=False)

    async def asend_robust(self, sender: Any = None, /, **payload: Any) -> Responses:
        """Like `asend`; the exception of a receiver is logged and is its response. Cancellations are raised."""
        return await asend(self, sender, payload, robust=True)

    async def send_async(self, sender: Any = None, /, **payload: Any) -> Responses:
        """blinker's name of `asend`."""
        return await asend(self, sender, payload, robust=False)

    # -- looking ---------------------------------------------------------------------------------------------

    @property
    def receivers(self) -> ReceiversView:
        """The receivers, or the weak references of them, by identification. False when there are none."""
        return ReceiversView(self._table.receivers)

    def receivers_for(self, sender: object) -> Iterator[Receiver]:
        """Yields the living receivers that a send by this sender calls, in order; for `ANY` those of any sender."""
        return self._table.receivers_for(sender)

    def has_receivers_for(self, sender: object) -> bool:
        """Answers quickly; may say True for a receiver that is just being collected."""
        return self._table.has_connections(sender)

    def has_listeners(self, sender: object = None) -> bool:
        """Answers whether a send by this sender calls any receiver."""
        return any(True for _ in self.receivers_for(sender))

    @property
    def has_async_receivers(self) -> bool:
        """Whether any receiver, of whatever sender, is asynchronous, so that a send may need `asend`."""
        return any(receiver.is_async for receiver in tuple(self._table.receivers.values()))

    @property
    def is_muted(self) -> bool:
        """Whether a `muted` block runs."""
        return self._table.is_muted

    @property
    def receiver_connected(self) -> Any:
        """A signal of its own: sent by this one after each `connect`, with `receiver`, `sender` and `weak`.

        The `sender` of the payload reaches receivers that call the signal otherwise: `f(about, **kwargs)`.
        """
        if self._connected is None:
            self._connected = _hook("Sent after a receiver was connected.", type(self))
        return self._connected

    @property
    def receiver_disconnected(self) -> Any:
        """A signal of its own: sent by this one after each `disconnect` that found something, with `receiver` and
        `sender`. Not sent for collected receivers: there is nobody left to tell of."""
        if self._disconnected is None:
            self._disconnected = _hook("Sent after a receiver was disconnected.", type(self))
        return self._disconnected

    def __repr__(self) -> str:
        name = "" if self.name is None else f" {self.name!r}"
        doc = "" if self.doc is None else f" ({self.doc})"
        return f"<{type(self).__name__}{name}{doc} at {id(self):#x}>"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
        return reduce_named(self, self._module, self.name)


def _hook(doc: str, kind: type[Dispatcher]) -> Dispatcher:
    """A signal about a signal: its payload has a `sender`, which only receivers in blinker's habit can get."""
    hook = kind(doc=doc)
    hook._table.is_hook = True
    return hook


def _names_of(providing_args: Iterable[str] | Callable[..., Any] | None) -> frozenset[str] | None:
    if providing_args is None:
        return None
    if callable(providing_args):
        return frozenset(inspect.signature(providing_args).parameters) - {"sender", "signal"}
    if isinstance(providing_args, str):
        raise TypeError(
            f"Signal: got providing_args={providing_args!r}, a string; expected names, e.g. [{providing_args!r}]."
        )
    return frozenset(providing_args)
