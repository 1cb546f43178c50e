"""Any number of threads: no call is lost, none is made twice."""

import gc
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from torngas_signal import Namespace, Signal

THREADS = 8


@pytest.fixture(autouse=True)
def switch_often():
    """Lets threads change every few bytecodes, where races would show."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(*works):
    """Runs each in a thread, starting at the same time; raises what any of them raised."""
    barrier = threading.Barrier(len(works))

    def start(work):
        barrier.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(start, work) for work in works]]


class Counter:
    def __init__(self):
        self.calls = []

    def count(self, sender=None, **kwargs):
        self.calls.append(sender)


@pytest.mark.parametrize("round_", range(30))
def test_once_is_called_once_by_many_threads(signal, round_):
    counter = Counter()
    signal.connect(counter.count, once=True)
    answers = together(*[lambda: signal.send(round_)] * THREADS)
    assert len(counter.calls) == 1
    assert sum(map(len, answers)) == 1


def test_a_connection_counts_from_the_return_of_connect_on():
    """Each thread connects, sends, and must be called; disconnects, sends, and must not be."""
    signal = Signal()
    end = monotonic() + 1.5

    def work():
        counter = Counter()
        mine = object.__new__(Counter)
        rounds = 0
        while monotonic() < end:
            signal.connect(counter.count, mine)
            signal.send(mine, x=1)
            assert len(counter.calls) == 1
            assert signal.disconnect(counter.count, mine)
            signal.send(mine, x=1)
            assert len(counter.calls) == 1
            counter.calls.clear()
            rounds += 1
        return rounds

    assert min(together(*[work] * THREADS)) > 0
    assert not signal.receivers
    assert len(signal._table.buckets) == 1


def test_permanent_receivers_hear_every_send_while_others_come_and_go():
    """Four threads send, three connect and disconnect or lose receivers, one mutes other signals and collects."""
    signal = Signal()
    permanent = [Counter() for _ in range(3)]
    for number, counter in enumerate(permanent):
        signal.connect(counter.count, priority=number)
    end = monotonic() + 2

    def send():
        sent = 0
        while monotonic() < end:
            responses = signal.send("sender", **{f"x{sent % 3}": sent})
            receivers = [receiver for receiver, _ in responses]
            assert len(receivers) == len(set(receivers))
            sent += 1
        return sent

    def come_and_go():
        while monotonic() < end:
            passing = Counter()
            signal.connect(passing.count)
            signal.connect(passing.count, "sender", priority=5)
            with signal.connected_to(passing.count, "sender"):
                pass
            signal.disconnect(passing.count)
            signal.connect(passing.count)
            del passing

    def collect():
        while monotonic() < end:
            cycle = Counter()
            cycle.self = cycle
            signal.connect(cycle.count, cycle)
            del cycle
            gc.collect(0)
            list(signal.receivers_for("sender"))

    results = together(*[send] * 4, *[come_and_go] * 3, collect)
    gc.collect()
    sent = sum(filter(None, results))
    assert sent > 100
    assert [len(counter.calls) for counter in permanent] == [sent] * 3
    assert len(signal.receivers) == 3
    assert len(signal._table.buckets) == 1


def test_muting_in_many_threads_ends():
    signal = Signal()
    counter = Counter()
    signal.connect(counter.count)

    def mute():
        for _ in range(200):
            with signal.muted(), signal.muted():
                assert signal.send() == []

    together(*[mute] * THREADS)
    signal.send()
    assert len(counter.calls) == 1


def test_overlapping_temporary_connections_end():
    signal = Signal()
    counter = Counter()

    def connect():
        for number in range(200):
            with signal.connected_to(counter.count):
                assert len(signal.send(number)) == 1

    together(*[connect] * THREADS)
    assert not signal.receivers
    assert len(counter.calls) == 200 * THREADS


def test_two_signals_whose_receivers_die_under_each_others_changes():
    """The collector calls back inside changes of another signal; nobody may wait for anybody."""
    signals = [Signal(), Signal()]

    class Both:
        def __init__(self):
            self.self = self
            for signal in signals:
                signal.connect(self.hear)

        def hear(self, sender):
            """Hears."""

        def __del__(self):
            for signal in reversed(signals):
                signal.disconnect(self.hear)

    def work():
        for _ in range(300):
            Both()

    thresholds = gc.get_threshold()
    gc.set_threshold(5, 2, 2)
    try:
        together(work, work, work)
    finally:
        gc.set_threshold(*thresholds)
    gc.collect()
    assert [len(signal.receivers) for signal in signals] == [0, 0]


def test_a_namespace_makes_each_signal_once():
    names = [str(number) for number in range(50)]
    namespace = Namespace()
    found = together(*[lambda: [namespace.signal(name) for name in names]] * THREADS)
    assert all(signals == found[0] for signals in found)
