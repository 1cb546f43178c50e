"""Receivers are told what their signature takes, and nothing else."""

from functools import partial, wraps
from unittest.mock import Mock

import pytest

from torngas_signal import PayloadError, Signal

SENDER = object()


def told(function, *, payload=None, weak=False):
    """What one receiver gets from one send."""
    signal = Signal("told")
    signal.connect(function, weak=weak)
    [(_, response)] = signal.send(SENDER, **({"user": "ada", "x": 1} if payload is None else payload))
    return response, signal


@pytest.mark.parametrize(
    "function",
    [
        lambda **kwargs: kwargs,
        lambda sender, **kwargs: {"sender": sender, **kwargs},
        lambda sender=None, **kwargs: {"sender": sender, **kwargs},
        lambda signal, sender, **kwargs: {"signal": signal, "sender": sender, **kwargs},
        lambda sender, signal, **kwargs: {"signal": signal, "sender": sender, **kwargs},
        lambda signal, **kwargs: {"signal": signal, **kwargs},
        lambda *, sender, **kwargs: {"sender": sender, **kwargs},
        lambda user, **kwargs: {"user": user, **kwargs},
        lambda user, sender, **kwargs: {"user": user, "sender": sender, **kwargs},
        lambda x=5, **kwargs: {"x": x, **kwargs},
    ],
    ids=range(10),
)
def test_a_receiver_of_keywords_gets_signal_sender_and_payload(function):
    response, signal = told(function)
    assert response == {"signal": signal, "sender": SENDER, "user": "ada", "x": 1}


@pytest.mark.parametrize(
    "function",
    [
        lambda anything, **kwargs: (anything, kwargs),
        lambda anything, /, **kwargs: (anything, kwargs),
        lambda sender, /, **kwargs: (sender, kwargs),
        lambda *args, **kwargs: (*args, kwargs),
        lambda sender, *args, **kwargs: (sender, *args, kwargs),
    ],
    ids=range(5),
)
def test_a_receiver_in_blinkers_habit_gets_the_sender_first_and_the_payload(function):
    assert told(function)[0] == (SENDER, {"user": "ada", "x": 1})


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda sender: sender, SENDER),
        (lambda anything: anything, SENDER),
        (lambda anything, x=7: (anything, x), (SENDER, 1)),
        (lambda anything, y=7: (anything, y), (SENDER, 7)),
        (lambda anything, *, user: (anything, user), (SENDER, "ada")),
        (lambda anything, /, user: (anything, user), (SENDER, "ada")),
        (lambda sender, x, user: (sender, x, user), (SENDER, 1, "ada")),
        (lambda user, x: (user, x), ("ada", 1)),
        (lambda x, sender: (x, sender), (1, SENDER)),
        (lambda *args: args, (SENDER,)),
        (lambda *args, user: (*args, user), (SENDER, "ada")),
        (lambda anything=3: anything, SENDER),
        (lambda: "nothing", "nothing"),
    ],
    ids=range(13),
)
def test_a_receiver_of_fixed_parameters_gets_only_what_it_accepts(function, expected):
    assert told(function)[0] == expected


def test_signal_and_sender_by_name_without_keywords():
    response, signal = told(lambda signal, sender: (signal, sender))
    assert response == (signal, SENDER)


def test_the_signal_goes_to_a_parameter_of_its_name():
    response, signal = told(lambda anything, signal=None: (anything, signal))
    assert response == (SENDER, signal)


def test_the_first_parameter_is_by_name_only_when_the_payload_has_it():
    """One receiver, two payloads: `instance` is the sender where nothing else is called so."""
    signal = Signal()

    def receiver(instance, **kwargs):
        return instance

    signal.connect(receiver)
    assert signal.send(SENDER, instance="row") == [(receiver, "row")]
    assert signal.send(SENDER, other=1) == [(receiver, SENDER)]


class Callable:
    def __call__(self, sender, **kwargs):
        return sender, sorted(kwargs)

    def method(self, sender, **kwargs):
        return sender, sorted(kwargs)

    @classmethod
    def of_class(cls, sender, **kwargs):
        return sender, sorted(kwargs)

    @staticmethod
    def static(sender, **kwargs):
        return sender, sorted(kwargs)


