"""What nobody else refers to is disconnected, and leaves nothing behind."""

import gc
import subprocess
import sys
import textwrap
import tracemalloc
import weakref

import pytest

from torngas_signal import ANY, Signal


class Listener:
    def __init__(self, answer="heard"):
        self.answer = answer

    def method(self, sender=None, **kwargs):
        return self.answer

    def __call__(self, sender=None, **kwargs):
        return self.answer


class Sender:
    pass


def function(sender, **kwargs):
    return "function"


def is_empty(signal):
    """No receiver, no sender, no note of either."""
    table = signal._table
    return not table.receivers and list(table.buckets) == [ANY] and not table._notes and not signal.receivers


@pytest.mark.parametrize("part", [lambda listener: listener, lambda listener: listener.method])
@pytest.mark.parametrize("sender", [ANY, "one"])
def test_a_collected_receiver_is_disconnected_at_once(signal, part, sender):
    listener = Listener()
    signal.connect(part(listener), sender)
    assert [answer for _, answer in signal.send("one", x=1)] == ["heard"]
    del listener
    assert is_empty(signal)
    assert signal.send("one", x=1) == []


def test_a_method_lives_as_long_as_its_instance(signal, collect):
    listener = Listener()
    signal.connect(listener.method)
    collect()
    assert signal.send() == [(listener.method, "heard")]


def test_receivers_in_a_cycle_are_collected(signal, collect):
    listener = Listener()
    listener.self = listener
    signal.connect(listener.method)
    signal.connect(listener)
    del listener
    collect()
    assert is_empty(signal)


def test_a_strong_receiver_stays(signal, collect):
    signal.connect(Listener().method, weak=False)
    collect()
    assert [answer for _, answer in signal.send()] == ["heard"]


def test_weak_false_holds_what_was_connected_weakly(signal):
    listener = Listener()
    signal.connect(listener.method)
    signal.connect(listener.method, weak=False)
    del listener
    assert [answer for _, answer in signal.send()] == ["heard"]


def test_a_collected_sender_takes_its_connections_along(signal):
    sender = Sender()
    signal.connect(function, sender)
    assert signal.send(sender) == [(function, "function")]
    del sender
    assert is_empty(signal)


def test_a_collected_sender_leaves_other_connections(signal):
    sender, other = Sender(), Sender()
    signal.connect(function, sender)
    signal.connect(function, other)
    del sender
    assert signal.send(other) == [(function, "function")]
    assert len(signal._table.buckets) == 2


def test_a_sender_never_inherits_the_receivers_of_one_that_had_its_identity(signal):
    """Identities are used again: whoever comes next must not be taken for the one before."""
    signal.connect(function, "keeps the signal filtered")
    reused = 0
    for number in range(500):
        sender = Sender()
        identity = id(sender)
        signal.connect(function, sender)
        assert signal.send(sender, **{f"x{number % 3}": 1}) == [(function, "function")]
        del sender
        successor = Sender()
        reused += id(successor) == identity
        assert signal.send(successor, **{f"x{number % 3}": 1}) == []
    assert reused > 100


def test_an_identity_ends_also_while_the_signal_is_being_changed(signal):
    """The connections stay until the change is done; they must not be taken for those of a new object."""
    for _ in range(100):
        sender = Sender()
        identity = id(sender)
        signal.connect(function, sender)
        assert signal.send(sender, x=1) == [(function, "function")]
        with signal._table:
            del sender
            successor = Sender()
            if id(successor) == identity:
                assert signal.send(successor, x=1) == []
                assert list(signal.receivers_for(successor)) == []
                assert not signal.has_receivers_for(successor)
                return
    pytest.fail("no identity was used again")


def test_the_order_survives_collected_receivers(signal):
    listeners = [Listener(number) for number in range(10)]
    for listener in listeners:
        signal.connect(listener)
    del listener
    del listeners[::2]
    assert [answer for _, answer in signal.send()] == [1, 3, 5, 7, 9]


def test_a_signal_is_freed_without_the_collector():
    """Nothing in it refers back to it, also after it was sent and asked."""
    signal, sender = Signal("freed"), Sender()
    signal.connect(function)
    signal.connect(function, sender)
    signal.send(sender, x=1)
    signal.send_robust(sender)
    list(signal.receivers_for(sender))
    gone = weakref.ref(signal)
    gc.disable()
    try:
        del signal
        assert gone() is None
    finally:
        gc.enable()


def test_a_receiver_that_disconnects_itself_when_it_dies(signal, collect):
    """`__del__` may come from the collector, in the middle of a change of the same signal."""

    class Tidy(Listener):
        def __del__(self):
            signal.disconnect(function)
            signal.connect(function)

    for _ in range(50):
        tidy = Tidy()
        tidy.self = tidy
        signal.connect(tidy.method)
        del tidy
    collect()
    assert signal.send() == [(function, "function")]


def test_the_notes_of_the_collector_wait_for_a_change_to_end(signal):
    """A receiver that dies while this thread changes the signal is dropped afterwards."""
    listener = Listener()
    signal.connect(listener)
    with signal._table:
        del listener
        assert len(signal._table.receivers) == 1
        assert signal._table._notes
    assert is_empty(signal)


@pytest.mark.promise(25)
@pytest.mark.parametrize("kind", ["receivers", "methods", "senders", "both"])
def test_promise_25_memory_is_flat_after_100_000_connects(kind):
    """Grow once, then stay: the second half of the cycles adds nothing."""
    signal = Signal()
    signal.connect(function)

    def cycle(times):
        for number in range(times):
            listener, sender = Listener(), Sender()
            receiver = function if kind == "senders" else listener.method if kind == "methods" else listener
            signal.connect(receiver, sender if kind in ("senders", "both") else ANY)
            if number % 1000 == 0:
                signal.send(sender, number=number)
        del listener, sender, receiver

    cycle(1000)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(2):
            cycle(2000)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 20_000
    cycle(95_000 if kind == "both" else 10_000)
    assert len(signal._table.receivers) == 1
    assert list(signal._table.buckets) == [ANY]
    assert not signal._table._notes


@pytest.mark.promise(25)
def test_promise_25_the_interpreter_exits_in_silence():
    """Receivers, senders and signals alive at the end, in cycles and globals, with threads' leftovers."""
    code = textwrap.dedent(
        """
        import atexit, threading
        from torngas_signal import Signal, receiver, signal

        class Listener:
            def method(self, sender, **kwargs): pass
            def __del__(self): named.send(self)

        named, quiet, anonymous = signal("named"), signal("quiet"), Signal()
        listener, sender = Listener(), Listener()
        listener.self = listener
        for each in (named, anonymous):
            each.connect(listener.method)
            each.connect(listener.method, sender)
            each.connect(lambda sender: None, weak=False)

        def make():
            def nested(sender): pass
            named.connect(nested)
            quiet.connect(nested)
            return nested

        kept = make()

        @receiver([named, anonymous])
        def module_level(**kwargs): pass

        class Holder: pass
        holder = Holder()
        holder.kept, holder.signal, holder.self = make(), Signal("held"), holder
        holder.signal.connect(holder.kept)
        """
    )
    result = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "always", "-c", code], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
