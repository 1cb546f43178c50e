"""The lifecycle signals and the middleware that sends them, without any web framework."""

import inspect

import pytest

from torngas_signal import AsyncReceiverError, PayloadError, Signal, SignalMiddleware, lifecycle, receiver
from torngas_signal.lifecycle import (
    call_finished,
    call_started,
    got_request_exception,
    handler_render,
    handler_response,
    handler_started,
    message_flashed,
    template_rendered,
)


class Request:
    pass


class Handler:
    request = Request()


def clear():
    raise AssertionError("the middleware ends nothing")


ERROR = LookupError("broken")
HANDLER = Handler()
REQUEST = HANDLER.request

HOOKS = [
    (call_started, "process_call", (REQUEST, clear), Request, {"request": REQUEST}),
    (handler_started, "process_request", (HANDLER, clear), Handler, {"handler": HANDLER}),
    (
        got_request_exception,
        "process_exception",
        (HANDLER, clear, LookupError, ERROR, None),
        Handler,
        {"handler": HANDLER, "request": REQUEST, "exception": ERROR},
    ),
    (handler_response, "process_response", (HANDLER, clear, [b"x"]), Handler, {"handler": HANDLER, "chunk": [b"x"]}),
    (call_finished, "process_endcall", (HANDLER, clear), Handler, {"handler": HANDLER}),
]


@pytest.mark.parametrize(("signal", "hook", "args", "sender", "payload"), HOOKS)
def test_each_hook_sends_its_signal(signal, hook, args, sender, payload):
    """The sender is a class; the receivers get signal, sender and the payload by name."""
    got = []

    def callback(**kwargs):
        got.append(kwargs)
        return "no middleware is skipped by this"

    with signal.connected_to(callback), signal.connected_to(got.append, sender=int):
        assert getattr(SignalMiddleware(), hook)(*args) is None
    assert got == [{"signal": signal, "sender": sender, **payload}]


def test_process_render_sends_the_template_and_its_arguments():
    got = []

    def callback(**kwargs):
        got.append(kwargs)

    with handler_render.connected_to(callback, sender=Handler):
        assert SignalMiddleware().process_render(HANDLER, clear, "page.html", user="ada") is None
    [told] = got
    assert told == {
        "signal": handler_render,
        "sender": Handler,
        "handler": HANDLER,
        "template_name": "page.html",
        "kwargs": {"user": "ada"},
    }


def test_the_chunk_is_the_list_itself():
    chunk = [b"a"]

    def edit(sender, chunk, **kwargs):
        chunk.append(b"b")

    with handler_response.connected_to(edit):
        SignalMiddleware().process_response(HANDLER, clear, chunk)
    assert chunk == [b"a", b"b"]


@pytest.mark.parametrize(("signal", "hook", "args"), [row[:3] for row in HOOKS if row[1] != "process_call"])
async def test_hooks_that_may_be_asynchronous_await_their_receivers(signal, hook, args):
    got = []

    async def callback(sender, **kwargs):
        got.append(sender)

    with signal.connected_to(callback):
        awaitable = getattr(SignalMiddleware(), hook)(*args)
        assert inspect.isawaitable(awaitable)
        assert await awaitable is None
    assert got == [Handler]


@pytest.mark.parametrize("hook", ["process_call", "process_render"])
def test_hooks_that_may_not_refuse_asynchronous_receivers(hook):
    async def callback(sender, **kwargs):
        """Never called."""

    signal = call_started if hook == "process_call" else handler_render
    args = (REQUEST, clear) if hook == "process_call" else (HANDLER, clear, "page.html")
    with signal.connected_to(callback), pytest.raises(AsyncReceiverError):
        getattr(SignalMiddleware(), hook)(*args)


def test_an_exception_of_a_receiver_is_one_of_the_hook():
    def failing(sender, **kwargs):
        raise LookupError

    with handler_started.connected_to(failing), pytest.raises(LookupError):
        SignalMiddleware().process_request(HANDLER, clear)


def test_the_documented_example():
    """A function inside a class body, and a plain call of connect."""

    class MyService:
        @receiver(call_started)
        def callback(**kwargs):
            got.append(kwargs["request"])

    def callback(**kwargs):
        got.append(kwargs["template_name"])

    handler_render.connect(callback)
    got = []
    SignalMiddleware().process_call(REQUEST, clear)
    SignalMiddleware().process_render(HANDLER, clear, "page.html")
    assert got == [REQUEST, "page.html"]
    call_started.disconnect(MyService.callback)
    handler_render.disconnect(callback)


def test_the_middleware_has_no_process_init_and_no_state():
    hooks = {name for name in dir(SignalMiddleware) if name.startswith("process_")}
    assert hooks == {
        "process_call",
        "process_request",
        "process_render",
        "process_exception",
        "process_response",
        "process_endcall",
    }
    assert vars(SignalMiddleware()) == {}


def test_signals_that_others_send_have_flasks_payload():
    got = []

    def callback(sender, **kwargs):
        del kwargs["signal"]
        got.append(kwargs)

    with template_rendered.connected_to(callback), message_flashed.connected_to(callback):
        template_rendered.send(Handler, template="t", context={"x": 1})
        message_flashed.send(Handler, message="saved", category="info")
    assert got == [{"template": "t", "context": {"x": 1}}, {"message": "saved", "category": "info"}]


def test_every_lifecycle_signal_is_named_documented_and_checks_its_payload():
    signals = [getattr(lifecycle, name) for name in lifecycle.__all__ if name != "SignalMiddleware"]
    assert len(signals) == 8
    for signal in signals:
        assert isinstance(signal, Signal)
        assert getattr(lifecycle, signal.name) is signal
        assert signal.doc
        with pytest.raises(PayloadError):
            signal.send(Handler, handlr=HANDLER)
