"""Statements that are told to a watch, by SQLAlchemy's own events; and what may be shown of a statement.

watch_queries(connector, watch)
without_values("SELECT * FROM users WHERE name = 'ada'")       # SELECT * FROM users WHERE name = ?
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from torngas.observe.watch import Watch

if TYPE_CHECKING:
    from torngas_dbalchemy import Connector
    from torngas_dbalchemy.engines import Server

__all__ = ["servers_of", "watch_queries", "without_values"]

_NUMBER = r"(?<![\w$:?%.])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?\b"
_STRING = r"[eE]?'(?:[^'\\]|''|\\.)*'"
_DOLLARS = r"\$(\w*)\$.*?\$\1\$"
_VALUES = re.compile(f"{_DOLLARS}|{_STRING}|{_NUMBER}", re.DOTALL)
# In MySQL double quotes hold a value, everywhere else a name.
_MYSQL_VALUES = re.compile(rf'{_STRING}|"(?:[^"\\]|""|\\.)*"|{_NUMBER}', re.DOTALL)
_LONGEST = 4096


def servers_of(connector: Connector) -> Iterator[tuple[str, str, Server]]:
    """Yields alias, name (`primary`, `replica-1`, …) and server of everything that is connected to."""
    for alias, database in connector.databases.items():
        yield alias, "primary", database.primary
        for number, server in enumerate(database.replicas.servers, 1):
            yield alias, f"replica-{number}", server


def watch_queries(connector: Connector, watch: Watch) -> None:
    """Tells the watch of every statement of every engine, also of those that are made later."""
    for alias, name, server in servers_of(connector):
        server.each_engine(_Listener(watch, f"{alias}:{name}").listen)


@lru_cache(maxsize=1024)
def without_values(statement: str, dialect: str = "") -> str:
    """The statement with `?` for each literal, of 4096 characters at most; parameters are none of its text anyway."""
    values = _MYSQL_VALUES if dialect in ("mysql", "mariadb") else _VALUES
    text = values.sub("?", " ".join(statement[: 4 * _LONGEST].split()))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


class _Listener:
    """The events of the engines of one server."""

    def __init__(self, watch: Watch, target: str) -> None:
        self._watch = watch
        self._target = target

    def listen(self, engine: Any) -> None:
        from sqlalchemy import event

        event.listen(engine, "before_cursor_execute", self._before)
        event.listen(engine, "after_cursor_execute", self._after)
        event.listen(engine, "handle_error", self._failed)

    def _before(self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        dialect: str = connection.dialect.name
        operation = statement.lstrip(" (\n\t").partition(" ")[0].upper()[:32] or "QUERY"
        context._torngas_work = self._watch.begin(
            "query", operation, self._target, system=dialect, text=without_values(statement, dialect)
        )

    def _after(self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        work = context.__dict__.pop("_torngas_work", None)
        if work is not None:
            self._watch.end(work)

    def _failed(self, failure: Any) -> None:
        context = failure.execution_context
        work = None if context is None else context.__dict__.pop("_torngas_work", None)
        if work is not None:
            self._watch.end(work, failure.original_exception)
