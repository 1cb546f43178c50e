"""The local-function trap: connected weakly, collected before any call."""

import asyncio
import inspect
import logging
import warnings
from functools import partial

import pytest

from torngas_signal import ReceiverLostWarning, Signal, receiver


def line_after():
    """The number of the line after the caller's."""
    return inspect.currentframe().f_back.f_lineno + 1


@receiver(Signal("module level"))
def module_level(sender, **kwargs):
    """Never called."""


@pytest.fixture
def no_warning():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    assert [str(warning.message) for warning in caught] == []


def test_a_lost_nested_function_warns_with_name_line_and_remedy(signal):
    """The line is that of the connect call, in the text and for the filters."""

    def register():
        def log_response(sender, response, **kwargs):
            """Never called."""

        nonlocal line
        line = line_after()
        signal.connect(log_response)

    line = None
    with pytest.warns(ReceiverLostWarning) as caught:
        register()
    [warning] = caught
    text = str(warning.message)
    assert "Signal 'tested'" in text
    assert "register.<locals>.log_response" in text
    assert f"{__file__}:{line}" in text
    assert "weak=False" in text
    assert (warning.filename, warning.lineno) == (__file__, line)


def test_a_lost_lambda_warns(signal):
    with pytest.warns(ReceiverLostWarning, match="<lambda>"):
        signal.connect(lambda sender: None)


def test_a_lost_partial_and_a_lost_builtin_method_warn(signal):
    with pytest.warns(ReceiverLostWarning, match="partial"):
        signal.connect(partial(module_level, x=1))
    with pytest.warns(ReceiverLostWarning, match="append"):
        signal.connect([].append)


@pytest.mark.parametrize(
    "connect",
    [
        lambda signal, function: signal.connect()(function),
        lambda signal, function: signal.connect(sender=1)(function),
        lambda signal, function: signal.connect_via(1, weak=True)(function),
        lambda signal, function: receiver(signal)(function),
        lambda signal, function: receiver([signal], sender=1)(function),
    ],
)
def test_the_line_is_outside_of_the_library_however_it_was_connected(signal, connect):
    def lose():
        def nested(sender):
            """Never called."""

        connect(signal, nested)

    with pytest.warns(ReceiverLostWarning) as caught:
        lose()
    assert caught[0].filename == __file__


def test_an_anonymous_signal_warns_too():
    anonymous = Signal()
    with pytest.warns(ReceiverLostWarning, match="anonymous Signal"):
        anonymous.connect(lambda sender: None)


@pytest.mark.parametrize("send", ["send", "send_robust", "asend", "asend_robust"])
@pytest.mark.parametrize("sender", [Signal.ANY, "sender"])
def test_a_nested_function_that_was_called_does_not_warn(signal, no_warning, send, sender):
    def nested(sender, **kwargs):
        called.append(sender)

    called = []
    signal.connect(nested, sender)
    result = getattr(signal, send)("sender", x=1)
    if inspect.iscoroutine(result):
        asyncio.run(result)
    assert called == ["sender"]
    del nested, result
    assert not signal.receivers


def test_asking_and_a_failing_neighbor_are_no_calls(signal):
    def failing(sender):
        raise LookupError

    signal.connect(failing, weak=False)

    def lose():
        def nested(sender):
            """Never called."""

        signal.connect(nested)
        assert signal.has_listeners()
        assert len(list(signal.receivers_for(None))) == 2
        with pytest.raises(LookupError):
            signal.send()

    with pytest.warns(ReceiverLostWarning):
        lose()


def test_a_decorated_module_level_function_never_warns(signal, no_warning):
    names = {"receiver": receiver, "signal": signal, "__name__": "a_module"}
    exec("@receiver(signal)\ndef decorated(sender): pass", names)
    assert signal.has_listeners()
    names.clear()
    assert not signal.receivers


def test_methods_and_objects_do_not_warn(signal, no_warning):
    class Listener:
        def method(self, sender):
            """Never called."""

        __call__ = method

    listener = Listener()
    signal.connect(listener)
    signal.connect(listener.method)
    del listener
    assert not signal.receivers


def test_disconnecting_and_holding_do_not_warn(signal, no_warning):
    def disconnected(sender):
        """Never called."""

    signal.connect(disconnected)
    signal.disconnect(disconnected)
    del disconnected
    signal.connect(lambda sender: None, weak=False)
    with signal.connected_to(lambda sender: None):
        pass


def test_a_function_that_dies_with_its_signal_does_not_warn(no_warning):
    def nested(sender):
        """Never called."""

    signal = Signal()
    signal.connect(nested)
    del signal, nested


def test_where_warnings_are_errors_the_log_has_it(signal, caplog):
    """No exception can leave a callback of the garbage collector."""
    with warnings.catch_warnings(), caplog.at_level(logging.ERROR, logger="torngas_signal"):
        warnings.simplefilter("error")
        signal.connect(lambda sender: None)
    assert "<lambda>" in caplog.text
    assert not signal.receivers


def test_a_nested_function_becomes_as_fast_as_any_after_its_first_call(signal):
    def nested(sender, **kwargs):
        return "nested"

    signal.connect(nested)
    for _ in range(2):
        assert signal.send(x=1) == [(nested, "nested")]
    assert signal._table.snapshot.run.__code__.co_filename == "<torngas_signal>"
