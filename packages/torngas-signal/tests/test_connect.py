"""Connecting and disconnecting: who is called afterwards."""

import pickle

import pytest

from torngas_signal import ANY, ReceiverError, Signal, SignalError, receiver


class Sender:
    pass


A, B = Sender(), Sender()


def first(sender, **kwargs):
    return "first"


def second(sender, **kwargs):
    return "second"


def third(sender, **kwargs):
    return "third"


def names(signal, sender=None):
    return [answer for _, answer in signal.send(sender)]


def test_connect_answers_the_receiver(signal):
    assert signal.connect(first) is first


def test_connect_is_a_decorator_with_and_without_arguments(signal):
    @signal.connect
    def plain(sender):
        return "plain"

    @signal.connect(sender=A, priority=1)
    def configured(sender):
        return "configured"

    assert names(signal, A) == ["configured", "plain"]
    assert names(signal) == ["plain"]


def test_connecting_twice_is_connecting_once(signal):
    signal.connect(first)
    signal.connect(first, priority=5)
    signal.connect(first, A)
    signal.connect(first, A)
    assert names(signal, A) == names(signal) == ["first"]


def test_connecting_again_keeps_the_place(signal):
    signal.connect(first)
    signal.connect(second)
    signal.connect(first)
    assert names(signal) == ["first", "second"]


def test_a_receiver_of_several_senders(signal):
    signal.connect(first, A)
    signal.connect(first, B)
    assert names(signal, A) == names(signal, B) == ["first"]
    assert names(signal) == []


def test_disconnect_without_a_sender_disconnects_from_all(signal):
    signal.connect(first, A)
    signal.connect(first, B)
    assert signal.disconnect(first) is True
    assert names(signal, A) == names(signal, B) == []
    assert not signal.receivers


def test_disconnect_from_one_sender_leaves_the_others(signal):
    signal.connect(first, A)
    signal.connect(first, B)
    assert signal.disconnect(first, A) is True
    assert names(signal, A) == []
    assert names(signal, B) == ["first"]


def test_disconnect_from_one_sender_leaves_a_connection_to_any(signal):
    signal.connect(first)
    assert signal.disconnect(first, A) is False
    assert names(signal, A) == ["first"]


def test_disconnect_tells_whether_it_was_connected(signal):
    signal.connect(first)
    assert signal.disconnect(second) is False
    assert signal.disconnect(first) is True
    assert signal.disconnect(first) is False


def test_disconnecting_nothing_is_refused(signal):
    with pytest.raises(ReceiverError, match="expected a receiver or a dispatch_uid"):
        signal.disconnect()


def test_a_method_is_the_same_at_every_look(signal):
    class Listener:
        def method(self, sender):
            return "method"

    listener = Listener()
    signal.connect(listener.method)
    signal.connect(listener.method)
    assert names(signal) == ["method"]
    assert signal.disconnect(listener.method)
    assert names(signal) == []


def test_a_method_as_sender_is_compared_by_its_two_halves(signal):
    class Owner:
        def method(self):
            """Sends."""

    owner, other = Owner(), Owner()
    signal.connect(first, owner.method)
    assert names(signal, owner.method) == ["first"]
    assert names(signal, other.method) == []


def test_higher_priority_first_then_order_of_connection(signal):
    signal.connect(first, priority=-1)
    signal.connect(second)
    signal.connect(third, A, priority=5)
    signal.connect(names_signal)
    assert names(signal, A) == ["third", "second", "names", "first"]
    assert names(signal) == ["second", "names", "first"]


def names_signal(sender, **kwargs):
    return "names"


def test_connections_to_any_and_to_the_sender_are_ordered_together(signal):
    signal.connect(first, A)
    signal.connect(second)
    signal.connect(third, A)
    assert names(signal, A) == ["first", "second", "third"]


# -- senders ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", ["red", "r" + "ed", 10**20, True, 0])
def test_strings_and_integers_are_senders_by_value(signal, sender):
    signal.connect(first, sender)
    same = type(sender)(str(sender)) if isinstance(sender, str) else int(str(int(sender)))
    assert names(signal, same) == ["first"]
    assert names(signal, object()) == []


