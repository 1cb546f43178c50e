"""`db.ctx`: what the calling thread or task has of a database.

db.ctx.transactions  # [] outside of a transaction
"""

from __future__ import annotations

from typing import Any, Protocol

from .transactions import TransactionStack

__all__ = ["Context"]


class Connecting(Protocol):
    """What gives a connection."""

    def raw_connection(self) -> Any: ...


class Context:
    """A view; it holds nothing itself."""

    def __init__(self, db: Connecting, stack: TransactionStack | None) -> None:
        self._db = db
        self._stack = stack

    @property
    def db(self) -> Any:
        """A DB-API connection: the transaction's, or else one from the pool, which its `close()` gives back."""
        held = None if self._stack is None else self._stack.connection
        return self._db.raw_connection() if held is None else held.connection

    @property
    def transactions(self) -> list[Any]:
        """The open transactions, outermost first."""
        return [] if self._stack is None else list(self._stack.levels)
