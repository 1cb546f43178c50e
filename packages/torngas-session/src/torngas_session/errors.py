"""What can go wrong with a session.

Everything derives from `SessionError` and from the builtin that fits, so `except SessionError` catches all of
this library and `except KeyError` still means what it says. No message carries a session id, a value or a key
of the signer.
"""

__all__ = [
    "ConfigurationError",
    "ConfigurationTypeError",
    "MissingKeyError",
    "NoSessionError",
    "SessionClosedError",
    "SessionConflictError",
    "SessionError",
    "SessionNotLoadedError",
    "SessionNotSavedError",
    "SessionSerializationError",
    "SessionTooLargeError",
    "StoreError",
    "UnsupportedByStoreError",
]


class SessionError(Exception):
    """The base of every error of this library."""


class ConfigurationError(SessionError, ValueError):
    """An option has a value that cannot work or would not be safe; raised when the configuration is made."""


class ConfigurationTypeError(ConfigurationError, TypeError):
    """An option has the wrong type, such as a `str` where a list of keys is expected."""


class NoSessionError(SessionError, AttributeError):
    """The handler has no session: no middleware ran, and its application knows no manager.

    An AttributeError as well, so `getattr(handler, "session", None)` answers None.
    """


class MissingKeyError(SessionError, KeyError):
    """`session.require(key)` found nothing under the key."""


class SessionNotLoadedError(SessionError, RuntimeError):
    """The store does I/O, and the session was used on the event loop before `await session.aload()`."""


class SessionNotSavedError(SessionError, RuntimeError):
    """The headers are about to leave, the session has changes, and saving them needs `await session.asave()`."""


class SessionClosedError(SessionError, RuntimeError):
    """The change came too late: the response was sent, or the headers that would carry the new cookie were."""


class SessionConflictError(SessionError, RuntimeError):
    """Somebody else saved the session meanwhile, and `conflict="raise"` was chosen; nothing was written."""


class SessionSerializationError(SessionError, TypeError):
    """A value in the session is nothing that the serializer can write; nothing was stored."""


class SessionTooLargeError(SessionError, ValueError):
    """The session does not fit into a cookie; nothing was sent."""


class StoreError(SessionError, RuntimeError):
    """The store failed; the cause is chained. A read may be told to go on (`on_read_error`), a write never is."""


class UnsupportedByStoreError(SessionError, RuntimeError):
    """The store keeps nothing on the server, so there is nothing to list or to revoke."""
