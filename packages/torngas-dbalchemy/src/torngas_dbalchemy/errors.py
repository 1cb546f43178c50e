"""The errors of this library, one family.

Every one derives from `DBAlchemyError` and from the builtin (or SQLAlchemy) error that fits. No message holds a
password: addresses are shown as driver, host, port and database only.

    try:
        page = paginate(session, select(User), page=argument)
    except PageNotFound as error:
        raise HTTPError(error.status_code)
"""

from __future__ import annotations

from sqlalchemy.exc import OperationalError

__all__ = [
    "ConfigError",
    "CursorError",
    "DBAlchemyError",
    "DatabaseUnavailable",
    "NotConfigured",
    "PageNotFound",
    "UnknownAttribute",
]


class DBAlchemyError(Exception):
    """The base of all errors that this library raises itself."""


class ConfigError(DBAlchemyError, ValueError):
    """A configuration that cannot work; the message names alias, key and remedy, never a password."""


class NotConfigured(DBAlchemyError, RuntimeError):
    """A model was used, and nothing says which database it lives in."""


class UnknownAttribute(DBAlchemyError, TypeError):
    """A model was made with a keyword that it does not map."""


class PageNotFound(DBAlchemyError, LookupError):
    """The page asked for does not exist; a web framework answers it with `status_code`."""

    status_code = 404


class CursorError(PageNotFound, ValueError):
    """A keyset cursor that was changed, belongs to another query, or was signed with an unknown key."""


class DatabaseUnavailable(DBAlchemyError, OperationalError, ConnectionError):
    """The server does not answer, or went away; `orig` is the driver's error.

    It is an `sqlalchemy.exc.OperationalError` too, so that handlers of that keep working. The pool has dropped
    its dead connections: the next request connects anew, without a restart.
    """

    def __init__(self, where: str, orig: BaseException) -> None:
        OperationalError.__init__(self, None, None, orig)
        self.where = where

    def __reduce__(self) -> tuple[type[DatabaseUnavailable], tuple[str, BaseException]]:
        return type(self), (self.where, self.orig or OSError("unknown"))

    def __str__(self) -> str:
        return (
            f"{self.where}: got {self.orig}; expected a server that answers. "
            "Reads go on where a replica is configured; check that the server runs and is reachable."
        )
