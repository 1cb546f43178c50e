"""What a send does, compiled: valid for one state of the connections, thrown away at the next change.

A `Snapshot` is asked with the names in a payload, which rarely differ between two sends of a signal. For each
set of names it knows the `Selection` (who is called, how) and the function that does a whole send. The last of
these functions is tried first; it recognises its own names and passes others on.

Nothing here refers to the signal or to its table, so that both are freed as soon as nobody uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from torngas_signal._callers import Call, Run, call_of, run_maker
from torngas_signal._conventions import Convention, Shape
from torngas_signal._receivers import Connection, Receiver
from torngas_signal._senders import ANY, Key, sender_key
from torngas_signal.exceptions import PayloadError

if TYPE_CHECKING:
    from torngas_signal._table import Table

__all__ = ["MUTED", "WRAPPERS", "Selection", "Snapshot", "Step"]

WRAPPERS = frozenset({"_async_wrapper", "_sync_wrapper"})
"""Arguments of `send` that are not payload."""

_KNOWN_NAMES = 64  # sets of names per state; more come only from made-up names


Targets = tuple[Any, tuple[Any, ...]]
"""The first receiver to call, and the rest, as `_callers` wants them."""


class Step:
    """One receiver to call, and the connections that lead to it."""

    __slots__ = ("_connections", "_once", "call", "receiver")

    def __init__(self, receiver: Receiver, connections: list[Connection], call: Call) -> None:
        self.receiver = receiver
        self.call = call
        self._connections = connections
        self._once = any(connection.once for connection in connections)

    def begin(self, table: Table) -> Callable[..., Any] | None:
        """Answers the receiver if it is to be called now: it lives, and nobody else used up its only call."""
        receiver = self.receiver.resolve()
        if receiver is None:
            return None
        if self._once:
            claims = [table.claim(connection) for connection in self._connections if connection.once]
            if len(claims) == len(self._connections) and not any(claims):
                return None
        self.receiver.origin = None
        return receiver

    @property
    def needs_care(self) -> bool:
        """Whether the compiled loop cannot call it: asynchronous, once only, or not yet known to be reached."""
        return self._once or self.receiver.is_async or self.receiver.origin is not None


class Selection:
    """Who is called for a payload of these names; `by_sender` holds what was found for connected senders.

    `lenient` drops a payload name that hides the sender, instead of raising.
    """

    __slots__ = ("_lenient", "_memory", "_shared", "by_sender", "names", "plain")

    def __init__(self, names: tuple[str, ...], *, lenient: bool = False) -> None:
        self.names = names
        self._lenient = lenient
        self.plain = tuple(name for name in names if name not in WRAPPERS)
        self.by_sender: dict[Key, tuple[Step, ...]] = {}
        self._memory: dict[Any, Call] = {}
        self._shared: tuple[Step, ...] | None = None

    def steps(self, table: Table, sender: object) -> tuple[Step, ...]:
        """Answers the steps for this sender, highest priority first, then in the order of connection."""
        key = sender_key(sender)
        if (known := self.by_sender.get(key)) is not None:
            return known
        bucket = table.buckets.get(key)
        if bucket is None or key is ANY or bucket.is_gone:
            if self._shared is None:
                self._shared = self._merge(table.connections(ANY))
            return self._shared
        steps = self.by_sender[key] = self._merge([*table.connections(ANY), *table.connections(key)])
        return steps

    def call(self, receiver: Receiver) -> Call:
        """Answers how to call this receiver with these names."""
        convention = receiver.convention
        if (known := self._memory.get(convention)) is None:
            known = self._memory[convention] = call_of(self.shape(convention))
        return known

    def shape(self, convention: Convention) -> Shape:
        """Answers how to call receivers of this convention with these names."""
        try:
            return convention.shape(self.plain)
        except PayloadError:
            if not self._lenient:
                raise
            return convention.shape(tuple(name for name in self.plain if name != "sender"))

    def _merge(self, connections: Iterable[Connection]) -> tuple[Step, ...]:
        found: dict[Key, list[Connection]] = {}
        for connection in sorted(connections, key=lambda c: (-c.priority, c.order)):
            found.setdefault(connection.receiver.key, []).append(connection)
        return tuple(Step(same[0].receiver, same, self.call(same[0].receiver)) for same in found.values())


class Snapshot:
    """The compiled state of a signal. `run` and `robust` are a whole `send`, or None when it does nothing."""

    __slots__ = ("_picks", "_runs", "_selections", "robust", "run")

    def __init__(self, run: Run | None, robust: Run | None) -> None:
        self.run = run
        self.robust = robust
        self._runs: dict[tuple[bool, tuple[str, ...]], Run] = {}
        self._selections: dict[tuple[str, ...], Selection] = {}
        self._picks: list[dict[Key, Any]] = []

    def forget(self, sender: Key) -> None:
        """Drops what is known of a sender that is being collected: another object may get its identity."""
        for pick in tuple(self._picks):
            pick.pop(sender, None)

    def selection(self, table: Table, names: tuple[str, ...]) -> Selection:
        """Answers the selection for payloads of these names.

        Raises:
            PayloadError: The signal was declared with other names.
        """
        if (known := self._selections.get(names)) is None:
            known = Selection(names, lenient=table.is_hook)
            _check_names(table, known.plain)
            if len(self._selections) >= _KNOWN_NAMES:
                table.renew()  # the next send begins anew; this one ends with what is known here
            self._selections[names] = known
            self._picks.append(known.by_sender)
        return known

    def run_for(self, table: Table, names: tuple[str, ...], robust: bool, parts: Parts) -> Run:
        """Answers the function that sends payloads of these names, and tries it first from now on."""
        run = self._runs.get((robust, names))
        if run is None:
            run = self._runs[robust, names] = self._compile(table, names, robust, parts)
        if robust:
            self.robust = run
        else:
            self.run = run
        return run

    def _compile(self, table: Table, names: tuple[str, ...], robust: bool, parts: Parts) -> Run:
        selection = self.selection(table, tuple(name for name in names if name != "sender"))
        if not WRAPPERS.isdisjoint(names):
            return parts.careful
        receivers = tuple(table.receivers.values())
        calls = {selection.call(receiver) for receiver in receivers}
        shape = selection.shape(receivers[0].convention) if len(calls) == 1 else None
        by_sender = len(table.buckets) > 1
        maker = run_maker(names, shape, by_sender, robust)
        if by_sender:
            known, find = _finder(selection, uniform=shape is not None)
            self._picks.append(known)
            return maker(known.get, find, *parts)
        steps = selection.steps(table, ANY)
        if any(step.needs_care for step in steps):
            return parts.careful
        return maker(*_targets(steps, uniform=shape is not None), *parts)


def _finder(selection: Selection, *, uniform: bool) -> tuple[dict[Key, Targets], Callable[..., Targets | None]]:
    """Answers the targets known by the sender's key, which is mostly its `id`, and what finds the others.

    Only connected senders become known: their weak references tell when an identity ends. All others share theirs.
    """
    known: dict[Key, Targets] = {}

    def find(signal: Any, sender: object) -> Targets | None:
        key = sender_key(sender)
        if key not in signal._table.buckets:
            key = ANY
        if (found := known.get(key)) is not None:
            return found
        steps = selection.steps(signal._table, ANY if key is ANY else sender)
        if any(step.needs_care for step in steps):
            return None
        targets = _targets(steps, uniform=uniform)
        if key is ANY or key in selection.by_sender:
            known[key] = targets
        return targets

    return known, find


class Parts(NamedTuple):
    """What a compiled send passes on to; see `_callers`."""

    other: Run
    careful: Run
    failed: Callable[..., Exception]


MUTED = Snapshot(None, None)
"""The state of every muted signal. Nobody compiles into it."""


def _targets(steps: tuple[Step, ...], *, uniform: bool) -> Targets:
    found: list[Any] = [step.receiver.resolve if uniform else (step.receiver.resolve, step.call) for step in steps]
    first, *rest = found or [_nobody if uniform else (_nobody, None)]
    return first, tuple(rest)


def _nobody() -> None:
    """Resolves to no receiver, where there is none."""


def _check_names(table: Table, names: tuple[str, ...]) -> None:
    """Refuses names that the signal does not provide, and one that would hide the signal itself."""
    if table.names is None:
        return
    for name in names:
        if name not in table.names:
            from difflib import get_close_matches  # seldom needed, and slow to import

            near = get_close_matches(name, table.names, 1)
            meant = f"; did you mean {near[0]!r}?" if near else "."
            raise PayloadError(
                f"{table.title}: got the payload {name!r}; expected names of providing_args, "
                f"which are {sorted(table.names)}{meant}"
            )