ALIVE = Callable()
PARTIAL = partial(lambda prefix, sender, **kwargs: (sender, sorted(kwargs)), "prefix")


@pytest.mark.parametrize(
    "receiver",
    [ALIVE, ALIVE.method, Callable.of_class, Callable.static, ALIVE.static, PARTIAL],
    ids=["object", "method", "classmethod", "staticmethod", "staticmethod of an instance", "partial"],
)
def test_every_kind_of_callable_can_be_connected_weakly(receiver):
    assert told(receiver, weak=True)[0] == (SENDER, ["signal", "user", "x"])


def test_a_class_is_a_receiver_by_its_constructor():
    class Event:
        def __init__(self, sender, user):
            self.got = sender, user

    assert told(Event)[0].got == (SENDER, "ada")


def test_a_mock_gets_the_sender_first():
    """A mock takes anything, so it is called as blinker calls."""
    mock = Mock()
    told(mock)
    mock.assert_called_once_with(SENDER, user="ada", x=1)


def test_a_wrapper_that_passes_everything_on_is_called_as_what_it_wraps():
    def wrapped(sender, **kwargs):
        return sender, sorted(kwargs)

    @wraps(wrapped)
    def wrapper(*args, **kwargs):
        return wrapped(*args, **kwargs)

    assert told(wrapper)[0] == (SENDER, ["signal", "user", "x"])


def test_a_wrapper_of_its_own_signature_is_called_by_that():
    def wrapped(database, sender):
        return database, sender

    @wraps(wrapped)
    def wrapper(sender, **kwargs):
        return wrapped("database", sender)

    assert told(wrapper)[0] == ("database", SENDER)


def test_a_builtin_method_gets_the_sender():
    found = []
    told(found.append)
    assert found == [SENDER]


def test_a_callable_that_hides_its_signature_gets_sender_and_payload():
    class Hidden:
        __signature__ = "none"

        def __call__(self, *args, **kwargs):
            return args, kwargs

    assert told(Hidden())[0] == ((SENDER,), {"user": "ada", "x": 1})


def test_names_that_are_no_identifiers_are_passed_on():
    """Also names that a source text would take for something else."""
    names = {"a-b": 1, "class": 2, "__debug__": 3, "ﬁ": 4, "v0": 5, "receiver": 6, "responses": 7, "": 8}
    response, signal = told(lambda **kwargs: kwargs, payload=names)
    assert response == {"signal": signal, "sender": SENDER, **names}


@pytest.mark.parametrize("name", ["self", "payload", "receiver", "target", "targets", "run", "make", "v1", "name"])
def test_no_payload_name_is_reserved(name):
    assert told(lambda sender, **kwargs: kwargs[name], payload={name: 1})[0] == 1


def test_a_payload_called_signal_is_refused_where_it_would_hide_the_signal():
    with pytest.raises(PayloadError, match="'signal'"):
        told(lambda **kwargs: kwargs, payload={"signal": 1})


def test_a_payload_called_signal_reaches_a_receiver_in_blinkers_habit():
    assert told(lambda anything, **kwargs: kwargs, payload={"signal": 1})[0] == {"signal": 1}


def test_a_missing_argument_is_the_receivers_own_type_error():
    with pytest.raises(TypeError, match="missing 1 required"):
        told(lambda sender, missing: None)


def test_payloads_of_changing_names_reach_everybody():
    signal = Signal()

    def receiver(sender, **kwargs):
        del kwargs["signal"]
        return kwargs

    signal.connect(receiver)
    for number in range(300):
        payload = {f"name{number}": number}
        assert signal.send(None, **payload) == [(receiver, payload)]
        assert signal.send() == [(receiver, {})]
        assert len(signal._table.snapshot._selections) <= 65
        assert len(signal._table.snapshot._picks) <= 130


def test_signatures_are_not_read_while_sending(monkeypatch):
    import inspect

    signal = Signal()
    signal.connect(ALIVE.method)

    def forbidden(*args, **kwargs):
        raise AssertionError

    monkeypatch.setattr(inspect, "signature", forbidden)
    assert signal.send(SENDER, x=1) == [(ALIVE.method, (SENDER, ["signal", "x"]))]
    assert signal.send(SENDER, y=1) == [(ALIVE.method, (SENDER, ["signal", "y"]))]