def test_other_senders_are_compared_by_identity(signal):
    class Equal:
        def __eq__(self, other):
            return True

        __hash__ = None

    one, other = Equal(), Equal()
    signal.connect(first, one)
    assert names(signal, one) == ["first"]
    assert names(signal, other) == []


def test_an_integer_is_not_the_object_of_this_identity(signal):
    signal.connect(first, A)
    assert names(signal, id(A)) == []


def test_senders_without_weak_references_are_senders(signal):
    sender = ("a", "tuple")
    signal.connect(first, sender)
    assert names(signal, sender) == ["first"]
    assert names(signal, tuple("a tuple".split())) == []


def test_none_is_a_sender_and_the_one_of_a_send_without_sender(signal):
    signal.connect(first, None)
    assert names(signal) == ["first"]
    assert signal.send(sender=None) == [(first, "first")]
    assert names(signal, A) == []


def test_any_is_everybody(signal):
    signal.connect(first, ANY)
    assert signal.ANY is Signal.ANY is ANY
    assert names(signal) == names(signal, A) == names(signal, ANY) == ["first"]


def test_any_shows_its_name_and_pickles_to_itself():
    assert repr(ANY) == str(ANY) == "ANY"
    assert pickle.loads(pickle.dumps(ANY)) is ANY


def test_sending_as_any_reaches_only_those_connected_to_any(signal):
    signal.connect(first, A)
    signal.connect(second)
    assert names(signal, ANY) == ["second"]


# -- dispatch_uid ----------------------------------------------------------------------------------------------------


def test_a_dispatch_uid_is_connected_once_per_sender(signal):
    signal.connect(first, A, dispatch_uid="one")
    signal.connect(second, A, dispatch_uid="one")
    signal.connect(second, B, dispatch_uid="one")
    assert names(signal, A) == ["first"]
    assert names(signal, B) == ["second"]


def test_a_dispatch_uid_disconnects(signal):
    signal.connect(first, dispatch_uid="one")
    assert signal.disconnect(first) is False
    assert signal.disconnect(dispatch_uid="other") is False
    assert signal.disconnect(dispatch_uid="one", sender=A) is False
    assert signal.disconnect(dispatch_uid="one") is True
    assert names(signal) == []


def test_a_dispatch_uid_disconnects_from_all_senders(signal):
    signal.connect(first, A, dispatch_uid="one")
    signal.connect(first, B, dispatch_uid="one")
    assert signal.disconnect(dispatch_uid="one") is True
    assert not signal.receivers


def test_one_receiver_under_two_uids_is_called_twice(signal):
    signal.connect(first, dispatch_uid=1)
    signal.connect(first, dispatch_uid=2)
    assert names(signal) == ["first", "first"]


# -- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [1, "name", object()])
def test_what_is_not_callable_is_refused(signal, wrong):
    with pytest.raises(ReceiverError, match="expected a callable") as caught:
        signal.connect(wrong)
    assert isinstance(caught.value, (TypeError, SignalError))
    with pytest.raises(ReceiverError), signal.connected_to(wrong):
        pass


class Slotted:
    __slots__ = ()

    def method(self, sender):
        return "slotted"

    def __call__(self, sender):
        return "called"


@pytest.mark.parametrize("make", [lambda: Slotted().method, Slotted], ids=["method", "object"])
def test_what_cannot_be_referenced_weakly_is_refused_with_the_remedy(signal, make):
    with pytest.raises(ReceiverError, match="weak=False") as caught:
        signal.connect(make())
    assert isinstance(caught.value, TypeError)
    assert not signal.receivers
    signal.connect(make(), weak=False)
    assert len(names(signal)) == 1


# -- connect_via, receiver -------------------------------------------------------------------------------------------


def test_connect_via_connects_strongly_to_the_sender(signal, collect):
    def make():
        @signal.connect_via(A)
        def lost_otherwise(sender):
            return "kept"

    make()
    collect()
    assert names(signal, A) == ["kept"]
    assert names(signal) == []


