"""The signals of a request, under their documented path."""

from torngas_signal import Signal, receiver
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

__all__ = [
    "Signal",
    "call_finished",
    "call_started",
    "got_request_exception",
    "handler_render",
    "handler_response",
    "handler_started",
    "message_flashed",
    "receiver",
    "template_rendered",
]
