"""A dictionary of receivers, and the real thing, through random lives."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from torngas_signal import ANY, Signal

SENDERS = ["red", 1, None, ("strong",), ANY]
NAMES = ["x", "y", "a-b", "class"]


class Listener:
    """A receiver in one of several habits; it answers its number and what it got."""

    def __init__(self, number):
        self.number = number

    def keywords(self, **kwargs):
        return self.number, kwargs["sender"], {k: v for k, v in kwargs.items() if k not in ("sender", "signal")}

    def django(self, sender, **kwargs):
        del kwargs["signal"]
        return self.number, sender, kwargs

    def blinker(self, who, **kwargs):
        return self.number, who, kwargs

    def fixed(self, who, x=None):
        return self.number, who, {} if x is None else {"x": x}

    habits = (keywords, django, blinker, fixed)

    @property
    def receiver(self):
        return self.habits[self.number % 4].__get__(self)


class WeakSender:
    """A sender that may be collected."""


class Life(RuleBasedStateMachine):
    """`model` maps (listener's number, sender's place) to (priority, order, once)."""

    @initialize()
    def begin(self):
        self.signal = Signal("life")
        self.senders = [*SENDERS, WeakSender(), WeakSender()]
        self.listeners = {number: Listener(number) for number in range(8)}
        self.strong = set()
        self.model = {}
        self.order = 0
        self.mutes = []
        self.blocks = []
        self.spare = 100

    def alive(self):
        return sorted(self.listeners)

    @rule(data=st.data(), place=st.integers(0, 6), priority=st.integers(-2, 2), once=st.booleans())
    def connect(self, data, place, priority, once):
        number = data.draw(st.sampled_from(self.alive()))
        weak = data.draw(st.integers(0, 4)) > 0
        listener = self.listeners[number]
        assert (
            self.signal.connect(listener.receiver, self.senders[place], weak=weak, priority=priority, once=once)
            == listener.receiver
        )
        if not weak:
            self.strong.add(number)
        if (number, place) not in self.model:
            self.order += 1
            self.model[number, place] = priority, self.order, once

    @rule(data=st.data(), place=st.integers(0, 6))
    def disconnect(self, data, place):
        number = data.draw(st.sampled_from(self.alive()))
        any_ = self.senders[place] is ANY
        gone = [key for key in self.model if key[0] == number and (any_ or key[1] == place)]
        assert self.signal.disconnect(self.listeners[number].receiver, self.senders[place]) is bool(gone)
        for key in gone:
            del self.model[key]
        self.forget_strength(number)

    def forget_strength(self, number):
        if not any(key[0] == number for key in self.model):
            self.strong.discard(number)

    @rule(data=st.data())
    def collect_a_receiver(self, data):
        number = data.draw(st.sampled_from(self.alive()))
        if number in self.strong or any(listener.number == number for _, listener, _ in self.blocks):
            return
        del self.listeners[number]
        self.model = {key: value for key, value in self.model.items() if key[0] != number}
        self.spare += 1
        self.listeners[self.spare] = Listener(self.spare)

    @rule(place=st.sampled_from([5, 6]))
    def collect_a_sender(self, place):
        self.senders[place] = WeakSender()
        for key in [key for key in self.model if key[1] == place]:
            del self.model[key]
            self.forget_strength(key[0])

    @rule()
    def mute(self):
        block = self.signal.muted()
        block.__enter__()
        self.mutes.append(block)

    @precondition(lambda self: self.mutes)
    @rule()
    def unmute(self):
        self.mutes.pop(0).__exit__(None, None, None)

    @rule(data=st.data(), place=st.integers(0, 4))
    def hold_what_is_not_connected(self, data, place):
        number = data.draw(st.sampled_from(self.alive()))
        if (number, place) in self.model:
            return
        with self.signal.connected_to(self.listeners[number].receiver, self.senders[place]):
            assert self.listeners[number].receiver in list(self.signal.receivers_for(self.senders[place]))

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def hold_what_is_connected(self, data):
        number, place = data.draw(st.sampled_from(sorted(self.model)))
        with self.signal.connected_to(self.listeners[number].receiver, self.senders[place]):
            pass

    def expected(self, place):
        any_ = SENDERS.index(ANY)
        found = {}
        for (number, where), (priority, order, once) in self.model.items():
            if where in (place, any_):
                found.setdefault(number, []).append((-priority, order, once, (number, where)))
        return sorted((min(each)[:2], number, each) for number, each in found.items())

    def check(self, send, place, payload, by_name):
        sender = self.senders[place]
        arguments = {"sender": sender, **payload} if by_name else payload
        responses = getattr(self.signal, send)(*(() if by_name else (sender,)), **arguments)
        if self.mutes:
            assert responses == []
            return
        expected = []
        for _, number, connections in self.expected(place):
            listener = self.listeners[number]
            got = {k: v for k, v in payload.items() if k == "x"} if number % 4 == 3 else payload
            expected.append((listener.receiver, (number, sender, got)))
            for _, _, once, key in connections:
                if once:
                    del self.model[key]
            self.forget_strength(number)
        assert responses == expected

    @rule(
        send=st.sampled_from(["send", "send_robust"]),
        place=st.integers(0, 6),
        payload=st.dictionaries(st.sampled_from(NAMES), st.integers(1, 3)),
        by_name=st.booleans(),
    )
    def send(self, send, place, payload, by_name):
        self.check(send, place, payload, by_name)

    @invariant()
    def nothing_is_left_behind(self):
        if not hasattr(self, "model"):
            return
        table = self.signal._table
        assert len(self.signal.receivers) == len({number for number, _ in self.model})
        assert len(table.buckets) == len({place for _, place in self.model} | {SENDERS.index(ANY)})
        assert not table._notes
        assert self.signal.is_muted is bool(self.mutes)
        for place, sender in enumerate(self.senders):
            expected = [self.listeners[number].receiver for _, number, _ in self.expected(place)]
            assert list(self.signal.receivers_for(sender)) == expected
            assert self.signal.has_receivers_for(sender) is self.signal.has_listeners(sender) is bool(expected)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