def test_connect_via_may_be_weak(signal):
    @signal.connect_via(A, weak=True)
    def weak(sender):
        return "weak"

    assert names(signal, A) == ["weak"]
    del weak
    assert names(signal, A) == []


def test_receiver_connects_to_one_signal_or_to_several():
    one, two = Signal(), Signal()

    @receiver([one, two], sender=A, priority=2)
    @receiver(one, sender=B)
    def function(sender, **kwargs):
        return sender

    assert one.send(A) == two.send(A) == [(function, A)]
    assert one.send(B) == [(function, B)]
    assert two.send(B) == []
    assert receiver((one, two))(first) is first


def test_receiver_decorates_a_function_in_a_class_body(signal):
    class MyService:
        @receiver(signal)
        def callback(**kwargs):
            return sorted(kwargs)

        @staticmethod
        @receiver(signal)
        def static(**kwargs):
            return "static"

    assert [answer for _, answer in signal.send(A, x=1)] == [["sender", "signal", "x"], "static"]
    assert MyService.callback() == []


# -- connected_to, muted ---------------------------------------------------------------------------------------------


def test_connected_to_is_a_temporary_connection(signal):
    with signal.connected_to(first):
        assert names(signal) == ["first"]
    assert names(signal) == []
    assert not signal.receivers


def test_connected_to_ends_with_an_exception(signal):
    with pytest.raises(ZeroDivisionError), signal.connected_to(first):
        raise ZeroDivisionError
    assert not signal.receivers


def test_connected_to_leaves_what_was_connected_before(signal):
    signal.connect(first, priority=3)
    signal.connect(second, priority=2)
    with signal.connected_to(first):
        assert names(signal) == ["first", "second"]
    assert names(signal) == ["first", "second"]


def test_connected_to_only_touches_its_sender(signal):
    signal.connect(first, A)
    with signal.connected_to(first):
        assert names(signal, A) == names(signal, B) == ["first"]
    assert names(signal, A) == ["first"]
    assert names(signal, B) == []
    with signal.connected_to(first, sender=B):
        assert names(signal, B) == ["first"]
    assert names(signal, A) == ["first"]
    assert names(signal, B) == []


def test_connected_to_is_reentrant_and_may_overlap(signal):
    outer, inner = signal.connected_to(first), signal.connected_to(first)
    outer.__enter__()
    inner.__enter__()
    outer.__exit__(None, None, None)
    assert names(signal) == ["first"]
    inner.__exit__(None, None, None)
    assert names(signal) == []


def test_a_connection_made_in_the_block_stays(signal):
    with signal.connected_to(first):
        signal.connect(first)
    assert names(signal) == ["first"]


def test_a_disconnection_in_the_block_stays(signal):
    with signal.connected_to(first):
        assert signal.disconnect(first)
        assert names(signal) == []
    assert not signal.receivers


def test_connected_to_keeps_its_receiver_alive(signal, collect):
    with signal.connected_to(lambda sender: "kept"):
        collect()
        assert names(signal) == ["kept"]
    with signal.connected_to(Slotted()):
        assert names(signal) == ["called"]
    assert not signal.receivers


def test_a_connection_weak_before_is_weak_after(signal):
    def local(sender):
        return "local"

    signal.connect(local)
    with signal.connected_to(local):
        pass
    assert names(signal) == ["local"]
    del local
    assert names(signal) == []


def test_muted_calls_nobody_and_nests(signal):
    signal.connect(first)
    with signal.muted():
        with signal.muted():
            assert names(signal) == []
        assert signal.is_muted
        assert names(signal) == []
        signal.connect(second)
        assert signal.send_robust(None) == []
    assert not signal.is_muted
    assert names(signal) == ["first", "second"]


async def test_muted_silences_asynchronous_sends(signal):
    signal.connect(first)
    with signal.muted():
        assert await signal.asend(None) == await signal.asend_robust(None) == []


# -- looking ---------------------------------------------------------------------------------------------------------


def test_receivers_for_yields_in_order(signal):
    signal.connect(first, A)
    signal.connect(second, priority=1)
    assert list(signal.receivers_for(A)) == [second, first]
    assert list(signal.receivers_for(B)) == list(signal.receivers_for(ANY)) == [second]


