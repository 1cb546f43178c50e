"""Transactions that belong to a context, and nest by savepoints.

    with db.transaction():
        db.insert("person", name="ann")
        with db.transaction():  # a savepoint
            db.insert("person", name="bob")

What runs in another thread or task, begun inside or not, is not part of the transaction: a connection is never used
by two at once.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import weakref
from collections.abc import Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from .errors import TransactionError
from .queries import SQLQuery

__all__ = ["Transaction", "TransactionStack", "current_stack"]

_LOG = logging.getLogger("torngas_dbalchemy")
_NOTHING: Mapping[int, weakref.ref[TransactionStack]] = {}
_STACKS: ContextVar[Mapping[int, weakref.ref[TransactionStack]]] = ContextVar("torngas_basedb", default=_NOTHING)


class Executor(Protocol):
    """What a transaction asks of a database."""

    def connect(self) -> Connection: ...
    def send(self, connection: Connection, query: SQLQuery, /) -> Any: ...


def _owner() -> object:
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    return threading.get_ident() if task is None else task


def current_stack(db: Executor) -> TransactionStack | None:
    """Answers the open transactions of this context on a database, None without one."""
    found = _STACKS.get().get(id(db))
    stack = found() if found is not None else None
    return stack if stack is not None and stack.levels and stack.owner == _owner() else None


class _Level:
    """One transaction or savepoint; `failure` is what rolled it back."""

    __slots__ = ("failure", "savepoint")

    def __init__(self, savepoint: str | None) -> None:
        self.savepoint = savepoint
        self.failure: str | None = None


class TransactionStack:
    """A connection and the transactions open on it, outermost first. Used by its owner, a thread or task, alone."""

    def __init__(self, db: Executor) -> None:
        self.db = db
        self.owner = _owner()
        self.levels: list[_Level] = []
        self._connection: Connection | None = db.connect()
        alive = {key: ref for key, ref in _STACKS.get().items() if ref() is not None}
        # The context knows the stack weakly: one that nobody can end any more ends by itself, see __del__.
        _STACKS.set({**alive, id(db): weakref.ref(self)})

    @property
    def connection(self) -> Connection | None:
        """The connection; None when the outermost transaction has ended."""
        return self._connection

    def begin(self) -> _Level:
        """Opens the next level."""
        level = _Level(f"torngas_{len(self.levels)}" if self.levels else None)
        try:
            self.run(SQLQuery(f"SAVEPOINT {level.savepoint}" if level.savepoint else "BEGIN"))
        except BaseException:
            if not self.levels:
                self._release()
            raise
        self.levels.append(level)
        return level

    def run(self, query: SQLQuery) -> Any:
        """Executes in the innermost level; an error rolls it back, and nothing more runs there.

        Raises:
            TransactionError: the level was rolled back by an error before.
        """
        if self.levels and self.levels[-1].failure:
            raise self._failed(self.levels[-1])
        if self._connection is None:
            raise TransactionError("transaction: got a statement after its end; expected a new db.transaction().")
        try:
            return self.db.send(self._connection, query)
        except BaseException as error:
            self._fail(type(error).__name__)
            raise

    def end(self, level: _Level, commit: bool) -> None:
        """Ends a level and those inside it; does nothing if it has ended.

        Raises:
            TransactionError: it was to be committed, and an error has rolled it back.
        """
        if level not in self.levels:
            return
        depth = self.levels.index(level)
        try:
            if level.failure is None:
                self._settle(level, commit)
            elif commit:
                raise self._failed(level)
        finally:
            del self.levels[depth:]
            if not self.levels:
                self._release()

    def _settle(self, level: _Level, commit: bool) -> None:
        if commit:
            try:
                self._send(f"RELEASE SAVEPOINT {level.savepoint}" if level.savepoint else "COMMIT")
            except BaseException:
                self._undo(level)
                raise
        elif not self._undo(level):
            self._fail_all("its savepoint was gone")

    def _undo(self, level: _Level) -> bool:
        try:
            self._send(f"ROLLBACK TO SAVEPOINT {level.savepoint}" if level.savepoint else "ROLLBACK")
        except SQLAlchemyError:
            return False
        return True

    def _send(self, text: str) -> None:
        if self._connection is not None:
            self.db.send(self._connection, SQLQuery(text))

    def _fail(self, reason: str) -> None:
        if not self.levels:
            return
        if self._undo(self.levels[-1]):
            self.levels[-1].failure = reason
        else:  # a deadlock or a lost connection ends the whole transaction, not the savepoint alone
            self._fail_all(reason)

    def _fail_all(self, reason: str) -> None:
        for level in self.levels:
            level.failure = reason
        self._undo(self.levels[0])

    def _failed(self, level: _Level) -> TransactionError:
        return TransactionError(
            f"transaction: got a statement or commit after it was rolled back ({level.failure}); "
            "expected its end. Leave its block, or roll it back, and begin anew."
        )

    def _release(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()  # the pool rolls back what is open

    def __del__(self) -> None:
        if getattr(self, "_connection", None) is not None:
            _LOG.warning("a transaction was left without commit or rollback, and is rolled back")
            self._release()


class Transaction:
    """What `db.transaction()` answers: begun already, ended by `commit`, `rollback`, or its `with` block.

    The block commits, or rolls back if it is left by an exception. Ending it twice does nothing. One that is dropped
    without an end is rolled back.
    """

    def __init__(self, db: Executor) -> None:
        self._stack = current_stack(db) or TransactionStack(db)
        self._level = self._stack.begin()

    def commit(self) -> None:
        """Keeps the changes, or hands them to the enclosing transaction.

        Raises:
            TransactionError: a failed statement has rolled it back.
        """
        self._stack.end(self._level, commit=True)

    def rollback(self) -> None:
        """Undoes the changes since it began."""
        self._stack.end(self._level, commit=False)

    def __enter__(self) -> Transaction:
        return self

    def __exit__(
        self, exctype: type[BaseException] | None, excvalue: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if exctype is None:
            self.commit()
        else:
            self.rollback()
