"""What a send calls, answers and raises."""

import gc
import logging

import pytest

from torngas_signal import AsyncReceiverError, PayloadError, Signal, SignalError

SENDER = object()


def fine(sender, **kwargs):
    return "fine"


def failing(sender, **kwargs):
    raise LookupError("broken")


async def asynchronous(sender, **kwargs):
    return "asynchronous"


def test_a_send_to_nobody_answers_an_empty_list(signal):
    assert signal.send() == signal.send(SENDER, x=1) == signal.send(sender=SENDER) == []


def test_the_sender_by_position_or_by_name(signal):
    def who(sender, **kwargs):
        return sender, kwargs["x"]

    signal.connect(who)
    for answers in (signal.send(SENDER, x=1), signal.send(sender=SENDER, x=1), signal.send(x=1, sender=SENDER)):
        assert answers == [(who, (SENDER, 1))]
    assert signal.send(x=1) == [(who, (None, 1))]


@pytest.mark.parametrize("count", [1, 2])
def test_the_sender_by_name_selects_the_receivers(signal, count):
    class Other:
        pass

    signal.connect(fine, Other)
    if count == 2:
        signal.connect(failing, Signal)
    assert signal.send(sender=Other) == [(fine, "fine")]
    assert signal.send(sender=SENDER) == []


def test_more_than_one_positional_argument_is_a_type_error(signal):
    with pytest.raises(TypeError):
        signal.send(SENDER, "more")


def test_a_sender_given_twice_is_refused_where_it_would_be_hidden(signal):
    signal.connect(fine)
    with pytest.raises(PayloadError, match="'sender'"):
        signal.send(SENDER, sender="other")


def test_a_payload_called_sender_reaches_a_receiver_in_blinkers_habit(signal):
    def receiver(anything, **kwargs):
        return anything, kwargs

    signal.connect(receiver)
    assert signal.send(SENDER, sender="other") == [(receiver, (SENDER, {"sender": "other"}))]


@pytest.mark.parametrize("connect", [lambda s: s.connect(failing), lambda s: s.connect(failing, SENDER)])
def test_an_exception_reaches_the_sender_and_ends_the_send(signal, connect):
    called = []

    def later(sender):
        called.append(sender)

    connect(signal)
    signal.connect(later)
    with pytest.raises(LookupError, match="broken"):
        signal.send(SENDER)
    assert called == []


def test_a_key_error_of_a_receiver_is_its_own(signal):
    """The compiled loop looks into dictionaries; it must not take a receiver's error for one of its own."""

    def missing(sender, **kwargs):
        called.append(sender)
        return {}["x"]

    called = []
    signal.connect(missing)
    for _ in range(2):
        with pytest.raises(KeyError):
            signal.send(SENDER, x=1)
    assert len(called) == 2


@pytest.mark.promise(24)
def test_promise_24_robust_sends_isolate_and_keep_the_order(signal, caplog):
    """An exception is the response of its receiver, is logged with its traceback, and the others are called."""
    signal.connect(fine, priority=1)
    signal.connect(failing)
    signal.connect(fine, priority=-1, dispatch_uid="again")
    for _ in range(2):
        caplog.clear()
        with caplog.at_level(logging.ERROR, logger="torngas_signal"):
            responses = signal.send_robust(SENDER, x=1)
        assert [receiver for receiver, _ in responses] == [fine, failing, fine]
        assert isinstance(responses[1][1], LookupError)
        [record] = caplog.records
        assert record.name == "torngas_signal"
        assert record.getMessage() == f"Error calling failing in {signal!r}"
        assert record.exc_info[1] is responses[1][1]


def test_a_robust_send_logs_the_qualified_name_of_a_method(signal, caplog):
    class Listener:
        def method(self, sender):
            raise LookupError

    listener = Listener()
    signal.connect(listener.method)
    signal.send_robust(SENDER)
    assert "Listener.method in <Signal" in caplog.text


def test_a_robust_send_logs_a_callable_without_a_name(signal, caplog):
    class Listener:
        def __repr__(self):
            return "a listener"

        def __call__(self, sender):
            raise LookupError

    listener = Listener()
    signal.connect(listener)
    signal.send_robust(SENDER)
    assert "Error calling a listener in" in caplog.text


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_robust_send_raises_what_is_no_exception(signal, error):
    def ending(sender):
        raise error

    signal.connect(ending)
    for _ in range(2):
        with pytest.raises(error):
            signal.send_robust(SENDER)


# -- asynchronous receivers ------------------------------------------------------------------------------------------


class Caller:
    async def __call__(self, sender):
        """Asynchronous."""

    async def method(self, sender):
        """Asynchronous."""


CALLER = Caller()


@pytest.mark.parametrize(
    ("receiver", "name"),
    [(asynchronous, "asynchronous"), (CALLER.method, "Caller.method"), (CALLER, "Caller object")],
)
def test_send_with_an_asynchronous_receiver_raises_before_it_calls_anybody(signal, receiver, name):
    called = []

    def before(sender):
        called.append(sender)

    signal.connect(before)
    signal.connect(receiver)
    for _ in range(2):
        with pytest.raises(AsyncReceiverError, match=f"{name}.*asend") as caught:
            signal.send(SENDER)
        assert isinstance(caught.value, (RuntimeError, SignalError))
    assert called == []
    signal.disconnect(receiver)
    assert signal.send(SENDER) == [(before, None)]


def test_a_robust_send_answers_the_refusal_and_calls_the_others(signal, caplog):
    signal.connect(asynchronous)
    signal.connect(fine)
    [(_, refusal), (_, answer)] = signal.send_robust(SENDER)
    assert isinstance(refusal, AsyncReceiverError)
    assert answer == "fine"
    assert "asynchronous" in caplog.text