def test_has_receivers_for_and_has_listeners(signal):
    assert not signal.has_receivers_for(A)
    assert not signal.has_listeners()
    signal.connect(first, A)
    assert signal.has_receivers_for(A)
    assert signal.has_listeners(A)
    assert not signal.has_receivers_for(B)
    assert not signal.has_receivers_for(ANY)
    assert not signal.has_listeners(B)
    signal.connect(first)
    assert signal.has_receivers_for(B)
    assert signal.has_listeners()


def test_receivers_is_a_mapping_of_receivers_and_weak_references(signal):
    assert not signal.receivers
    signal.connect(first)
    signal.connect(second, weak=False)
    assert len(signal.receivers) == 2
    assert signal.receivers[id(first)]() is first
    assert signal.receivers[id(second)] is second
    assert str(id(first)) in repr(signal.receivers)


def test_receivers_holds_a_weak_method():
    class Listener:
        def method(self, sender):
            """Listens."""

    signal, listener = Signal(), Listener()
    signal.connect(listener.method)
    [reference] = signal.receivers.values()
    assert reference() == listener.method


# -- hooks -----------------------------------------------------------------------------------------------------------


def test_receiver_connected_tells_of_connects(signal):
    told = []

    def hook(sender, receiver, **kwargs):
        told.append((sender, receiver, kwargs["weak"]))

    signal.receiver_connected.connect(hook)
    signal.connect(first, weak=False)
    assert told == [(signal, first, False)]
    assert isinstance(signal.receiver_connected, Signal)
    assert signal.receiver_connected is signal.receiver_connected


def test_a_hook_in_blinkers_habit_gets_the_sender_of_the_connection(signal):
    told = []

    def hook(about, **kwargs):
        told.append((about, kwargs))

    signal.receiver_connected.connect(hook)
    signal.receiver_disconnected.connect(hook)
    signal.connect(first, A)
    signal.disconnect(first, A)
    assert told == [
        (signal, {"receiver": first, "sender": A, "weak": True}),
        (signal, {"receiver": first, "sender": A}),
    ]


def test_a_hook_that_raises_refuses_the_connection(signal):
    def refuse(sender, **kwargs):
        raise LookupError

    signal.connect(first, A)
    signal.receiver_connected.connect(refuse)
    with pytest.raises(LookupError):
        signal.connect(second)
    with pytest.raises(LookupError):
        signal.connect(first)
    with pytest.raises(LookupError):
        signal.connect(first, A)
    assert names(signal, A) == ["first"]
    assert names(signal) == []


def test_receiver_disconnected_tells_of_disconnects_that_found_something(signal):
    told = []

    def hook(sender, receiver, **kwargs):
        told.append(receiver)

    signal.receiver_disconnected.connect(hook)
    signal.connect(first)
    signal.disconnect(second)
    signal.disconnect(first)
    assert told == [first]


def test_hooks_are_made_only_when_used(signal):
    signal.connect(first)
    signal.disconnect(first)
    assert signal._connected is None
    assert signal._disconnected is None


# -- the signal itself -----------------------------------------------------------------------------------------------


class Service:
    saved = Signal("saved", doc="It was saved.")


def test_a_signal_as_a_class_attribute_is_one_object():
    assert Service.saved is Service().saved
    assert not hasattr(Signal, "__get__")


def test_a_signal_knows_its_name_and_doc():
    assert (Service.saved.name, Service.saved.doc, Service.saved.__doc__) == ("saved", "It was saved.", "It was saved.")
    assert repr(Service.saved).startswith("<Signal 'saved' (It was saved.) at 0x")
    assert repr(Signal()).startswith("<Signal at 0x")
    assert Signal().name is None
    assert Signal().doc is None


def test_a_signal_can_be_subclassed(collect):
    class Loud(Signal):
        def send(self, sender=None, /, **payload):
            return [("loud", super().send(sender, **payload))]

    loud = Loud("loud")
    loud.connect(first)
    assert loud.send(A) == [("loud", [(first, "first")])]
    assert repr(loud).startswith("<Loud 'loud'")
