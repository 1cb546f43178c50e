"""The errors of basedb; those of the database itself are SQLAlchemy's, e.g. `sqlalchemy.exc.IntegrityError`.

try:
    db = database(dbn="oracel")
except UnknownDB as error:
    print(error)
"""

from __future__ import annotations

from ..errors import DBAlchemyError

__all__ = ["InterpolationError", "TransactionError", "UnknownDB", "UnknownParamstyle", "UnknownVariable", "UnsafeName"]


class UnknownDB(DBAlchemyError, LookupError):
    """No database is registered under that name."""


class UnknownParamstyle(DBAlchemyError, ValueError):
    """A style of parameter markers other than qmark, numeric, format and pyformat."""


class TransactionError(DBAlchemyError, RuntimeError):
    """The transaction was rolled back before, because a statement in it failed, and cannot go on or commit."""


class InterpolationError(DBAlchemyError, ValueError):
    """An expression that begins with `${` and does not end."""


class UnknownVariable(DBAlchemyError, KeyError):
    """The text names a variable that `vars` does not have."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would show the repr


class UnsafeName(DBAlchemyError, ValueError):
    """A column name that is no name; it would have become part of the SQL."""
