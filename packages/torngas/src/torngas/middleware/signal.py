"""The middleware that sends the signals of a request."""

from torngas_signal import SignalMiddleware

__all__ = ["SignalMiddleware"]
