"""Signals for any Python program: Django's and blinker's habits in one fast, typed library.

from torngas_signal import Signal

saved = Signal("saved")

@saved.connect
def welcome(sender, user, **kwargs):
    return f"hello {user}"

saved.send(None, user="ada")  # [(welcome, "hello ada")]
"""

from torngas_signal._decorators import receiver
from torngas_signal._senders import ANY
from torngas_signal._typing import Signal
from torngas_signal.exceptions import AsyncReceiverError, PayloadError, ReceiverError, ReceiverLostWarning, SignalError
from torngas_signal.lifecycle import SignalMiddleware
from torngas_signal.namespace import Namespace, default_namespace, signal

__all__ = [
    "ANY",
    "AsyncReceiverError",
    "Namespace",
    "PayloadError",
    "ReceiverError",
    "ReceiverLostWarning",
    "Signal",
    "SignalError",
    "SignalMiddleware",
    "default_namespace",
    "receiver",
    "signal",
]