def test_asynchronous_receivers_of_other_senders_do_not_matter(signal):
    signal.connect(asynchronous, SENDER_A)
    signal.connect(fine)
    assert signal.send(SENDER) == [(fine, "fine")]
    with pytest.raises(AsyncReceiverError):
        signal.send(SENDER_A)


class SenderA:
    pass


SENDER_A = SenderA()


def test_blinkers_async_wrapper(signal):
    def wrapper(function):
        def call(*args, **kwargs):
            coroutine = function(*args, **kwargs)
            try:
                coroutine.send(None)
            except StopIteration as stop:
                return stop.value

        return call

    signal.connect(asynchronous)
    signal.connect(fine)
    for send in (signal.send, signal.send_robust):
        assert [answer for _, answer in send(SENDER, _async_wrapper=wrapper, x=1)] == ["asynchronous", "fine"]


# -- once ------------------------------------------------------------------------------------------------------------


def test_once_is_called_once(signal):
    signal.connect(fine, once=True)
    assert signal.send(SENDER) == [(fine, "fine")]
    assert signal.send(SENDER) == []
    assert not signal.receivers


@pytest.mark.parametrize("send", ["send", "send_robust"])
def test_once_is_over_also_when_the_receiver_raises(signal, send):
    signal.connect(failing, once=True)
    try:
        getattr(signal, send)(SENDER)
    except LookupError:
        assert send == "send"
    assert signal.send(SENDER) == []


def test_once_is_not_used_up_by_a_send_that_ended_before(signal):
    signal.connect(failing, once=True)
    signal.connect(fine, once=True)
    with pytest.raises(LookupError):
        signal.send(SENDER)
    assert signal.send(SENDER) == [(fine, "fine")]


def test_once_is_per_connection(signal):
    signal.connect(fine, SENDER_A, once=True)
    signal.connect(fine)
    assert signal.send(SENDER_A) == [(fine, "fine")]
    assert signal.send(SENDER_A) == [(fine, "fine")]
    assert signal.send(SENDER) == [(fine, "fine")]


def test_once_that_sends_again_is_called_once(signal):
    called = []

    def again(sender):
        called.append(sender)
        signal.send(sender)

    signal.connect(again, once=True)
    signal.send(SENDER)
    assert called == [SENDER]


def test_once_in_a_block_that_connects_it_is_connected_until_its_end(signal):
    signal.connect(fine, once=True)
    with signal.connected_to(fine):
        assert signal.send() == signal.send() == [(fine, "fine")]
    assert signal.send() == []


def test_muted_sends_use_nothing_up(signal):
    signal.connect(fine, once=True)
    with signal.muted():
        signal.send()
    assert signal.send() == [(fine, "fine")]


# -- changes while sending -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [{}, {"x": 1}])
def test_a_send_calls_the_receivers_as_of_its_start(signal, payload):
    """What a receiver connects is called next time, what it disconnects was there at the start."""

    def changing(sender, **kwargs):
        signal.connect(fine)
        signal.disconnect(last)

    def last(sender, **kwargs):
        return "last"

    signal.connect(changing)
    signal.connect(last)
    assert [receiver for receiver, _ in signal.send(**payload)] == [changing, last]
    assert [receiver for receiver, _ in signal.send(**payload)] == [changing, fine]


def test_receivers_collected_during_a_send_do_no_harm(signal):
    class Listener:
        def method(self, sender, **kwargs):
            return "method"

    listeners = [Listener() for _ in range(5)]

    def dropping(sender, **kwargs):
        listeners.clear()
        gc.collect()

    signal.connect(dropping, priority=1)
    for listener in listeners:
        signal.connect(listener.method)
    del listener
    assert signal.send()[0] == (dropping, None)
    assert signal.send() == [(dropping, None)]


# -- payload names ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("connected", [True, False])
def test_a_misspelt_name_raises_with_the_nearest(connected):
    signal = Signal("saved", providing_args=["user", "created"])
    if connected:
        signal.connect(fine)
    for send in (signal.send, signal.send_robust):
        for _ in range(2):
            with pytest.raises(PayloadError, match="'saved'.*'craeted'.*did you mean 'created'") as caught:
                send(SENDER, user=1, craeted=True)
            assert isinstance(caught.value, (TypeError, SignalError))
        with pytest.raises(PayloadError, match=r"'zzz'.*\['created', 'user'\]"):
            send(SENDER, zzz=1)


async def test_a_misspelt_name_raises_in_asend():
    signal = Signal(providing_args=["user"])
    for asend in (signal.asend, signal.asend_robust, signal.send_async):
        with pytest.raises(PayloadError, match="did you mean 'user'"):
            await asend(SENDER, usr=1)


def test_declared_names_may_be_left_out_and_sender_is_none_of_them():
    signal = Signal(providing_args=("user", "created"))
    signal.connect(fine)
    assert signal.send(SENDER, user=1) == signal.send(sender=SENDER) == signal.send() == [(fine, "fine")]


def test_the_parameters_of_a_function_are_the_names():
    def payload(signal, sender, *, user, created): ...

    signal = Signal(providing_args=payload)
    assert signal.providing_args == {"user", "created"}
    with pytest.raises(PayloadError):
        signal.send(SENDER, name=1)


def test_without_names_all_are_allowed_and_with_none_none():
    assert Signal().send(anything=1) == []
    with pytest.raises(PayloadError):
        Signal(providing_args=[]).send(anything=1)


def test_a_string_is_no_list_of_names():
    with pytest.raises(TypeError, match=r"expected names, e.g. \['user'\]"):
        Signal(providing_args="user")
