"""The errors of this library: one base class, and each one also the builtin that fits.

Nothing here is raised by a receiver; what a receiver raises reaches the sender unchanged.
"""

from __future__ import annotations

__all__ = ["AsyncReceiverError", "PayloadError", "ReceiverError", "ReceiverLostWarning", "SignalError"]


class SignalError(Exception):
    """Base class of every error that this library raises."""


class ReceiverError(SignalError, TypeError):
    """A receiver that cannot be connected: not callable, or not weakly referable without `weak=False`."""


class PayloadError(SignalError, TypeError):
    """A `send` whose arguments are not the signal's: a misspelt name, a sender given twice."""


class AsyncReceiverError(SignalError, RuntimeError):
    """A synchronous `send` met an asynchronous receiver; nothing was called. Use `asend`."""


class ReceiverLostWarning(UserWarning):
    """A nested function was connected weakly and collected before any send called it."""
