"""The session's middleware. SignalMiddleware stands here too: the documentation of 1.8 prints this path for it."""

from torngas_session import SessionManager, SessionMiddleware
from torngas_signal import SignalMiddleware

__all__ = ["SessionManager", "SessionMiddleware", "SignalMiddleware"]
